"""Notion's side of a company: pages that people write and lose, properties they rename, accounts that come and go."""

import itertools

from connectors.base import FailureClass as Why
from connectors.models import SourceMapping
from connectors.sandbox.notion.asking import Token
from connectors.sandbox.notion.wire import TOKEN
from connectors.sandbox.notion.workspace import prop
from tests.connectors.side import AT_ONCE, Side

from .truth import assert_same

TITLE = {"path": "results.properties.Interview.title.plain_text"}
FEWEST = 8  # pages that nobody takes away
OF_STREAM = {Why.SCOPE_MISSING, Why.STREAM_UNAVAILABLE}


class NotionSide(Side):
    service, label, secret = "notion", "Notion", TOKEN
    operations = {
        "users": {"Users"},
        "data_sources": {"Search", "DataSource"},
        "pages": {"Query", "PropertyItem"},
    }
    struck = ("Users", "Search", "Query", "PropertyItem")
    spoilt = "Query"
    params = {
        "field_missing": {"path": "results.created_time"},
        "field_renamed": {"path": "results.created_time", "to": "made"},
        "type_changed": {"path": "results.properties", "value": []},
        "new_enum": {"path": "results.properties.Status.type"},
        "big_string": TITLE,
        "strange_text": TITLE,
    }
    overrides = {
        "forbidden": OF_STREAM,
        "feature": OF_STREAM,  # a plan's refusal reads like a right that is missing
        "partial": {Why.BAD_PAYLOAD, Why.SCHEMA_DRIFT},  # Notion has no errors beside data: the hole is all there is
    }
    at_once = AT_ONCE - {"rejected"}  # the code of a cursor that expired: the list is begun again

    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.space = self.wire.workspace
        self.insights, self.source = self.space.sources.values()
        self.names = itertools.count()
        SourceMapping.objects.create(
            connection=self.connection, source_ref=self.source["id"], meaning="documents", fields={}, names={},
            held=[], asked_at=self.world.clock.now(),
        )  # fmt: skip

    def one(self, place):
        keys = list(self.space.by_source[self.source["id"]])
        return keys[place % len(keys)]

    def change(self, draw):
        acts = (self.write, self.write, self.edit, self.edit, self.relate, self.redraw, self.put_away, self.move_people)
        draw.choice(acts)(draw, draw.randrange(10**6))

    def write(self, _draw, number):
        self.space.add_page(self.source["id"], {"title": f"New {number}"})

    def edit(self, draw, number):
        self.space.edit_page(self.one(number), {"title": f"Title {number}"}, quiet=draw.random() < 0.2)

    def relate(self, _draw, number):
        """Tie a page to more others than an answer shows at once."""
        if "a%3Ai" in self.source["properties"]:
            new = [self.space.add_page(self.insights["id"], {"title": f"{n}"})["id"] for n in range(number % 40)]
            self.space.edit_page(self.one(number), {"a%3Ai": new})

    def redraw(self, draw, number):
        keys = [key for key in self.source["properties"] if key != "title"]
        how = draw.choice(("rename", "remove", "add"))
        if how == "add" or not keys:
            key = f"n%3A{next(self.names)}"
            self.source["properties"][key] = prop(key, f"Name {next(self.names)}", "number")
        elif how == "rename":
            self.space.rename_property(self.source["id"], keys[number % len(keys)], f"Name {next(self.names)}")
        else:
            self.space.remove_property(self.source["id"], keys[number % len(keys)])

    def put_away(self, draw, number):
        how = draw.choice(("trash", "restore", "share", "delete", "unshare"))
        if how in ("delete", "unshare"):
            if len(self.space.by_source[self.source["id"]]) < FEWEST:
                return
            self.lost += 1
        getattr(self.space, how)(self.one(number))

    def move_people(self, draw, number):
        if draw.random() < 0.5 and len(self.space.users) > 4:
            self.lost += 1
            self.space.remove_user(list(self.space.users)[-1])
        else:
            self.space.add_user(f"new{number}@shop.example", f"New {number}")

    def grant(self, secret):
        self.wire.tokens[secret] = Token()

    def assert_same(self):
        assert_same(self, {self.source["id"]})
