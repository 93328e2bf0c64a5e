"""What Productboard would know of the company, and every way a person may change it.

Rows are plain dicts under Productboard's own field names; ties to other things are kept as `_ties`, pairs of a kind
and an id. A board belongs to a world: it shares its clock and its lock.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

from connectors.sandbox.world import NotThere, Row, Table, World

Listener = Callable[[str, str, Row, Iterable[str]], None]  # action, kind, row, names of the fields that changed

ENTITIES = (
    "product", "component", "feature", "subfeature", "initiative", "objective", "keyResult", "release", "releaseGroup",
    "company", "user",
)  # fmt: skip
NOTES = ("textNote", "conversationNote", "opportunityNote")
KINDS = (*ENTITIES, "note", "member", "team", "field", "status")
STATUSES = ("New idea", "Candidate", "Planned", "In progress", "Delivered", "Won’t do")
STANDARD = (
    ("name", "text"), ("description", "richtext"), ("status", "status"), ("owner", "member"), ("teams", "teams"),
    ("archived", "boolean"), ("timeframe", "timeframe"), ("health", "health"), ("workProgress", "workProgress"),
)  # fmt: skip
NOTE_FIELDS = (
    ("name", "text"), ("content", "richtext"), ("owner", "member"), ("tags", "tags"), ("processed", "boolean"),
    ("archived", "boolean"), ("source", "source"),
)  # fmt: skip


def text(at: datetime) -> str:
    """Write a moment as Productboard does: UTC, microseconds, Z. Such texts sort as the moments do."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


