"""Metrics, values and a small tracker for tests."""

from datetime import UTC, date, datetime

import factory
from factory.django import DjangoModelFactory

from kpis.models import Metric, Observation, Target


class MetricFactory(DjangoModelFactory):
    class Meta:
        model = Metric
        django_get_or_create = ("key",)

    key = factory.Sequence(lambda n: f"metric-{n}")
    name = factory.LazyAttribute(lambda o: o.key.replace("-", " ").capitalize())
    definition = "What it says."
    formula = "a ÷ b"
    kind = Metric.Kind.PERCENTILE
    unit = Metric.Unit.DAYS
    direction = Metric.Direction.DOWN
    source = "Linear"
    read_at = factory.LazyFunction(lambda: datetime.now(UTC))


class TargetFactory(DjangoModelFactory):
    class Meta:
        model = Target

    metric = factory.SubFactory(MetricFactory)
    value = 3.0
    since = date(2026, 1, 1)


class ObservationFactory(DjangoModelFactory):
    class Meta:
        model = Observation

    metric = factory.SubFactory(MetricFactory)
    value = 4.0
    n = 20
    read_at = factory.LazyFunction(lambda: datetime.now(UTC))
    recorded_at = factory.LazyFunction(lambda: datetime.now(UTC))
