"""A spreadsheet on its way in: judged, applied once, taken back."""

import re
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from hub.activity.models import Event
from hub.core.csv import Unreadable
from hub.imports.actions import PlanNotReady, apply_plan, judge_plan, reread, tick, undo_plan, upload
from hub.imports.kinds import kind_named
from hub.imports.models import ImportPlan, ImportRow
from hub.imports.sheet import suggest_mapping
from hub.imports.tasks import apply_import, judge_import
from hub.jobs.models import Job
from tests.people.factories import UserFactory
from tests.tooling.factories import CapabilityFactory, ToolFactory, does, named, owned
from tooling import actions as tools
from tooling.models import Tool
from tooling.sync.sheet import COLUMNS, judge

pytestmark = pytest.mark.django_db
TOOLS = kind_named("tools")


def planned(text, by, **options):
    content = text if isinstance(text, bytes) else text.encode()
    plan = upload(kind=TOOLS, content=content, filename="tools.csv", by=by)
    judge_plan(plan_id=plan.pk)
    plan.refresh_from_db()
    return plan


def applied(plan, by):
    plan = apply_plan(plan_id=plan.pk, by_id=by.pk)
    assert plan.state == "applied"
    return plan


def verdicts(plan):
    return {row.line: row.verdict for row in plan.rows.all()}


def problems(plan, line=2):
    return [TOOLS.problem(code, values) for code, values in plan.rows.get(line=line).problems]


def snapshot():
    """Everything an import could touch, without moments."""
    return sorted(
        (
            tool.slug, tool.name, tool.summary_en, tool.summary_fr, tool.vendor and tool.vendor.name, tool.website,
            tool.login_url, tool.kind, tool.lifecycle, tool.is_starter, tool.version,
            [(link.capability.slug, link.is_primary, link.not_for_en) for link in tool.capability_links.order_by("pk")],
            sorted(alias.text for alias in tool.aliases.all()),
            sorted(owner.name for owner in tool.owners.all()),
        )
        for tool in Tool.objects.all()
    )  # fmt: skip


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["Nom", "Éditeur", "Statut", "Responsable", "Site web"], ["name", "vendor", "lifecycle", "owner", "website"]),
        (["Tool name", "Vendor", "Status", "Owner email", "URL"], ["name", "vendor", "lifecycle", "owner", "website"]),
        (["name", "Sumary", "Catégories", "Autres noms"], ["name", "summary_en", "capabilities", "aliases"]),
        (["zzz", "", "qqq"], []),
    ],
)
def test_columns_are_recognised_in_both_languages(header, expected):
    found = suggest_mapping(header, COLUMNS)

    assert sorted(found, key=found.get) == expected


def test_every_row_is_judged_and_nothing_is_written(ops):
    does(ToolFactory(name="Miro", slug="miro", summary_en="Boards."), CapabilityFactory(slug="whiteboard"))
    ToolFactory(name="Slack", slug="slack", summary_en="Talk.")
    ToolFactory(name="Unnamed in the file")
    before = snapshot()

    plan = planned(
        "name,summary,capability\nmiro,Think together.,whiteboard\nSlack,Talk.,\nMaze,Tests.,whiteboard\n,x,\n", ops
    )

    assert verdicts(plan) == {2: "update", 3: "unchanged", 4: "create", 5: "error"}
    assert plan.rows.get(line=2).changes == {"summary_en": ["Boards.", "Think together."]}
    assert plan.missing_count == 1
    assert snapshot() == before
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",x,,,,,", "Every tool needs one"),
        (f"{'n' * 81},,,,,,", "81 characters"),
        (f"A,{'s' * 201},,,,,", "201 characters"),
        ("A,,not a site!,,,,", "no web address"),
        ("A,,javascript:alert(1),,,,", "no web address"),
        ("A,,,banana,,,", "retiring"),
        ("A,,,,whitebord,,", "whiteboard"),
        ("A,,,,,nobody@x.example,", "Invite them first"),
        ("A,,,,,,Slack", "already a name of Slack"),
        ("Slack,,,retired,,,", "From there: retiring"),
        ("Slack,,,retiring,,,", "needs a reason"),
        ("A,,,,,,,,too,many", "cells"),
    ],
)
def test_each_error_says_what_to_do(ops, row, said):
    ToolFactory(name="Slack", slug="slack")
    CapabilityFactory(slug="whiteboard")

    plan = planned(f"name,summary,website,lifecycle,capability,owner,aliases\n{row}\nGood,,,,,,\n", ops)

    assert verdicts(plan) == {2: "error", 3: "create"}
    assert said in " ".join(problems(plan))


