"""A metric read from a database: off by default, tried before it is read, and honest when it fails."""

import sqlite3
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from time_machine import travel

from connectors.models import Warehouse, WarehousePermit
from connectors.secrets import open_secret
from connectors.warehouse.reader import QueryFailed, Table
from hub.activity.models import Event
from hub.jobs.models import Job
from kpis import tasks
from kpis.actions import databases
from kpis.models import Delivery, Metric, MetricQuery, Observation, ObservationHistory
from tests.kpis.factories import MetricFactory
from tests.people.factories import TeamFactory, UserFactory

pytestmark = pytest.mark.django_db
TEXT = "SELECT week, team, value FROM figures"
WEEKS = [("2026-03-02", "", 4.0), ("2026-03-02", "checkout", 3.0), ("2026-02-23", "", 6.0)]


@pytest.fixture(autouse=True)
def at_noon():
    with travel("2026-03-11T11:00:00Z", tick=False):
        yield


@pytest.fixture
def shop(tmp_path, settings):
    settings.SQL_FOLDERS = [str(tmp_path)]
    TeamFactory(slug="checkout")
    path = tmp_path / "shop.sqlite3"
    fill(path, WEEKS)
    return path


def fill(path, rows):
    with sqlite3.connect(path) as made:
        made.execute("DROP TABLE IF EXISTS figures")
        made.execute("CREATE TABLE figures (week text, team text, value real)")
        made.executemany("INSERT INTO figures VALUES (?, ?, ?)", rows)
    made.close()


@pytest.fixture
def quick(shop, monkeypatch):
    """Ask the file here: the process around a query has tests of its own, and takes its time to start."""

    def ask(_address, text, **_options):
        with sqlite3.connect(shop) as opened:
            found = opened.execute(text)
            columns = tuple(column[0] for column in found.description)
            rows = [list(row) for row in found]
        opened.close()
        return Table(columns, ("text",) * len(columns), rows, 0.1)

    monkeypatch.setattr(databases, "ask", ask)


def read_metric():
    return MetricFactory(key="orders", kind="count", unit="items", source_kind="sql", read_at=None)


def a_query(path, text=TEXT, *, allowed=True):
    by = UserFactory(is_staff=True)
    if allowed:
        databases.permit(is_given=True, by=by)
    warehouse = databases.add_warehouse(label="Shop", address=f"sqlite:///{path}", timeout_seconds=5, by=by)
    return databases.save_query(metric=read_metric(), warehouse=warehouse, text=text, by=by)


def client_of(person):
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_address_is_kept_encrypted(shop):
    query = a_query(shop)

    row = Warehouse.objects.values().get()
    assert str(shop) not in repr(bytes(row["secret"]))
    assert open_secret(query.warehouse) == f"sqlite:///{shop}"
    call_command("rotate_secrets", stdout=StringIO())
    assert open_secret(Warehouse.objects.get()) == f"sqlite:///{shop}"


def test_nothing_is_read_before_it_is_allowed(shop):
    query = a_query(shop, allowed=False)
    MetricQuery.objects.update(is_active=True)

    databases.try_out(query)
    databases.read(query)

    query.refresh_from_db()
    assert databases.due(timezone.now()) == []
    assert query.trial["code"] == "forbidden"
    assert not Observation.objects.exists()


def test_who_allowed_it_is_kept(shop):
    by = UserFactory(is_staff=True)

    databases.permit(is_given=True, by=by)

    given = WarehousePermit.now()
    assert (given.is_given, given.by, given.at) == (True, by, timezone.now())
    assert Event.objects.filter(verb="allowed_databases", by=by).exists()


def test_a_trial_shows_and_writes_nothing(shop):
    query = a_query(shop)

    databases.try_out(query)

    query.refresh_from_db()
    assert query.trial["columns"] == ["week", "team", "value"]
    assert query.trial["types"] == ["text", "text", "number"]
    assert (query.trial["count"], query.trial["accepted"], query.trial["refused"]) == (3, 3, 0)
    assert query.is_tried
    assert not Observation.objects.exists()
    assert not Delivery.objects.exists()


def test_a_changed_query_must_be_tried_again(shop, quick):
    query = a_query(shop)
    databases.try_out(query)
    assert databases.switch(query=query, is_active=True, by=query.written_by)

    changed = databases.save_query(
        metric=query.metric, warehouse=query.warehouse, text="SELECT week, value FROM figures", by=query.written_by
    )

    assert not changed.is_active
    assert not databases.switch(query=changed, is_active=True, by=query.written_by)


