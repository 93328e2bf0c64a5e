"""What Notion would know of a company: accounts, databases and their pages, and every way a person may change them.

A page's values are kept by the property's id, as plainly as can be: a status is its option's id, people and relations
are ids, a date is (start, end). `answers` dresses them as Notion does. Times are cut to the minute, as Notion's are.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.sandbox.clock import text
from connectors.sandbox.world import NotThere, Row, World

OPTION_COLORS = ("default", "blue", "green", "yellow", "red", "purple")
Listener = Callable[[str, Row], None]  # event, row
KINDS = ("User", "Database", "DataSource", "Page")


def minute(at: datetime) -> str:
    """Write a moment as Notion does: the minute it lies in."""
    return text(at.replace(second=0, microsecond=0))


def prop(key: str, name: str, kind: str, options: Iterable[str] = (), **more: Any) -> Row:
    """Return a property: `key` is its id, which stays when its name changes."""
    named = [
        {"id": f"{key}-{place}", "name": option, "color": OPTION_COLORS[place % len(OPTION_COLORS)]}
        for place, option in enumerate(options)
    ]
    return {"id": key, "name": name, "type": kind, "options": named, **more}


class Workspace:
    """Everything. It shares the world's clock, seed and lock, and nothing else: a world without it costs nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = str(world.organization["name"])
        self.users: dict[str, Row] = {}
        self.guests: dict[str, Row] = {}  # they may edit; the list of accounts never names them
        self.sources: dict[str, Row] = {}
        self.pages: dict[str, Row] = {}
        self.by_source: dict[str, dict[str, Row]] = {}
        self._orders: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._counts = dict.fromkeys(KINDS, 0)
        self.listeners: list[Listener] = []
        self.bot = self.add_user("", "Product Ops Hub", kind="bot")

    # --- making

    def add_user(self, email: str, name: str, *, kind: str = "person", is_guest: bool = False) -> Row:
        """Let somebody in."""
        row: Row = {"id": self._new_id("User"), "name": name, "type": kind, "email": email}
        (self.guests if is_guest else self.users)[row["id"]] = row
        return row

    def add_source(
        self, title: str, properties: Iterable[Row], *, at: datetime | None = None, is_shared: bool = True
    ) -> Row:
        """Make a database with one data source. The first property is its title."""
        when = minute(at or self.world.clock.now())
        row: Row = {
            "id": self._new_id("DataSource"), "database_id": self._new_id("Database"), "title": title,
            "properties": {one["id"]: one for one in properties}, "created": when, "edited": when,
            "is_shared": is_shared, "in_trash": False,
        }  # fmt: skip
        self.sources[row["id"]] = row
        self.by_source[row["id"]] = {}
        self._tell("data_source.created", row)
        return row

    def add_page(self, source_id: str, values: Mapping[str, Any], *, at: datetime | None = None, by: str = "") -> Row:
        """Write a page; `values` by the property's id."""
        self.source(source_id)
        when = minute(at or self.world.clock.now())
        who = by or self.bot["id"]
        row: Row = {
            "id": self._new_id("Page"), "source": source_id, "values": dict(values), "created": when, "edited": when,
            "created_by": who, "edited_by": who, "in_trash": False, "is_shared": True,
        }  # fmt: skip
        self.pages[row["id"]] = row
        self.by_source[source_id][row["id"]] = row
        self._forget(source_id)
        self._tell("page.created", row)
        return row

    # --- changing

    def edit_page(
        self, key: str, values: Mapping[str, Any], *, at: datetime | None = None, by: str = "", quiet: bool = False
    ) -> Row:
        """Change a page. `quiet` leaves its time alone, as edits of its content through the API were seen to do."""
        row = self.page(key)
        row["values"] = {**row["values"], **values}
        self._tell("page.properties_updated" if values else "page.content_updated", row)
        return row if quiet else self._touch(row, at, by)

    def trash(self, key: str, *, at: datetime | None = None) -> Row:
        """Throw a page away; it can still come back."""
        row = self.page(key)
        row["in_trash"] = True
        self._tell("page.deleted", row)
        return self._touch(row, at)

    def restore(self, key: str, *, at: datetime | None = None) -> Row:
        row = self.page(key)
        row["in_trash"] = False
        self._tell("page.undeleted", row)
        return self._touch(row, at)

    def delete(self, key: str) -> Row:
        """Delete a page for good."""
        row = self.pages.pop(self.page(key)["id"])
        del self.by_source[row["source"]][key]
        self._forget(row["source"])
        return row

    def unshare(self, key: str) -> Row:
        """Take a page, or a database with all its pages, out of the connection's sight. Moves no time."""
        return self._share(key, is_shared=False)

    def share(self, key: str) -> Row:
        return self._share(key, is_shared=True)

    def rename_property(self, source_id: str, key: str, name: str, *, at: datetime | None = None) -> Row:
        """Rename a property: its key in every answer changes, its id does not, nor do the pages' times."""
        source = self.source(source_id)
        source["properties"][key]["name"] = name
        source["edited"] = minute(at or self.world.clock.now())
        self._tell("data_source.schema_updated", source)
        return source

    def remove_property(self, source_id: str, key: str, *, at: datetime | None = None) -> Row:
        source = self.source(source_id)
        del source["properties"][key]
        for row in self.by_source[source_id].values():
            row["values"].pop(key, None)
        source["edited"] = minute(at or self.world.clock.now())
        self._tell("data_source.schema_updated", source)
        return source

    def remove_user(self, key: str) -> Row:
        if key not in self.users:
            raise NotThere(f"user {key}")
        return self.users.pop(key)

    # --- reading

    def source(self, key: str) -> Row:
        if key not in self.sources:
            raise NotThere(f"data source {key}")
        return self.sources[key]

    def page(self, key: str) -> Row:
        if key not in self.pages:
            raise NotThere(f"page {key}")
        return self.pages[key]

    def is_visible(self, page: Row) -> bool:
        """Tell whether the connection sees a page."""
        return bool(page["is_shared"] and self.sources[page["source"]]["is_shared"])

    def order(self, source_id: str, by: str) -> list[tuple[str, str]]:
        """Return (time, id) of a data source's pages, earliest first; `by` is created or edited."""
        key = (source_id, by)
        if key not in self._orders:
            self._orders[key] = sorted((row[by], row["id"]) for row in self.by_source[source_id].values())
        return self._orders[key]

    def place_in(self, source_id: str, by: str, at: tuple[str, str]) -> int:
        """Return where the order stands at or after a (time, id)."""
        return bisect_left(self.order(source_id, by), at)

    def truth(self) -> dict[str, dict[str, Row]]:
        """Return all that a faithful reader of every shared database must end up with."""
        return {
            "User": {key: dict(row) for key, row in self.users.items()},
            "DataSource": {key: dict(row) for key, row in self.sources.items() if row["is_shared"]},
            "Page": {key: dict(row) for key, row in self.pages.items() if self.is_visible(row)},
        }

    # --- inside

    def _share(self, key: str, *, is_shared: bool) -> Row:
        row = self.sources[key] if key in self.sources else self.page(key)
        row["is_shared"] = is_shared
        return row

    def _touch(self, row: Row, at: datetime | None, by: str = "") -> Row:
        row["edited"] = minute(at or self.world.clock.now())
        row["edited_by"] = by or row["edited_by"]
        self._forget(row["source"])
        return row

    def _tell(self, event: str, row: Row) -> None:
        for listener in self.listeners:
            listener(event, row)

    def _forget(self, source_id: str) -> None:
        """Forget the orders of a data source: the next reader sorts once."""
        for by in ("created", "edited"):
            self._orders.pop((source_id, by), None)

    def _new_id(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{self.world.seed & 0xFFFFFFFF:08x}-{KINDS.index(kind) + 1:04x}-4a00-9000-{self._counts[kind]:012x}"
