"""What a source can do to us, over a real socket: the run says what happened, nothing is lost."""

import gzip
import json
import re
import resource
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from connectors import budget, transport
from connectors import sync as rules
from connectors.base import FailureClass as Why
from connectors.models import Connection, PersonAccount, State, StreamState, WorkItem
from hub.jobs.work import TryLater
from tests.connectors import stand_in
from tests.connectors.stand_in import first, on, person, stamp, status

pytestmark = pytest.mark.django_db

HTML = b"<!doctype html><title>Just a moment</title>"
ROWS = json.dumps({"rows": [person(1)], "next": None}).encode()


def everywhere(fault):
    return on("/people", fault)


LASTING = {
    "401": (status(401), Why.AUTH_INVALID),
    "403": (status(403), Why.SCOPE_MISSING),
    "404": (status(404), Why.QUERY_REJECTED),
    "400 without JSON": (status(400, HTML), Why.BAD_PAYLOAD),
    "400 with a code": (status(400, b'{"code": "VALIDATION"}'), Why.QUERY_REJECTED),
    "redirect": (status(302, b"", {"Location": "http://127.0.0.1:1/"}), Why.SOURCE_MISBEHAVES),
    "500": (status(500), Why.SOURCE_DOWN),
    "502": (status(502, HTML), Why.SOURCE_DOWN),
    "503": (status(503), Why.SOURCE_DOWN),
    "504": (status(504), Why.SOURCE_DOWN),
    "520 of the edge": (status(520, HTML), Why.SOURCE_DOWN),
    "529": (status(529), Why.SOURCE_DOWN),
    "408": (status(408), Why.SOURCE_DOWN),
    "reset": (stand_in.reset, Why.SOURCE_DOWN),
    "reset inside the body": (stand_in.cut_inside, Why.SOURCE_DOWN),
    "truncated JSON": (status(200, ROWS[:-20]), Why.BAD_PAYLOAD),
    "HTML with 200": (status(200, HTML, {"Content-Type": "text/html"}), Why.BAD_PAYLOAD),
    "empty body": (status(200, b""), Why.BAD_PAYLOAD),
    "a list": (status(200, b"[]"), Why.BAD_PAYLOAD),
    "null": (status(200, b"null"), Why.BAD_PAYLOAD),
    "NaN": (status(200, b'{"rows": NaN}'), Why.BAD_PAYLOAD),
    "no rows": (status(200, b"{}"), Why.BAD_PAYLOAD),
    "deep JSON": (status(200, b'{"rows":' + b"[" * 200_000), Why.BAD_PAYLOAD),
    "not UTF-8": (status(200, b'{"rows": "\xff\xfe"}'), Why.BAD_PAYLOAD),
    "gzip garbage": (status(200, b"not gzip", {"Content-Encoding": "gzip"}), Why.BAD_PAYLOAD),
    "gzip cut": (status(200, gzip.compress(ROWS)[:-9], {"Content-Encoding": "gzip"}), Why.BAD_PAYLOAD),
    "gzip bomb": (stand_in.gzip_bomb, Why.BAD_PAYLOAD),
    "endless body": (stand_in.endless_body, Why.BAD_PAYLOAD),
    "strange encoding": (status(200, ROWS, {"Content-Encoding": "br"}), Why.BAD_PAYLOAD),
    "same token": (stand_in.same_token, Why.SOURCE_MISBEHAVES),
    "tokens in a circle": (stand_in.token_circle, Why.SOURCE_MISBEHAVES),
    "empty pages": (stand_in.empty_promises, Why.SOURCE_MISBEHAVES),
    "pages without end": (stand_in.never_ending_pages, Why.SOURCE_MISBEHAVES),
    "slow trickle": (stand_in.trickle, Why.SOURCE_SLOW),
    "hang": (stand_in.hang, Why.SOURCE_SLOW),
    "wrong shape": (status(200, json.dumps({"rows": [{"id": str(n)} for n in range(9)]}).encode()), Why.SCHEMA_DRIFT),
    "rows are no objects": (status(200, b'{"rows": [1, 2, 3, 4, 5]}'), Why.SCHEMA_DRIFT),
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The same limits, only shorter."""
    monkeypatch.setattr(transport, "READ_SECONDS", 1.0)
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 2.0)
    monkeypatch.setattr(transport, "TRIES", 3)
    monkeypatch.setattr(rules, "PAGES_PER_PASS", 30)


def peak():
    """Return the most memory that this process has held, in kB, since the peak was last forgotten."""
    told = Path("/proc/self/status")
    if not told.exists():  # not Linux: the peak of the whole life
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(re.search(r"VmHWM:\s+(\d+)", told.read_text())[1])


def forget_peak():
    """Let the peak begin anew, so that it tells of this test and not of what the process did before; return it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_fault_is_named_and_the_next_good_run_is_whole(name, sync, world, connection):
    fault, expected = LASTING[name]
    stand_in.bomb()  # packed beforehand: that takes its time
    sync()
    watermark = StreamState.objects.get(stream="issues").watermark
    world.people["p9"] = person(9)
    world.fault = everywhere(fault)
    before = forget_peak()

    run = sync()

    state = StreamState.objects.get(stream="people")
    assert (state.failure, run.streams.get(stream="people").state) == (expected, State.FAILED)
    assert state.last_success_at is not None
    assert StreamState.objects.get(stream="issues").watermark == watermark
    assert PersonAccount.objects.filter(external_id__in=["p0", "p1", "p2"], deleted_at=None).count() == 3
    world.fault = None
    Connection.objects.update(auth=Connection.Auth.OK)
    sync()
    accounts = PersonAccount.objects.filter(deleted_at=None)
    assert set(accounts.values_list("external_id", flat=True)) >= set(world.people)
    assert StreamState.objects.get(stream="people").failure == ""
    assert peak() - before < 256 * 1024


@pytest.mark.parametrize("name", ["500", "reset", "truncated JSON", "gzip garbage", "hang", "empty body", "502"])
def test_a_passing_fault_is_not_noticed(name, sync, world):
    world.fault = first(2, LASTING[name][0])

    run = sync()

    assert (run.state, run.failure) == (State.DONE, "")
    assert WorkItem.objects.count() == len(world.issues)


def test_a_token_revoked_half_way_keeps_what_is_there_and_asks_for_a_new_one(sync, world, connection):
    def revoke(handler, path, number):
        if path == "/issues" and "token" in handler.path:
            handler.reply(401, b"{}")
            return True
        return False

    world.fault = revoke

    run = sync()

    connection.refresh_from_db()
    assert (run.state, run.failure, connection.auth) == (State.PARTLY, Why.AUTH_INVALID, "needs_reauth")
    assert WorkItem.objects.count() == 10
    assert StreamState.objects.get(stream="issues").watermark is None


def test_a_limit_told_with_400_is_waited_for(sync, world):
    wait = json.dumps({"code": "RATELIMITED", "wait": 0.3}).encode()
    world.fault = first(1, status(400, wait))
    started = time.monotonic()

    run = sync()

    assert run.state == State.DONE
    assert time.monotonic() - started >= 0.3


def test_retry_after_is_honoured(sync, world):
    world.fault = first(1, status(429, b"{}", {"Retry-After": "1"}))
    started = time.monotonic()

    run = sync()

    assert run.state == State.DONE
    assert time.monotonic() - started >= 1


def test_a_long_wait_ends_the_task_and_is_written_down(sync, world, connection):
    wait = json.dumps({"code": "RATELIMITED", "wait": 1800}).encode()
    world.fault = first(1, status(400, wait), on="/issues")

    with pytest.raises(TryLater) as later:
        sync()

    connection.refresh_from_db()
    assert timedelta(minutes=29) < later.value.after <= timedelta(minutes=30)
    assert timedelta(minutes=29) < connection.pause_until - timezone.now() <= timedelta(minutes=30)
    assert connection.runs.get().state == State.RUNNING


def test_ten_failures_in_a_row_open_the_circuit(sync, world, connection, monkeypatch):
    monkeypatch.setattr(transport, "TRIES", 12)
    import stamina

    world.fault = status(503)

    with stamina.set_testing(True, attempts=12, cap=True), pytest.raises(TryLater) as later:
        sync()

    assert timedelta(minutes=14) < later.value.after <= timedelta(minutes=15)
    assert len(world.requests) == 10


def test_little_left_slows_down_and_next_to_nothing_pauses(sync, world):
    import json as js

    def nearly_used_up(handler, path, number):
        if path != "/people":
            return False
        headers = {"x-left": "0.01", "x-reset": str(time.time() + 0.6)}
        handler.reply(200, js.dumps({"rows": list(world.people.values()), "next": None}).encode(), headers)
        return True

    world.fault = nearly_used_up
    started = time.monotonic()

    sync()

    assert time.monotonic() - started >= 0.5


def test_without_redis_the_sync_goes_on_one_request_a_second(sync, world, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    waits = []
    monkeypatch.setattr(budget.Pace.__dataclass_fields__["sleep"], "default", waits.append)
    monkeypatch.setattr(budget.Pace, "_rest", lambda self, seconds: waits.append(seconds))

    run = sync()

    assert run.state == State.DONE
    assert sum(1 for wait in waits if wait > 0.5) >= len(world.requests) - 2


def test_a_stream_that_another_needs_holds_it_back(sync, world):
    world.fault = everywhere(status(403))

    run = sync()

    assert run.streams.get(stream="issues").state == State.SKIPPED
    assert run.state == State.FAILED


def test_edits_during_paging_are_not_lost(sync, world):
    def edit(handler, path, number):
        if path == "/issues" and "token" in handler.path:
            world.issues["i20"] |= {"title": "Edited meanwhile", "updatedAt": stamp(timezone.now())}
        return False

    world.fault = edit
    sync()
    world.fault = None

    sync()

    assert WorkItem.objects.get(external_id="i20").title == "Edited meanwhile"
    assert WorkItem.objects.count() == len(world.issues)


@pytest.mark.parametrize("odd", ["²", "9" * 5000, "-1", "soon", "Mon, 99 Nov 9999 99:99:99 GMT"])
def test_a_retry_after_that_makes_no_sense_is_passed_over(odd):
    assert transport.retry_after(transport.HttpAnswer(429, {"retry-after": odd}, b"")) is None
