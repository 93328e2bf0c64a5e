"""Documents: the product's SQL against plain Python, on generated databases made to be awkward."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.conf import settings

from connectors.models import Connection, Document, DocumentSource, PersonAccount, SourceMapping
from hub.people.models import Membership, Team, User
from kpis.management.commands.load_metrics import Command
from kpis.models import Observation
from kpis.sync.recompute import TITLES, recompute
from tests.kpis.reference_pages import Workspace
from tests.kpis.test_against_reference import agree, stored
from tests.kpis.test_tools import FIRST, NOW, Dice

pytestmark = pytest.mark.django_db
ZONE = settings.COMPANY_TIME_ZONE
KEYS = (
    "interviews", "interview-cadence", "insight-rate", "write-up-time", "decisions", "decision-time",
    "decision-ownership", "overdue-reviews", "experiment-results", "doc-freshness", "doc-age", "dead-docs",
    "doc-ownership", "completeness", "discovery-people",
)  # fmt: skip
STATES = [{"id": "done", "name": "Held"}, {"id": "open", "name": "Planned"}]


@pytest.fixture
def notion(db):
    Command().handle()
    return Connection.objects.create(service="notion", label="Notion")


@pytest.fixture
def world(notion):
    """Two teams, three people of whom one has left, and a bot."""
    teams = [Team.objects.create(name=name, slug=name.lower()) for name in ("Checkout", "Search")]
    Team.objects.create(name="Twin", slug="twin-1")
    Team.objects.create(name="twin", slug="twin-2")
    homes, people, staff = {}, {}, {}
    for n, title in enumerate(("Senior Product Manager", "Engineer", "Product designer")):
        person = User.objects.create(
            email=f"p{n}@ardoise.example", name=f"Person {n}", is_active=n != 2, job_title=title
        )  # fmt: skip
        team = teams[n % 2]
        Membership.objects.create(person=person, team=team, starts_on=date(2026, 9, 1))
        PersonAccount.objects.create(connection=notion, external_id=f"u{n}", person=person)
        homes[f"u{n}"] = [(team.pk, date(2026, 9, 1), None)]
        people[f"u{n}"] = {"is_active": True, "kind": "member", "works_here": n != 2}
        staff[person.pk] = (title, homes[f"u{n}"], [f"u{n}"])
    PersonAccount.objects.create(connection=notion, external_id="bot", kind="bot")
    PersonAccount.objects.create(connection=notion, external_id="closed", is_active=False)
    people["bot"] = {"is_active": True, "kind": "bot", "works_here": True}
    people["closed"] = {"is_active": False, "kind": "member", "works_here": True}
    return {"names": {team.name.lower(): team.pk for team in teams}, "homes": homes, "people": people}, staff


FIELDS = {
    "interviews": ("date", "status", "team", "person", "insights", "written"),
    "decisions": ("date", "proposed", "status", "team", "person", "review"),
    "experiments": ("date", "status", "team", "person"),
    "documents": ("person", "team", "verification", "review"),
    "policies": ("person", "verification"),
}
TEAM_KINDS = ("select", "multi_select", "relation", "people")


def value_of(dice, field, kind, pages):
    """Return what may stand in a property, empty at times."""
    if dice.random() < 0.2:
        return None
    day = dice.day().isoformat()
    late = f"{day}T23:30:00.000-05:00"  # the day after, in Europe
    some = [f"u{dice.randrange(3)}", *dice.some(["bot", "closed", "guest"])]
    names = ["Checkout", " search", "Elsewhere", "Twin"]
    return {
        "date": lambda: {"start": dice.choice([day, late]), "end": dice.choice([None, dice.day().isoformat()])},
        "created_time": lambda: late,
        "status": lambda: dice.choice(STATES),
        "checkbox": lambda: dice.random() < 0.5,
        "select": lambda: {"id": "x", "name": dice.choice(names)},
        "multi_select": lambda: [{"id": name, "name": name} for name in dice.some(names)] or None,
        "people": lambda: dice.choice([some, ["guest"]]),
        "relation": lambda: {"count": 1, "ids": [dice.choice(pages)]},
        "verification": lambda: {
            "state": dice.choice(["verified", "unverified"]), "end": dice.choice([None, "2026-11-22", "2026-10-01"])
        },
    }[kind]()  # fmt: skip


def kind_of(dice, field):
    return {
        "date": "date", "proposed": dice.choice(["date", "created_time"]), "review": "date", "person": "people",
        "status": dice.choice(["status", "checkbox"]), "team": dice.choice(TEAM_KINDS), "insights": "relation",
        "verification": "verification", "written": dice.choice(["date", "created_time"]),
    }[field]  # fmt: skip


def generate(notion, world, seed):
    dice, sources, pages = Dice(seed), {}, []
    for n, meaning in enumerate([*FIELDS, "interviews", "documents"]):
        fields = {field: f"{field}%3B" for field in FIELDS[meaning] if n < 2 or dice.random() < 0.85}
        kinds = {field: kind_of(dice, field) for field in fields}
        known = {key for key in fields.values() if dice.random() < 0.95}
        is_trashed, gone = dice.random() < 0.05, dice.seldom(NOW)
        held = ["true"] if kinds.get("status") == "checkbox" else ["done"]
        ref = f"s{n}"
        sources[ref] = {
            "meaning": meaning, "fields": fields, "held": held, "known": known,
            "is_readable": not is_trashed and gone is None,
        }  # fmt: skip
        DocumentSource.objects.create(
            connection=notion, external_id=ref, is_trashed=is_trashed, deleted_at=gone,
            properties=[{"id": key, "name": key, "type": "x", "options": []} for key in sorted(known)],
        )  # fmt: skip
        SourceMapping.objects.create(
            connection=notion, source_ref=ref, meaning=meaning, fields=fields, held=sources[ref]["held"]
        )
        mine = [f"{ref}-{k}" for k in range(dice.randrange(25))]
        for key in mine:
            pages.append({
                "ref": key, "source": ref, "title": dice.choice(["Checkout", "search ", "A page"]),
                "values": {
                    fields[field]: (kind, value_of(dice, field, kind, mine))
                    for field, kind in kinds.items()
                    if fields[field] in known or dice.random() < 0.5
                },
                "editor": dice.choice(["u0", "u1", "bot", "guest"]),
                "opened_at": dice.moment(), "edited_at": NOW - timedelta(days=dice.choice([3, 80, 100, 200, 400, 900])),
                "deleted_at": dice.seldom(dice.moment()), "is_trashed": dice.random() < 0.05,
            })  # fmt: skip
    Document.objects.bulk_create(
        Document(
            connection=notion, external_id=p["ref"], source_ref=p["source"], title=p["title"], editor_ref=p["editor"],
            opened_at=p["opened_at"], edited_at=p["edited_at"], deleted_at=p["deleted_at"], is_trashed=p["is_trashed"],
            values={key: {"type": kind, "value": value} for key, (kind, value) in p["values"].items()},
        )
        for p in pages
    )  # fmt: skip
    return Workspace(sources, pages, **world[0], zone=ZONE, now=NOW)


@pytest.mark.parametrize("seed", range(12))
def test_documents(notion, world, seed):
    truth = generate(notion, world, seed)

    recompute(first=FIRST, now=NOW)

    expected = (
        truth.interviews() | truth.decisions() | truth.reviews() | truth.experiments() | truth.documents()
        | truth.completeness() | truth.product_people(world[1], TITLES)
    )  # fmt: skip
    until = {key: row for key, row in expected.items() if FIRST <= key[2] <= date(2026, 11, 16)}
    agree({key: row for key, row in stored(*KEYS).items() if key[2] <= date(2026, 11, 16)}, until)


def interview(notion, **more):
    """Map a database of interviews and put one held interview into it."""
    fields = {"date": "d", "status": "s", **more}
    DocumentSource.objects.create(
        connection=notion, external_id="x",
        properties=[{"id": key, "name": key, "type": "x", "options": []} for key in fields.values()],
    )  # fmt: skip
    mapping = SourceMapping.objects.create(
        connection=notion, source_ref="x", meaning="interviews", fields=fields, held=["done"]
    )
    values = {
        "d": {"type": "date", "value": {"start": "2026-11-10", "end": None}},
        "s": {"type": "status", "value": STATES[0]},
    }
    made = datetime(2026, 11, 10, tzinfo=UTC)
    Document.objects.create(
        connection=notion, external_id="p", source_ref="x", opened_at=made, edited_at=made, values=values
    )
    return mapping


def test_without_a_mapping_there_is_no_figure(notion):
    interview(notion).delete()

    recompute(first=FIRST, now=NOW)

    assert not Observation.objects.filter(metric__source="Notion").exists()


def test_a_renamed_property_keeps_working_and_a_removed_one_stops_the_figure(notion):
    interview(notion)
    source = DocumentSource.objects.get()
    recompute(first=FIRST, now=NOW)
    before = stored("interviews")

    source.properties[0]["name"] = "Another name"
    source.save()
    recompute(first=FIRST, now=NOW)
    renamed = stored("interviews")
    source.properties = source.properties[1:]
    source.save()
    recompute(first=FIRST, now=NOW)

    assert len(before) == len(renamed) == 2
    assert not stored("interviews")


def test_without_a_status_nobody_knows_what_took_place(notion):
    mapping = interview(notion)
    mapping.fields.pop("status")
    mapping.save()

    recompute(first=FIRST, now=NOW)

    assert not stored("interviews", "interview-cadence", "insight-rate")