class Board:
    """Everything. `moves_on_ties` is what nobody has said yet: whether a change of ties moves `updatedAt`."""

    def __init__(self, world: World, *, moves_on_ties: bool = False) -> None:
        self.world, self.clock, self.lock, self.seed = world, world.clock, world.lock, world.seed
        self.moves_on_ties = moves_on_ties
        self.listeners: list[Listener] = []
        self.tables = {kind: Table() for kind in (*ENTITIES, "note", "member", "team")}
        self.days: dict[str, Row] = {}  # "<day>:<member>" → the member's day
        self.statuses: dict[str, Row] = {}
        self.configurations: dict[str, Row] = {}
        self._counts = dict.fromkeys(KINDS, 0)
        for name in STATUSES:
            self.statuses[name] = {"id": self._new_id("status"), "name": name}
        for kind in (*ENTITIES, *NOTES):
            names = NOTE_FIELDS if kind in NOTES else STANDARD
            fields = {name: field(name, name.capitalize(), schema) for name, schema in names}
            self.configurations[kind] = {"type": kind, "fields": fields}
        self.linear_field = self.add_field("feature", "Linear project", "url")
        self.effort_field = self.add_field("feature", "Effort, days", "number")

    # --- reading

    def rows(self, kind: str) -> dict[str, Row]:
        """Return all rows of a kind by id."""
        return self.tables[kind].rows

    def get(self, key: str) -> tuple[str, Row]:
        """Return a thing with its kind. Raises NotThere."""
        for kind, table in self.tables.items():
            if key in table.rows:
                return kind, table.rows[key]
        raise NotThere(key)

    def truth(self) -> dict[str, dict[str, Row]]:
        """Return all that a faithful reader must end up with."""
        with self.lock:
            found = {kind: {key: dict(row) for key, row in table.rows.items()} for kind, table in self.tables.items()}
            return {**found, "day": {key: dict(row) for key, row in self.days.items()}}

    def counts(self) -> dict[str, int]:
        return {**{kind: len(table.rows) for kind, table in self.tables.items()}, "day": len(self.days)}

    # --- making

    def add(
        self, kind: str, name: str, *, at: datetime | None = None, parent: str = "", status: str = "",
        ties: Iterable[tuple[str, str]] = (), source: Row | None = None, **fields: Any,
    ) -> Row:  # fmt: skip
        """Make an entity. `fields` are Productboard's own, `status` a name of STATUSES."""
        held = {"name": name, **fields}
        if status:
            held["status"] = self.statuses[status]
        row: Row = {"type": kind, "fields": held, "_ties": [*ties]}
        if parent:
            row["_ties"].append(("parent", parent))
        if source:
            row["metadata"] = {"source": source}
        return self._add(kind, row, at)

    def add_note(
        self, name: str, *, at: datetime | None = None, kind: str = "textNote", customer: str = "",
        links: Iterable[str] = (), **fields: Any,
    ) -> Row:  # fmt: skip
        """Write a note down. `customer` is a company's or a user's id, `links` are what it is about."""
        ties = [("customer", customer)] if customer else []
        ties += [("link", target) for target in links]
        held = {"name": name, "content": f"{name}, they said.", "processed": False, **fields}
        return self._add("note", {"type": kind, "fields": held, "_ties": ties}, at)

    def add_team(self, name: str, handle: str = "", *, at: datetime | None = None) -> Row:
        return self._add("team", {"type": "team", "fields": {"name": name, "handle": handle or name.lower()}}, at)

    def add_member(
        self, email: str, name: str, *, role: str = "maker", teams: Iterable[str] = (), at: datetime | None = None,
        **fields: Any,
    ) -> Row:  # fmt: skip
        """Seat somebody. `teams` are ids."""
        held = {"name": name, "email": email, "role": role, "disabled": False, "invitationPending": False, **fields}
        return self._add("member", {"type": "member", "fields": held, "_teams": [*teams]}, at)

    def be_active(self, member: str, day: date, **counters: int) -> Row:
        """Count what a member did on a day."""
        with self.lock:
            held = self.rows("member")[member]["fields"]
            row = {
                "date": str(day), "memberId": member, "role": held["role"], "domain": held["email"].partition("@")[2],
                "activeFlag": bool(counters), **counters,
            }  # fmt: skip
            self.days[f"{day}:{member}"] = row
            return row

    def add_field(self, kind: str, name: str, schema: str = "text") -> str:
        """Give a type a custom field, and return its id."""
        key = self._new_id("field")
        self.configurations[kind]["fields"][key] = field(key, name, schema)
        return key

    # --- changing

    def edit(self, key: str, *, at: datetime | None = None, quiet: bool = False, **fields: Any) -> Row:
        """Change fields of anything; None empties one, `status` is a name. `quiet` leaves `updatedAt` alone."""
        with self.lock:
            kind, row = self.get(key)
            if isinstance(fields.get("status"), str):
                fields["status"] = self.statuses[fields["status"]]
            if "health" in fields and fields["health"] is not None:
                fields["health"] = {"mode": "manual", "lastUpdatedAt": text(at or self.clock.now()), **fields["health"]}
            row["fields"] = {name: value for name, value in {**row["fields"], **fields}.items() if value is not None}
            if fields.get("archived") and kind == "note":
                row["fields"]["processed"] = False  # an archived note always reads so
            self._touch(kind, row, at, quiet=quiet)
            self._tell("updated", kind, row, fields)
            return row

    def tie(self, key: str, kind: str, target: str, *, at: datetime | None = None) -> Row:
        """Tie a thing to another; a parent or a customer takes the place of the one before."""
        with self.lock:
            owner, row = self.get(key)
            kept = [tie for tie in row["_ties"] if not (kind in {"parent", "customer"} and tie[0] == kind)]
            row["_ties"] = kept if (kind, target) in kept else [*kept, (kind, target)]
            self._touch(owner, row, at, quiet=not self.moves_on_ties)
            if (owner, kind) == ("note", "link"):
                self._tell("created", "insight", {"feature": target, "note": key})
            return row

    def untie(self, key: str, kind: str, target: str, *, at: datetime | None = None) -> Row:
        with self.lock:
            owner, row = self.get(key)
            row["_ties"] = [tie for tie in row["_ties"] if tie != (kind, target)]
            self._touch(owner, row, at, quiet=not self.moves_on_ties)
            if (owner, kind) == ("note", "link"):
                self._tell("deleted", "insight", {"feature": target, "note": key})
            return row

    def join_team(self, member: str, team: str) -> None:
        held = self.rows("member")[member]["_teams"]
        if team not in held:
            held.append(team)

    def leave_team(self, member: str, team: str) -> None:
        held = self.rows("member")[member]["_teams"]
        if team in held:
            held.remove(team)

    def delete(self, key: str) -> Row:
        """Delete for good: no list shows it again, and nothing is tied to it. Give the row to `bring_back` to undo."""
        with self.lock:
            kind, _row = self.get(key)
            gone = self.tables[kind].remove(key)
            for row in chain.from_iterable(table.rows.values() for table in self.tables.values()):
                if any(tie[1] == key for tie in row.get("_ties", ())):
                    row["_ties"] = [tie for tie in row["_ties"] if tie[1] != key]
            self._tell("deleted", kind, gone)
            return gone

    def bring_back(self, row: Row, *, at: datetime | None = None) -> Row:
        """Undo a deletion under the same id; ties to it stay lost."""
        with self.lock:
            row["updatedAt"] = text(at or self.clock.now())
            kind = "note" if row["type"] in NOTES else row["type"]
            row["_ties"] = [tie for tie in row.get("_ties", ()) if any(tie[1] in t.rows for t in self.tables.values())]
            return self.tables[kind].add(row)

    def rename_field(self, kind: str, key: str, name: str) -> None:
        self.configurations[kind]["fields"][key]["name"] = name

    def remove_field(self, kind: str, key: str) -> None:
        """Take a custom field away, and its values with it, without a trace on what had one."""
        with self.lock:
            del self.configurations[kind]["fields"][key]
            for row in self.rows(kind).values():
                row["fields"].pop(key, None)

    # --- inside

    def _new_id(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{self.seed & 0xFFFFFFFF:08x}-b0{KINDS.index(kind):02x}-4000-8000-{self._counts[kind]:012x}"

    def _add(self, kind: str, row: Row, at: datetime | None) -> Row:
        with self.lock:
            when = text(at or self.clock.now())
            row["fields"] = {name: value for name, value in row["fields"].items() if value is not None}
            made = self.tables[kind].add({"id": self._new_id(kind), **row, "createdAt": when, "updatedAt": when})
            self._tell("created", kind, made)
            return made

    def _tell(self, action: str, kind: str, row: Row, names: Iterable[str] = ()) -> None:
        for listener in self.listeners:
            listener(action, kind, row, names)

    def _touch(self, kind: str, row: Row, at: datetime | None, *, quiet: bool) -> None:
        if not quiet:
            before, row["updatedAt"] = row["updatedAt"], text(at or self.clock.now())
            self.tables[kind].moved(row, before)


def field(key: str, name: str, schema: str) -> Row:
    """Return a field of a catalogue."""
    return {"id": key, "name": name, "path": f"fields.{key}", "schema": {"type": schema}}


def small_board(world: World) -> Board:
    """Return what a test begins with: a team, three members (the world's people), one of each kind, three notes."""
    board = Board(world)
    team = board.add_team("Checkout", "checkout")
    people = [
        board.add_member(row["email"], row["name"], role="admin" if row["admin"] else "maker", teams=[team["id"]])
        for row in world.rows("User").values()
    ]
    owner = {"id": people[0]["id"], "email": people[0]["fields"]["email"]}
    product = board.add("product", "Shop", owner=owner)
    component = board.add("component", "Basket", parent=product["id"])
    goal = board.add("objective", "Checkout anyone can finish", status="In progress", owner=owner)
    board.add("keyResult", "Baskets paid", parent=goal["id"],
              progress={"startValue": 40, "targetValue": 80, "currentValue": 50})  # fmt: skip
    initiative = board.add("initiative", "Fewer steps", status="In progress", ties=[("link", goal["id"])])
    group = board.add("releaseGroup", "Web")
    board.add("release", "Web, spring", parent=group["id"], status="Planned")
    feature = board.add("feature", "Pay by card", parent=component["id"], status="In progress", owner=owner,
                        teams=[{"id": team["id"], "name": "Checkout"}], ties=[("link", initiative["id"])])  # fmt: skip
    board.add("subfeature", "Remember the card", parent=feature["id"], status="Candidate")
    company = board.add("company", "Northbank")
    for number in range(3):
        board.add_note(f"Note {number}", customer=company["id"], links=[feature["id"]] if number else [])
    return board
