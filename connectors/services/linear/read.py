"""Linear's answers, read: pages of raw records, and raw records as normalised rows. Pure; zones and units end here."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.utils.translation import gettext_noop

from connectors import records
from connectors.base import FailureClass, Json, More, Notice, Page, Slice, SourceFailed
from connectors.records import Record

from .operations import LISTS, NESTED_MORE, RESTS, SWEEPS, Operation
from .wire import from_errors

# Values we know. Another one becomes "other" and is said, never guessed.
KNOWN: Mapping[str, Mapping[str, frozenset[str]]] = {
    "issues": {
        "state.type": frozenset(
            {"triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate"}
        ),
    },
    "states": {
        "type": frozenset({"triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate"}),
    },
    "teams": {
        "issueEstimationType": frozenset({"notUsed", "exponential", "fibonacci", "linear", "tShirt"}),
    },
    "projects": {
        "status.type": frozenset({"backlog", "planned", "started", "paused", "completed", "canceled"}),
        "health": frozenset({"onTrack", "atRisk", "offTrack"}),
    },
    "project_updates": {"health": frozenset({"onTrack", "atRisk", "offTrack"})},
    "initiatives": {
        "status": frozenset({"Proposed", "Planned", "Active", "Completed", "Canceled"}),
        "health": frozenset({"onTrack", "atRisk", "offTrack"}),
    },
}  # fmt: skip


def read(stream: str, part: Slice, payload: Json) -> Page:
    """Read one page's answer."""
    operation = SWEEPS[stream] if part.sweep else LISTS[stream]
    found = _list_in(payload, operation)
    if isinstance(found, list):  # templates come all at once, without paging
        return Page(_rows(found, operation), None, (), tuple(_notices(stream, found)))
    rows = _rows(found.get("nodes"), operation)
    more: list[More] = []
    if not part.sweep:
        for row in rows:
            for field, rest in RESTS.get(stream, {}).items():
                follow_up = _follow_up(row, field, rest)
                if follow_up is not None:
                    more.append(follow_up)
    notices = () if part.sweep else tuple(_notices(stream, rows))
    return Page(rows, _next(found, operation), tuple(more), notices)


def _list_in(payload: Json, operation: Operation) -> Any:
    if payload.get("errors"):
        raise from_errors(payload)
    value: Any = payload.get("data")
    for step in operation.at.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, dict | list):
        raise SourceFailed(FailureClass.BAD_PAYLOAD, f"{operation.name}: no list at {operation.at}", is_final=False)
    return value


def _rows(nodes: Any, operation: Operation) -> list[Json]:
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise SourceFailed(FailureClass.BAD_PAYLOAD, f"{operation.name}: nodes is not a list", is_final=False)
    return nodes


def _next(found: Json, operation: Operation) -> str | None:
    info = found.get("pageInfo")
    if not isinstance(info, dict) or not isinstance(info.get("hasNextPage"), bool):
        raise SourceFailed(FailureClass.SCHEMA_DRIFT, f"{operation.name}: pageInfo is missing or changed")
    if not info["hasNextPage"]:
        return None
    cursor = info.get("endCursor")
    if not isinstance(cursor, str) or not cursor:
        raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, f"{operation.name}: more is promised without a cursor")
    return cursor


def _follow_up(row: Json, field: str, rest: Operation) -> More | None:
    """Return the request for what a nested list still lacks. A list that isn't one is left to the shape to refuse."""
    held = row.get(field)
    info = held.get("pageInfo") if isinstance(held, dict) else None
    if not isinstance(info, dict) or not info.get("hasNextPage"):
        return None

    def merge(payload: Json) -> More | None:
        found = _list_in(payload, rest)
        if not isinstance(found, dict):
            raise SourceFailed(FailureClass.BAD_PAYLOAD, f"{rest.name}: no page", is_final=False)
        following = _next(found, rest)
        if following is not None and following == info.get("endCursor"):
            raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, f"{rest.name}: the same cursor twice")
        known = {node.get("id") for node in row[field]["nodes"]}
        fresh = [node for node in _rows(found.get("nodes"), rest) if node.get("id") not in known]
        row[field] = {**row[field], "nodes": [*row[field]["nodes"], *fresh], "pageInfo": found["pageInfo"]}
        return _follow_up(row, field, rest)

    request = rest.request(id=row.get("id"), first=NESTED_MORE, after=info.get("endCursor"))
    return More(request, merge)


