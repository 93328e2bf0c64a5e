"""Who may go where in the tools room."""

from datetime import timedelta

from django.utils import timezone

from tests.access import Rule
from tests.people.factories import UserFactory
from tests.tooling.factories import CapabilityFactory, ToolFactory, does

OPS = frozenset({"ops"})


def tool():
    made = ToolFactory(slug="miro", name="Miro")
    does(made, CapabilityFactory(slug="whiteboard"))
    return {"slug": made.slug}


def job():
    tool()
    return {"slug": "whiteboard"}


def moved():
    from tooling.actions import move
    from tooling.models import Tool

    where = tool()
    made = Tool.objects.get(slug=where["slug"])
    event = move(tool=made, to=Tool.Lifecycle.RETIRING, by=UserFactory(name="Who moves"), why="Nobody opens it.")
    return {**where, "event_id": event.pk}


ACCESS = {
    "tooling:tool_list": Rule(),
    "tooling:tool_export": Rule(),
    "tooling:tool_detail": Rule(make=tool),
    "tooling:capability_list": Rule(),
    "tooling:capability_detail": Rule(make=job),
    "tooling:tool_create": Rule(who=OPS, methods=("GET", "POST"), data={"name": "A new tool", "kind": "saas"}),
    "tooling:tool_edit": Rule(
        who=OPS, methods=("GET", "POST"), make=tool, data={"name": "Miro", "kind": "saas", "version": "1"}
    ),
    "tooling:tool_move": Rule(
        who=OPS, methods=("GET", "POST"), make=tool, data={"to": "retiring", "why": "Nobody opens it."}
    ),
    "tooling:tool_decide": Rule(
        who=OPS,
        methods=("GET", "POST"),
        make=tool,
        data={
            "capability": "whiteboard",
            "ring": "adopt",
            "why": "Everybody works in it.",
            "review_on": (timezone.localdate() + timedelta(days=90)).isoformat(),
        },
    ),
    "tooling:tool_hand_over": Rule(who=OPS, methods=("GET", "POST"), make=tool, data={"owner": ""}),
    "tooling:tool_undo": Rule(who=OPS, methods=("POST",), make=moved),
}
