"""Accounts, data sources and pages as Notion's API writes them, in each of its versions."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from connectors.sandbox.world import Row

from .workspace import Workspace

OLD, CURRENT, NEXT = "2022-06-28", "2025-09-03", "2026-03-11"
VERSIONS = (OLD, CURRENT, NEXT)
CUT = 25  # relations and people that a page shows
GROUPS = ("To-do", "In progress", "Complete")


class Answers:
    """Dresses rows for one version and one token."""

    def __init__(self, workspace: Workspace, version: str, *, with_emails: bool) -> None:
        self.workspace, self.version, self.with_emails = workspace, version, with_emails

    def user(self, row: Row) -> Row:
        shown: Row = {"object": "user", "id": row["id"], "name": row["name"], "avatar_url": None, "type": row["type"]}
        if row["type"] == "bot":
            shown["bot"] = {
                "owner": {"type": "workspace", "workspace": True},
                "workspace_name": self.workspace.name,
            }
        else:
            shown["person"] = {"email": row["email"]} if self.with_emails else {}
        return shown

    def source(self, row: Row) -> Row:
        """Return a data source; version 2022-06-28 calls it a database."""
        kind = "database" if self.version == OLD else "data_source"
        key = row["database_id"] if self.version == OLD else row["id"]
        title = row["title"]
        home = {"type": "workspace", "workspace": True}
        shown: Row = {
            "object": kind, "id": key, "title": rich(title), "description": [], "icon": None, "cover": None,
            "created_time": row["created"], "last_edited_time": row["edited"], "in_trash": row["in_trash"],
            "created_by": ref(self.workspace.bot["id"]), "last_edited_by": ref(self.workspace.bot["id"]),
            "is_inline": False, "url": address(title, key), "public_url": None,
            "properties": {one["name"]: self.config(one) for one in row["properties"].values()},
        }  # fmt: skip
        if self.version == OLD:
            shown["parent"] = home
        else:
            shown["parent"] = {"type": "database_id", "database_id": row["database_id"]}
            shown["database_parent"] = home
        return self._archived(shown)

    def database(self, row: Row) -> Row:
        """Return the container of a data source, in the versions that have one."""
        shown = self.source(row)
        if self.version == OLD:
            return shown
        for name in ("properties", "database_parent"):
            shown.pop(name)
        held = [{"id": row["id"], "name": row["title"]}]
        home = {"type": "workspace", "workspace": True}
        return shown | {"object": "database", "id": row["database_id"], "parent": home, "data_sources": held}

    def config(self, one: Row) -> Row:
        kind = one["type"]
        inner: Row = {}
        if kind in {"select", "multi_select"}:
            inner = {"options": one["options"]}
        elif kind == "status":
            keys = [option["id"] for option in one["options"]]
            parts = (keys[:1], keys[1:-2], keys[-2:]) if len(keys) > 2 else (keys[:1], [], keys[1:])
            groups = [
                {"id": f"g{place}", "name": name, "color": "default", "option_ids": part}
                for place, (name, part) in enumerate(zip(GROUPS, parts, strict=True))
            ]
            inner = {"options": one["options"], "groups": groups}
        elif kind == "relation":
            inner = {"data_source_id": one["to"], "type": "single_property", "single_property": {}}
        elif kind == "rollup":
            inner = {"function": "count", "relation_property_id": one["of"], "rollup_property_name": "Name"}
        return {"id": one["id"], "name": one["name"], "type": kind, kind: inner}

    def page(self, row: Row) -> Row:
        source = self.workspace.sources[row["source"]]
        title = title_of(self.workspace, row)
        parent: Row = {"type": "database_id", "database_id": source["database_id"]}
        if self.version != OLD:
            parent = {"type": "data_source_id", "data_source_id": source["id"], "database_id": source["database_id"]}
        return self._archived({
            "object": "page", "id": row["id"], "created_time": row["created"], "last_edited_time": row["edited"],
            "created_by": ref(row["created_by"]), "last_edited_by": ref(row["edited_by"]), "cover": None, "icon": None,
            "parent": parent, "in_trash": row["in_trash"], "is_locked": False,
            "properties": {one["name"]: self.value(one, row) for one in source["properties"].values()},
            "url": address(title, row["id"]), "public_url": None,
        })  # fmt: skip

    def value(self, one: Row, row: Row) -> Row:
        """Return a page's value of a property, cut where Notion cuts it."""
        kind, held = one["type"], row["values"].get(one["id"])
        shown: Row = {"id": one["id"], "type": kind}
        if kind in {"relation", "people"}:
            items = self.items(one, row)
            shown[kind] = items[:CUT]
            if kind == "relation":
                shown["has_more"] = len(items) > CUT
            return shown
        return shown | {kind: self._plain(one, held, row)}

    def items(self, one: Row, row: Row) -> list[Row]:
        """Return a whole list of relations or people."""
        keys = row["values"].get(one["id"]) or []
        if one["type"] == "relation":
            pages = self.workspace.pages
            return [{"id": key} for key in keys if key in pages and self.workspace.is_visible(pages[key])]
        known = {**self.workspace.users, **self.workspace.guests}
        return [self.user(known[key]) if key in known else ref(key) for key in keys]

    def _plain(self, one: Row, held: Any, row: Row) -> Any:  # noqa: PLR0911 — one line a type
        kind = one["type"]
        options: Mapping[str, Row] = {option["id"]: option for option in one["options"]}
        match kind:
            case "title" | "rich_text":
                return rich(str(held or ""))
            case "select" | "status":
                return options.get(held) if held else None
            case "multi_select":
                return [options[key] for key in held or () if key in options]
            case "date":
                return None if held is None else {"start": held[0], "end": held[1], "time_zone": None}
            case "checkbox":
                return bool(held)
            case "files":
                return [{"name": name, "type": "external", "external": {"url": name}} for name in held or ()]
            case "created_time" | "last_edited_time":
                return row["created" if kind == "created_time" else "edited"]
            case "created_by" | "last_edited_by":
                return ref(row["created_by" if kind == "created_by" else "edited_by"])
            case "rollup":
                count = len(row["values"].get(one["of"]) or ())
                # Notion gives up on a rollup over a long relation
                kind_of = "incomplete" if count > CUT else "number"
                return {"type": kind_of, kind_of: {} if count > CUT else count, "function": "count"}
            case "formula":
                return held or {"type": "unsupported", "unsupported": {}}
        return held

    def _archived(self, shown: Row) -> Row:
        """Versions before 2026-03-11 say `archived` beside `in_trash`."""
        return shown if self.version == NEXT else {**shown, "archived": shown["in_trash"]}


def rich(words: str) -> list[Row]:
    if not words:
        return []
    annotations = {
        "bold": False, "italic": False, "strikethrough": False, "underline": False, "code": False, "color": "default",
    }  # fmt: skip
    return [{"type": "text", "text": {"content": words, "link": None}, "annotations": annotations,
             "plain_text": words, "href": None}]  # fmt: skip


def ref(key: str) -> Row:
    return {"object": "user", "id": key}


def address(title: str, key: str) -> str:
    """Return a page's address: its title and its id without dashes."""
    words = "-".join("".join(letter if letter.isalnum() and letter.isascii() else " " for letter in title).split())
    return f"https://www.notion.so/{words}-{key.replace('-', '')}".replace("so/-", "so/")


def request_id(seed: int, number: int) -> str:
    return str(uuid5(UUID(int=seed & 0xFFFF), str(number)))


def title_of(workspace: Workspace, row: Row) -> str:
    """Return a page's title."""
    properties = workspace.sources[row["source"]]["properties"].values()
    return next((str(row["values"].get(one["id"], "")) for one in properties if one["type"] == "title"), "")