def test_the_same_tool_twice_in_a_file_names_the_first_line(ops):
    named(ToolFactory(name="Miro"), "Board")

    plan = planned("name\nNew\nMiro\nBOARD\nnew \n", ops)

    assert verdicts(plan) == {2: "create", 3: "unchanged", 4: "error", 5: "error"}
    assert "line 3" in problems(plan, 4)[0] and "line 2" in problems(plan, 5)[0]


def test_two_new_tools_cannot_share_an_alias(ops):
    plan = planned("name,aliases\nOne,Board\nTwo,board\n", ops)

    assert verdicts(plan) == {2: "create", 3: "error"}


def test_an_empty_cell_changes_nothing(ops, member):
    tool = ToolFactory(name="Miro", summary_en="Boards.", website="https://miro.com")
    owned(tool, member)

    plan = planned("name,summary,website,owner,kind\nMiro,,,,\n", ops)

    assert verdicts(plan) == {2: "unchanged"}


def test_a_file_that_names_a_suggestion_adopts_it(ops):
    ToolFactory(name="Miro", starter=True)

    applied(planned("name\nMiro\n", ops), ops)

    tool = Tool.objects.get()
    assert (tool.is_starter, tool.lifecycle) == (False, "active")


def test_a_move_with_its_reason_is_taken_and_recorded(ops):
    ToolFactory(name="Jira")

    applied(planned("name,status,reason\nJira,Retiring,Everyone moved to Linear.\n", ops), ops)

    assert Tool.objects.get().lifecycle == "retiring"
    assert Event.objects.get().why == "Everyone moved to Linear."


def test_choices_are_read_in_french_too(ops):
    from django.utils import translation

    with translation.override("fr"):
        label = str(Tool.Lifecycle.PILOT.label)

    plan = planned(f"nom;statut\nMaze;{label}\n", ops)

    assert plan.rows.get().values["lifecycle"] == "pilot"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig", "mac_roman"])
def test_any_encoding_with_semicolons_is_read(ops, encoding):
    plan = planned("nom;résumé\nMiro;Tableau partagé\n".encode(encoding), ops)

    applied(plan, ops)

    assert Tool.objects.get().summary_fr == "Tableau partagé"


def test_garbled_letters_are_offered_for_repair_and_repaired(ops):
    plan = planned("name,summary_fr\nMiro,Tableau partagé\n".encode().decode("cp1252").encode(), ops)
    assert [code for code, _values in plan.notes] == ["garbled"]

    reread(plan=plan, repair=True)
    judge_plan(plan_id=plan.pk)

    assert plan.rows.get().values["summary_fr"] == "Tableau partagé"


def test_a_formula_stays_text(ops):
    plan = planned('name,summary\n"=HYPERLINK(""http://x"")",+1\n', ops)

    applied(plan, ops)

    assert [code for code, _values in plan.notes] == ["formula"]
    assert Tool.objects.get().name == '=HYPERLINK("http://x")'


