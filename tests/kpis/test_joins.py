"""The page that shows how the tools are joined, and why a figure is not measured."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.models import (
    Connection,
    DocumentSource,
    PersonAccount,
    ProductItem,
    ProductLink,
    SourceMapping,
    StreamState,
    WorkProject,
)
from hub.activity.models import Event
from kpis.management.commands.load_metrics import Command
from kpis.models import ProjectLink
from kpis.sync import joined
from kpis.sync.recompute import recompute
from tests.kpis.test_against_reference import stored
from tests.people.factories import UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def page(client, url="/kpis/joins/"):
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def tools(db):
    """Two projects and three features under way: one is joined by address, and it serves an objective."""
    linear = Connection.objects.create(service="linear", label="Linear")
    board = Connection.objects.create(service="productboard", label="Productboard")
    for n in range(2):
        WorkProject.objects.create(
            connection=linear, external_id=f"p{n}", name=f"Project {n}", url=f"https://linear.example/project/p{n}"
        )
    for n in range(3):
        ProductItem.objects.create(
            connection=board, external_id=f"f{n}", kind="feature", name=f"Feature {n}", status="In progress",
            opened_at=NOW, edited_at=NOW, outside_urls=["https://linear.example/project/p0"] if n == 0 else [],
        )  # fmt: skip
    ProductItem.objects.create(connection=board, external_id="o", kind="objective", opened_at=NOW, edited_at=NOW)
    ProductLink.objects.create(connection=board, external_id="l", item_ref="f0", target_ref="o", kind="link")
    return linear, board


def test_the_page_is_empty_where_nothing_is_connected(member, sign_in):
    html = page(sign_in(member))

    assert "No tool is connected yet." in html
    assert "No project was read yet" in html


def test_coverage_is_shown_and_names_join_nothing(member, sign_in, tools, django_assert_max_num_queries):
    ProductItem.objects.filter(external_id="f1").update(name="Project 1")
    client = sign_in(member)
    page(client)

    with django_assert_max_num_queries(12):
        html = page(client)

    found = joined.joins()
    assert (found.projects, found.features, found.objectives) == (
        joined.Join(1, 2), joined.Join(1, 3), joined.Join(1, 3)
    )  # fmt: skip
    assert "Project 1" in html and "Feature 0" not in html
    assert 'name="project"' not in html


def test_a_project_is_linked_by_hand_counted_and_taken_back(ops, sign_in, tools):
    Command().handle()
    client = sign_in(ops)
    item = ProductItem.objects.get(external_id="f1")
    WorkProject.objects.filter(external_id="p1").update(completed_at=NOW + timedelta(seconds=1))

    answer = client.post("/kpis/joins/link/", {"item": item.pk, "project": " project 1 "}, follow=True)
    recompute(now=NOW)
    counted = len(stored("idea-to-delivery"))
    link = ProjectLink.objects.get()
    client.post(f"/kpis/joins/{link.pk}/unlink/")
    client.post(f"/kpis/joins/{link.pk}/unlink/")
    recompute(now=NOW)

    assert "“Feature 1” is delivered by “Project 1”" in answer.content.decode()
    assert (counted, len(stored("idea-to-delivery"))) == (1, 0)
    assert list(Event.objects.order_by("pk").values_list("verb", flat=True)) == ["linked", "unlinked"]
    assert link.linked_by == ops
    assert ">Feature 1</option>" in page(client)


def test_two_projects_of_one_name_are_told_apart_by_address(ops, sign_in, tools):
    WorkProject.objects.update(name="Pay")
    item = ProductItem.objects.get(external_id="f1")
    client = sign_in(ops)

    refused = client.post("/kpis/joins/link/", {"item": item.pk, "project": "Pay"}, follow=True)
    client.post("/kpis/joins/link/", {"item": item.pk, "project": "https://linear.example/project/p1"})

    text = refused.content.decode()
    assert "Several projects are called so" in text
    assert f'<option value="{item.pk}" selected>' in text and 'value="Pay"' in text
    assert refused.redirect_chain[0][0].endswith("#loose")
    assert ProjectLink.objects.get().project.external_id == "p1"


def test_seats_of_those_who_left_are_counted_for_all_and_named_for_product_ops(member, ops, sign_in, tools):
    gone = UserFactory(name="Lou Perrin", is_active=False)
    for wire in tools:
        PersonAccount.objects.create(connection=wire, external_id="a", person=gone, match="email")
    PersonAccount.objects.create(connection=tools[0], external_id="b")
    PersonAccount.objects.create(connection=tools[0], external_id="bot", kind="bot")

    assert [(tool.label, tool.accounts, tool.leavers) for tool in joined.tools()] == [
        ("Linear", joined.Join(1, 2), 1),
        ("Productboard", joined.Join(1, 1), 1),
    ]
    assert page(sign_in(ops)).count("Lou Perrin") == 2
    assert "Lou Perrin" not in page(sign_in(member))


def test_the_page_asks_as_much_of_many_rows_as_of_few(ops, sign_in, tools, django_assert_max_num_queries):
    linear, board = tools
    gone = [UserFactory(is_active=False) for _ in range(9)]
    for n, person in enumerate(gone):
        Connection.objects.create(service="linear", label=f"Linear {n}")
        PersonAccount.objects.create(connection=linear, external_id=f"a{n}", person=person, match="email")
        feature = ProductItem.objects.create(
            connection=board, external_id=f"g{n}", kind="feature", name=f"More {n}", status="In progress",
            opened_at=NOW, edited_at=NOW,
        )  # fmt: skip
        project = WorkProject.objects.create(connection=linear, external_id=f"q{n}", name=f"Pay {n}")
        ProjectLink.objects.create(project=project, item=feature, linked_by=person)
    client = sign_in(ops)
    page(client, "/library/")  # the first page of a day also notes the visit

    with django_assert_max_num_queries(10):
        html = page(client)

    assert html.count("Pay 8") >= 1
    assert html.count("More 8") >= 1


@pytest.mark.parametrize(
    ("failure", "says"),
    [("stream_unavailable", "does not include initiatives"), ("", "first complete reading of initiatives")],
)
def test_a_stream_out_of_the_plan_is_not_measurable_and_never_zero(member, sign_in, failure, says):
    Command().handle()
    board = Connection.objects.create(service="productboard", label="Productboard")
    for stream in ("products", "components", "features", "subfeatures", "initiatives", "objectives"):
        is_read = stream != "initiatives"
        StreamState.objects.create(
            connection=board,
            stream=stream,
            last_success_at=NOW if is_read else None,
            failure="" if is_read else failure,
        )
    ProductItem.objects.create(
        connection=board, external_id="f", kind="feature", status="Planned", opened_at=NOW, edited_at=NOW
    )

    recompute()
    html = page(sign_in(member), "/kpis/objective-alignment/")

    assert not stored("objective-alignment")
    assert stored("features-owner")
    assert "Not measured" in html and says in html


def test_the_page_says_which_mapping_is_missing_and_leads_those_who_may_map(member, ops, sign_in):
    Command().handle()
    notion = Connection.objects.create(service="notion", label="Notion")
    for stream in ("data_sources", "pages"):
        StreamState.objects.create(connection=notion, stream=stream, last_success_at=NOW)

    unmapped = page(sign_in(ops), "/kpis/interviews/")
    for_members = page(sign_in(member), "/kpis/interviews/")
    DocumentSource.objects.create(connection=notion, external_id="s", properties=[{"id": "d", "name": "Day"}])
    SourceMapping.objects.create(
        connection=notion, source_ref="s", meaning="interviews", fields={"date": "d", "status": "removed"}
    )

    assert "No database is mapped as: Interviews." in unmapped
    assert f"/syncs/{notion.pk}/databases/" in unmapped
    assert "/databases/" not in for_members
    assert "names no property for: Status." in page(sign_in(ops), "/kpis/interviews/")


def test_the_dictionary_is_grouped_and_stays_within_ten_queries(member, sign_in, django_assert_max_num_queries):
    Command().handle()
    Connection.objects.create(service="notion", label="Notion")
    client = sign_in(member)
    page(client, "/kpis/")

    with django_assert_max_num_queries(10):
        html = page(client, "/kpis/")

    assert html.count('class="kpis__group"') == 5
    assert html.index("theme-discovery") < html.index("theme-documents")
