"""Productboard's side of a company: features that people edit, tie and delete, notes they process, seats they take."""

from connectors.base import FailureClass as Why
from connectors.sandbox.productboard.wire import SCOPES, TOKEN
from connectors.services.productboard import TYPES
from tests.connectors.side import AT_ONCE, Side

from .truth import assert_same

KINDS = ("feature", "objective", "subfeature", "note")
OPERATIONS = {stream: {f"search {kind}", f"list {kind}"} for stream, kind in TYPES.items()} | {
    "notes": {"notes"},
    "members": {"members"},
    "teams": {"teams", "teams members"},
    "configurations": {"entities configurations", "notes configurations"},
    "member_activities": {"member-activities"},
}
NAME = {"path": "data.fields.name"}


class ProductboardSide(Side):
    service, label, secret = "productboard", "Productboard", TOKEN
    operations = OPERATIONS
    struck = ("search feature", "list feature", "list objective", "notes", "members", "teams",
              "entities configurations", "member-activities")  # fmt: skip
    spoilt = "list feature"
    params = {
        "field_missing": {"path": "data.createdAt"},
        "field_renamed": {"path": "data.fields", "to": "values"},
        "type_changed": {"path": "data.fields.status", "value": "open"},
        "new_enum": {"path": "data.fields.health.status"},
        "big_string": NAME,
        "strange_text": NAME,
    }
    overrides = {"forbidden": {Why.SCOPE_MISSING, Why.STREAM_UNAVAILABLE}}
    at_once = AT_ONCE - {"rejected"}  # the code of a cursor that expired: the list is begun again

    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.board = self.wire.board
        self.gone = []
        for place in range(8):
            self.board.add("feature", f"Feature {place}", status="Candidate")

    def one(self, kind, number):
        rows = list(self.board.rows(kind).values())
        return rows[number % len(rows)] if rows else None

    def change(self, draw):
        acts = (self.edit, self.edit, self.make, self.tie, self.delete_or_bring_back, self.move_people)
        draw.choice(acts)(draw, draw.randrange(10**6))

    def edit(self, draw, number):
        kind = draw.choice(KINDS)
        row = self.one(kind, number)
        if row and kind == "note":
            self.board.edit(row["id"], processed=number % 2 == 0, archived=number % 5 == 0)
        elif row:
            changes = ({"status": "Delivered"}, {"health": {"status": "offTrack"}}, {"name": f"Name {number}"},
                       {"owner": None}, {"archived": True}, {"timeframe": {"endDate": "2026-09-30"}},
                       {self.board.effort_field: number % 50})  # fmt: skip
            self.board.edit(row["id"], quiet=number % 7 == 0, **draw.choice(changes))

    def make(self, draw, number):
        kind = draw.choice(KINDS)
        if kind == "note":
            self.board.add_note(f"Note {number}")
        else:
            self.board.add(kind, f"New {number}", status="New idea")

    def tie(self, draw, number):
        row, target = self.one(draw.choice(KINDS), number), self.one("feature", number // 3)
        if row and target and row["id"] != target["id"]:
            draw.choice((self.board.tie, self.board.tie, self.board.untie))(row["id"], "link", target["id"])

    def delete_or_bring_back(self, draw, number):
        if self.gone and draw.random() < 0.5:
            self.board.bring_back(self.gone.pop())
        elif len(self.board.rows("feature")) > 3:
            self.lost += 1
            self.gone.append(self.board.delete(self.one("feature", number)["id"]))

    def move_people(self, draw, number):
        member, team = self.one("member", number), self.one("team", number)
        self.board.edit(member["id"], disabled=number % 2 == 0)
        if draw.random() < 0.7:
            self.board.join_team(member["id"], team["id"])
        else:
            self.lost += 1
            self.board.leave_team(member["id"], team["id"])
        self.board.be_active(member["id"], self.board.clock.now().date(), boardsOpened=number % 4)

    def grant(self, secret):
        self.wire.grant(secret, SCOPES)

    def assert_same(self):
        assert_same(self.connection, self.board)
