"""The world behind the sandbox: what Linear would know of a company, and every way a person may change it.

Rows are plain dicts under Linear's own field names, moments as Linear's own text; a link is kept as
`<field>Id`, a list of its own as `_<field>`. Changes go through the methods below, which keep spans, history
and `updatedAt` as Linear does. Not a model of the hub: nothing here is imported by the product's own code.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from .clock import Clock, moment, text

Row = dict[str, Any]
Listener = Callable[[str, str, Row, Row], None]  # action, type, row, values before

FOUNDED = datetime(2019, 1, 7, 8, tzinfo=UTC)  # when the workspace was opened
KINDS = (
    "User", "Team", "TeamMembership", "WorkflowState", "IssueLabel", "Template", "Initiative", "ProjectStatus",
    "Project", "InitiativeToProject", "Cycle", "ProjectUpdate", "Issue", "IssueHistory", "IssueStateSpan",
)  # fmt: skip
# One person's changes this close together are one entry of an issue's history
GROUPED_WITHIN = timedelta(minutes=2)
STATES = (
    ("Triage", "triage"),
    ("Backlog", "backlog"),
    ("Todo", "unstarted"),
    ("In progress", "started"),
    ("In review", "started"),
    ("Done", "completed"),
    ("Canceled", "canceled"),
    ("Duplicate", "duplicate"),
)
PROJECT_STATUSES = ("backlog", "planned", "started", "paused", "completed", "canceled")
# Field of an issue → its pair of keys in the history
_HISTORY = {
    "stateId": ("fromStateId", "toStateId"),
    "assigneeId": ("fromAssigneeId", "toAssigneeId"),
    "cycleId": ("fromCycleId", "toCycleId"),
    "projectId": ("fromProjectId", "toProjectId"),
    "teamId": ("fromTeamId", "toTeamId"),
    "estimate": ("fromEstimate", "toEstimate"),
    "priority": ("fromPriority", "toPriority"),
}


class NotThere(LookupError):
    """The world has no such thing."""


class Table:
    """The rows of one kind, with what lists need: an order by each of two moments."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._orders: dict[str, list[tuple[str, str]]] = {}

    def order(self, by: str) -> list[tuple[str, str]]:
        """Return (moment, id) of all rows, earliest first."""
        if by not in self._orders:
            self._orders[by] = sorted((row[by], key) for key, row in self.rows.items())
        return self._orders[by]

    def add(self, row: Row) -> Row:
        self.rows[row["id"]] = row
        for by, order in self._orders.items():
            insort(order, (row[by], row["id"]))
        return row

    def moved(self, row: Row, before: str) -> None:
        """Tell the order that a row's `updatedAt` was `before` until now."""
        order = self._orders.get("updatedAt")
        if order is not None and row["updatedAt"] != before:
            del order[bisect_left(order, (before, row["id"]))]
            insort(order, (row["updatedAt"], row["id"]))

    def remove(self, key: str) -> Row:
        row = self.rows.pop(key)
        for by, order in self._orders.items():
            del order[bisect_left(order, (row[by], key))]
        return row

    def unordered(self) -> None:
        """Forget the orders: many rows are about to change, and sorting once is cheaper."""
        self._orders.clear()


