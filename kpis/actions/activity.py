"""Use of tools that no connector reads, told day by day by another system."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Lower
from django.utils import timezone

from connectors.models import ActivityDay, Connection, PersonAccount
from hub.people.models import User
from kpis.sync.judging import Refusal
from tooling.models import Tool, Workspace
from tooling.tasks import rebuild_adoption

from .observations import Status

FIELDS = ("person", "tool", "day", "signal", "count")
SIGNALS = ("activity", "sign_in", "edit")
DAYS_BACK = 400
MOST_A_DAY = 100_000


@dataclass(frozen=True)
class Seen:
    """A person was seen in a tool on a day, so many times."""

    person: User
    tool: Tool
    day: date
    signal: str
    count: int


@dataclass(frozen=True)
class ActivityOutcome:
    index: int
    status: Status
    refusal: Refusal | None = None


@transaction.atomic
def record_activity(rows: Sequence[Mapping[str, Any]], *, allowed: Collection[Tool]) -> list[ActivityOutcome]:
    """Store who was seen where; say of each row what became of it. Safe to run twice: a day's count is said, not added.

    Nobody is made: a person is known by e-mail or the row is refused. Tools that a connector reads are refused.
    """
    tools = {tool.slug: tool for tool in allowed}
    list(Tool.objects.select_for_update().filter(pk__in=[tool.pk for tool in allowed]).order_by("pk"))
    read = set(
        Workspace.objects.filter(tool__in=allowed).exclude(connection=None).exclude(connection__service=Connection.PUSHED)
        .values_list("tool_id", flat=True)
    )  # fmt: skip
    emails = {str(row.get("person") or "").strip().lower() for row in rows}
    people = {
        person.email.lower(): person
        for person in User.objects.annotate(low=Lower("email")).filter(low__in=emails, is_active=True)
    }
    judged = _without_twins([_judged(row, tools, people, read) for row in rows])
    stored = _store([one for one in judged if isinstance(one, Seen)])
    return [
        ActivityOutcome(index, Status.REFUSED, one)
        if isinstance(one, Refusal)
        else ActivityOutcome(index, stored[one.person.pk, one.tool.pk, one.day, one.signal])
        for index, one in enumerate(judged)
    ]


def _without_twins(judged: Sequence[Seen | Refusal]) -> list[Seen | Refusal]:
    """Refuse a row that says again what an earlier row of the same call says."""
    first: dict[tuple[int, int, date, str], int] = {}
    found: list[Seen | Refusal] = []
    for index, one in enumerate(judged):
        if isinstance(one, Seen):
            row = first.setdefault((one.person.pk, one.tool.pk, one.day, one.signal), index)
            found.append(one if row == index else Refusal("said_twice", {"row": row}))
        else:
            found.append(one)
    return found


def _judged(
    row: Mapping[str, Any], tools: Mapping[str, Tool], people: Mapping[str, User], read: set[int]
) -> Seen | Refusal:
    for name in row:
        if name not in FIELDS:
            return Refusal("unknown_field", {"field": str(name)[:40], "fields": ", ".join(FIELDS)})
    for name in ("person", "tool", "day"):
        if not row.get(name):
            return Refusal("missing", {"field": name})
    tool, person = tools.get(str(row["tool"])), people.get(str(row["person"]).strip().lower())
    if tool is None:
        return Refusal("tool_not_allowed", {"tool": str(row["tool"])[:60]})
    if tool.pk in read:
        return Refusal("tool_is_read", {"tool": tool.slug})
    if person is None:
        return Refusal("unknown_person", {"person": str(row["person"])[:80]})
    return _seen(row, tool, person)


def _seen(row: Mapping[str, Any], tool: Tool, person: User) -> Seen | Refusal:
    today = timezone.localdate()
    try:
        day = date.fromisoformat(str(row["day"]))
    except ValueError:
        return Refusal("bad_day", {"day": str(row["day"])[:40]})
    if day > today:
        return Refusal("future_day", {"day": day.isoformat()})
    if day < today - timedelta(days=DAYS_BACK):
        return Refusal("day_too_old", {"days": DAYS_BACK})
    signal, count = row.get("signal", "activity"), row.get("count", 1)
    if signal not in SIGNALS:
        return Refusal("bad_signal", {"signal": str(signal)[:40], "signals": ", ".join(SIGNALS)})
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_A_DAY:
        return Refusal("bad_count", {"given": str(count)[:40], "most": MOST_A_DAY})
    return Seen(person, tool, day, str(signal), count)


def _store(seen: Sequence[Seen]) -> dict[tuple[int, int, date, str], Status]:
    """Store the days tool by tool, and have each tool's use counted anew where something changed."""
    by_tool: dict[Tool, list[Seen]] = defaultdict(list)
    for one in seen:
        by_tool[one.tool].append(one)
    done: dict[tuple[int, int, date, str], Status] = {}
    for tool, days in sorted(by_tool.items(), key=lambda item: item[0].pk):
        connection = inlet_of(tool)
        accounts = _accounts(connection, {one.person for one in days})
        wanted = {(accounts[one.person.pk].pk, one.day, one.signal): one for one in days}
        before = {
            (row.account_id, row.day, row.signal): row.count
            for row in ActivityDay.objects.filter(account__in=accounts.values(), day__in={one.day for one in days})
        }
        changed = {place: one for place, one in wanted.items() if before.get(place) != one.count}
        ActivityDay.objects.bulk_create(
            [ActivityDay(account_id=place[0], day=place[1], signal=place[2], count=one.count)
             for place, one in changed.items()],
            update_conflicts=True, unique_fields=["account", "day", "signal"], update_fields=["count"],
        )  # fmt: skip
        for place, one in wanted.items():
            done[one.person.pk, tool.pk, one.day, one.signal] = (
                Status.ACCEPTED if place in changed else Status.UNCHANGED
            )
        if changed:
            rebuild_adoption.enqueue(connection_id=connection.pk)
    return done


def inlet_of(tool: Tool) -> Connection:
    """Return the connection that a tool's use is written to; made on first sight. The clock never reads it."""
    found = Connection.objects.filter(service=Connection.PUSHED, workspace__tool=tool).first()
    if found is None:
        found = Connection.objects.create(service=Connection.PUSHED, label=tool.name[:80], is_active=False)
        taken = set(tool.workspaces.values_list("name", flat=True))
        name = tool.name if tool.name not in taken else f"{tool.name[:100]} ({found.pk})"
        Workspace.objects.create(tool=tool, connection=found, name=name[:120])
    return found


def _accounts(connection: Connection, people: Collection[User]) -> dict[int, PersonAccount]:
    """Return each person's account in the tool, by the person's id."""
    PersonAccount.objects.bulk_create(
        [
            PersonAccount(
                connection=connection,
                external_id=f"person:{person.pk}",
                email=person.email,
                name=person.name,
                person=person,
                match=PersonAccount.Match.EMAIL,
            )
            for person in people
        ],
        ignore_conflicts=True,
    )
    found = PersonAccount.objects.filter(connection=connection, person__in=people).annotate(of=F("person_id"))
    return {row.person_id: row for row in found if row.person_id is not None}
