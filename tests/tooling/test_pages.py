"""The pages: who sees what, how many queries, empty and full."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from hub.activity.actions import record
from hub.activity.queries import changes_of
from hub.people.models import Team
from tests.people.factories import MembershipFactory, TeamFactory, UserFactory
from tests.tooling.factories import (
    CapabilityFactory,
    ToolFactory,
    account,
    connected,
    days_ago,
    decided,
    does,
    named,
    owned,
)
from tooling.actions import decide
from tooling.forms import MoveForm
from tooling.models import Tool
from tooling.search import find_tools
from tooling.sync.adoption import rebuild

pytestmark = pytest.mark.django_db
LIST = "/tools/"


def visited(client):
    """The first page of a day also notes the visit."""
    client.get("/tools/capabilities/")
    return client


def page(client, url, status=200, **headers):
    answer = client.get(url, **headers)
    assert answer.status_code == status
    return answer.content.decode()


def names(html):
    return re.findall(r'<a class="quiet-link" href="/tools/[^"]+/">([^<]+)</a>', html)


@pytest.fixture
def reader(member, sign_in):
    return sign_in(member)


@pytest.fixture
def keeper(ops, sign_in):
    return sign_in(ops)


# ---------------------------------------------------------------- the list


def test_empty_list_tells_ops_what_to_do_and_members_who_does(reader, keeper):
    assert reverse("imports:plan_create", args=["tools"]) in page(keeper, LIST)
    assert reverse("imports:plan_create", args=["tools"]) not in page(reader, LIST)
    assert "Product Ops keeps this list." in page(reader, LIST)


def test_suggestions_and_past_tools_stay_out_until_asked_for(reader):
    for fields in ({"name": "Ours"}, {"name": "Idea", "starter": True}, {"name": "Gone", "retired": True}):
        ToolFactory(**fields)

    assert names(page(reader, LIST)) == ["Ours"]
    assert names(page(reader, f"{LIST}?show=starter")) == ["Idea"]
    assert names(page(reader, f"{LIST}?show=past")) == ["Gone"]
    assert sorted(names(page(reader, f"{LIST}?show=all"))) == ["Gone", "Idea", "Ours"]
    assert names(page(reader, f"{LIST}?lifecycle=retired")) == ["Gone"]


def test_filters_narrow_the_list(reader, member):
    job = CapabilityFactory(slug="whiteboard", name_en="Whiteboard", intent_en="Think together")
    miro, other = ToolFactory(name="Miro"), ToolFactory(name="Zed", summary_en="Nothing.")
    does(miro, job)
    named(miro, "RealtimeBoard")
    owned(miro, member)
    Tool.objects.filter(pk=miro.pk).update(ring="adopt", ring_since=timezone.localdate())

    queries = ("q=miro", "q=realtime+board", "q=think", "capability=whiteboard", "standing=adopt", "owner=me")
    for query in (*queries, f"owner={member.pk}"):
        assert names(page(reader, f"{LIST}?{query}")) == ["Miro"], query
    for query in ("standing=none", "owner=none"):
        assert names(page(reader, f"{LIST}?{query}")) == [other.name], query
    assert len(names(page(reader, f"{LIST}?capability=nonsense&standing=x&owner=1e9&page=zzz&sort=;drop"))) == 2


def test_list_filtered_to_nothing_says_which_chip_to_take_away(reader):
    ToolFactory(name="Miro")
    ToolFactory(name="Mira")

    html = page(reader, f"{LIST}?q=mir&standing=adopt")

    assert "No tool fits all of these filters." in html
    assert "Without Standing: Standard" in html
    assert "<b>2</b> tools" in html
    assert "Without Search" not in html


def test_list_filtered_to_nothing_leads_to_what_fits_in_the_whole_registry(reader):
    ToolFactory(name="Linear")
    ToolFactory(name="Jira", starter=True)

    html = page(reader, "/tools/?q=jira")

    assert "1 that fits" in html
    assert "?q=jira&amp;show=all" in html or "show=all&amp;q=jira" in html
    assert names(page(reader, "/tools/?q=jira&show=all")) == ["Jira"]


def test_a_palette_says_which_tools_are_only_suggestions(member):
    ToolFactory(name="Linear", summary_en="Plan")
    ToolFactory(name="Linen", summary_en="Talk", starter=True)

    assert [(hit.title, hit.detail) for hit in find_tools("lin", member, 5)] == [
        ("Linear", "Plan"),
        ("Linen", "Suggestion · Talk"),
    ]


def test_the_only_way_on_is_chosen_already(db):
    tool = ToolFactory(lifecycle="active")

    assert MoveForm(tool=tool, initial={"to": ""}).initial["to"] == "retiring"


def test_list_sorts_by_each_column_both_ways(reader, member):
    job = CapabilityFactory()
    for name in ("Beta", "Alpha", "Gamma"):
        does(ToolFactory(name=name), job)

    assert names(page(reader, f"{LIST}?sort=name")) == ["Alpha", "Beta", "Gamma"]
    assert names(page(reader, f"{LIST}?sort=-name")) == ["Gamma", "Beta", "Alpha"]
    for key in ("for", "standing", "lifecycle", "active", "seats", "owner"):
        for sign in ("", "-"):
            assert sorted(names(page(reader, f"{LIST}?sort={sign}{key}"))) == ["Alpha", "Beta", "Gamma"]


def test_columns_are_chosen_in_the_address(reader):
    ToolFactory(name="Miro")

    html = page(reader, f"{LIST}?col=lifecycle&col=owner")

    assert re.findall(r'<td[^>]*data-label="([^"]+)"', html) == ["Lifecycle", "Owner"]


def test_what_people_wrote_is_text_in_every_cell(reader, django_assert_max_num_queries):
    word = "<img src=x>"
    tool = ToolFactory(name=word, slug="word", summary_en=word)
    does(tool, CapabilityFactory(slug="job", name_en=word))
    owned(tool, UserFactory(name=word))

    visited(reader)
    with django_assert_max_num_queries(9):
        html = page(reader, f"{LIST}?show=all")

    assert word not in html
    assert html.count("&lt;img src=x&gt;") >= 4


def test_swapped_results_equal_a_fresh_load(reader):
    for number in range(60):
        ToolFactory(name=f"Tool {number:02}")
    url = f"{LIST}?q=tool&sort=-name&page=2"

    whole = page(reader, url)
    part = page(reader, url, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="tool-results")

    assert part.strip().startswith('<section id="tool-results"')
    assert part.strip() in whole


def test_list_of_three_thousand_rows_keeps_its_queries(keeper, django_assert_max_num_queries):
    job = CapabilityFactory()
    made = Tool.objects.bulk_create(
        Tool(name=f"Tool {n:05}", slug=f"tool-{n}", lifecycle="active") for n in range(3000)
    )
    for tool in made[:60]:
        does(tool, job)
        owned(tool, UserFactory(name="One owner"))
    for team in TeamFactory.create_batch(6):
        MembershipFactory.create_batch(5, team=team)

    visited(keeper)
    with django_assert_max_num_queries(9):
        html = page(keeper, f"{LIST}?q=tool&standing=none")

    assert "<b>3000</b> of 3000 tools" in html or "<b>3,000</b>" in html
    assert "Page 1 of 60" in html


def test_used_by_offers_no_team_under_five(reader):
    tool = ToolFactory(name="Linear")
    connection = connected(tool)
    small, large = TeamFactory(name="Small"), TeamFactory(name="Large")
    for team, size in ((small, 4), (large, 5)):
        for membership in MembershipFactory.create_batch(size, team=team):
            account(connection, membership.person, days=[days_ago(1)])
    rebuild(tool=tool, as_of=timezone.localdate())

    html = page(reader, LIST)

    assert f'value="{large.slug}"' in html
    assert f'value="{small.slug}"' not in html
    assert names(page(reader, f"{LIST}?team={large.slug}")) == ["Linear"]
    assert "Used by: Small" not in page(reader, f"{LIST}?team={small.slug}")


def test_export_gives_the_filtered_list_and_reads_back(keeper, member):
    miro = ToolFactory(name="=Miro", summary_en="+1")
    does(miro, CapabilityFactory(slug="whiteboard"))
    owned(miro, member)
    ToolFactory(name="Other")

    text = keeper.get(reverse("tooling:tool_export") + "?q=miro").content.decode("utf-8-sig")

    assert "'=Miro" in text and "'+1" in text and "Other" not in text
    assert "whiteboard" in text and member.email in text


# ---------------------------------------------------------------- a tool


@pytest.fixture
def linear(member):
    tool = ToolFactory(name="Linear", slug="linear", how_to_en="## Rules\n\n<script>alert(1)</script> **bold**")
    does(tool, CapabilityFactory(slug="issue-tracking"))
    return tool


@pytest.mark.parametrize("tab", ["", "people", "standards", "changes", "nonsense"])
def test_each_tab_keeps_its_queries(keeper, linear, tab, django_assert_max_num_queries):
    connection = connected(linear)
    for team in TeamFactory.create_batch(30):
        for membership in MembershipFactory.create_batch(5, team=team):
            account(connection, membership.person, days=[days_ago(3)])
    rebuild(tool=linear, as_of=timezone.localdate())
    decided(linear, linear.capabilities.first())

    visited(keeper)
    with django_assert_max_num_queries(10):
        page(keeper, f"{linear.get_absolute_url()}?tab={tab}")


def test_markdown_is_rendered_without_scripts(reader, linear):
    html = page(reader, linear.get_absolute_url())

    assert ">Rules</h3>" in html and "<strong>bold</strong>" in html
    assert "<script>alert" not in html


def test_a_tool_nobody_reads_is_not_measured_rather_than_unused(reader, linear):
    html = page(reader, f"{linear.get_absolute_url()}?tab=people")

    assert "Not measured" in html
    assert "0%" not in html


def test_accounts_without_any_signal_are_counted_and_use_is_not_measured(reader, linear):
    account(connected(linear))
    rebuild(tool=linear, as_of=timezone.localdate())

    html = page(reader, linear.get_absolute_url())

    assert "<b>1</b> account is known" in html


def test_small_teams_are_told_apart_to_their_lead_and_ops_only(reader, keeper, linear, member):
    connection = connected(linear)
    for name, size in (("Tiny one", 2), ("Tiny two", 3), ("Whole", 6)):
        team = TeamFactory(name=name, slug=name.lower().replace(" ", "-"))
        for membership in MembershipFactory.create_batch(size, team=team):
            account(connection, membership.person, days=[days_ago(1)])
    rebuild(tool=linear, as_of=timezone.localdate())
    url = f"{linear.get_absolute_url()}?tab=people"

    html = page(reader, url)
    assert "Tiny one" not in html and "Tiny two" not in html
    assert "Small teams together" in html and "Whole" in html
    assert "Tiny one" in page(keeper, url)
    Team.objects.filter(name="Tiny one").update(lead=member)
    html = page(reader, url)
    assert "Tiny one" in html and "Tiny two" not in html
    assert "Small teams together" not in html  # one team alone would be told apart by it


def test_idle_names_are_for_the_owner_and_ops(reader, keeper, linear, member, sign_in, leader):
    account(connected(linear), UserFactory(name="Lazy Larry"), name="Lazy Larry", days=[days_ago(80)])
    rebuild(tool=linear, as_of=timezone.localdate())
    url = f"{linear.get_absolute_url()}?tab=people"

    assert "Lazy Larry" not in page(reader, url)
    assert "Lazy Larry" not in page(sign_in(leader), url)
    assert "Lazy Larry" in page(keeper, url)
    owned(linear, member)
    assert "Lazy Larry" in page(reader, url)
    assert "Lazy Larry" not in page(reader, url + "&window=90")


def test_owner_edits_their_tool_and_a_member_does_not(reader, linear, member):
    url = reverse("tooling:tool_edit", args=["linear"])
    data = {"name": "Linear", "kind": "saas", "version": "1", "summary_en": "New words."}

    page(reader, url, status=403)
    assert reader.post(url, data).status_code == 403
    owned(linear, member)
    page(reader, url)
    assert reader.post(url, data).status_code == 302
    linear.refresh_from_db()
    assert linear.summary_en == "New words."
    assert reader.get(reverse("tooling:tool_move", args=["linear"])).status_code == 403


def test_second_editor_sees_both_texts_and_loses_nothing(keeper, linear):
    url = reverse("tooling:tool_edit", args=["linear"])
    base = {"name": "Linear", "kind": "saas", "version": "1", "summary_en": linear.summary_en, "website": ""}
    base |= {"initial-name": "Linear", "initial-summary_en": linear.summary_en, "initial-kind": "saas"}
    keeper.post(url, base | {"summary_en": "The first editor’s words.", "website": "https://linear.app"})

    answer = keeper.post(url, base | {"summary_en": "The second editor’s words.", "name": "Linear!"})

    html = answer.content.decode()
    assert answer.status_code == 422
    assert "The first editor’s words." in html
    assert 'value="The second editor’s words."' in html
    assert 'value="Linear!"' in html  # what only they changed is still there
    assert 'value="https://linear.app"' in html  # what only the other changed is taken over
    linear.refresh_from_db()
    assert (linear.name, linear.summary_en) == ("Linear", "The first editor’s words.")
    again = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', html)) | {"kind": "saas"}
    assert again["version"] == "2"
    assert keeper.post(url, again | {"name": "Linear!", "summary_en": "Both."}).status_code == 302
    linear.refresh_from_db()
    assert (linear.name, linear.summary_en, linear.website) == ("Linear!", "Both.", "https://linear.app")


def test_form_errors_keep_the_input(keeper, linear):
    url = reverse("tooling:tool_edit", args=["linear"])

    answer = keeper.post(
        url, {"name": "", "kind": "banana", "version": "1", "website": "no address", "summary_en": "Kept"}
    )

    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Kept"' in html and 'value="no address"' in html
    assert html.count("field__error") >= 3


def test_a_second_tool_of_the_same_name_is_refused(keeper, linear):
    answer = keeper.post(reverse("tooling:tool_create"), {"name": "LINEAR", "kind": "saas"})

    assert answer.status_code == 422
    assert "exists" in answer.content.decode()


# ---------------------------------------------------------------- by job


def test_guide_shows_standards_gaps_and_doubles(reader, ops):
    _gap, single, double = (CapabilityFactory(slug=slug) for slug in ("gap", "single", "double"))
    one, two = ToolFactory(name="One"), ToolFactory(name="Two")
    review = timezone.localdate() + timedelta(days=30)
    for tool, job in ((one, single), (one, double), (two, double)):
        decide(tool=tool, capability=job, ring=Tool.Ring.ADOPT, why="It is good.", review_on=review, by=ops)

    html = page(reader, reverse("tooling:capability_list"))

    assert "Gaps (1)" in html and "Doubles (1)" in html
    assert "Gap" in page(reader, reverse("tooling:capability_list") + "?only=gaps")
    assert "Single" not in page(reader, reverse("tooling:capability_list") + "?only=doubles")


def test_job_page_puts_the_standard_first_and_history_last(reader, django_assert_max_num_queries):
    job = CapabilityFactory(slug="tracking", intent_en="Follow the work")
    for name, ring, fields in (
        ("Holdover", "hold", {}),
        ("Chosen", "adopt", {}),
        ("Undecided", "", {}),
        ("Suggested", "", {"starter": True}),
        ("Bygone", "", {"retired": True}),
    ):
        tool = ToolFactory(name=name, **fields)
        does(tool, job)
        if ring:
            decided(tool, job, ring)

    visited(reader)
    with django_assert_max_num_queries(10):
        html = page(reader, job.get_absolute_url())

    order = [html.index(name) for name in ("Chosen", "Holdover", "Undecided", "Suggested", "Bygone")]
    assert order == sorted(order)
    assert "Follow the work" in html


def test_job_page_of_a_family_or_a_stranger_is_not_found(reader):
    job = CapabilityFactory()

    page(reader, reverse("tooling:capability_detail", args=[job.parent.slug]), status=404)
    page(reader, reverse("tooling:capability_detail", args=["nothing"]), status=404)


def test_the_history_names_jobs_and_successors_in_the_reader_s_language(ops, sign_in, django_assert_max_num_queries):
    old, new = ToolFactory(name="Old"), ToolFactory(name="Brand New", slug="nouveau")
    before, after = CapabilityFactory(slug="write-things", name_fr="Écrire"), CapabilityFactory(slug="draw-things")
    changes = {"capabilities": ([before.slug], [after.slug, "gone-job"]), "successor": (None, new.slug)}
    record(by=ops, verb="edited", on=old, changes=changes)

    with override("fr"):
        (french,) = changes_of(old)
    with override("en"), django_assert_max_num_queries(3):
        (change,) = changes_of(old)

    told = {field.label: (field.before, field.after) for field in change.fields}
    assert told == {"Jobs": ("Write things", "Draw things, gone-job"), "Successor": ("", "Brand New")}
    assert {field.before for field in french.fields} == {"Écrire", ""}


@pytest.mark.parametrize(
    ("fields", "words", "is_first"),
    [({}, "Open Miro", True), ({"lifecycle": "retiring"}, "Open Miro", False), ({"starter": True}, "Website", False)],
)
def test_only_a_tool_in_use_asks_to_be_opened(member, sign_in, fields, words, is_first):
    tool = ToolFactory(name="Miro", website="https://miro.example", **fields)

    actions = page(sign_in(member), tool.get_absolute_url()).split("page-head__actions")[1].split("</div>")[0]

    assert words in actions
    assert ("button--primary" in actions) is is_first


def test_without_a_standard_there_are_no_others(member, sign_in):
    does(ToolFactory(name="Miro"), job := CapabilityFactory())

    assert "1 tool<" in page(sign_in(member), f"{LIST}capabilities/")
    does(figjam := ToolFactory(name="FigJam"), job)
    decided(figjam, job)

    assert "1 other<" in page(sign_in(member), f"{LIST}capabilities/")
