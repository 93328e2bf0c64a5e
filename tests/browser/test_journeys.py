"""What each kind of person comes for, done in a real browser from the first page to the last click."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from connectors.models import Connection, PersonAccount
from kpis.models import Metric, Observation
from tests.browser.worlds import drain
from tests.people.factories import UserFactory
from tooling.models import Capability, Tool, ToolCapability

pytestmark = pytest.mark.browser
PASSWORD = "a long enough password"
# With a script and without one: every journey below works both ways, unless it says otherwise
BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])


@pytest.fixture
def tools(transactional_db):
    family = Capability.objects.create(slug="think", name_en="Think", name_fr="Penser")
    job = Capability.objects.create(slug="whiteboard", parent=family, name_en="Whiteboard", name_fr="Tableau blanc")
    made = {}
    for name, summary in (
        ("Miro", "Think together on a board."),
        ("Linear", "Plan the work."),
        ("Notion", "Write it down."),
    ):
        tool = Tool.objects.create(slug=name.lower(), name=name, summary_en=summary, lifecycle=Tool.Lifecycle.ACTIVE)
        ToolCapability.objects.create(tool=tool, capability=job, is_primary=True)
        made[name] = tool
    return made


@pytest.fixture
def enter(visit):
    """Return a function that opens an address as a role, with or without scripts."""

    def enter(role, address, *, scripts=True, **options):
        seen = visit(role, java_script_enabled=scripts, **options)
        seen.page.goto(seen.server + address)
        return seen

    return enter


# --- Everybody ---------------------------------------------------------------------------------------------------


@BOTH
def test_signing_in_by_keyboard_leads_where_one_was_going(scripts, enter, people, tools):
    people["member"].set_password(PASSWORD)
    people["member"].save()
    seen = enter("anonymous", reverse("tooling:tool_list"), scripts=scripts)
    page = seen.page

    page.get_by_label("E-mail").fill("member@ardoise.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(reverse("tooling:tool_list")))
    expect(page.get_by_role("heading", level=1)).to_have_text("Tools")


@BOTH
def test_wrong_password_says_so_and_keeps_the_address(scripts, enter, people):
    seen = enter("anonymous", reverse("account_login"), scripts=scripts)

    seen.page.get_by_label("E-mail").fill("member@ardoise.example")
    seen.page.get_by_label("Password", exact=True).fill("not this one")
    seen.page.keyboard.press("Enter")

    expect(seen.page.get_by_role("alert")).to_be_visible()
    expect(seen.page.get_by_label("E-mail")).to_have_value("member@ardoise.example")


def test_skip_link_is_the_first_stop_and_leads_to_the_content(enter, tools):
    seen = enter("member", reverse("tooling:tool_list"))

    seen.page.keyboard.press("Tab")
    expect(seen.page.locator(":focus")).to_have_text("Skip to the content")
    seen.page.keyboard.press("Enter")

    assert seen.page.url.endswith("#main")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_focus_is_always_visible(theme, enter, tools):
    seen = enter("ops", reverse("tooling:tool_list"), theme=theme)
    hidden = []
    for _ in range(25):
        seen.page.keyboard.press("Tab")
        ring = seen.page.evaluate(
            """() => { const node = document.activeElement; const style = getComputedStyle(node);
               const ring = (style) => style.outlineStyle !== "none" || style.boxShadow !== "none";
               const around = node.closest(":focus-within:not(:focus)") || node.parentElement;
               return [node.outerHTML.slice(0, 80), ring(style) || ring(getComputedStyle(around))]; }"""
        )
        if not ring[1]:
            hidden.append(ring[0])

    assert hidden == []


@pytest.mark.parametrize("opener", ["/", "Control+k"])
def test_palette_leads_to_a_tool_by_keyboard_alone(opener, enter, tools):
    seen = enter("member", "/")
    page = seen.page
    page.wait_for_load_state("networkidle")

    page.keyboard.press(opener)
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.type("mir")
    expect(page.locator(".palette__row", has_text="Miro")).to_be_visible()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(reverse("tooling:tool_detail", args=["miro"])))
    assert seen.problems() == []


def test_escape_closes_the_palette_and_gives_the_focus_back(enter, tools):
    seen = enter("member", "/")
    page = seen.page
    page.wait_for_load_state("networkidle")
    page.locator("[data-palette-open]").first.focus()

    page.keyboard.press("Enter")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("#palette")).to_be_hidden()
    assert page.evaluate("document.activeElement.hasAttribute('data-palette-open')")


def test_search_works_without_scripts(enter, tools):
    seen = enter("member", "/", scripts=False)

    seen.page.get_by_role("link", name="Search or jump to").click()
    seen.page.get_by_role("main").get_by_role("searchbox").fill("miro")
    seen.page.get_by_role("main").get_by_role("button", name="Search").click()
    seen.page.get_by_role("main").get_by_role("link", name=re.compile("Miro")).first.click()

    expect(seen.page.get_by_role("heading", level=1)).to_contain_text("Miro")


@BOTH
def test_language_is_switched_on_the_spot_and_kept(scripts, enter, people, tools):
    seen = enter("member", reverse("tooling:tool_list") + "?q=miro", scripts=scripts)
    page = seen.page

    page.locator("form[action='/language/'] button:visible").first.click()

    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page).to_have_url(re.compile("q=miro"))
    people["member"].refresh_from_db()
    assert people["member"].language == "fr"


def test_theme_is_switched_and_kept(enter, people):
    seen = enter("member", "/")
    page = seen.page

    page.get_by_role("button", name=re.compile("your menu")).click()
    page.locator("#me [name=theme][value=dark]").click()
    page.wait_for_load_state("networkidle")

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    people["member"].refresh_from_db()
    assert people["member"].theme == "dark"


def test_menu_of_a_phone_leads_everywhere(enter, tools):
    seen = enter("member", "/", width=390)
    page = seen.page

    page.get_by_role("button", name="Open the menu").click()
    page.locator("#drawer").get_by_role("link", name="Tools").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Tools")


# --- A product manager ---------------------------------------------------------------------------------------------


@BOTH
def test_member_finds_a_tool_in_the_list(scripts, enter, tools):
    seen = enter("member", reverse("tooling:tool_list"), scripts=scripts)
    page = seen.page

    page.get_by_role("searchbox", name="Search the tools").fill("miro")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=miro"))
    expect(page.get_by_role("link", name="Linear")).to_have_count(0)
    page.get_by_role("main").get_by_role("link", name="Miro", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Miro")


def test_back_and_forward_give_whole_pages(enter, tools):
    seen = enter("member", reverse("tooling:tool_list"))
    page = seen.page
    page.get_by_role("searchbox", name="Search the tools").fill("miro")
    expect(page).to_have_url(re.compile("q=miro"))
    expect(page.get_by_role("main").get_by_role("link", name="Linear")).to_have_count(0)
    page.get_by_role("main").get_by_role("link", name="Miro", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Miro")

    page.go_back()
    expect(page).to_have_url(re.compile("q=miro"))
    expect(page.locator("link[rel=stylesheet]").first).to_be_attached()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tools")
    expect(page.get_by_role("main").get_by_role("link", name="Linear")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("main").get_by_role("link", name="Linear")).to_have_count(1)
    expect(page.get_by_role("searchbox", name="Search the tools")).to_have_value("")
    page.go_forward()
    expect(page.get_by_role("main").get_by_role("link", name="Linear")).to_have_count(0)
    expect(page.get_by_role("searchbox", name="Search the tools")).to_have_value("miro")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("/")
    expect(page.locator("#palette [role=combobox]")).to_be_focused()
    page.reload()
    expect(page.get_by_role("searchbox", name="Search the tools")).to_have_value("miro")

    assert seen.problems() == []


@pytest.fixture
def numbers(transactional_db):
    """Every metric of the starter set, and ten weeks of those that leaders look at."""
    call_command("load_metrics", stdout=StringIO())
    monday = timezone.localdate() - timedelta(days=timezone.localdate().weekday())
    Observation.objects.bulk_create(
        Observation(
            metric=metric, week=monday - timedelta(weeks=back), value=4.0 + back / 4, n=30, coverage=1.0,
            read_at=timezone.now(), recorded_at=timezone.now(),
        )
        for back in range(1, 11)
        for metric in Metric.objects.filter(is_headline=True)
    )  # fmt: skip
    return Metric.objects.get(key="cycle-time")


@BOTH
def test_member_reads_what_a_kpi_means_and_comments_on_it(scripts, enter, numbers):
    seen = enter("member", reverse("kpis:overview"), scripts=scripts)
    page = seen.page

    page.get_by_role("main").get_by_role("link", name=re.compile(numbers.name)).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(numbers.name)
    expect(page.get_by_role("heading", name="In words")).to_be_visible()
    page.locator("form[action*=comments] textarea").fill("Two large items closed in one week.")
    page.locator("form[action*=comments] button").click()

    expect(page.get_by_role("main").get_by_text("Two large items closed in one week.")).to_be_visible()
    assert numbers.comments.count() == 1


def test_leader_finds_the_figures_without_scrolling(enter, numbers):
    seen = enter("leader", "/")
    page = seen.page
    page.wait_for_load_state("networkidle")

    expect(page.get_by_role("main").get_by_text(numbers.name).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= 900


def test_member_may_not_see_the_page_of_leaders_and_reads_why(enter, numbers):
    seen = enter("member", "/")

    answer = seen.page.goto(seen.server + reverse("kpis:leadership"))

    assert answer.status == 403
    expect(seen.page.get_by_role("heading", level=1)).to_be_visible()


# --- Product Ops ---------------------------------------------------------------------------------------------------


@BOTH
def test_ops_edits_a_tool_and_reads_that_it_was_saved(scripts, enter, tools):
    seen = enter("ops", reverse("tooling:tool_edit", args=["miro"]), scripts=scripts)
    page = seen.page

    page.locator("[name=summary_en]").fill("Draw together, far apart.")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("main").get_by_text("Draw together, far apart.").first).to_be_visible()
    expect(page.locator("#messages")).to_contain_text("Miro")
    assert Tool.objects.get(slug="miro").summary_en == "Draw together, far apart."


@BOTH
def test_second_editor_is_told_and_loses_nothing(scripts, enter, tools):
    seen = enter("ops", reverse("tooling:tool_edit", args=["miro"]), scripts=scripts)
    Tool.objects.filter(slug="miro").update(summary_en="Theirs.", version=2)

    seen.page.locator("[name=summary_en]").fill("Mine.")
    seen.page.get_by_role("button", name="Save").click()

    expect(seen.page.get_by_role("alert")).to_be_visible()
    expect(seen.page.locator("[name=summary_en]")).to_have_value("Mine.")
    assert Tool.objects.get(slug="miro").summary_en == "Theirs."


@BOTH
def test_ops_imports_a_spreadsheet_in_two_steps(scripts, enter, tools):
    seen = enter("ops", reverse("imports:plan_create", args=["tools"]), scripts=scripts)
    page = seen.page
    sheet = "name;summary_en\nMiro;Boards for everyone\nÉtabli;A tool of our own\n".encode()

    page.locator("input[type=file]").set_input_files({"name": "outils.csv", "mimeType": "text/csv", "buffer": sheet})
    page.get_by_role("button", name="Read the file").click()
    page.wait_for_url(re.compile(r"/imports/\d+/"))
    drain()
    page.reload()
    assert not Tool.objects.filter(name="Établi").exists()  # a plan writes nothing
    page.get_by_role("button", name=re.compile("^Apply")).click()
    page.wait_for_load_state()
    drain()

    assert Tool.objects.get(name="Établi").summary_en == "A tool of our own"
    assert Tool.objects.get(slug="miro").summary_en == "Boards for everyone"
    page.reload()
    expect(page.get_by_role("main").get_by_text("rows were written").first).to_be_visible()


@BOTH
def test_ops_says_whose_account_it_is(scripts, enter, people):
    wire = Connection.objects.create(service="linear", label="Linear")
    arjun = UserFactory(name="Arjun Mehta", email="arjun.mehta@ardoise.example")
    account = PersonAccount.objects.create(
        connection=wire, external_id="u1", name="Arjun M.", email="arjun@mehta.example", match="unmatched"
    )
    seen = enter("ops", reverse("accounts:account_list"), scripts=scripts)
    page = seen.page

    page.get_by_label("Whose account is Arjun M.?").fill(arjun.email)
    page.keyboard.press("Enter") if scripts else page.get_by_role(
        "button", name=re.compile("^Match ?: Arjun M")
    ).click()
    page.wait_for_load_state()

    expect(page.get_by_label("Whose account is Arjun M.?")).to_have_count(0)
    account.refresh_from_db()
    assert (account.person, account.match) == (arjun, "manual")