def test_a_missing_name_column_can_be_chosen(ops):
    plan = planned("was ist das;x\nMiro;Board\n", ops)
    assert set(verdicts(plan).values()) == {"error"}

    reread(plan=plan, mapping={"name": 0, "summary_en": 1})
    judge_plan(plan_id=plan.pk)

    assert verdicts(plan) == {2: "create"}


@pytest.mark.parametrize("number", range(20))
def test_bad_files_are_refused_or_judged_never_written(ops, number):
    """reliability.md, row 30: twenty bad files."""
    head = b"name,summary,website\n"
    bad = [
        b"", b"\n\n\n", b"\x00\x01\x02\x03" * 99, b"PK\x03\x04zip", b"\xff\xfe", head, head + b'A,"open\n',
        head + b"=cmd|' /C calc'!A0,=1,=2\n", head + b"\xc3\x28,\xa0\xa1,\xe2\x28\xa1\n", head + b"a" * 30_000,
        head + b",,\n,,\n", head + b"A,b,c,d,e\n", head + b"A\x00B,c,d\n", head + b"A,<script>alert(1)</script>,\n",
        head + b"A,b,javascript:alert(1)\n", head + b"A,b,http://[::1\n", b"name;name;name\nA;B;C\n",
        head + b"'; DROP TABLE tooling_tool; --,x,\n", ",".join(f"c{n}" for n in range(500)).encode() + b"\n1\n",
        head + "𝕬\u202e,\u202e,\n".encode(),
    ]  # fmt: skip

    try:
        plan = planned(bad[number], ops)
    except Unreadable as refused:
        assert refused.note.text
    else:
        assert plan.state == "ready" and plan.rows.exists()
    assert not Tool.objects.exists()


# ---------------------------------------------------------------- applying


FULL = """name,summary,summary_fr,vendor,website,login_url,kind,lifecycle,capability,aliases,owner
Miro,Boards.,Tableaux.,Miro Inc,miro.com,https://miro.com/login,saas,pilot,whiteboard;mapping,RealtimeBoard|MB,{owner}
Bot,Posts.,Publie.,Miro Inc,,,internal,active,mapping,,
"""


def test_applying_writes_every_field(ops, member):
    CapabilityFactory(slug="whiteboard"), CapabilityFactory(slug="mapping")

    plan = applied(planned(FULL.format(owner=member.email), ops), ops)

    miro = Tool.objects.get(name="Miro")
    assert (miro.summary_en, miro.summary_fr, miro.vendor.name, miro.website) == (
        "Boards.", "Tableaux.", "Miro Inc", "https://miro.com",
    )  # fmt: skip
    assert (miro.kind, miro.lifecycle, miro.slug, miro.is_starter) == ("saas", "pilot", "miro", False)
    assert [(link.capability.slug, link.is_primary) for link in miro.capability_links.order_by("pk")] == [
        ("whiteboard", True), ("mapping", False),
    ]  # fmt: skip
    assert {alias.text for alias in miro.aliases.all()} == {"RealtimeBoard", "MB"}
    assert miro.is_owned_by(member)
    assert Event.objects.filter(batch=plan.batch, by=ops).count() == 2


def test_applying_twice_changes_nothing(ops, member):
    CapabilityFactory(slug="whiteboard"), CapabilityFactory(slug="mapping")
    plan = applied(planned(FULL.format(owner=member.email), ops), ops)
    first, events = snapshot(), Event.objects.count()

    apply_plan(plan_id=plan.pk, by_id=ops.pk)
    again = planned(FULL.format(owner=member.email), ops)
    applied(again, ops)

    assert set(verdicts(again).values()) == {"unchanged"}
    assert (snapshot(), Event.objects.count()) == (first, events)


def test_unticked_rows_stay_out(ops):
    plan = planned("name\nOne\nTwo\nThree\n", ops)
    rows = {row.title: row.pk for row in plan.rows.all()}

    tick(plan=plan, shown=[rows["One"], rows["Two"]], ticked=[rows["Two"]])
    applied(plan, ops)

    assert set(Tool.objects.values_list("name", flat=True)) == {"Two", "Three"}


