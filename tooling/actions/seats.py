"""A list of accounts: seats and adoption for a tool that no connection reads."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from connectors.models import Connection, PersonAccount
from connectors.store import match_people
from hub.activity.models import Event
from hub.core.csv import Line
from hub.imports.kinds import Kind, Left
from hub.imports.models import ImportRow
from hub.imports.sheet import Judged
from hub.people.models import User
from tooling.models import Tool, ToolAlias, Workspace, normalized
from tooling.sync.adoption import rebuild
from tooling.sync.seats import COLUMNS, DAYS, PROBLEMS, Known, Seat, SeatKind, gone, judge

BATCH = 2000
MOMENTS = {"joined_on": "joined_at", "last_seen_on": "last_seen_at"}
PLAIN = ("email", "name", "kind", "is_active")


class Seats(Kind):
    """Accounts of tools, one a line."""

    key = "seats"
    title = _("Seats")
    lede = _("Who has an account in a tool that the hub can’t read by itself, and when it was last used.")
    noun = _("Account")
    right = "tooling.import_tools"
    columns = COLUMNS
    keys = ("tool",)
    key_missing = _("Say which column holds the tool: one file may hold the accounts of several.")
    problems = PROBLEMS
    closes = _("For each tool it names: accounts that are not in it are closed.")

    def known(self, by: User | None) -> Known:
        return known_now()

    def judge(self, lines: Sequence[Line], mapping: Mapping[str, int], known: Known) -> list[Judged]:
        return judge(lines, mapping, known)

    def gone(self, rows: Sequence[Judged], known: Known) -> list[Judged]:
        return gone(rows, known)

    def write(self, rows: Sequence[Judged], *, by: User, batch: UUID) -> dict[int, Left]:
        return write(rows, by=by, batch=batch)

    def undo(self, rows: Sequence[ImportRow], *, by: User, batch: UUID) -> int:
        return undo(rows, by=by, batch=batch)

    def absent(self, named: "QuerySet[ImportRow]") -> "QuerySet[PersonAccount]":
        ids = named.values("target_id")
        named_tools = PersonAccount.objects.filter(pk__in=ids).values("connection")
        found: QuerySet[PersonAccount] = PersonAccount.objects.filter(is_active=True, connection__in=named_tools)
        return found.filter(connection__service=Connection.FILE).exclude(pk__in=ids).order_by("email", "name", "pk")

    def words(self, name: str, value: Any) -> str:
        if name == "kind" and value in SeatKind.values:
            return str(SeatKind(value).label)
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        return super().words(name, value)

    def examples(self) -> Sequence[Mapping[str, str]]:
        tool = Tool.objects.in_estate().order_by("name", "pk").first()
        name = tool.name if tool else "Miro"
        return [
            {"tool": name, "email": "lea.moreau@example.com", "name": "Léa Moreau", "last_seen_on": "2026-11-20"},
            {"tool": name, "email": "sam.diallo@example.com", "kind": "guest", "is_active": gettext("no")},
        ]


def known_now() -> Known:
    """Gather the tools, which of them are read, and the accounts that came as files: four queries."""
    tools: dict[str, str] = {}
    names: dict[str, str] = {}
    for slug, name in Tool.objects.order_by("pk").values_list("slug", "name"):
        names[slug] = name
        tools.setdefault(normalized(name), slug)
        tools[normalized(slug)] = slug
    for text, slug in ToolAlias.objects.order_by("pk").values_list("text", "tool__slug"):
        tools.setdefault(normalized(text), slug)
    read = Workspace.objects.filter(connection__in=Connection.wired())
    seats = {}
    found = PersonAccount.objects.filter(connection__service=Connection.FILE).exclude(connection__workspace=None)
    columns = ("pk", "external_id", "joined_at", "last_seen_at", *PLAIN)
    for slug, pk, key, joined_at, last_seen_at, *plain in found.order_by("pk").values_list(
        "connection__workspace__tool__slug", *columns
    ):
        values = dict(zip(PLAIN, plain, strict=True))
        seats[slug, key] = Seat(pk, values | {"joined_on": _day(joined_at), "last_seen_on": _day(last_seen_at)})
    return Known(tools, names, frozenset(read.values_list("tool__slug", flat=True)), seats, timezone.localdate())


def _day(moment: datetime | None) -> str | None:
    return timezone.localdate(moment).isoformat() if moment else None


def _moment(day: str | None) -> datetime | None:
    """Return noon of a day: the same day in every zone that matters."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).replace(hour=12) if day else None


