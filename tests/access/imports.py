"""Who may go where among the files on their way in."""

from tests.access import Rule
from tests.people.factories import UserFactory

OPS = frozenset({"ops"})
SEE = frozenset({"ops", "admin"})


def plan():
    from hub.imports.actions import judge_plan, upload
    from hub.imports.kinds import kind_named

    who = UserFactory(name="Who uploads")
    made = upload(kind=kind_named("tools"), content=b"name\nMiro\n", filename="tools.csv", by=who)
    judge_plan(plan_id=made.pk)
    return {"pk": made.pk}


def applied():
    from hub.imports.actions import apply_plan

    made = plan()
    apply_plan(plan_id=made["pk"], by_id=UserFactory(name="Who applies").pk)
    return made


def kind():
    return {"kind": "tools"}


def feed():
    from hub.imports.models import Feed

    return {"pk": Feed.objects.create(kind="tools", label="Nightly", url="https://files.example.com/tools.csv").pk}


ADDRESS = {"label": "Nightly", "url": "https://files.example.com/tools.csv"}

ACCESS = {
    "imports:plan_list": Rule(who=SEE),
    "imports:plan_create": Rule(who=OPS, methods=("GET", "POST"), make=kind),
    "imports:plan_template": Rule(who=OPS, make=kind),
    "imports:plan_detail": Rule(who=OPS, make=plan),
    "imports:plan_read": Rule(who=OPS, methods=("POST",), make=plan, data={"repair": "1"}),
    "imports:plan_apply": Rule(who=OPS, methods=("POST",), make=plan, data={"apply": "1"}),
    "imports:plan_undo": Rule(who=OPS, methods=("POST",), make=applied),
    "imports:plan_discard": Rule(who=OPS, methods=("POST",), make=plan),
    "imports:feed_create": Rule(who=SEE, methods=("GET", "POST"), make=kind, data=ADDRESS),
    "imports:feed_edit": Rule(who=SEE, methods=("GET", "POST"), make=feed, data=ADDRESS),
    "imports:feed_read": Rule(who=SEE, methods=("POST",), make=feed),
    "imports:feed_remove": Rule(who=SEE, methods=("POST",), make=feed),
}