def test_a_tool_changed_meanwhile_stops_the_whole_file(ops):
    tool = ToolFactory(name="Miro", summary_en="Old.")
    plan = planned("name,summary\nMiro,New.\nOther,x\n", ops)
    Tool.objects.filter(pk=tool.pk).update(summary_en="Changed by somebody.")

    plan = apply_plan(plan_id=plan.pk, by_id=ops.pk)

    assert plan.state == "ready"
    assert set(Tool.objects.values_list("name", "summary_en")) == {("Miro", "Changed by somebody.")}
    assert plan.rows.get(line=2).changes == {"summary_en": ["Changed by somebody.", "New."]}
    assert "judged again" in problems(plan)[0]
    applied(plan, ops)  # seen again, and meant
    assert Tool.objects.get(pk=tool.pk).summary_en == "New."


def test_notes_on_a_kept_job_survive(ops):
    tool = ToolFactory(name="Miro")
    link = does(tool, CapabilityFactory(slug="whiteboard"))
    link.not_for_en = "Specifications."
    link.save()
    CapabilityFactory(slug="mapping")

    applied(planned("name,capability\nMiro,mapping;whiteboard\n", ops), ops)

    assert tool.capability_links.get(capability__slug="whiteboard").not_for_en == "Specifications."


# ---------------------------------------------------------------- taking back


def test_undo_gives_back_what_was(ops, member):
    CapabilityFactory(slug="mapping")
    tool = ToolFactory(name="Miro", slug="miro", summary_en="Old.")
    does(tool, CapabilityFactory(slug="whiteboard"))
    named(tool, "Old alias")
    owned(tool, UserFactory(name="Before"))
    before = snapshot()
    plan = applied(planned(FULL.format(owner=member.email).replace(",pilot,", ",,"), ops), ops)

    assert undo_plan(plan=plan, by=ops) == (2, 0)

    def without_version(rows):
        return [tuple(value for at, value in enumerate(row) if at != 10) for row in rows]

    assert without_version(snapshot()) == without_version(before)
    with pytest.raises(PlanNotReady):
        undo_plan(plan=plan, by=ops)


def test_undo_leaves_alone_what_was_touched_since(ops):
    plan = applied(planned("name\nOne\nTwo\n", ops), ops)
    tools.hand_over(tool=Tool.objects.get(name="One"), to=ops, by=ops)

    assert undo_plan(plan=plan, by=ops) == (1, 1)
    assert [tool.name for tool in Tool.objects.all()] == ["One"]


# ---------------------------------------------------------------- size


@pytest.mark.slow
def test_twenty_thousand_rows_are_judged_applied_and_the_same_again(ops, sign_in):
    CapabilityFactory(slug="whiteboard")
    lines = ["name,summary,vendor,capability,aliases"]
    lines += [f"Tool {n},What {n} does,Vendor {n % 500},whiteboard,Alias {n}" for n in range(20_000)]
    client = sign_in(ops)

    started = time.monotonic()
    file = SimpleUploadedFile("big.csv", "\n".join(lines).encode())
    answer = client.post(reverse("imports:plan_create", args=["tools"]), {"file": file})
    assert answer.status_code == 302
    plan = ImportPlan.objects.get()
    assert plan.state == "waiting" and not Tool.objects.exists()
    assert "hx-trigger" in client.get(answer["Location"]).content.decode()
    judge_import(**Job.objects.get(kind="hub.imports.tasks.judge_import").payload)
    client.post(reverse("imports:plan_apply", args=[plan.pk]), {"apply": "1"})
    apply_import(**Job.objects.get(kind="hub.imports.tasks.apply_import").payload)

    assert Tool.objects.count() == 20_000
    assert Event.objects.count() == 20_000
    again = planned("\n".join(lines), ops)
    assert set(again.rows.values_list("verdict", flat=True)) == {"unchanged"}
    assert time.monotonic() - started < 300


