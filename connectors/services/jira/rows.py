"""Raw records of Jira as normalised rows. Pure; what Jira doesn't say follows from an issue's changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import takewhile
from typing import NamedTuple
from urllib.parse import urlsplit

from connectors import records
from connectors.base import Json
from connectors.records import Record

from .read import label_id
from .site import GIVEN_UP, kind_of

EPIC = 1  # the level of epics, and of all above them; sub-tasks are below zero
PRIORITIES = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 4}  # Jira's own five in the hub's four; others are a site's own
PROJECT_STATUS = {"unstarted": "planned", "started": "started", "completed": "completed", "canceled": "canceled",
                  "duplicate": "canceled"}  # fmt: skip


class Stay(NamedTuple):
    """A time in one status."""

    key: str
    state: str
    kind: str
    since: datetime


def rows_of(stream: str, record: Json) -> Iterable[Record]:
    """Turn one raw record into its rows, all of them on every call. The record has passed its shape."""
    return _MAPS[stream](record)


def _user(raw: Json) -> Iterator[Record]:
    yield records.PersonAccount(
        external_id=raw["accountId"],
        email=_text(raw.get("emailAddress"), 254).strip().lower(),
        name=_text(raw["displayName"], 200),
        kind="bot" if raw["accountType"] == "app" else "member",
        is_active=raw["active"],
    )


def _team(raw: Json) -> Iterator[Record]:
    yield records.WorkTeam(external_id=raw["id"], key=_text(raw["key"], 40), name=_text(raw["name"], 200))


def _state(raw: Json) -> Iterator[Record]:
    scope = raw.get("scope")
    project = scope.get("project") if isinstance(scope, dict) else None
    yield records.WorkState(
        external_id=raw["id"],
        name=_text(raw["name"], 200),
        type=kind_of(raw["statusCategory"]["key"], raw["name"]),
        team_ref=str(project.get("id", "")) if isinstance(project, dict) else "",
    )


def _label(raw: Json) -> Iterator[Record]:
    yield records.WorkLabel(external_id=raw["id"], name=_text(raw["name"], 200))


def _cycle(raw: Json) -> Iterator[Record]:
    yield records.WorkCycle(
        external_id=raw["id"],
        team_ref=raw["project"],
        number=int(raw["id"]),
        name=_text(raw["name"], 200),
        starts_at=_at(raw["startDate"]),
        ends_at=_at(raw["endDate"]),
        completed_at=_moment(raw.get("completeDate")),
    )


def _issue(raw: Json) -> Iterator[Record]:
    """An epic is a project to the hub; anything below it an item."""
    stays = _stays(raw)
    fields = raw["fields"]
    kind = _kind(fields)
    over = _end_of(stays, kind_of(fields["status"]["statusCategory"]["key"], fields["status"]["name"]))
    if over is None and kind in PROJECT_STATUS and kind not in ("unstarted", "started"):
        over = _moment(fields["resolutiondate"])
    if fields["issuetype"].get("hierarchyLevel", 0) >= EPIC:
        yield _epic(raw, stays, kind, over)
        return
    yield _item(raw, stays, kind, over)
    for place, stay in enumerate(stays):
        yield records.StateSpan(
            external_id=f"span:{raw['id']}:{stay.key}",
            item_ref=raw["id"],
            state_ref=stay.state,
            started_at=stay.since,
            ended_at=stays[place + 1].since if place + 1 < len(stays) else None,
        )
    for entry in raw["changelog"]:
        yield from _transitions(raw["id"], entry)


def _item(raw: Json, stays: list[Stay], kind: str, over: datetime | None) -> Record:
    fields, parent = raw["fields"], raw["fields"]["parent"]
    is_in_epic = parent is not None and parent["hierarchyLevel"] >= EPIC
    cycle = _current(fields["sprints"])
    return records.WorkItem(
        external_id=raw["id"],
        identifier=_text(raw["key"], 60),
        title=_text(fields["summary"], 500),
        url=_url(raw),
        team_ref=fields["project"]["id"],
        state_ref=fields["status"]["id"],
        state_type=kind,
        assignee_ref=_person(fields["assignee"]),
        creator_ref=_person(fields["creator"]),
        project_ref=parent["id"] if is_in_epic else "",
        parent_ref=parent["id"] if parent is not None and not is_in_epic else "",
        cycle_ref=cycle,
        label_refs=[f"type:{fields['issuetype']['id']}", *map(label_id, fields["labels"])],
        priority=PRIORITIES.get(fields["priority"]["id"], 0) if fields["priority"] else 0,
        estimate=fields["points"],
        due_on=_day(fields["duedate"]),
        opened_at=_at(fields["created"]),
        started_at=_start(stays),
        completed_at=over if kind == "completed" else None,
        canceled_at=over if kind in ("canceled", "duplicate") else None,
        cycle_entered_at=_entered(raw, cycle) if cycle else None,
    )


def _epic(raw: Json, stays: list[Stay], kind: str, over: datetime | None) -> Record:
    fields = raw["fields"]
    return records.WorkProject(
        external_id=raw["id"],
        name=_text(fields["summary"], 300),
        url=_url(raw),
        status_type=PROJECT_STATUS.get(kind, "other"),
        lead_ref=_person(fields["assignee"]),
        team_refs=[fields["project"]["id"]],
        target_on=_day(fields["duedate"]),
        started_at=_start(stays),
        completed_at=over if kind == "completed" else None,
        canceled_at=over if kind in ("canceled", "duplicate") else None,
    )


def _kind(fields: Json) -> str:
    """Return what the present status means; a resolution tells what was given up from what was done."""
    status, resolution = fields["status"], fields["resolution"]
    kind = kind_of(status["statusCategory"]["key"], status["name"])
    if kind == "completed" and resolution is not None:
        return GIVEN_UP.get(resolution["name"].strip().lower(), kind)
    return kind


def _stays(raw: Json) -> list[Stay]:
    """Return the statuses that an issue went through, from its creation on."""
    fields = raw["fields"]
    moves = [(entry, item) for entry in raw["changelog"] for item in entry["items"] if item["what"] == "state"]
    created = _at(fields["created"])
    if not moves:
        status = fields["status"]
        return [Stay("created", status["id"], kind_of(status["statusCategory"]["key"], status["name"]), created)]
    first = moves[0][1]
    stays = [Stay("created", first["before"], first["left"], created)]
    for entry, item in moves:
        stays.append(Stay(entry["id"], item["after"], item["entered"], _at(entry["created"])))
    return stays


def _start(stays: list[Stay]) -> datetime | None:
    """Return when work first began; None where an issue jumped to its end."""
    return next((stay.since for stay in stays if stay.kind == "started"), None)


def _end_of(stays: list[Stay], kind: str) -> datetime | None:
    """Return when an issue last came to where it is: Done and then Released is done since Done."""
    last = list(takewhile(lambda stay: stay.kind == kind, reversed(stays)))
    return last[-1].since if last else None


def _current(sprints: list[Json]) -> str:
    """Return the sprint that an issue is in; what it was in before stays in Jira's list, closed."""
    open_ones = [one for one in sprints if one["state"] != "closed"]
    return str((open_ones or sprints)[-1]["id"]) if sprints else ""


