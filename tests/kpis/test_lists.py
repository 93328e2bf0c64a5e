"""What a metric's page lists under its chart, and what it says where there is nothing yet."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from connectors.models import (
    Connection,
    DailySnapshot,
    Document,
    DocumentSource,
    Feedback,
    PersonAccount,
    ProductItem,
    SourceMapping,
    StreamState,
    WorkTeam,
)
from hub.people.models import Membership
from kpis.models import Metric
from kpis.views.lists import DRESSED, SHOWN_AT_MOST, lists
from tests.people.factories import TeamFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = timezone.localdate()
DAY = timedelta(days=1)


@pytest.fixture
def board(db):
    call_command("load_metrics", verbosity=0)
    return Connection.objects.create(service="productboard", label="Productboard")


@pytest.fixture
def notion(db):
    call_command("load_metrics", verbosity=0)
    return Connection.objects.create(service="notion", label="Notion")


def page(client, key, query=""):
    answer = client.get(f"/kpis/{key}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def texts(key, team=None):
    return [[tuple(cell.text for cell in row) for row in one.rows] for one in lists(key, team)]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("feedback-volume", "No feedback came in."), ("features-by-status", "No feature was read yet."),
        ("feature-moves", "No feature was seen to move yet."), ("overdue-reviews", "No review is overdue."),
        ("experiment-results", "No experiment was due in the last 90 days."),
    ],
)  # fmt: skip
def test_an_empty_list_says_so_within_sixteen_queries(member, sign_in, board, key, says, django_assert_max_num_queries):
    client = sign_in(member)
    page(client, key)

    with django_assert_max_num_queries(16):
        html = page(client, key)

    assert says in html


def test_every_list_is_of_a_metric_that_there_is(board):
    assert set(DRESSED) <= set(Metric.objects.values_list("key", flat=True))


def test_feedback_is_told_by_source_and_tag_without_archived_and_old_notes(board, member, sign_in):
    team, person = TeamFactory(name="Checkout", slug="checkout"), UserFactory()
    Membership.objects.create(person=person, team=team, starts_on=TODAY - 400 * DAY)
    PersonAccount.objects.create(connection=board, external_id="m", person=person)
    for n, (source, tags, owner, archived, back) in enumerate([
        ("email", ["bug", "search"], "m", False, 3), ("email", [], "", False, 90), ("slack", ["bug"], "", False, 8),
        ("", ["bug"], "m", False, 8), ("email", ["bug"], "m", True, 8), ("email", ["bug"], "m", False, 92),
    ]):  # fmt: skip
        at = NOW - back * DAY
        Feedback.objects.create(
            connection=board, external_id=f"n{n}", source=source, tags=tags, owner_ref=owner, is_archived=archived,
            opened_at=at, edited_at=at,
        )  # fmt: skip

    assert texts("feedback-volume") == [
        [("email", "2", "50%"), ("not said", "1", "25%"), ("slack", "1", "25%")],
        [("bug", "3", "75%"), ("no tag", "1", "25%"), ("search", "1", "25%")],
    ]
    assert texts("feedback-volume", team)[0] == [("not said", "1", "50%"), ("email", "1", "50%")]
    assert "By tag, last 13 weeks" in page(sign_in(member), "feedback-volume")


def feature(board, ref, *past):
    ProductItem.objects.create(
        connection=board, external_id=ref, kind="feature", status=past[-1][1], edited_at=NOW, team_refs=["A"],
        opened_at=datetime(2026, 1, 5, tzinfo=UTC),
    )  # fmt: skip
    for back, status in past:
        DailySnapshot.objects.create(
            connection=board, stream="features", external_id=ref, day=TODAY - back * DAY,
            values={"fields.status.name": status},
        )  # fmt: skip


def test_features_are_told_by_status_and_by_move(board):
    WorkTeam.objects.create(connection=board, external_id="A", team=TeamFactory(name="Checkout", slug="checkout"))
    for n in range(5):
        feature(board, f"f{n}", (40, "Idea"), (30, "Planned"), (20 + n, "Delivered"))
    feature(board, "new", (40, "Idea"), (12, "Planned"))
    feature(board, "old", (40, "Planned"))

    assert texts("features-by-status") == [[("Delivered", "5", "22", "", ""), ("Planned", "2", "12", "9", "1")]]
    assert texts("feature-moves") == [[("Idea", "Planned", "6"), ("Planned", "Delivered", "5")]]


def test_on_the_first_night_features_are_counted_and_no_more(board):
    feature(board, "f", (0, "Idea"))

    assert texts("features-by-status") == [[("Idea", "1")]]


def test_a_review_that_is_overdue_names_its_owner(notion, member, sign_in):
    ana = UserFactory(name="Ana Ruiz")
    PersonAccount.objects.create(connection=notion, external_id="u", name="ana", person=ana)
    PersonAccount.objects.create(connection=notion, external_id="v", name="Contractor")
    fields = {"date": "d", "status": "s", "review": "r", "person": "p"}
    DocumentSource.objects.create(
        connection=notion, external_id="x",
        properties=[{"id": key, "name": key, "type": "x", "options": []} for key in fields.values()],
    )  # fmt: skip
    SourceMapping.objects.create(connection=notion, source_ref="x", meaning="decisions", fields=fields, held=["done"])
    for n, (back, people, status) in enumerate([
        (9, ["u", "v"], "done"), (2, None, "done"), (0, ["u"], "done"), (9, ["u"], "open"),
    ]):  # fmt: skip
        Document.objects.create(
            connection=notion, external_id=f"p{n}", source_ref="x", title=f"Decision {n}", opened_at=NOW, edited_at=NOW,
            url=f"https://notion.example/{n}",
            values={
                "s": {"type": "status", "value": {"id": status, "name": status}},
                "r": {"type": "date", "value": {"start": str(TODAY - back * DAY), "end": None}},
                "p": {"type": "people", "value": people},
            },
        )  # fmt: skip

    html = page(sign_in(member), "overdue-reviews")

    assert [row[:2] + row[3:] for row in texts("overdue-reviews")[0]] == [
        ("Decision 0", "Ana Ruiz, Contractor", "9"), ("Decision 1", "nobody", "2"),
    ]  # fmt: skip
    assert 'href="https://notion.example/0"' in html


def test_a_long_list_says_how_much_is_not_shown(board, member, sign_in):
    for n in range(SHOWN_AT_MOST + 2):
        Feedback.objects.create(
            connection=board, external_id=f"n{n}", source=f"s{n}", opened_at=NOW - DAY, edited_at=NOW
        )

    assert [one.others for one in lists("feedback-volume", None)] == [2, 0]
    assert "2 more are not shown." in page(sign_in(member), "feedback-volume")


def test_a_figure_that_only_nights_tell_says_since_when_there_are_some(board, member, sign_in):
    for stream in ("features", "key_results"):
        StreamState.objects.create(connection=board, stream=stream, last_success_at=NOW)
    feature(board, "f", (0, "Idea"))

    html = page(sign_in(member), "features-ageing")

    assert "The hub compares its nightly readings since" in html


def test_a_price_that_nobody_entered_is_said(board, member, ops, sign_in):
    linear = Connection.objects.create(service="linear", label="Linear")
    StreamState.objects.create(connection=linear, stream="users", last_success_at=NOW)

    assert "nobody has entered what a seat costs" in page(sign_in(member), "spend-at-risk")


def test_a_price_is_entered_by_hand_with_a_reason(board, ops, sign_in):
    client, url = sign_in(ops), "/kpis/spend-at-risk/edit/"
    form = client.get(url).context["form"]
    fields = {one.html_name: "" if one.value() in (None, False) else one.value() for one in form}
    fields |= {one.html_initial_name: fields[one.html_name] for one in form} | {"why": "From the invoice of May."}

    assert client.post(url, fields | {"chosen": "linear 12"}).status_code == 422
    assert client.post(url, fields | {"chosen": "linear 12 EUR\r\nnotion 9.50 EUR"}).status_code == 302
    assert Metric.objects.get(key="spend-at-risk").settings == {"prices": ["linear 12 EUR", "notion 9.50 EUR"]}
