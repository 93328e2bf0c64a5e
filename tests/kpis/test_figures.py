"""Which weeks of a metric are read, and put on its calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from time_machine import travel

from kpis.models import Metric
from kpis.queries import figures
from tests.kpis.factories import MetricFactory, ObservationFactory

pytestmark = pytest.mark.django_db

WEDNESDAY = datetime(2026, 11, 18, 6, tzinfo=UTC)
LAST_MONDAY = datetime(2026, 11, 9, tzinfo=UTC).date()  # of the week that was over by then
WEEK = timedelta(weeks=1)


def a_year_of(metric):
    """Give a metric a value for each of sixty weeks: how many weeks before the last one."""
    for back in range(60):
        ObservationFactory(metric=metric, week=LAST_MONDAY - back * WEEK, value=back, n=20)


def values(figure):
    return [point.value for point in figure.points]


@travel(WEDNESDAY, tick=False)
@pytest.mark.parametrize("weeks", [13, 26, 52])
@pytest.mark.parametrize("late", [0, 3])
def test_every_week_of_the_span_is_read_to_its_first(weeks, late):
    """A metric that was read weeks ago has an older last week than its neighbour; both are read to their first."""
    a_year_of(MetricFactory(key="fresh", position=1, read_at=WEDNESDAY))
    a_year_of(MetricFactory(key="late", position=2, read_at=WEDNESDAY - late * WEEK))

    fresh, older = figures(Metric.objects.all(), weeks=weeks)

    assert values(fresh) == list(range(weeks - 1, -1, -1))
    assert values(older) == list(range(weeks - 1 + late, late - 1, -1))


@travel(WEDNESDAY, tick=False)
def test_what_is_of_a_moment_is_read_to_the_present_week():
    stock = MetricFactory(key="stock", is_of_now=True, read_at=WEDNESDAY)
    ObservationFactory(metric=stock, week=LAST_MONDAY + WEEK, value=7, n=20)
    ObservationFactory(metric=stock, week=LAST_MONDAY - 11 * WEEK, value=3, n=20)

    [figure] = figures([stock], weeks=13)

    assert [(p.week, p.value) for p in (figure.points[0], figure.points[-1])] == [
        (LAST_MONDAY - 11 * WEEK, 3),
        (LAST_MONDAY + WEEK, 7),
    ]


@travel(WEDNESDAY, tick=False)
def test_only_what_is_charted_comes_with_all_weeks():
    a_year_of(MetricFactory(key="charted", read_at=WEDNESDAY))
    a_year_of(MetricFactory(key="tiled", read_at=WEDNESDAY))

    found = figures(Metric.objects.all(), weeks=26, charted=["charted"])

    assert {figure.metric.key: values(figure) for figure in found} == {
        "charted": list(range(25, -1, -1)),
        "tiled": list(range(12, -1, -1)),
    }
