"""How Jira shows the world: numbers as ids, moments in the reader's zone, changes latest first and cut at forty."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from zoneinfo import ZoneInfo

from connectors.sandbox.clock import moment
from connectors.sandbox.world import Row, World

CUT = 40  # changes that come with an issue of a search
SPRINT, POINTS = "customfield_10020", "customfield_10016"
FIELDS: tuple[Row, ...] = (
    {"id": "summary", "name": "Summary", "custom": False, "schema": {"type": "string", "system": "summary"}},
    {"id": SPRINT, "name": "Sprint", "custom": True,
     "schema": {"type": "array", "custom": "com.pyxis.greenhopper.jira:gh-sprint"}},
    {"id": POINTS, "name": "Story point estimate", "custom": True,
     "schema": {"type": "number", "custom": "com.pyxis.greenhopper.jira:jsw-story-points"}},
)  # fmt: skip
STORY, BUG, SUBTASK = (
    {"id": "10001", "name": "Story", "subtask": False, "hierarchyLevel": 0},
    {"id": "10004", "name": "Bug", "subtask": False, "hierarchyLevel": 0},
    {"id": "10003", "name": "Subtask", "subtask": True, "hierarchyLevel": -1},
)
TYPES: tuple[Row, ...] = (STORY, BUG, SUBTASK)
CATEGORIES: Mapping[str, Row] = {
    "started": {"id": 4, "key": "indeterminate", "name": "In Progress"},
    **{kind: {"id": 3, "key": "done", "name": "Done"} for kind in ("completed", "canceled", "duplicate")},
}
TO_DO: Row = {"id": 2, "key": "new", "name": "To Do"}
PRIORITIES = {0: ("6", "None"), 1: ("1", "Highest"), 2: ("2", "High"), 3: ("3", "Medium"), 4: ("4", "Low")}
# Pair of keys in the world's history → Jira's field
CHANGED = (
    ("Assignee", "assignee"), ("Cycle", SPRINT), ("Team", "project"), ("Estimate", POINTS), ("Priority", "priority"),
)  # fmt: skip


def number(key: str) -> int:
    """Return the number in one of the world's ids."""
    return int(key[-12:], 16)


def jira_id(key: str | None, first: int = 10_000) -> str:
    """Return Jira's id for a thing of the world, "" for none."""
    return str(first + number(key)) if key else ""


def account_id(key: str) -> str:
    return f"712020:{key}"


