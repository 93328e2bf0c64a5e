"""Who may go where in the numbers' room."""

import uuid
from datetime import date

from tests.access import Rule
from tests.kpis.factories import MetricFactory, TargetFactory
from tests.people.factories import TeamFactory

OPS = frozenset({"ops"})
LEADERS = frozenset({"leader", "ops"})


def metric():
    return {"key": MetricFactory(key="cycle-time").key}


def team():
    return {"slug": TeamFactory(name="Checkout", slug="checkout").slug}


def target():
    made = TargetFactory(metric=MetricFactory(key="cycle-time"))
    return {"key": made.metric.key, "pk": made.pk}


WORDS = {"text": "Two large items closed in one week.", "key": str(uuid.uuid4())}
AIM = {"value": "3", "since": date(2026, 1, 1).isoformat(), "why": "Agreed at the offsite"}

ACCESS = {
    "kpis:overview": Rule(),
    "kpis:leadership": Rule(who=LEADERS),
    "kpis:team_dashboard": Rule(make=team),
    "kpis:metric_detail": Rule(make=metric),
    "kpis:metric_csv": Rule(make=metric),
    "kpis:metric_edit": Rule(who=OPS, methods=("GET", "POST"), make=metric),
    "kpis:metric_verify": Rule(who=OPS, methods=("POST",), make=metric),
    "kpis:target_set": Rule(who=OPS, methods=("GET", "POST"), make=metric, data=AIM),
    "kpis:target_withdraw": Rule(who=OPS, methods=("POST",), make=target),
    "kpis:comment_add": Rule(methods=("POST",), make=metric, data=WORDS),
}
