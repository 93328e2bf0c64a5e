"""Values from outside: judged by their metric's contract, stored beside the past they replace."""

from datetime import date

import pytest
from time_machine import travel

from kpis.actions import Status, plan, record
from kpis.models import Delivery, Metric, Observation, ObservationHistory
from tests.kpis.factories import MetricFactory
from tests.people.factories import TeamFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = travel("2026-03-11T10:00:00Z", tick=False)  # a Wednesday


def pushed(key="nps-answers", kind=Metric.Kind.COUNT, unit=Metric.Unit.ITEMS, **fields):
    return MetricFactory(key=key, kind=kind, unit=unit, source_kind=Metric.SourceKind.PUSHED, read_at=None, **fields)


def bring(*rows, **options):
    return record(rows, source=Metric.SourceKind.PUSHED, by=UserFactory(), **options)


def row(**fields):
    return {"metric": "nps-answers", "week": "2026-03-02", "value": 12, **fields}


@NOW
def test_a_good_row_is_stored_and_its_metric_knows_when():
    metric = pushed()

    done = bring(row(team=TeamFactory(slug="checkout").slug))

    stored = Observation.objects.get(metric=metric)
    assert [one.status for one in done.outcomes] == ["accepted"]
    assert (stored.team.slug, stored.week, stored.value, stored.n) == ("checkout", date(2026, 3, 2), 12, 12)
    metric.refresh_from_db()
    assert metric.read_at == stored.recorded_at == done.delivery.recorded_at


@NOW
def test_the_same_again_writes_nothing():
    pushed()
    bring(row())

    done = bring(row(value=12.0))

    assert [one.status for one in done.outcomes] == ["unchanged"]
    assert not ObservationHistory.objects.exists()


@NOW
def test_a_restated_value_keeps_the_old_one():
    pushed()
    bring(row())

    done = bring(row(value=14))

    kept = ObservationHistory.objects.get()
    assert done.outcomes[0].is_restated and done.outcomes[0].was == 12
    assert (kept.value, kept.reason) == (12, "source")
    assert Observation.objects.get().value == 14


@NOW
def test_a_value_of_a_week_under_way_was_partial():
    pushed()
    bring(row(week="2026-03-09"))

    bring(row(week="2026-03-09", value=20))

    assert ObservationHistory.objects.get().reason == "partial"


@NOW
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"metric": "nobody-knows"}, "unknown_metric"),
        ({"metric": ""}, "missing"),
        ({"metric": "cycle-time"}, "wrong_source"),
        ({"metric": "old-one"}, "metric_retired"),
        ({"team": "nowhere"}, "unknown_team"),
        ({"week": "2026-03-04"}, "not_a_monday"),
        ({"week": "march"}, "bad_week"),
        ({"week": "2026-W54"}, "bad_week"),
        ({"week": None}, "missing"),
        ({"week": "2026-03-16"}, "future_week"),
        ({"week": "1999-12-27"}, "too_old"),
        ({"value": "12,5"}, "bad_number"),
        ({"value": True}, "bad_number"),
        ({"value": float("nan")}, "bad_number"),
        ({"value": "1e400"}, "bad_number"),
        ({"value": 10**400}, "bad_number"),
        ({"value": [1]}, "bad_number"),
        ({"value": None}, "missing"),
        ({"value": -1}, "out_of_range"),
        ({"n": 2.5}, "bad_number"),
        ({"n": -1}, "out_of_range"),
        ({"n": 2**40}, "out_of_range"),
        ({"coverage": 1.2}, "out_of_range"),
        ({"colour": "red"}, "unknown_field"),
        ({"metric": "win-rate", "value": 0.5}, "missing"),
        ({"metric": "win-rate", "value": None, "num": 1, "den": 0}, "no_cases"),
        ({"metric": "win-rate", "value": 0.9, "num": 1, "den": 2}, "counts_disagree"),
        ({"metric": "win-rate", "value": None, "num": 3, "den": 2}, "out_of_range"),
        ({"metric": "reply-time", "value": 3}, "missing"),
    ],
)
def test_a_row_against_its_contract_is_refused_by_a_code(change, code):
    pushed()
    pushed("old-one", status=Metric.Status.RETIRED)
    pushed("win-rate", Metric.Kind.RATIO, Metric.Unit.PERCENT)
    pushed("reply-time", Metric.Kind.PERCENTILE, Metric.Unit.DAYS)
    MetricFactory(key="cycle-time")

    done = bring(row(**change))

    assert done.outcomes[0].refusal.code == code
    assert str(done.outcomes[0].refusal)
    assert not Observation.objects.exists()


@NOW
def test_good_rows_of_a_delivery_are_stored_beside_refused_ones():
    pushed()

    done = bring(row(), row(value=-3, week="2026-02-23"), row(week="2026-W08"), row(value=13))

    assert [one.status for one in done.outcomes] == ["accepted", "refused", "accepted", "refused"]
    assert done.outcomes[3].refusal.code == "twice"
    kept = Delivery.objects.get()
    assert (kept.accepted, kept.unchanged, kept.refused) == (2, 0, 2)
    assert [one["index"] for one in kept.refusals] == [1, 3]


@NOW
def test_a_ratio_is_what_its_counts_say():
    pushed("win-rate", Metric.Kind.RATIO, Metric.Unit.PERCENT)

    bring({"metric": "win-rate", "week": "2026-W10", "num": 9, "den": 12})

    stored = Observation.objects.get()
    assert (stored.value, stored.num, stored.den, stored.n) == (0.75, 9, 12, 12)


@NOW
def test_only_allowed_metrics_are_written():
    pushed()

    done = bring(row(), allowed={"another"})

    assert done.outcomes[0].refusal.code == "metric_not_allowed"


@NOW
def test_a_plan_says_what_would_happen_and_writes_nothing():
    pushed()
    bring(row())

    outcomes = plan([row(), row(value=15), row(value=5, week="2026-02-23")][1:], source="pushed")

    assert [(one.status, one.was) for one in outcomes] == [(Status.ACCEPTED, 12), (Status.ACCEPTED, None)]
    assert Observation.objects.get().value == 12
    assert Delivery.objects.count() == 1


@NOW
def test_a_thousand_rows_take_few_queries(django_assert_max_num_queries):
    pushed()
    teams = [TeamFactory().slug for _ in range(20)]
    weeks = [date.fromisocalendar(2025, n, 1).isoformat() for n in range(1, 51)]
    rows = [row(team=team, week=week) for team in teams for week in weeks]
    by = UserFactory()

    with django_assert_max_num_queries(14):
        done = record(rows, source="pushed", by=by)

    assert done.count(Status.ACCEPTED) == Observation.objects.count() == 1000
