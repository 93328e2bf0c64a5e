"""Who may go where in the numbers' room."""

import uuid
from datetime import date, timedelta

from django.utils import timezone

from connectors.models import Connection, ProductItem, Warehouse, WorkProject
from kpis.actions.tokens import make_token
from kpis.models import Comment, MetricQuery, ProjectLink
from tests.access import ROLES, Rule
from tests.kpis.factories import MetricFactory, TargetFactory
from tests.people.factories import TeamFactory, UserFactory

OPS = frozenset({"ops"})
ADMINS = frozenset({"admin"})
STAFF = frozenset({"ops", "admin"})
LEADERS = frozenset({"leader", "ops"})


def metric():
    return {"key": MetricFactory(key="cycle-time").key}


def team():
    return {"slug": TeamFactory(name="Checkout", slug="checkout").slug}


def target():
    made = TargetFactory(metric=MetricFactory(key="cycle-time"))
    return {"key": made.metric.key, "pk": made.pk}


def comment():
    made = Comment.objects.create(metric=MetricFactory(key="cycle-time"), text="Two large items.", key=uuid.uuid4())
    return {"key": made.metric.key, "pk": made.pk}


def token():
    owner = UserFactory(email="owner@push.example")
    made, _secret = make_token(
        name="CRM", owner=owner, metrics=[], tools=[], expires_at=timezone.now() + timedelta(days=9), by=owner
    )
    return {"pk": made.pk}


def project_link():
    made = {"connection": Connection.objects.create(service="linear", label="Linear"), "external_id": "x"}
    now = timezone.now()
    return {
        "pk": ProjectLink.objects.create(
            project=WorkProject.objects.create(name="Pay", **made),
            item=ProductItem.objects.create(kind="feature", opened_at=now, edited_at=now, **made),
        ).pk
    }


def read_metric():
    metric = MetricFactory(key="orders", source_kind="sql")
    warehouse = Warehouse.objects.create(kind="sqlite", label="Shop", shown_as="sqlite:/srv/shop")
    MetricQuery.objects.create(metric=metric, warehouse=warehouse, text="SELECT 1")
    return {"key": metric.key}


def warehouse():
    return {"pk": Warehouse.objects.create(kind="sqlite", label="Shop", shown_as="sqlite:/srv/shop").pk}


WORDS = {"text": "Two large items closed in one week.", "key": str(uuid.uuid4())}
AIM = {"value": "3", "since": date(2026, 1, 1).isoformat(), "why": "Agreed at the offsite"}

NEW = {
    "name": "Deals won", "key": "deals-won", "source_kind": "pushed", "kind": "count", "unit": "items",
    "direction": "up", "definition": "Deals that were won.", "formula": "count of won deals",
}  # fmt: skip

ACCESS = {
    "api:observations": Rule(who=frozenset(ROLES), methods=("POST",), ok=(401,), for_programs=True),
    "api:activity": Rule(who=frozenset(ROLES), methods=("POST",), ok=(401,), for_programs=True),
    "api:openapi": Rule(who=frozenset(ROLES)),
    "kpis:source_list": Rule(who=STAFF),
    "kpis:push_docs": Rule(who=STAFF),
    "kpis:permit_switch": Rule(who=ADMINS, methods=("POST",)),
    "kpis:warehouse_create": Rule(who=ADMINS, methods=("GET", "POST")),
    "kpis:warehouse_remove": Rule(who=ADMINS, methods=("POST",), make=warehouse),
    "kpis:query_edit": Rule(who=ADMINS, methods=("GET", "POST"), make=read_metric),
    "kpis:query_try": Rule(who=ADMINS, methods=("POST",), make=read_metric),
    "kpis:query_switch": Rule(who=ADMINS, methods=("POST",), make=read_metric),
    "kpis:metric_create": Rule(who=OPS, methods=("GET", "POST"), data=NEW),
    "kpis:token_create": Rule(who=STAFF, methods=("GET", "POST")),
    "kpis:token_revoke": Rule(who=STAFF, methods=("POST",), make=token),
    "kpis:overview": Rule(),
    "kpis:leadership": Rule(who=LEADERS),
    "kpis:join_list": Rule(),
    "kpis:project_link": Rule(who=OPS, methods=("POST",)),
    "kpis:project_unlink": Rule(who=OPS, methods=("POST",), make=project_link),
    "kpis:team_dashboard": Rule(make=team),
    "kpis:metric_detail": Rule(make=metric),
    "kpis:metric_csv": Rule(make=metric),
    "kpis:metric_edit": Rule(who=OPS, methods=("GET", "POST"), make=metric),
    "kpis:metric_verify": Rule(who=OPS, methods=("POST",), make=metric),
    "kpis:target_set": Rule(who=OPS, methods=("GET", "POST"), make=metric, data=AIM),
    "kpis:target_withdraw": Rule(who=OPS, methods=("POST",), make=target),
    "kpis:comment_add": Rule(methods=("POST",), make=metric, data=WORDS),
    "kpis:comment_remove": Rule(who=OPS, methods=("POST",), make=comment, hidden=True),  # another's
}