def _notices(stream: str, rows: Iterable[Json]) -> Iterator[Notice]:
    """Name each value of a closed list that we do not know, once a page."""
    unknown: set[tuple[str, str]] = set()
    for path, known in KNOWN.get(stream, {}).items():
        steps = path.split(".")
        for row in rows:
            value: Any = row
            for step in steps:
                value = value.get(step) if isinstance(value, dict) else None
            if isinstance(value, str) and value not in known:
                unknown.add((path, value[:40]))
    text = gettext_noop("%(path)s: unknown value “%(value)s”, kept as “other”")
    for path, value in sorted(unknown):
        yield Notice(text, {"path": path, "value": value})


# --- raw records as rows


def rows_of(stream: str, record: Json) -> Iterable[Record]:
    """Turn one raw record into its rows, all of them on every call. The record has passed its shape."""
    return _MAPS[stream](record)


def _user(raw: Json) -> Iterator[Record]:
    kind = "bot" if raw["app"] else "guest" if raw["guest"] else "admin" if raw["admin"] else "member"
    yield records.PersonAccount(
        external_id=raw["id"],
        email=_text(raw["email"], 254).strip().lower(),
        name=_text(raw["name"], 200),
        kind=kind,
        is_active=raw["active"] and raw["archivedAt"] is None,
        joined_at=_moment(raw["createdAt"]),
        last_seen_at=_moment(raw["lastSeen"]),
    )


def _team(raw: Json) -> Iterator[Record]:
    yield records.WorkTeam(
        external_id=raw["id"],
        key=_text(raw["key"], 40),
        name=_text(raw["name"], 200),
        time_zone=_text(raw["timezone"], 64),
        has_cycles=raw["cyclesEnabled"],
        estimation=_choice("teams", "issueEstimationType", raw["issueEstimationType"]),
        parent_ref=_ref(raw["parent"]),
        archived_at=_moment(raw["archivedAt"] or raw["retiredAt"]),
    )


def _state(raw: Json) -> Iterator[Record]:
    yield records.WorkState(
        external_id=raw["id"],
        name=_text(raw["name"], 200),
        type=_choice("states", "type", raw["type"]),
        team_ref=_ref(raw["team"]),
        position=float(raw["position"]),
    )


def _label(raw: Json) -> Iterator[Record]:
    yield records.WorkLabel(
        external_id=raw["id"],
        name=_text(raw["name"], 200),
        is_group=raw["isGroup"],
        parent_ref=_ref(raw["parent"]),
        team_ref=_ref(raw["team"]),
    )


def _membership(raw: Json) -> Iterator[Record]:
    yield records.WorkTeamMember(
        external_id=raw["id"], team_ref=_ref(raw["team"]), account_ref=_ref(raw["user"])
    )  # fmt: skip


def _template(raw: Json) -> Iterator[Record]:
    yield records.WorkTemplate(
        external_id=raw["id"],
        name=_text(raw["name"], 200),
        type=_text(raw["type"], 40),
        team_ref=_ref(raw["team"]),
        last_applied_at=_moment(raw["lastAppliedAt"]),
    )