def _set(account: PersonAccount, name: str, value: Any) -> None:
    if name in MOMENTS:
        setattr(account, MOMENTS[name], _moment(value))
    else:
        setattr(account, name, value)


def _file_of(tool: Tool) -> Connection:
    """Return what holds the accounts of a tool that come as files; made on first sight."""
    found = Connection.objects.filter(service=Connection.FILE, workspace__tool=tool).first()
    if found is not None:
        return found
    made = Connection.objects.create(service=Connection.FILE, label=tool.name)
    taken = set(tool.workspaces.values_list("name", flat=True))
    name = tool.name if tool.name not in taken else f"{tool.name[:100]} ({made.pk})"
    Workspace.objects.create(tool=tool, connection=made, name=name)
    if tool.is_starter:
        tool.is_starter = False
        tool.version += 1
        tool.save(update_fields=["is_starter", "version", "updated_at"])
    return made


def write(rows: Sequence[Judged], *, by: User, batch: UUID) -> dict[int, Left]:
    """Write judged rows in sets, tie them to people by e-mail, count the tools' use anew."""
    slugs = {row.values["tool"] for row in rows}
    tools = {tool.slug: tool for tool in Tool.objects.select_for_update().filter(slug__in=slugs).order_by("pk")}
    files = {slug: _file_of(tool) for slug, tool in tools.items()}
    held = PersonAccount.objects.select_for_update().in_bulk([row.target_id for row in rows if row.target_id])
    accounts: dict[int, PersonAccount] = {}
    fresh = []
    for row in rows:
        if row.target_id:
            account = held[row.target_id]
        else:
            account = PersonAccount(connection=files[row.values["tool"]], external_id=row.values["key"])
            fresh.append(account)
        for name, (_before, after) in row.changes.items():
            _set(account, name, after)
        accounts[row.line] = account
    PersonAccount.objects.bulk_create(fresh, batch_size=BATCH)
    PersonAccount.objects.bulk_update(held.values(), [*PLAIN, *MOMENTS.values()], batch_size=500)
    _count_anew(tools.values(), by=by, batch=batch, counts=[row.values["tool"] for row in rows])
    return {line: (account.pk, 1) for line, account in accounts.items()}


def _count_anew(tools: Iterable[Tool], *, by: User, batch: UUID, counts: Sequence[str]) -> None:
    for tool in tools:
        for connection in Connection.objects.filter(service=Connection.FILE, workspace__tool=tool):
            match_people(connection)
        rebuild(tool=tool, as_of=timezone.localdate())
        Event.objects.create(
            by=by,
            verb="seats_read",
            kind="tooling.tool",
            object_id=str(tool.pk),
            title=tool.name,
            changes={"seats": [None, counts.count(tool.slug)]},
            batch=batch,
        )


def undo(rows: Sequence[ImportRow], *, by: User, batch: UUID) -> int:
    """Take accounts back that still are as the file left them; one that somebody matched by hand stays."""
    accounts = PersonAccount.objects.select_for_update().in_bulk([row.target_id for row in rows if row.target_id])
    made, changed, touched = [], [], []
    for row in rows:
        account = accounts.get(row.target_id or 0)
        if account is None or not _is_as_left(account, row):
            continue
        if row.verdict != "create":
            for name, (before, _after) in row.changes.items():
                _set(account, name, before)
            changed.append(account)
        elif account.match in (PersonAccount.Match.MANUAL, PersonAccount.Match.IGNORED):
            continue
        else:
            made.append(account.pk)
        touched.append(str(row.values["tool"]))
    PersonAccount.objects.filter(pk__in=made).delete()
    PersonAccount.objects.bulk_update(changed, [*PLAIN, *MOMENTS.values()], batch_size=500)
    tools = Tool.objects.select_for_update().filter(slug__in=touched).order_by("pk")
    _count_anew(list(tools), by=by, batch=batch, counts=touched)
    return len(made) + len(changed)


def _is_as_left(account: PersonAccount, row: ImportRow) -> bool:
    now = {name: getattr(account, name) for name in PLAIN} | {
        name: _day(getattr(account, MOMENTS[name])) for name in DAYS
    }
    return all(now[name] == after for name, (_before, after) in row.changes.items())
