"""The pages around values from outside."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kpis.actions import record
from kpis.actions.tokens import make_token
from kpis.models import ApiToken, Delivery, Metric
from tests.kpis.factories import MetricFactory
from tests.people.factories import UserFactory
from tests.tooling.factories import ToolFactory

pytestmark = pytest.mark.django_db
LIST = "/kpis/sources/"


@pytest.fixture
def admin():
    return client_of(UserFactory(is_staff=True))


def client_of(person):
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def pushed(key="deals-won"):
    return MetricFactory(key=key, name="Deals won", kind="count", unit="items", source_kind="pushed", read_at=None)


def test_an_empty_list_says_what_to_do(admin):
    page = admin.get(LIST).content.decode()

    assert "No system may push yet" in page
    assert "No metric is told from outside" in page


def test_the_list_shows_tokens_and_what_arrived_in_few_queries(admin, django_assert_max_num_queries):
    metric, owner = pushed(), UserFactory(name="Ana Lima")
    for n in range(20):
        make_token(name=f"CRM {n}", owner=owner, metrics=[metric], tools=[ToolFactory()],
                   expires_at=timezone.now() + timedelta(days=9), by=owner)  # fmt: skip
        record([{"metric": "deals-won", "week": "2026-W02", "value": n, "team": "nowhere"}], source="pushed", by=owner)

    with django_assert_max_num_queries(14):
        page = admin.get(LIST).content.decode()

    assert "CRM 19" in page
    assert "There is no team “nowhere”." in page


def test_the_latest_deliveries_are_found_without_sorting_all():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of an empty table everything is read at once

    plan = Delivery.objects.order_by("-recorded_at", "-pk")[:5].explain()

    assert "kpis_delivery_arrived" in plan and "Sort" not in plan


def test_a_token_is_shown_once(admin):
    metric = pushed()
    owner = UserFactory(name="Ana Lima", email="ana@ardoise.example")
    data = {
        "name": "CRM", "owner": owner.email, "metrics": [metric.pk], "tools": "",
        "expires_on": (timezone.localdate() + timedelta(days=30)).isoformat(),
    }  # fmt: skip

    made = admin.post("/kpis/sources/tokens/new/", data)
    secret = made.content.decode().split('value="hub_')[1].split('"')[0]

    assert made.status_code == 200
    assert "no-store" in made["Cache-Control"]
    assert len(secret) == 51
    assert secret not in admin.get(LIST).content.decode()
    assert ApiToken.objects.get().owner == owner


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"owner": "nobody"}, "Nobody who works here"),
        ({"metrics": []}, "of no use"),
        ({"tools": "unheard-of"}, "There is no tool"),
        ({"expires_on": "2020-01-01"}, "from tomorrow"),
        ({"expires_on": "2099-01-01"}, "from tomorrow"),
    ],
)
def test_a_token_that_can_not_be_is_refused_in_words(change, says, admin):
    metric = pushed()
    data = {"name": "CRM", "owner": UserFactory().email, "metrics": [metric.pk],
            "expires_on": (timezone.localdate() + timedelta(days=30)).isoformat()}  # fmt: skip

    answer = admin.post("/kpis/sources/tokens/new/", data | change)

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_from_the_list(admin):
    owner = UserFactory()
    token, _ = make_token(
        name="CRM", owner=owner, metrics=[pushed()], tools=[], expires_at=timezone.now() + timedelta(days=9), by=owner
    )

    page = admin.post(f"/kpis/sources/tokens/{token.pk}/revoke/", follow=True).content.decode()

    assert "its next call is refused" in page
    assert ApiToken.objects.get().revoked_at


@pytest.mark.parametrize("key", ["new", "sources", "teams", "leadership"])
def test_an_address_is_no_key_of_a_metric(key):
    ops = client_of(UserFactory(role="ops"))
    data = {"name": "X", "key": key, "source_kind": "pushed", "kind": "count", "unit": "items", "direction": "up",
            "definition": "d", "formula": "f"}  # fmt: skip

    assert ops.post(reverse("kpis:metric_create"), data).status_code == 422
    assert ops.post(reverse("kpis:metric_create"), data | {"key": "deals"}).status_code == 302
    assert Metric.objects.get(key="deals").source_kind == "pushed"


def test_the_guide_names_a_metric_that_is_there(admin):
    pushed("won-deals")

    page = admin.get("/kpis/sources/push/").content.decode()

    assert "won-deals" in page
    assert "unknown_team" in page


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Metric.SourceKind.PUSHED, "Nothing was pushed yet."),
        (Metric.SourceKind.UPLOADED, "Nothing was uploaded yet."),
        (Metric.SourceKind.SQL, "Nothing was read yet."),
    ],
)
def test_a_metric_told_from_outside_says_what_brings_its_first_value(kind, says, admin):
    MetricFactory(key="deals-won", source_kind=kind, source="", read_at=None)

    page = admin.get("/kpis/deals-won/").content.decode()

    assert says in page
    assert "Connect " not in page
    assert f"<dt>Source</dt><dd>{kind.label}</dd>" in page