def _initiative(raw: Json) -> Iterator[Record]:
    yield records.WorkInitiative(
        external_id=raw["id"],
        name=_text(raw["name"], 300),
        url=_url(raw["url"]),
        status=_choice("initiatives", "status", raw["status"]),
        health=_choice("initiatives", "health", raw["health"]),
        owner_ref=_ref(raw["owner"]),
        target_on=_day(raw["targetDate"]),
        is_trashed=bool(raw["trashed"]),
        archived_at=_moment(raw["archivedAt"]),
    )


def _project(raw: Json) -> Iterator[Record]:
    last_update = raw.get("lastUpdate")
    yield records.WorkProject(
        external_id=raw["id"],
        name=_text(raw["name"], 300),
        url=_url(raw["url"]),
        status_type=_choice("projects", "status.type", raw["status"]["type"]),
        health=_choice("projects", "health", raw["health"]),
        health_at=_moment(raw["healthUpdatedAt"]),
        lead_ref=_ref(raw["lead"]),
        team_refs=[team["id"] for team in raw["teams"]["nodes"]],
        initiative_refs=[initiative["id"] for initiative in raw["initiatives"]["nodes"]],
        start_on=_day(raw["startDate"]),
        target_on=_day(raw["targetDate"]),
        started_at=_moment(raw["startedAt"]),
        completed_at=_moment(raw["completedAt"]),
        canceled_at=_moment(raw["canceledAt"]),
        last_update_at=_moment(last_update.get("createdAt")) if isinstance(last_update, dict) else None,
        progress=float(raw["progress"]),
        is_trashed=bool(raw["trashed"]),
        archived_at=_moment(raw["archivedAt"]),
    )


def _initiative_project(raw: Json) -> Iterator[Record]:
    yield records.InitiativeProject(
        external_id=raw["id"], initiative_ref=_ref(raw["initiative"]), project_ref=_ref(raw["project"])
    )


def _cycle(raw: Json) -> Iterator[Record]:
    yield records.WorkCycle(
        external_id=raw["id"],
        team_ref=_ref(raw["team"]),
        number=int(raw["number"]),
        name=_text(raw["name"], 200),
        starts_at=_at(raw["startsAt"]),
        ends_at=_at(raw["endsAt"]),
        completed_at=_moment(raw["completedAt"]),
        scope_history=_numbers(raw["scopeHistory"]),
        completed_scope_history=_numbers(raw["completedScopeHistory"]),
        item_count_history=_numbers(raw["issueCountHistory"]),
        completed_item_count_history=_numbers(raw["completedIssueCountHistory"]),
        uncompleted_refs=[issue["id"] for issue in raw["uncompletedIssuesUponClose"]["nodes"]],
        archived_at=_moment(raw["archivedAt"]),
    )


def _project_update(raw: Json) -> Iterator[Record]:
    yield records.ProjectUpdate(
        external_id=raw["id"],
        project_ref=_ref(raw["project"]),
        author_ref=_ref(raw["user"]),
        health=_choice("project_updates", "health", raw["health"]),
        posted_at=_at(raw["createdAt"]),
        is_stale=raw["isStale"],
    )


def _issue(raw: Json) -> Iterator[Record]:
    item = raw["id"]
    yield records.WorkItem(
        external_id=item,
        identifier=_text(raw["identifier"], 60),
        title=_text(raw["title"], 500),
        url=_url(raw["url"]),
        team_ref=_ref(raw["team"]),
        state_ref=_ref(raw["state"]),
        state_type=_choice("issues", "state.type", raw["state"]["type"]),
        assignee_ref=_ref(raw["assignee"]),
        creator_ref=_ref(raw["creator"]),
        project_ref=_ref(raw["project"]),
        cycle_ref=_ref(raw["cycle"]),
        parent_ref=_ref(raw["parent"]),
        label_refs=list(raw["labelIds"]),
        priority=int(raw["priority"]),
        estimate=None if raw["estimate"] is None else float(raw["estimate"]),
        due_on=_day(raw["dueDate"]),
        opened_at=_at(raw["createdAt"]),
        started_at=_moment(raw["startedAt"]),
        completed_at=_moment(raw["completedAt"]),
        canceled_at=_moment(raw["canceledAt"]),
        triage_started_at=_moment(raw["startedTriageAt"]),
        triaged_at=_moment(raw["triagedAt"]),
        cycle_entered_at=_moment(raw["addedToCycleAt"]),
        archived_at=_moment(raw["archivedAt"]),
        is_trashed=bool(raw["trashed"]),
    )
    for span in raw["stateHistory"]["nodes"]:
        yield records.StateSpan(
            external_id=f"span:{span['id']}",
            item_ref=item,
            state_ref=span["stateId"],
            started_at=_at(span["startedAt"]),
            ended_at=_moment(span["endedAt"]),
        )
    for change in raw["history"]["nodes"]:
        yield from _transitions(item, change)


