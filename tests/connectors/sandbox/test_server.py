"""The control endpoint, the webhooks and the command."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.life import demo_world
from connectors.sandbox.linear import KEY
from connectors.sandbox.server import serve
from connectors.sandbox.webhooks import sign

from .conftest import Client

ROOT = Path(__file__).parents[3]
HOUR = timedelta(hours=1)


# --- control


def test_the_clock_is_set_and_moved(client):
    assert client.control("clock", now="2026-05-01T10:00:00Z")[1]["now"] == "2026-05-01T10:00:00.000Z"
    assert client.control("clock", advance_seconds=90)[1]["now"] == "2026-05-01T10:01:30.000Z"
    assert client.control("clock", now=None)[1]["follows_real_time"] is True


def test_faults_are_written_and_cleared(client):
    client.control("faults", add=[{"action": "status", "params": {"status": 502}, "count": None}])
    down = client.ask("{ viewer { id } }")[0]
    client.control("faults", clear=True)

    assert down == 502
    assert client.ask("{ viewer { id } }")[0] == 200


def test_the_world_is_changed_and_read(client, team):
    given = {"team_id": team["id"], "title": "By control", "at": "2026-03-02T08:00:00Z"}
    status, issue = client.control("mutate", **{"do": "create_issue", "with": given})
    client.control("mutate", **{"do": "edit_issue", "with": {"key": issue["id"], "state": "Done"}})

    assert status == 200 and issue["createdAt"] == "2026-03-02T08:00:00.000Z"
    truth = client.control("truth")[1]
    assert truth["Issue"][issue["id"]]["completedAt"]
    assert client.control("counts")[1]["Issue"] == 1


def test_requests_are_remembered(client):
    client.ask("query Who { viewer { id } }", operation="Who")

    (line,) = client.control("log", clear=True)[1]["requests"]
    assert (line["operation"], line["status"], line["points"]) == ("Who", 200, 2)
    assert client.control("log")[1]["requests"] == []


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("nothing", {}, 404),
        ("mutate", {"do": "lock"}, 404),
        ("mutate", {"do": "edit_issue", "with": {"key": "nobody"}}, 404),
        ("mutate", {"do": "create_issue", "with": {"title": "no team"}}, 400),
        ("mutate", {}, 400),
        ("clock", {"now": "noon"}, 400),
        ("faults", {"add": [{"action": "gremlins"}]}, 400),
    ],
)
def test_nonsense_to_the_control_is_said(client, path, asked, status):
    got, answer = client.control(path, **asked)

    assert got == status and answer["error"]


def test_what_is_no_json_or_no_place_is_refused(client):
    assert client.send("/_control/clock", "no json")[0] == 400
    assert client.send("/graphql", "no json", {"Authorization": KEY})[0] == 400
    assert client.send("/elsewhere", "{}")[0] == 404
    assert client.send("/", None, method="GET")[0] == 404
    assert client.send("/_control/health", None, method="GET")[0] == 200


def test_a_living_world_moves_with_the_clock():
    world, life = demo_world(Clock(datetime(2026, 3, 10, 12, tzinfo=UTC)))
    with serve(world, life=life) as sandbox:
        client = Client(sandbox.url)
        before = client.control("counts")[1]["Issue"]
        client.control("clock", advance_seconds=3 * 86_400)

        assert client.control("counts")[1]["Issue"] > before


def test_many_readers_at_once_see_whole_answers(sandbox, client, world, team):
    keys = [world.create_issue(team["id"], f"Issue {number}")["id"] for number in range(100)]
    query = "{ issues(first: 100, orderBy: updatedAt) { nodes { id } } }"
    wrong = []

    def read():
        for _ in range(15):
            if {node["id"] for node in client.data(query)["issues"]["nodes"]} != set(keys):
                wrong.append(1)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for key in keys:
        world.clock.advance(timedelta(seconds=1))
        world.edit_issue(key, title="Edited")
    for reader in readers:
        reader.join()

    assert wrong == []


# --- webhooks


@pytest.fixture
def receiver():
    """An address that keeps what it gets; `statuses` are its next answers, then 200."""
    got, statuses = [], []

    class Receiver(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.got, server.statuses = got, statuses
    server.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/linear/abc"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_change_is_signed_stamped_and_sent(sandbox, world, team, receiver):
    issue = world.create_issue(team["id"], "Before anyone listened")
    sandbox.hooks.register(receiver.url, "s3cret")
    world.clock.advance(HOUR)
    world.edit_issue(issue["id"], title="After", state="Todo")
    sandbox.tick()

    ((headers, body),) = receiver.got
    payload = json.loads(body)
    assert headers["linear-signature"] == sign("s3cret", body)
    assert headers["linear-event"] == "Issue" and len(headers["linear-delivery"]) == 36
    assert (payload["action"], payload["type"], payload["data"]["title"]) == ("update", "Issue", "After")
    assert payload["updatedFrom"]["title"] == "Before anyone listened"
    assert payload["webhookTimestamp"] == world.clock.now().timestamp() * 1000
    assert not [name for name in payload["data"] if name.startswith("_")]


def test_a_failed_delivery_is_tried_after_a_minute_an_hour_and_six_hours(sandbox, world, team, receiver):
    hook = sandbox.hooks.register(receiver.url, "s")
    receiver.statuses += [500, 500, 503, 500]
    world.create_issue(team["id"], "Hear me")
    tries = []
    for wait in (timedelta(), timedelta(seconds=59), timedelta(seconds=1), HOUR, 6 * HOUR, 24 * HOUR):
        sandbox.advance(wait)
        tries.append(len(receiver.got))

    assert tries == [1, 1, 2, 3, 4, 4]
    assert not hook.is_enabled
    assert len({headers["linear-delivery"] for headers, _body in receiver.got}) == 1
    world.create_issue(team["id"], "Nobody listens")
    assert sandbox.hooks.waiting == []


def test_a_deletion_is_told(sandbox, world, team, receiver):
    issue = world.create_issue(team["id"], "Gone soon")
    sandbox.hooks.register(receiver.url, "s")
    world.delete("Issue", issue["id"])
    sandbox.tick()

    assert json.loads(receiver.got[0][1])["action"] == "remove"


# --- the command


@pytest.mark.slow
def test_the_command_serves_until_it_is_told_to_end(tmp_path):
    tasks = tmp_path / "tasks.csv"
    tasks.write_text("id,project,created_date,finished_date\nA-1,0,2015-02-05,2015-02-09\n")
    command = [sys.executable, "manage.py", "sandbox", "--port", "0", "--history", str(tasks)]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = child.stdout.readline()
        url = line.split(" at ")[1].split("/graphql")[0]
        data = Client(url).data("{ issues { nodes { title } } }")
    finally:
        child.send_signal(signal.SIGTERM)
        code = child.wait(timeout=20)
        child.stdout.close()

    assert "1 issues" in line and KEY in line
    assert data == {"issues": {"nodes": [{"title": "A-1"}]}}
    assert code == 0


# --- compression


def test_an_answer_is_compressed_for_a_client_that_takes_it(sandbox, client):
    query = {"query": "{ workflowStates(first: 250) { nodes { id name type team { id name } } } }"}
    headers = {"Authorization": KEY, "Content-Type": "application/json"}

    _status, plain_headers, plain = client.send("/graphql", json.dumps(query), headers)
    _status, packed_headers, packed = client.send(
        "/graphql", json.dumps(query), headers | {"Accept-Encoding": "gzip, br"}
    )

    assert "content-encoding" not in plain_headers
    assert packed_headers["content-encoding"] == "gzip" and len(packed) < len(plain) / 3
    assert gzip.decompress(packed) == plain