def test_a_night_stores_and_restates(shop, quick):
    query = a_query(shop)
    databases.read(query)
    fill(shop, [("2026-03-02", "", 5.0), *WEEKS[1:]])

    databases.read(query)

    assert Observation.objects.count() == 3
    assert ObservationHistory.objects.get().value == 4.0
    assert Delivery.objects.order_by("pk").last().accepted == 1
    assert Metric.objects.get(key="orders").read_at == timezone.now()


@pytest.mark.parametrize(
    ("rows", "text", "code"),
    [
        ([*WEEKS, ("2026-03-02", "", 9.0)], TEXT, "twice"),
        (WEEKS, "SELECT week, value, team AS colour FROM figures", "columns"),
        (WEEKS, "SELECT team, value FROM figures", "columns"),
        ([], TEXT, "empty"),
        ([("2026-03-03", "", 1.0)], TEXT, "refused"),
    ],
)
def test_an_answer_that_is_no_set_of_values_is_refused_whole(rows, text, code, shop, quick):
    query = a_query(shop)
    databases.read(query)
    fill(shop, rows)
    MetricQuery.objects.update(text=text)
    query.refresh_from_db()

    databases.try_out(query)
    databases.read(query)

    query.refresh_from_db()
    assert query.trial["code"] == code
    assert (query.failure, query.failures) == ("schema_drift", 1)
    assert Observation.objects.count() == 3  # as they were last good
    assert query.read_at == timezone.now()


def answered(monkeypatch, *answers):
    """Have the database answer so, one after the other, without asking it."""
    left = list(answers)

    def ask(*_args, **_options):
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(databases, "ask", ask)


GOOD = Table(("date", "value"), ("text", "number"), [["2026-03-02T00:00:00+00:00", 4]], 0.1, ("may_write",))
DOWN = QueryFailed("source_down", "OperationalError: connection refused")
REFUSED = QueryFailed("query_rejected", "no such table")


def test_a_week_that_comes_as_midnight_is_its_day(shop, monkeypatch):
    answered(monkeypatch, GOOD)

    databases.read(a_query(shop))

    assert str(Observation.objects.get().week) == "2026-03-02"
    assert Warehouse.objects.get().may_write


def test_each_night_is_due_once_and_a_passing_failure_is_tried_again(shop, monkeypatch):
    query = a_query(shop)
    MetricQuery.objects.update(is_active=True)
    answered(monkeypatch, GOOD, DOWN, REFUSED)

    def due_at(text):
        return bool(databases.due(datetime.fromisoformat(text)))

    def read():
        query.refresh_from_db()
        databases.read(query)

    assert due_at("2026-03-11T11:00:00+00:00")
    read()
    assert not due_at("2026-03-12T02:59:00+00:00")  # 3:59 in Paris
    assert due_at("2026-03-12T03:00:00+00:00")
    with travel("2026-03-12T03:00:30Z", tick=False):
        read()
    assert not due_at("2026-03-12T03:10:00+00:00")
    assert due_at("2026-03-12T03:16:00+00:00")
    with travel("2026-03-12T03:16:00Z", tick=False):
        read()
    assert not due_at("2026-03-12T20:00:00+00:00")  # a person must look
    assert due_at("2026-03-13T03:00:00+00:00")


def test_the_clock_writes_one_job_a_night(shop):
    a_query(shop)
    MetricQuery.objects.update(is_active=True)

    tasks.start_due_queries()
    tasks.start_due_queries()

    assert Job.objects.filter(kind="kpis.tasks.read_query").count() == 1


