"""How the stand-ins of Productboard and Notion send webhooks: their retries, their losses, their first contact."""

import hashlib
import hmac
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.sandbox.history import small_world
from connectors.sandbox.notion.webhooks import GATHERED_FOR, NotionWebhooks
from connectors.sandbox.notion.workspace import Workspace, prop
from connectors.sandbox.productboard.board import small_board
from connectors.sandbox.productboard.webhooks import ProbeFailed, ProductboardWebhooks

MINUTE = timedelta(minutes=1)


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it gets; `statuses` are its next answers, then 200."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0]
        self.reply(200, token.encode() if self.server.echoes else b"what?")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body), body))
        self.reply(self.server.statuses.pop(0) if self.server.statuses else 200, b"")

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def receiver():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.statuses, server.echoes = [], [], True
    server.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/x/abc/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def board():
    return small_board(small_world())


@pytest.fixture
def space():
    made = Workspace(small_world())
    made.source_id = made.add_source("Insights", [prop("title", "Insight", "title")])["id"]
    return made


def wait(sender, by=timedelta()):
    sender.world.clock.advance(by)
    return sender.deliver_due()


def test_productboard_sends_back_the_value_with_links_of_v1(board, receiver):
    sender = ProductboardWebhooks(board)
    sender.register(receiver.url, "our value")
    feature, note = next(iter(board.rows("feature"))), next(iter(board.rows("note")))

    board.edit(feature, name="Renamed", quiet=True)
    board.tie(note, "link", feature)
    board.delete(next(iter(board.rows("component"))))
    board.delete(feature)
    wait(sender)

    told = [payload["data"] for _headers, payload, _body in receiver.got]
    assert {headers["authorization"] for headers, _payload, _body in receiver.got} == {"our value"}
    assert [one["eventType"] for one in told] == ["feature.updated", "insight.created", "feature.deleted"]
    assert told[0] == {
        "id": feature, "eventType": "feature.updated", "updatedAttributes": ["name"],
        "links": {"target": f"https://api.productboard.com/features/{feature}"},
    }  # fmt: skip
    assert "id" not in told[1] and set(told[1]["links"]) == {"feature", "note"}


def test_productboard_wants_its_token_back_first(board, receiver):
    receiver.echoes = False
    with pytest.raises(ProbeFailed):
        ProductboardWebhooks(board).register(receiver.url, "value")

    assert ProductboardWebhooks(board, probes=False).register(receiver.url, "value").is_enabled


def test_productboard_tries_again_eight_times_and_then_drops_it(board, receiver):
    sender = ProductboardWebhooks(board)
    hook = sender.register(receiver.url, "value")
    receiver.statuses += [500] * 9
    board.add("feature", "Hear me")
    tries = [wait(sender) and len(receiver.got)]
    for minutes in (1, 3, 9, 27, 81, 243, 729, 2187, 9999):
        assert wait(sender, timedelta(minutes=minutes) - timedelta(seconds=1)) == 0
        wait(sender, timedelta(seconds=1))
        tries.append(len(receiver.got))

    assert tries == [1, 2, 3, 4, 5, 6, 7, 8, 9, 9]
    assert hook.is_enabled and sender.waiting == []


def test_notion_sends_nothing_before_its_token_came_back(space, receiver):
    sender = NotionWebhooks(space, loses=0.0)
    hook = sender.register(receiver.url)
    space.add_page(space.source_id, {"title": "Too early"})
    assert wait(sender, GATHERED_FOR) == 0
    headers, payload, body = receiver.got[0]
    expected = hmac.new(payload["verification_token"].encode(), body, hashlib.sha256).hexdigest()

    assert headers["x-notion-signature"] == f"sha256={expected}"
    assert hook.answered == 200
    assert not sender.confirm(hook, "another token")
    assert sender.confirm(hook, payload["verification_token"])
    page = space.add_page(space.source_id, {"title": "Heard"})
    wait(sender, GATHERED_FOR)
    headers, payload, body = receiver.got[1]
    expected = hmac.new(hook.secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-notion-signature"] == f"sha256={expected}"
    assert (payload["type"], payload["entity"], payload["attempt_number"]) == (
        "page.created", {"id": page["id"], "type": "page"}, 1,
    )  # fmt: skip
    assert "Heard" not in body.decode()


@pytest.fixture
def subscribed(space, receiver):
    def make(**switches):
        sender = NotionWebhooks(space, **switches)
        hook = sender.register(receiver.url)
        sender.confirm(hook, hook.secret)
        receiver.got.clear()
        return sender

    return make


def test_notion_gathers_edits_of_a_minute(space, subscribed, receiver):
    sender = subscribed(loses=0.0)
    page = space.add_page(space.source_id, {"title": "One"})["id"]
    for number in range(5):
        space.edit_page(page, {"title": f"Edit {number}"})
    space.trash(page)

    assert wait(sender) == 0
    assert wait(sender, GATHERED_FOR) == 3
    assert {one["type"] for _h, one, _b in receiver.got} == {"page.created", "page.properties_updated", "page.deleted"}


def test_notion_tries_eight_times_and_counts_them(space, subscribed, receiver):
    sender = subscribed(loses=0.0)
    receiver.statuses += [503] * 20
    space.add_page(space.source_id, {"title": "One"})
    wait(sender, GATHERED_FOR)
    for _ in range(30):
        wait(sender, timedelta(hours=1))

    assert [one["attempt_number"] for _h, one, _b in receiver.got] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len({one["id"] for _h, one, _b in receiver.got}) == 1
    assert sender.hooks[0].is_enabled


def test_notion_loses_one_in_a_hundred_and_keeps_no_order(space, subscribed, receiver):
    sender = subscribed()
    keys = [space.add_page(space.source_id, {"title": f"{number}"})["id"] for number in range(400)]
    assert 1 <= len(sender.lost) <= 12
    sender.waiting = sender.waiting[:40]
    wait(sender, GATHERED_FOR)

    sent = [one["entity"]["id"] for _h, one, _b in receiver.got]
    assert sent != sorted(sent, key=keys.index)
    assert set(sent) == set([key for key in keys if key not in sender.lost][:40])


def test_the_control_endpoint_speaks_to_each_sender(receiver):
    from connectors.sandbox.productboard.wire import ProductboardWire
    from connectors.sandbox.server import Sandbox
    from connectors.sandbox.world import NotThere

    board = small_board(small_world())
    sandbox = Sandbox(board.world, wires=[ProductboardWire(board)])

    assert set(sandbox.senders) == {"linear", "productboard"}
    told = sandbox.control("hooks", {"wire": "productboard", "url": receiver.url, "secret": "value"})
    board.add("feature", "Told")
    assert told["hooks"][0]["url"] == receiver.url
    assert sandbox.control("hooks", {"wire": "productboard"})["waiting"] == 1
    with pytest.raises(NotThere):
        sandbox.control("hooks", {"wire": "nobody"})
