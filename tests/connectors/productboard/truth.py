"""Compares what the hub holds of a connection with the board it read, row by row."""

from datetime import datetime

from connectors.models import (
    AccountDay,
    Feedback,
    FeedbackLink,
    PersonAccount,
    ProductField,
    ProductItem,
    ProductLink,
    WorkTeam,
    WorkTeamMember,
)

KINDS = {"keyResult": "key_result", "releaseGroup": "release_group"}
READ = (
    "product", "component", "feature", "subfeature", "initiative", "objective", "keyResult", "release", "releaseGroup",
)  # fmt: skip


def live(model, connection):
    return model.objects.live().filter(connection=connection)


def ids(model, connection):
    return set(live(model, connection).values_list("external_id", flat=True))


def assert_same(connection, board):
    """Fail unless every live row is the board's, and the board's is a live row."""
    assert_same_items(connection, board)
    assert_same_notes(connection, board)
    assert_same_people(connection, board)


def assert_same_items(connection, board):
    things = {key: row for kind in READ for key, row in board.rows(kind).items()}
    items = {item.external_id: item for item in live(ProductItem, connection)}
    assert set(items) == set(things)
    for key, row in things.items():
        item, fields = items[key], row["fields"]
        status, health = fields.get("status") or {}, fields.get("health") or {}
        frame = fields.get("timeframe") or {}
        assert item.kind == KINDS.get(row["type"], row["type"])
        assert (item.name, item.status) == (fields["name"], status.get("name", ""))
        assert (item.health, item.is_archived) == (health.get("status", ""), bool(fields.get("archived")))
        assert str(item.ends_on or "") == (frame.get("endDate") or "")
        assert item.owner_ref == (fields.get("owner") or {}).get("id", "")
        assert item.metric_current == (fields.get("progress") or {}).get("currentValue")
        assert item.parent_ref == next((to for kind, to in sorted(row["_ties"]) if kind == "parent"), "")
        assert item.numbers == {name: fields[name] for name in (board.effort_field,) if name in fields}
        assert item.outside_urls == [fields[name] for name in (board.linear_field,) if name in fields]
        assert item.edited_at == datetime.fromisoformat(row["updatedAt"])
    assert {(one.kind, one.ref): one.name for one in live(ProductField, connection)} == {
        (KINDS.get(kind, kind), key): field["name"]
        for kind in READ
        for key, field in board.configurations[kind]["fields"].items()
        if "-" in key  # an id of a field that somebody made
    }
    ties = {f"{key}:{kind}:{to}" for key, row in things.items() for kind, to in row["_ties"] if kind != "parent"}
    assert ids(ProductLink, connection) == ties


def assert_same_notes(connection, board):
    notes = {note.external_id: note for note in live(Feedback, connection)}
    assert set(notes) == set(board.rows("note"))
    for key, row in board.rows("note").items():
        fields, note = row["fields"], notes[key]
        assert (note.is_processed, note.is_archived) == (fields["processed"], bool(fields.get("archived")))
        assert note.customer_ref == next((to for kind, to in row["_ties"] if kind == "customer"), "")
    links = {f"{key}:{to}" for key, row in board.rows("note").items() for kind, to in row["_ties"] if kind == "link"}
    assert ids(FeedbackLink, connection) == links


def assert_same_people(connection, board):
    members = board.rows("member")
    accounts = {one.external_id: one for one in live(PersonAccount, connection)}
    assert {key: one.email for key, one in accounts.items()} == {
        key: row["fields"]["email"].lower() for key, row in members.items()
    }
    for key, row in members.items():
        assert accounts[key].is_active == (not row["fields"]["disabled"] and not row["fields"]["invitationPending"])
    assert ids(WorkTeam, connection) == set(board.rows("team"))
    assert ids(WorkTeamMember, connection) == {
        f"{team}:{key}" for key, row in members.items() for team in row["_teams"]
    }
    days = {f"{row['memberId']}:{row['date']}": row["activeFlag"] for row in board.days.values()}
    assert dict(live(AccountDay, connection).values_list("external_id", "is_active")) == days