def test_the_pages_lead_from_the_permit_to_the_nights(shop):
    admin, metric = client_of(UserFactory(is_staff=True)), read_metric()
    assert "Off, until a technical admin allows it" in admin.get("/kpis/sources/").content.decode()

    admin.post("/kpis/sources/databases/permit/", {"allow": "yes"})
    admin.post("/kpis/sources/databases/new/", {"label": "Shop", "address": f"sqlite:///{shop}", "timeout_seconds": 5})
    saved = admin.post("/kpis/orders/query/", {"warehouse": Warehouse.objects.get().pk, "text": TEXT}, follow=True)
    assert "being tried" in saved.content.decode()
    tasks.try_query(query_id=metric.query.pk)
    tried = admin.get("/kpis/orders/query/").content.decode()
    admin.post("/kpis/orders/query/switch/", {"on": "yes"})

    assert "3 would be written" in tried
    assert MetricQuery.objects.get().is_active


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("DELETE FROM figures", "begins with SELECT"),
        ("SELECT 1; SELECT 2", "semicolon"),
        ("SELECT 1 -- x", "Comments are not taken"),
    ],
)
def test_a_hostile_query_is_refused_on_the_page(text, says, shop):
    query = a_query(shop)

    answer = client_of(query.written_by).post(
        "/kpis/orders/query/", {"warehouse": query.warehouse_id, "text": text}
    )  # fmt: skip

    assert answer.status_code == 422
    assert says in answer.content.decode()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("sqlite:////etc/passwd", "outside the folders"),
        ("oracle://x", "no address of a database"),
        ("bigquery://project/data", "sqlalchemy_bigquery"),
        ("postgresql://ro:canary@db.example.com/shop?host=10.0.0.1", "an option that is not allowed"),
    ],
)
def test_an_address_that_is_refused_says_why_and_is_not_shown(address, says, shop):
    answer = client_of(UserFactory(is_staff=True)).post(
        "/kpis/sources/databases/new/", {"label": "Shop", "address": address, "timeout_seconds": 5}
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert says in page or "is not installed" in page
    assert "canary" not in page


def test_a_page_of_a_query_takes_few_queries(shop, quick, django_assert_max_num_queries):
    query = a_query(shop)
    databases.try_out(query)
    client = client_of(query.written_by)

    with django_assert_max_num_queries(10):
        client.get("/kpis/orders/query/")


def test_a_metric_that_is_computed_has_no_query(shop):
    MetricFactory(key="cycle-time")

    assert client_of(UserFactory(is_staff=True)).get("/kpis/cycle-time/query/").status_code == 404


def test_a_database_that_is_read_stays(shop):
    query = a_query(shop)

    client_of(query.written_by).post(f"/kpis/sources/databases/{query.warehouse_id}/remove/")

    assert Warehouse.objects.exists()


def marks(query):
    query.refresh_from_db()
    return {(row["week"], row["team"] is not None): row["since"] for row in query.withdrawn}


def test_a_week_that_leaves_the_answer_keeps_its_value_and_is_marked_until_it_is_back(shop, quick):
    query = a_query(shop)
    weeks = [("2026-02-16", "", 1.0), ("2026-02-23", "", 2.0), ("2026-03-02", "", 3.0), ("2026-02-23", "checkout", 4.0)]
    fill(shop, weeks)
    databases.read(query)
    assert marks(query) == {}

    fill(shop, [weeks[0], weeks[2]])
    databases.read(query)
    with travel("2026-03-12T11:00:00Z", tick=False):
        databases.read(query)

    first_met = "2026-03-11"
    assert marks(query) == {("2026-02-23", False): first_met, ("2026-02-23", True): first_met}
    assert sorted(Observation.objects.values_list("value", flat=True)) == [1.0, 2.0, 3.0, 4.0]
    reader = client_of(UserFactory(is_superuser=True))
    page = reader.get("/kpis/orders/").content.decode()
    assert "No longer in the source" in page and "23 February 2026" in page and "since: 11 March 2026" in page
    assert "2 values are no longer in the answer" in reader.get("/kpis/orders/query/").content.decode()

    fill(shop, weeks)
    databases.read(query)
    assert marks(query) == {}
    assert "No longer in the source" not in reader.get("/kpis/orders/").content.decode()


def test_what_is_older_than_the_answer_and_what_was_refused_marks_nothing(shop, quick):
    query = a_query(shop)
    fill(shop, [("2026-02-16", "", 1.0), ("2026-02-23", "", 2.0), ("2026-03-02", "", 3.0)])
    databases.read(query)

    fill(shop, [("2026-02-23", "", 2.0), ("2026-03-02", "", 3.0)])
    databases.read(query)
    assert marks(query) == {}

    fill(shop, [("2026-02-16", "", 1.0), ("2026-02-23", "nobody", 2.0), ("2026-03-02", "", 3.0)])
    databases.read(query)
    assert marks(query) == {}