class World:
    """Everything. All methods are safe to call while the server answers; `lock` makes several of them one."""

    def __init__(self, clock: Clock | None = None, *, seed: int = 1, name: str = "Ardoise", url_key: str = "ardoise"):
        self.clock = clock or Clock()
        self.seed = seed
        self.lock = RLock()
        self.tables = {kind: Table() for kind in KINDS}
        self.listeners: list[Listener] = []
        self._counts = dict.fromkeys(KINDS, 0)
        self._numbers: dict[str, int] = {}
        self.organization: Row = {
            "id": self._new_id("Team", 0), "name": name, "urlKey": url_key, "fiscalYearStartMonth": 0,
        }  # fmt: skip
        for place, kind in enumerate(PROJECT_STATUSES):
            self._add("ProjectStatus", {"name": kind.capitalize(), "type": kind, "position": place}, FOUNDED)

    # --- reading

    def rows(self, kind: str) -> dict[str, Row]:
        """Return all rows of a kind by id, archived and trashed ones, too."""
        return self.tables[kind].rows

    def get(self, kind: str, key: str) -> Row:
        """Return one row. Raises NotThere."""
        try:
            return self.tables[kind].rows[key]
        except KeyError:
            raise NotThere(f"{kind} {key}") from None

    def truth(self) -> dict[str, dict[str, Row]]:
        """Return all that a faithful reader must end up with: kind → id → row, deleted things absent."""
        with self.lock:
            return {kind: {key: dict(row) for key, row in table.rows.items()} for kind, table in self.tables.items()}

    def state(self, team_id: str, name: str) -> Row:
        """Return a team's state by its name, or the first of a type of that name. Raises NotThere."""
        of_team = [row for row in self.rows("WorkflowState").values() if row["teamId"] == team_id]
        for row in of_team:
            if row["name"] == name:
                return row
        for row in of_team:
            if row["type"] == name:
                return row
        raise NotThere(f"state {name}")

    def status_id(self, kind: str) -> str:
        """Return the id of the projects' status of a type."""
        return next(key for key, row in self.rows("ProjectStatus").items() if row["type"] == kind)

    # --- making

    def add_user(self, email: str, name: str, *, at: datetime | None = None, **fields: Any) -> Row:
        """Seat somebody."""
        row = {
            "email": email, "name": name, "displayName": email.partition("@")[0], "timezone": "Europe/Paris",
            "active": True, "admin": False, "owner": False, "guest": False, "app": False, **fields,
        }  # fmt: skip
        return self._add("User", row, at)

    def add_team(self, key: str, name: str, *, at: datetime | None = None, **fields: Any) -> Row:
        """Open a team with the usual eight states."""
        row = {
            "key": key, "name": name, "timezone": "Europe/Paris", "cyclesEnabled": True, "cycleDuration": 2,
            "issueEstimationType": "fibonacci", **fields,
        }  # fmt: skip
        team = self._add("Team", row, at)
        for place, (state, kind) in enumerate(STATES):
            self._add("WorkflowState", {"name": state, "type": kind, "position": place, "teamId": team["id"]}, at)
        return team

    def add_member(self, team_id: str, user_id: str, *, at: datetime | None = None, owner: bool = False) -> Row:
        return self._add("TeamMembership", {"teamId": team_id, "userId": user_id, "owner": owner}, at)

    def add_label(
        self, name: str, *, parent_id: str | None = None, team_id: str | None = None, is_group: bool = False,
        at: datetime | None = None,
    ) -> Row:  # fmt: skip
        row = {"name": name, "isGroup": is_group, "parentId": parent_id, "teamId": team_id}
        return self._add("IssueLabel", row, at)

    def add_cycle(self, team_id: str, starts_at: datetime, ends_at: datetime, *, at: datetime | None = None) -> Row:
        number = 1 + max((row["number"] for row in self.rows("Cycle").values() if row["teamId"] == team_id), default=0)
        row = {
            "teamId": team_id, "number": number, "startsAt": text(starts_at), "endsAt": text(ends_at),
            "scopeHistory": [], "completedScopeHistory": [], "issueCountHistory": [],
            "completedIssueCountHistory": [], "_uncompletedIssuesUponClose": [],
        }  # fmt: skip
        return self._add("Cycle", row, at)

    def add_project(
        self, name: str, team_ids: Iterable[str], *, lead_id: str | None = None, at: datetime | None = None,
        status: str = "started", **fields: Any,
    ) -> Row:  # fmt: skip
        row = {
            "name": name, "progress": 0.0, "leadId": lead_id, "statusId": self.status_id(status),
            "_teams": list(team_ids), **fields,
        }  # fmt: skip
        return self._add("Project", row, at)

    def add_project_update(self, project_id: str, user_id: str, health: str, *, at: datetime | None = None) -> Row:
        """Post an update: the project takes its health from it."""
        row = self._add("ProjectUpdate", {"projectId": project_id, "userId": user_id, "health": health,
                                          "isStale": False}, at)  # fmt: skip
        self.edit("Project", project_id, at=at, health=health, healthUpdatedAt=row["createdAt"], lastUpdateId=row["id"])
        return row

    def add_initiative(self, name: str, *, at: datetime | None = None, **fields: Any) -> Row:
        return self._add("Initiative", {"name": name, "status": "Active", **fields}, at)

    def link_project(self, initiative_id: str, project_id: str, *, at: datetime | None = None) -> Row:
        row = self._add("InitiativeToProject", {"initiativeId": initiative_id, "projectId": project_id}, at)
        self.edit("Project", project_id, at=at)
        return row

    def add_template(self, name: str, *, at: datetime | None = None, **fields: Any) -> Row:
        return self._add("Template", {"name": name, "type": "issue", **fields}, at)

    def create_issue(
        self, team_id: str, title: str, *, state: str = "Backlog", at: datetime | None = None,
        creator_id: str | None = None, **fields: Any,
    ) -> Row:  # fmt: skip
        """Write an issue. `state` is a name or a type; `fields` are Linear's: estimate, cycleId, labelIds …"""
        with self.lock:
            when = text(at or self.clock.now())
            number = self._numbers.get(team_id, 0) + 1
            self._numbers[team_id] = number
            found = self.state(team_id, state)
            row: Row = {
                "identifier": f"{self.get('Team', team_id)['key']}-{number}", "number": number, "title": title,
                "teamId": team_id, "priority": 0, "labelIds": [], **fields, "stateId": found["id"],
                "_stateHistory": [], "_history": [],
            }  # fmt: skip
            if creator_id:
                row["creatorId"] = creator_id
            if row.get("cycleId"):
                row["addedToCycleAt"] = when
            self._enter(row, found, when)
            return self._add("Issue", row, at)

    # --- changing

    def edit(self, kind: str, key: str, *, at: datetime | None = None, quiet: bool = False, **fields: Any) -> Row:
        """Change fields of anything but an issue's. `quiet` leaves `updatedAt` alone: not "meaningful" for Linear."""
        with self.lock:
            row = self.get(kind, key)
            before = {name: row.get(name) for name in fields}
            row.update(fields)
            self._touch(kind, row, at, quiet=quiet)
            self._tell("update", kind, row, before)
            return row

    def edit_issue(
        self, key: str, *, at: datetime | None = None, actor_id: str | None = None, quiet: bool = False, **fields: Any
    ) -> Row:
        """Change an issue. `state` moves it (by name or type); other names are Linear's fields.

        Keeps spans and moments: the first start stays, finishing from nowhere leaves `startedAt` empty, going back
        to do takes it away, reopening takes `completedAt` away.
        """
        with self.lock:
            row = self.get("Issue", key)
            when = text(at or self.clock.now())
            fields = dict(fields)
            target = None
            if "state" in fields:
                target = self.state(str(fields.get("teamId", row["teamId"])), str(fields.pop("state")))
                if target["id"] != row["stateId"]:
                    fields["stateId"] = target["id"]
            changed = {name: value for name, value in fields.items() if row.get(name) != value}
            before = {name: row.get(name) for name in changed}
            self._note(row, changed, when, actor_id)
            row.update(changed)
            if "cycleId" in changed:
                row["addedToCycleAt"] = when if changed["cycleId"] else None
            if target is not None and "stateId" in changed:
                self._enter(row, target, when)
            self._touch("Issue", row, at, quiet=quiet)
            self._tell("update", "Issue", row, before)
            return row

    def archive(self, kind: str, key: str, *, at: datetime | None = None, actor_id: str | None = None) -> Row:
        """Put away. Lists hide it unless asked."""
        return self._put_away(kind, key, at, actor_id, archived=True)

    def unarchive(self, kind: str, key: str, *, at: datetime | None = None, actor_id: str | None = None) -> Row:
        return self._put_away(kind, key, at, actor_id, archived=False)

    def trash(self, kind: str, key: str, *, at: datetime | None = None, actor_id: str | None = None) -> Row:
        """Throw away, so that it may still come back: archived, and `trashed`."""
        return self._put_away(kind, key, at, actor_id, archived=True, trashed=True)

    def restore(self, kind: str, key: str, *, at: datetime | None = None, actor_id: str | None = None) -> Row:
        return self._put_away(kind, key, at, actor_id, archived=False, trashed=False)

    def delete(self, kind: str, key: str) -> Row:
        """Delete for good: no list shows it again. Give the row to `bring_back` to undo."""
        with self.lock:
            self.get(kind, key)
            row = self.tables[kind].remove(key)
            self._tell("remove", kind, row, {})
            return row

    def bring_back(self, kind: str, row: Row, *, at: datetime | None = None) -> Row:
        """Undo a deletion under the same id."""
        with self.lock:
            row["updatedAt"] = text(at or self.clock.now())
            self.tables[kind].add(row)
            self._tell("create", kind, row, {})
            return row

    def rename(self, kind: str, key: str, name: str, *, at: datetime | None = None) -> Row:
        return self.edit(kind, key, at=at, name=name)

    def deactivate(self, user_id: str, *, at: datetime | None = None, reason: str = "Suspended by an admin") -> Row:
        """Take a seat away. Lists hide it unless asked for disabled ones."""
        return self.edit("User", user_id, at=at, active=False, disableReason=reason)

    def see(self, user_id: str, *, at: datetime | None = None) -> None:
        """Somebody used Linear. Moves `lastSeen` alone."""
        self.get("User", user_id)["lastSeen"] = text(at or self.clock.now())

    def close_cycle(self, cycle_id: str, *, next_id: str | None = None, at: datetime | None = None) -> Row:
        """End a cycle: what is open is noted, and moves on to the next."""
        with self.lock:
            at = at or self.clock.now()
            issues = [row for row in self.rows("Issue").values() if row.get("cycleId") == cycle_id]
            return self.close_cycle_of(cycle_id, issues, next_id=next_id, at=at)

    def close_cycle_of(self, cycle_id: str, issues: Iterable[Row], *, next_id: str | None, at: datetime) -> Row:
        """End a cycle of which the issues are known."""
        states = self.rows("WorkflowState")
        left = [row for row in issues if states[row["stateId"]]["type"] not in {"completed", "canceled", "duplicate"}]
        for row in left:
            self.edit_issue(row["id"], at=at, cycleId=next_id)
        keys = [row["id"] for row in left]
        return self.edit("Cycle", cycle_id, at=at, completedAt=text(at), _uncompletedIssuesUponClose=keys)

    # --- inside

    def _new_id(self, kind: str, number: int) -> str:
        return f"{self.seed & 0xFFFFFFFF:08x}-{KINDS.index(kind):04x}-4000-8000-{number:012x}"

    def _next_id(self, kind: str) -> str:
        self._counts[kind] += 1
        return self._new_id(kind, self._counts[kind])

    def _add(self, kind: str, fields: Row, at: datetime | None) -> Row:
        with self.lock:
            when = text(at or self.clock.now())
            # An empty field is left out of memory; a reader gets null for it all the same
            row = {name: value for name, value in fields.items() if value is not None}
            row |= {"id": self._next_id(kind), "createdAt": when, "updatedAt": when}
            self.tables[kind].add(row)
            self._tell("create", kind, row, {})
            return row

    def _touch(self, kind: str, row: Row, at: datetime | None, *, quiet: bool) -> None:
        if not quiet:
            before, row["updatedAt"] = row["updatedAt"], text(at or self.clock.now())
            self.tables[kind].moved(row, before)

    def _tell(self, action: str, kind: str, row: Row, before: Row) -> None:
        for listener in self.listeners:
            listener(action, kind, row, before)

    def _enter(self, row: Row, state: Row, when: str) -> None:
        """Begin a span in `state`, ending the one before."""
        spans, kind = row["_stateHistory"], state["type"]
        if spans:
            spans[-1]["endedAt"] = when
            if self.rows("WorkflowState")[spans[-1]["stateId"]]["type"] == "triage":
                row["triagedAt"] = when
        spans.append({"id": self._next_id("IssueStateSpan"), "stateId": state["id"], "startedAt": when})
        ends = {"completed": "completedAt", "canceled": "canceledAt", "duplicate": "canceledAt"}
        for name in ("completedAt", "canceledAt"):
            if ends.get(kind) != name:
                row.pop(name, None)
        if kind in ends:
            row[ends[kind]] = when
        elif kind == "started":
            row.setdefault("startedAt", when)
        else:
            row.pop("startedAt", None)
        if kind == "triage":
            row["startedTriageAt"] = when

    def _note(self, row: Row, changed: Row, when: str, actor_id: str | None) -> None:
        """Write the history: what one person changes within two minutes is one entry."""
        entry: Row = {}
        for name, (from_key, to_key) in _HISTORY.items():
            if name in changed:
                entry |= {from_key: row.get(name), to_key: changed[name]}
        if "labelIds" in changed:
            old, new = row["labelIds"], changed["labelIds"]
            entry["addedLabelIds"] = [key for key in new if key not in old]
            entry["removedLabelIds"] = [key for key in old if key not in new]
        if entry:
            self._write(row, entry, when, actor_id)

    def _write(self, row: Row, entry: Row, when: str, actor_id: str | None) -> None:
        history = row["_history"]
        last = history[-1] if history else None
        if (
            last is not None
            and last.get("actorId") == actor_id
            and moment(when) - moment(last["createdAt"]) <= GROUPED_WITHIN
        ):
            for name, value in entry.items():
                if name.startswith("from") and (name in last or f"to{name[4:]}" in last):
                    continue  # the group began with an older value
                joins = name in {"addedLabelIds", "removedLabelIds"}
                last[name] = [*last.get(name, ()), *value] if joins else value
            return
        history.append(
            {name: value for name, value in entry.items() if value is not None}
            | {"id": self._next_id("IssueHistory"), "createdAt": when, "actorId": actor_id}
        )

    def _put_away(
        self, kind: str, key: str, at: datetime | None, actor_id: str | None, *, archived: bool,
        trashed: bool | None = None,
    ) -> Row:  # fmt: skip
        with self.lock:
            row = self.get(kind, key)
            when = text(at or self.clock.now())
            before = {"archivedAt": row.get("archivedAt"), "trashed": row.get("trashed")}
            if kind == "Issue":
                entry: Row = {"archived": archived} if trashed is None else {"trashed": trashed}
                self._write(row, entry, when, actor_id)
            row["archivedAt"] = when if archived else None
            if trashed is not None:
                row["trashed"] = trashed or None
            self._touch(kind, row, at, quiet=False)
            self._tell("update", kind, row, before)
            return row