def _entered(raw: Json, cycle: str) -> datetime:
    """Return since when an issue is in its sprint; from the beginning, if nothing says otherwise."""
    for entry in reversed(raw["changelog"]):
        if any(item["what"] == "cycle" and _last(item["after"]) == cycle for item in entry["items"]):
            return _at(entry["created"])
    return _at(raw["fields"]["created"])


def _transitions(item: str, entry: Json) -> Iterator[Record]:
    def row(field: str, before: str, after: str, *, key: str = "") -> Record:
        return records.Transition(
            external_id=f"history:{entry['id']}:{key or field}",
            item_ref=item,
            field=field,
            before=_text(before, 120),
            after=_text(after, 120),
            at=_at(entry["created"]),
            actor_ref=_person(entry["author"]),
        )

    for change in entry["items"]:
        what, before, after = change["what"], change["before"], change["after"]
        if what == "label":
            old, new = before.split(), after.split()
            for word in dict.fromkeys(new):
                if word not in old:
                    yield row("label", "", label_id(word), key=f"label:{word}:added"[:150])
            for word in dict.fromkeys(old):
                if word not in new:
                    yield row("label", label_id(word), "", key=f"label:{word}:removed"[:150])
        elif what == "type":
            yield row("label", f"type:{before}", f"type:{after}", key="type")
        elif what == "cycle":
            yield row("cycle", _last(before), _last(after))
        elif what == "priority":
            yield row("priority", str(PRIORITIES.get(before, 0)), str(PRIORITIES.get(after, 0)))
        else:
            yield row(what, before, after)


_MAPS: Mapping[str, Callable[[Json], Iterator[Record]]] = {
    "users": _user,
    "teams": _team,
    "states": _state,
    "labels": _label,
    "cycles": _cycle,
    "issues": _issue,
}


def _last(sprints: str) -> str:
    """Return the last of the sprints that a change names: "12, 15"."""
    return sprints.rpartition(",")[2].strip()


def _url(raw: Json) -> str:
    """Return where people read an issue: on the host that its own address names."""
    parts = urlsplit(raw["self"])
    return f"{parts.scheme}://{parts.netloc}/browse/{raw['key']}"[:500] if parts.scheme in ("https", "http") else ""


def _text(value: str | None, longest: int) -> str:
    """Return text that a column can hold: without NUL, which PostgreSQL refuses, and cut to its width."""
    return (value or "").replace("\x00", "")[:longest]


def _person(node: Json | None) -> str:
    return "" if node is None else str(node["accountId"])


def _at(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def _moment(value: str | None) -> datetime | None:
    return None if value is None else _at(value)


def _day(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value[:10])