# field of a transition → the pair of keys in Linear's history
_PAIRS = (
    ("state", "fromStateId", "toStateId"),
    ("cycle", "fromCycleId", "toCycleId"),
    ("estimate", "fromEstimate", "toEstimate"),
    ("priority", "fromPriority", "toPriority"),
    ("assignee", "fromAssigneeId", "toAssigneeId"),
    ("project", "fromProjectId", "toProjectId"),
    ("team", "fromTeamId", "toTeamId"),
)


def _transitions(item: str, change: Json) -> Iterator[Record]:
    """Yield one row for each field that an entry of the history changed. An entry groups what one did at once."""
    entry, at, actor = change["id"], _at(change["createdAt"]), change.get("actorId") or ""

    def row(field: str, before: str, after: str, *, key: str = "") -> Record:
        return records.Transition(
            external_id=f"history:{entry}:{key or field}",
            item_ref=item,
            field=field,
            before=before,
            after=after,
            at=at,
            actor_ref=actor,
        )

    for field, before_key, after_key in _PAIRS:
        before, after = change.get(before_key), change.get(after_key)
        if before is not None or after is not None:
            yield row(field, _plain(before), _plain(after))
    for label in change.get("addedLabelIds") or ():
        yield row("label", "", label, key=f"label:{label}:added")
    for label in change.get("removedLabelIds") or ():
        yield row("label", label, "", key=f"label:{label}:removed")
    for field in ("archived", "trashed"):
        if change.get(field) is not None:
            yield row(field, "", "true" if change[field] else "false")


_MAPS: Mapping[str, Callable[[Json], Iterator[Record]]] = {
    "users": _user,
    "teams": _team,
    "states": _state,
    "labels": _label,
    "memberships": _membership,
    "templates": _template,
    "initiatives": _initiative,
    "projects": _project,
    "initiative_projects": _initiative_project,
    "cycles": _cycle,
    "project_updates": _project_update,
    "issues": _issue,
}


def _text(value: str | None, longest: int) -> str:
    """Return text that a column can hold: without NUL, which PostgreSQL refuses, and cut to its width."""
    return (value or "").replace("\x00", "")[:longest]


def _url(value: str) -> str:
    """Return the address, nothing if it is no web address or too long to be one."""
    return value if value.startswith(("https://", "http://")) and len(value) <= 500 else ""


def _choice(stream: str, path: str, value: str | None) -> str:
    if not value:
        return ""
    return value if value in KNOWN[stream][path] else "other"


def _ref(node: Json | None) -> str:
    return "" if node is None else str(node["id"])


def _plain(value: str | float | None) -> str:
    """Write a value of a history as text: 3.0 is "3"."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:g}"


def _numbers(values: Iterable[float]) -> list[float]:
    return [float(value) for value in values]


def _at(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _moment(value: str | None) -> datetime | None:
    return None if value is None else _at(value)


def _day(value: str | None) -> date | None:
    """Read a TimelessDate. Linear may send a moment there for imported work: its day counts."""
    return None if value is None else date.fromisoformat(value[:10])
