"""Compares what the hub holds of a connection with the workspace it read, page by page."""

from connectors.models import Document, DocumentSource, PersonAccount
from connectors.sandbox.clock import moment


def assert_same(company, mapped):
    """Fail unless every live row is the workspace's, and the workspace's (of mapped databases) is a live row."""
    space = company.space
    of_hub = {"connection": company.connection, "deleted_at": None}
    accounts = {one.external_id: (one.name, one.email, one.kind) for one in PersonAccount.objects.filter(**of_hub)}
    assert accounts == {
        key: (row["name"], row["email"], "bot" if row["type"] == "bot" else "member")
        for key, row in space.users.items()
    }
    sources = {one.external_id: names(one) for one in DocumentSource.objects.filter(**of_hub)}
    assert sources == {
        key: {one["id"]: one["name"] for one in row["properties"].values()}
        for key, row in space.sources.items()
        if row["is_shared"]
    }
    pages = {one.external_id: one for one in Document.objects.filter(**of_hub)}
    truth = {
        key: row for key, row in space.pages.items() if row["source"] in mapped and space.is_visible(row)
    }  # fmt: skip
    assert set(pages) == set(truth)
    for key, row in truth.items():
        assert_page(pages[key], row, space)


def names(source):
    return {one["id"]: one["name"] for one in source.properties}


def assert_page(page, row, space):
    assert (page.source_ref, page.is_trashed) == (row["source"], row["in_trash"])
    assert (page.opened_at, page.edited_at) == (moment(row["created"]), moment(row["edited"]))
    assert (page.creator_ref, page.editor_ref) == (row["created_by"], row["edited_by"])
    assert page.title == row["values"].get("title", "")
    properties = space.sources[row["source"]]["properties"]
    assert set(page.values) == set(properties)
    for key, one in properties.items():
        held, value = row["values"].get(key), page.values[key]["value"]
        match one["type"]:
            case "date":
                assert value == (held and {"start": held[0], "end": held[1]})
            case "people":
                assert value == (held or None)
            case "relation":
                seen = [key for key in held or () if key in space.pages and space.is_visible(space.pages[key])]
                assert value == ({"count": len(seen), "ids": seen} if seen else None)
            case "status" | "select":
                assert (value or {}).get("id") == held
            case "multi_select":
                assert [option["id"] for option in value or ()] == (held or [])
            case "rich_text" | "email" | "title":
                assert value == (True if held else None)
            case "number":
                assert value == held
            case "checkbox":
                assert value is bool(held)