def test_judging_is_linear_and_asks_nothing(ops, django_assert_num_queries):
    from hub.core.csv import read_csv
    from tooling.actions.imports import known_now

    sheet = read_csv(("name\n" + "\n".join(f"Tool {n}" for n in range(3000))).encode())
    known = known_now()

    with django_assert_num_queries(0):
        assert len(judge(sheet.rows, {"name": 0}, known)) == 3000


# ---------------------------------------------------------------- pages


def test_the_way_through_the_pages(ops, sign_in):
    client = sign_in(ops)
    file = SimpleUploadedFile("outils.csv", "nom;résumé\nMiro;Tableau\n;vide\n".encode("cp1252"))

    plan_url = client.post(reverse("imports:plan_create", args=["tools"]), {"file": file})["Location"]
    plan = ImportPlan.objects.get()
    html = client.get(plan_url).content.decode()
    assert "Every tool needs one" in html and "Windows-1252" in html and "Apply 1 row" in html
    html = client.get(f"{plan_url}?verdict=create").content.decode()
    assert "Tableau" in html
    row = plan.rows.get(verdict="create")
    act = reverse("imports:plan_apply", args=[plan.pk])
    client.post(act, {"shown": row.pk})
    row.refresh_from_db()
    assert not row.is_ticked
    client.post(act, {"shown": row.pk, "row": row.pk, "apply": "1"})
    client.post(act, {"shown": row.pk, "row": row.pk, "apply": "1"})
    assert Tool.objects.count() == 1
    client.post(reverse("imports:plan_undo", args=[plan.pk]))
    assert not Tool.objects.exists()


def test_a_refused_upload_says_why_and_keeps_nothing(ops, sign_in):
    file = SimpleUploadedFile("book.xls", b"\xd0\xcf\x11\xe0...")
    answer = sign_in(ops).post(reverse("imports:plan_create", args=["tools"]), {"file": file})

    assert answer.status_code == 422
    assert "old format" in answer.content.decode()
    assert not ImportPlan.objects.exists()


def test_a_cell_with_markup_is_shown_as_text(ops, sign_in):
    plan = planned("name,summary\n<b>x</b>,<script>alert(1)</script>\n", ops)

    html = sign_in(ops).get(plan.get_absolute_url()).content.decode()

    assert "&lt;script&gt;" in html and "<script>alert" not in html


def test_template_reads_back_without_errors(ops, sign_in):
    for slug in ("whiteboard", "opportunity-mapping"):
        CapabilityFactory(slug=slug)
    content = sign_in(ops).get(reverse("imports:plan_template", args=["tools"])).content

    plan = planned(content, ops)

    assert set(plan.mapping) == set(COLUMNS)
    assert set(verdicts(plan).values()) == {"create"}


def test_the_list_taken_as_csv_comes_back_unchanged(ops, member, sign_in):
    tool = ToolFactory(name="=Miro", summary_fr="Écrire « ici »", website="https://miro.com")
    does(tool, CapabilityFactory(slug="whiteboard"))
    named(tool, "RealtimeBoard")
    owned(tool, member)

    content = sign_in(ops).get(reverse("tooling:tool_export")).content

    assert set(verdicts(planned(content, ops)).values()) == {"unchanged"}


def test_plan_page_keeps_its_queries(ops, sign_in, django_assert_max_num_queries):
    plan = planned("name\n" + "\n".join(f"Tool {n}" for n in range(400)), ops)
    client = sign_in(ops)
    client.get(plan.get_absolute_url())

    for verdict in ("create", "error", "missing"):
        with django_assert_max_num_queries(10):
            html = client.get(f"{plan.get_absolute_url()}?verdict={verdict}").content.decode()
    assert re.search(r"New <span>400</span>", html)
    assert ImportRow.objects.count() == 400
