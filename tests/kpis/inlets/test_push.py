"""The push API: who may call, what a call is, and that the same call twice is one."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from time_machine import travel

from connectors.models import ActivityDay, Connection, PersonAccount
from hub.jobs.models import Job
from kpis.actions.observations import forget_deliveries
from kpis.actions.tokens import digest_of, forget_answers, make_token, revoke_token
from kpis.api import rates
from kpis.api.openapi import described
from kpis.models import ApiCall, ApiToken, Metric, Observation
from tests.connectors.factories import make_connection
from tests.kpis.factories import MetricFactory
from tests.people.factories import TeamFactory, UserFactory
from tests.tooling.factories import ToolFactory

pytestmark = pytest.mark.django_db
NOW = travel("2026-03-11T10:00:00Z", tick=False)
OBSERVATIONS, ACTIVITY = "/api/v1/observations", "/api/v1/activity"
ROW = {"metric": "deals-won", "week": "2026-03-02", "value": 12}


@pytest.fixture(autouse=True)
def at_a_time():
    with NOW:
        yield


@pytest.fixture
def metric():
    return MetricFactory(key="deals-won", kind=Metric.Kind.COUNT, unit=Metric.Unit.ITEMS, source_kind="pushed")


def a_token(*metrics, tools=(), owner=None, days=30):
    owner = owner or UserFactory()
    return make_token(
        name="CRM",
        owner=owner,
        metrics=metrics,
        tools=tools,
        expires_at=timezone.now() + timedelta(days=days),
        by=owner,
    )


def post(secret, *rows, to=OBSERVATIONS, body=None, **headers):
    headers = {"Authorization": f"Bearer {secret}", **{name.replace("_", "-"): text for name, text in headers.items()}}
    content = json.dumps({"rows": rows}) if body is None else body
    return Client().post(to, content, content_type="application/json", headers=headers)


def test_a_row_is_stored(metric):
    token, secret = a_token(metric)

    answer = post(secret, ROW)

    assert answer.status_code == 200
    assert answer.json() == {"accepted": 1, "unchanged": 0, "refused": 0, "rows": [{"index": 0, "status": "accepted"}]}
    assert Observation.objects.get().value == 12
    token.refresh_from_db()
    assert token.last_used_at == timezone.now()


def test_each_row_is_answered_by_itself(metric):
    _, secret = a_token(metric)

    answer = post(secret, ROW, {**ROW, "team": "nowhere"}, {**ROW, "metric": "unheard-of"})

    told = answer.json()["rows"]
    assert answer.status_code == 207
    assert [row["status"] for row in told] == ["accepted", "refused", "refused"]
    assert told[1]["code"] == "unknown_team"
    assert told[1]["reason"] == "There is no team “nowhere”."


def test_reasons_are_english_whatever_the_browser_speaks(metric):
    _, secret = a_token(metric)

    answer = post(secret, {**ROW, "team": "nowhere"}, Accept_Language="fr")

    assert answer.json()["rows"][0]["reason"].startswith("There is no team")


def test_a_synced_metric_cannot_be_written(metric):
    synced = MetricFactory(key="cycle-time")
    _, secret = a_token(metric, synced)

    answer = post(secret, {**ROW, "metric": "cycle-time"})

    assert answer.json()["rows"][0]["code"] == "wrong_source"
    assert not Observation.objects.exists()


def test_only_a_digest_of_the_token_is_kept(metric):
    token, secret = a_token(metric)

    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert secret.startswith("hub_")
    assert secret not in str(row)
    assert row["digest"] == digest_of(secret)


def revoked(token, **_):
    revoke_token(token=token, by=token.owner)


def past_its_day(token, **_):
    ApiToken.objects.update(expires_at=timezone.now())


def of_a_leaver(token, **_):
    token.owner.is_active = False
    token.owner.save()


@pytest.mark.parametrize("spoil", [revoked, past_its_day, of_a_leaver])
def test_a_token_that_is_over_opens_nothing(spoil, metric):
    token, secret = a_token(metric)
    spoil(token)

    answer = post(secret, ROW)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_invalid")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert not Observation.objects.exists()


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "token_missing"),
        ("Basic abc", "token_missing"),
        ("Bearer ", "token_missing"),
        ("Bearer hub_x", "token_invalid"),
    ],
)
def test_without_a_token_nothing_opens(header, code, metric):
    answer = Client().post(OBSERVATIONS, "{}", content_type="application/json", headers={"Authorization": header})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


def test_a_session_does_not_open_the_api(metric):
    client = Client()
    client.force_login(UserFactory(is_staff=True), backend="django.contrib.auth.backends.ModelBackend")

    assert client.post(OBSERVATIONS, json.dumps({"rows": [ROW]}), content_type="application/json").status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (" ", 400, "not_json"),
        ("{", 400, "not_json"),
        ('{"rows": [{"value": NaN}]}', 400, "not_json"),
        ("[" * 100_000, 400, "not_json"),
        ("[]", 422, "wrong_shape"),
        ("{}", 422, "wrong_shape"),
        ('{"rows": []}', 422, "wrong_shape"),
        ('{"rows": [1]}', 422, "wrong_shape"),
        (json.dumps({"rows": [{}] * 1001}), 422, "too_many_rows"),
        (" " * (1024 * 1024 + 1), 413, "body_too_large"),
    ],
)
def test_a_body_that_is_no_call_is_refused_whole(body, status, code, metric):
    _, secret = a_token(metric)

    answer = post(secret, body=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_other_methods_and_types_are_refused_as_json(metric):
    _, secret = a_token(metric)
    headers = {"Authorization": f"Bearer {secret}"}

    assert Client().get(OBSERVATIONS, headers=headers).json()["error"]["code"] == "method_not_allowed"
    assert Client().post(OBSERVATIONS, {"rows": "1"}, headers=headers).status_code == 415


def test_the_same_key_and_body_get_the_same_answer(metric):
    _, secret = a_token(metric)
    first = post(secret, ROW, Idempotency_Key="night-1")
    Observation.objects.update(value=99)

    again = post(secret, ROW, Idempotency_Key="night-1")

    assert again.json() == first.json()
    assert again["Idempotent-Replay"] == "true"
    assert Observation.objects.get().value == 99


def test_the_same_key_with_another_body_is_refused(metric):
    _, secret = a_token(metric)
    post(secret, ROW, Idempotency_Key="night-1")

    answer = post(secret, {**ROW, "value": 13}, Idempotency_Key="night-1")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "key_reused")
    assert Observation.objects.get().value == 12


def test_keys_of_two_tokens_are_strangers(metric):
    _, one = a_token(metric)
    _, other = a_token(metric)
    post(one, ROW, Idempotency_Key="night-1")

    assert post(other, {**ROW, "value": 13}, Idempotency_Key="night-1").status_code == 200


def test_answers_are_forgotten_after_two_days(metric):
    _, secret = a_token(metric)
    post(secret, ROW, Idempotency_Key="night-1")

    assert forget_answers(now=timezone.now() + timedelta(hours=47)) == 0
    assert forget_answers(now=timezone.now() + timedelta(hours=49)) == 1
    assert not ApiCall.objects.exists()


def test_deliveries_are_forgotten_after_three_months_and_their_values_stay(metric):
    _, secret = a_token(metric)
    post(secret, ROW)

    assert forget_deliveries(now=timezone.now() + timedelta(days=89)) == 0
    assert forget_deliveries(now=timezone.now() + timedelta(days=91)) == 1
    assert Observation.objects.exists()


@pytest.fixture
def counter():
    """The counter of calls, forgotten before and after."""
    rates._shared.cache_clear()
    yield
    rates._shared.cache_clear()


@pytest.mark.parametrize("redis", ["redis", "no redis"])
def test_a_token_may_call_so_often(redis, metric, settings, counter):
    settings.API_CALLS_PER_MINUTE = 2
    if redis == "no redis":
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
    _, secret = a_token(metric)
    _, other = a_token(metric)

    codes = [post(secret, ROW).status_code for _ in range(3)]
    refused = post(secret, ROW)

    assert codes == [200, 200, 429]
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert post(other, ROW).status_code == 200


def seen(person, tool="miro", **fields):
    return {"person": person.email, "tool": tool, "day": "2026-03-10", **fields}


def test_use_of_a_tool_without_connector_is_stored_by_day():
    tool, person = ToolFactory(slug="miro", name="Miro"), UserFactory()
    _, secret = a_token(tools=[tool])

    first = post(secret, seen(person, count=3), to=ACTIVITY)
    again = post(secret, seen(person, count=3), to=ACTIVITY)

    day = ActivityDay.objects.get()
    assert (first.json()["accepted"], again.json()["unchanged"]) == (1, 1)
    assert (day.account.person, day.count, day.signal) == (person, 3, "activity")
    assert Connection.objects.get().workspace.tool == tool
    assert Job.objects.filter(kind="tooling.tasks.rebuild_adoption").count() == 1


def test_pushed_use_becomes_adoption_by_team():
    from tests.people.factories import MembershipFactory
    from tooling.models import AdoptionRollup
    from tooling.tasks import rebuild_adoption

    tool, team = ToolFactory(slug="miro"), TeamFactory()
    people = [MembershipFactory(team=team).person for _ in range(6)]
    _, secret = a_token(tools=[tool])
    post(secret, *[seen(person) for person in people[:4]], to=ACTIVITY)

    rebuild_adoption(connection_id=Connection.objects.get().pk)

    rollup = AdoptionRollup.objects.get(tool=tool, team=team, window=7)
    assert (rollup.eligible, rollup.active) == (6, 4)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"person": "nobody@elsewhere.example"}, "unknown_person"),
        ({"person": ""}, "missing"),
        ({"tool": "figma"}, "tool_not_allowed"),
        ({"tool": "linear"}, "tool_is_read"),
        ({"day": "yesterday"}, "bad_day"),
        ({"day": "2026-03-12"}, "future_day"),
        ({"day": "2020-01-01"}, "day_too_old"),
        ({"signal": "stared"}, "bad_signal"),
        ({"count": 0}, "bad_count"),
        ({"count": True}, "bad_count"),
        ({"mood": "fine"}, "unknown_field"),
    ],
)
def test_activity_that_cannot_be_is_refused_by_a_code(change, code):
    from tooling.models import Workspace

    read = ToolFactory(slug="linear")
    Workspace.objects.create(tool=read, name="w", connection=make_connection("linear"))
    _, secret = a_token(tools=[ToolFactory(slug="miro"), read])

    answer = post(secret, {**seen(UserFactory()), **change}, to=ACTIVITY)

    assert answer.status_code == 207
    assert answer.json()["rows"][0]["code"] == code
    assert not PersonAccount.objects.exists()


def test_the_description_fits_what_is_answered(metric):
    _, secret = a_token(metric)
    document = Client().get(reverse("api:openapi")).json()

    codes = document["components"]["schemas"]["RowResult"]["properties"]["code"]["enum"]
    refused = post(secret, {**ROW, "team": "nowhere"}).json()["rows"][0]

    assert document["openapi"].startswith("3.1")
    assert refused["code"] in codes
    for path in document["paths"]:
        assert Client().post(f"/api{path}", "{}", content_type="application/json").status_code == 401


ODD = ["\x00", "a\x00b", "\U0001f600" * 50, 10**4000, -(10**30), 1e308, [], {}, [[]], True, "9" * 5000, "1e999", "NaN"]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_whatever_stands_in_a_field_is_refused_and_breaks_nothing(odd, metric):
    tool = ToolFactory(slug="miro")
    _, secret = a_token(metric, tools=[tool])
    seen = {"person": UserFactory().email, "tool": "miro", "day": "2026-03-02"}
    fields = (
        "metric",
        "week",
        "team",
        "value",
        "num",
        "den",
        "n",
        "coverage",
        "signal",
        "count",
        "person",
        "tool",
        "day",
    )

    for name in fields:
        for to, row in ((OBSERVATIONS, ROW), (ACTIVITY, seen)):
            answer = post(secret, {**row, name: odd}, to=to, Idempotency_Key=f"{to} {name}")
            assert answer.status_code in (200, 207, 400), (to, name)
    answer = post(secret, {**ROW, str(odd)[:2000]: 1}, {**ROW, "team": "nowhere"})
    assert answer.status_code in (207, 400)


@pytest.mark.parametrize("key", ["", " ", "night 1", "k" * 200, "k" * 201, "clé", "a\u00a0b", "a\tb"])
def test_the_description_and_the_api_agree_on_what_a_key_is(key, metric):
    _, secret = a_token(metric)
    said = described()["paths"]["/v1/observations"]["post"]["parameters"][0]["schema"]

    answer = post(secret, ROW, Idempotency_Key=key)

    is_valid = len(key) <= said["maxLength"] and re.fullmatch(said["pattern"], key)
    assert answer.status_code == (200 if is_valid else 400)
