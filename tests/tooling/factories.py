"""Tools and what belongs to them, for tests."""

from datetime import date, timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from connectors.models import ActivityDay, Connection, PersonAccount
from tooling.models import (
    Capability,
    StandardDecision,
    Tool,
    ToolAlias,
    ToolCapability,
    ToolOwner,
    Workspace,
    normalized,
)


class CapabilityFactory(DjangoModelFactory):
    class Meta:
        model = Capability
        django_get_or_create = ("slug",)

    slug = factory.Sequence(lambda n: f"job-{n}")
    name_en = factory.LazyAttribute(lambda o: o.slug.replace("-", " ").capitalize())
    name_fr = factory.LazyAttribute(lambda o: f"{o.name_en} (fr)")
    parent = factory.LazyFunction(lambda: family())  # noqa: PLW0108 defined below


def family(slug="family"):
    return Capability.objects.get_or_create(slug=slug, defaults={"name_en": slug.capitalize()})[0]


class ToolFactory(DjangoModelFactory):
    class Meta:
        model = Tool

    class Params:
        starter = factory.Trait(is_starter=True, lifecycle="discovered")
        retired = factory.Trait(lifecycle="retired")

    name = factory.Sequence(lambda n: f"Tool {n:05}")
    slug = factory.LazyAttribute(lambda o: o.name.lower().replace(" ", "-").replace(".", "-"))
    summary_en = "What it does."
    lifecycle = "active"


def owned(tool, person, *, role="business"):
    return ToolOwner.objects.create(tool=tool, person=person, role=role)


def named(tool, *texts):
    return [ToolAlias.objects.create(tool=tool, text=text, key=normalized(text)) for text in texts]


def does(tool, job, *, main=True):
    return ToolCapability.objects.create(tool=tool, capability=job, is_primary=main)


def decided(tool, job, ring="adopt", **fields):
    today = timezone.localdate()
    values = {"why": "Everybody knows it.", "decided_on": today, "review_on": today + timedelta(days=90), **fields}
    return StandardDecision.objects.create(tool=tool, capability=job, ring=ring, **values)


def connected(tool, service="linear"):
    connection = Connection.objects.create(service=service, label=service.title())
    Workspace.objects.create(tool=tool, name=f"{service} {connection.pk}", connection=connection)
    return connection


def account(connection, person=None, *, key=None, days=(), signal="last_seen", **fields):
    """An account, seen on `days` (dates)."""
    made = PersonAccount.objects.create(
        connection=connection,
        external_id=key or f"a{PersonAccount.objects.count()}",
        person=person,
        match="email" if person else "unmatched",
        **fields,
    )
    ActivityDay.objects.bulk_create(ActivityDay(account=made, day=day, signal=signal) for day in days)
    return made


def days_ago(count: int) -> date:
    return timezone.localdate() - timedelta(days=count)