class Shows:
    """The world as one reader sees it, in his time zone. Whoever is in `hidden` keeps the e-mail to themselves."""

    def __init__(self, world: World, site: str, zone: str, hidden: Iterable[str] = ()) -> None:
        self.world, self.site, self.zone, self.hidden = world, site, ZoneInfo(zone), frozenset(hidden)

    def moment(self, value: str) -> str:
        """Write a moment as Jira does: 2026-03-02T10:00:00.000+0100."""
        at = moment(value).astimezone(self.zone)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}{at:%z}"

    def user(self, row: Row) -> Row:
        shown = {
            "self": f"{self.site}/rest/api/3/user?accountId={account_id(row['id'])}",
            "accountId": account_id(row["id"]), "accountType": "app" if row["app"] else "atlassian",
            "displayName": row["name"], "active": row["active"], "timeZone": row["timezone"],
            "avatarUrls": {"48x48": "https://avatars.example/48"},
        }  # fmt: skip
        return shown if row["email"] in self.hidden else {**shown, "emailAddress": row["email"]}

    def person(self, key: str | None) -> Row | None:
        rows = self.world.rows("User")
        return self.user(rows[key]) if key in rows else None

    def project(self, row: Row) -> Row:
        return {"id": jira_id(row["id"]), "key": row["key"], "name": row["name"], "projectTypeKey": "software"}

    def status(self, row: Row) -> Row:
        scope = {"type": "PROJECT", "project": {"id": jira_id(row["teamId"])}}
        category = dict(CATEGORIES.get(row["type"], TO_DO))  # a fault may spoil an answer, never the world
        return {"id": jira_id(row["id"]), "name": row["name"], "statusCategory": category, "scope": scope}

    def sprint(self, row: Row, board: int) -> Row:
        now = self.world.clock.now()
        state = "active" if moment(row["startsAt"]) <= now else "future"
        shown = {
            "id": int(jira_id(row["id"])), "name": row.get("name") or f"Sprint {row['number']}",
            "state": "closed" if row.get("completedAt") else state, "originBoardId": board,
            "startDate": row["startsAt"], "endDate": row["endsAt"], "goal": "What somebody wrote.",
        }  # fmt: skip
        return {**shown, "completeDate": row["completedAt"]} if row.get("completedAt") else shown

    def label(self, key: str) -> str:
        """Return the word that a label is to Jira, which knows no spaces there."""
        return str(self.world.rows("IssueLabel")[key]["name"]).replace(" ", "-")

    def is_bug(self, row: Row) -> bool:
        labels = self.world.rows("IssueLabel")
        named = [labels[key] for key in row["labelIds"] if key in labels]
        groups = [labels.get(label.get("parentId") or "", label) for label in named]
        return any(label["name"] == "Bug" for label in (*named, *groups))

    def issue(self, row: Row, fields: Iterable[str], *, with_changes: bool) -> Row:
        """Return an issue with the fields asked for; all that Jira would give it."""
        state = self.world.get("WorkflowState", row["stateId"])
        labels = self.world.rows("IssueLabel")
        is_over = CATEGORIES.get(state["type"], TO_DO)["key"] == "done"
        priority, name = PRIORITIES[row["priority"]]
        finished = row.get("completedAt") or row.get("canceledAt")
        shown: Row = {
            "summary": row["title"], "description": {"type": "doc", "content": ["What somebody wrote."]},
            "status": self.status(state), "project": self.project(self.world.get("Team", row["teamId"])),
            "issuetype": dict(SUBTASK if row.get("parentId") else BUG if self.is_bug(row) else STORY),
            "created": self.moment(row["createdAt"]), "updated": self.moment(row["updatedAt"]),
            "resolutiondate": self.moment(finished) if finished else None, "duedate": row.get("dueDate"),
            "priority": {"id": priority, "name": name}, "assignee": self.person(row.get("assigneeId")),
            "creator": self.person(row.get("creatorId")), "labels": [
                self.label(key) for key in row["labelIds"] if key in labels
            ],
            "resolution": {"id": "10000", "name": state["name"]} if is_over else None,
            "parent": self.parent(row.get("parentId")), SPRINT: self.sprints(row), POINTS: row.get("estimate"),
        }  # fmt: skip
        key = jira_id(row["id"])
        made = {"id": key, "key": row["identifier"], "self": f"{self.site}/rest/api/3/issue/{key}",
                "fields": {name: shown[name] for name in fields if name in shown}}  # fmt: skip
        if with_changes:
            found = self.changes(row)[::-1]
            made["changelog"] = {"startAt": 0, "maxResults": CUT, "total": len(found), "histories": found[:CUT]}
        return made

    def parent(self, key: str | None) -> Row | None:
        row = self.world.rows("Issue").get(key or "")
        if row is None:
            return None
        return {"id": jira_id(row["id"]), "key": row["identifier"],
                "fields": {"summary": row["title"], "issuetype": STORY}}  # fmt: skip

    def sprints(self, row: Row) -> list[Row] | None:
        """Return the sprints an issue was in and is in: closed ones stay."""
        cycles = self.world.rows("Cycle")
        were = [entry.get("fromCycleId") for entry in row["_history"]]
        left = [key for key in dict.fromkeys(were) if key in cycles and cycles[key].get("completedAt")]
        now = row.get("cycleId")
        found = [key for key in left if key != now] + ([now] if now in cycles else [])
        return [self.sprint(cycles[key], number(cycles[key]["teamId"])) for key in found] or None

    def changes(self, row: Row) -> list[Row]:
        """Return all changes of an issue, earliest first. Every move is one: Jira groups nothing."""
        made: list[tuple[str, Row]] = []
        actors = {entry["createdAt"]: entry["actorId"] for entry in row["_history"]}
        spans = row["_stateHistory"]
        for before, after in pairwise(spans):
            states = [self.world.rows("WorkflowState").get(span["stateId"], {}) for span in (before, after)]
            item = {
                "field": "status", "fieldtype": "jira", "fieldId": "status",
                "from": jira_id(before["stateId"]), "fromString": states[0].get("name"),
                "to": jira_id(after["stateId"]), "toString": states[1].get("name"),
            }  # fmt: skip
            at = after["startedAt"]
            made.append((at, self._entry(jira_id(after["id"], 20_000_000), at, actors.get(at), [item])))
        for entry in row["_history"]:
            items = self._items(row, entry)
            if items:
                at = entry["createdAt"]
                made.append((at, self._entry(jira_id(entry["id"], 30_000_000), at, entry["actorId"], items)))
        return [entry for _at, entry in sorted(made, key=lambda one: (one[0], int(one[1]["id"])))]

    def _entry(self, key: str, at: str, actor: str | None, items: list[Row]) -> Row:
        author = self.person(actor)
        written = {"field": "description", "fieldtype": "jira", "fieldId": "description", "from": None,
                   "fromString": "What somebody wrote.", "to": None, "toString": "And wrote again."}  # fmt: skip
        made = {"id": key, "created": self.moment(at), "items": [*items, written]}
        return {**made, "author": author} if author else made

    def _items(self, row: Row, entry: Row) -> list[Row]:
        items = []
        for name, field in CHANGED:
            before, after = entry.get(f"from{name}Id", entry.get(f"from{name}")), entry.get(
                f"to{name}Id", entry.get(f"to{name}")
            )  # fmt: skip
            if before is not None or after is not None:
                items.append(self._item(field, before, after, entry["createdAt"]))
        if entry.get("addedLabelIds") or entry.get("removedLabelIds"):
            labels = self.world.rows("IssueLabel")
            words = {name: " ".join(self.label(key) for key in entry.get(name, ()) if key in labels)
                     for name in ("addedLabelIds", "removedLabelIds")}  # fmt: skip
            items.append({"field": "labels", "fieldtype": "jira", "fieldId": "labels", "from": None,
                          "fromString": words["removedLabelIds"], "to": None,
                          "toString": words["addedLabelIds"]})  # fmt: skip
        return items

    def _item(self, field: str, before: str | float | None, after: str | float | None, at: str) -> Row:
        item: Row = {"field": field, "fieldtype": "custom" if field.startswith("custom") else "jira", "fieldId": field,
                     "from": None, "to": None, "fromString": None, "toString": None}  # fmt: skip
        if field == POINTS:
            return item | {"fromString": _points(before), "toString": _points(after)}
        for name, value in (("from", before), ("to", after)):
            if value is None:
                continue
            if field == "priority":
                item[name], item[f"{name}String"] = PRIORITIES[int(value)]
            else:
                item[name] = account_id(str(value)) if field == "assignee" else jira_id(str(value))
        old = self.world.rows("Cycle").get(str(before), {}) if field == SPRINT else {}
        if old.get("completedAt") and old["completedAt"] <= at:
            item["to"] = f"{item['from']}, {item['to']}" if item["to"] else item["from"]
        return item


def _points(value: str | float | None) -> str | None:
    return None if value is None else f"{float(value):g}"
