"""The sandbox as a server: one process, real sockets, a control endpoint for tests and the demo."""

import gzip
import json
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, cast

from .clock import Clock, moment, text
from .faults import ACTIONS, Fault
from .life import Life
from .linear import LinearWire
from .webhooks import LinearWebhooks, Webhooks
from .wires import Reply, Wire
from .world import NotThere, Row, World

LARGEST_BODY = 1024 * 1024
WORTH_PACKING, GZIP_LEVEL = 1024, 6  # bytes; zlib's own default
LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})


class Sandbox:
    """A world and its front ends, as the server and the tests see it.

    `world` is what is true, `clock` its time, `wires` its front ends by name (keys, budgets, `faults`, request
    `log`), of which `linear` is always there; `hooks` are Linear's webhooks, `senders` those of all wires that have
    any. `url` is the base address once it is served; each wire answers below it at paths of its own, Linear at
    `<url>/graphql`. `mistakes` are the sandbox's own: requests that it broke down over, which no fault explains.
    """

    def __init__(self, world: World, *, life: Life | None = None, wires: Iterable[Wire] = (), **linear: Any) -> None:
        self.world = world
        self.life = life
        self.linear = LinearWire(world, **linear)
        every: list[Wire] = [self.linear, *wires]
        if life is not None:
            every += [department.wire for department in life.departments]
        self.wires = {wire.name: wire for wire in every}
        self.hooks = LinearWebhooks(world)
        self.senders: dict[str, Webhooks] = {"linear": self.hooks}
        for wire in self.wires.values():
            if isinstance(sender := getattr(wire, "hooks", None), Webhooks):
                self.senders[wire.name] = sender
        self.url = ""
        self.mistakes: list[str] = []

    @property
    def clock(self) -> Clock:
        return self.world.clock

    def tick(self) -> None:
        """Let the world live up to the clock, and send the webhooks that are due."""
        if self.life is not None:
            with self.world.lock:
                self.life.advance()
        for sender in self.senders.values():
            sender.deliver_due()

    def advance(self, by: timedelta) -> None:
        """Move the clock on, and let the world live up to it."""
        self.clock.advance(by)
        self.tick()

    def fail(
        self, action: str, operation: str | None = None, *, wire: str = "linear", count: int | None = 1,
        skip: int = 0, **params: Any,
    ) -> Fault:  # fmt: skip
        """Make an answer of a wire go wrong; see `faults.ACTIONS`."""
        return self.wires[wire].faults.add(Fault(action, operation, count, skip, params))

    def wire_at(self, path: str) -> Wire | None:
        """Return the wire that answers a path, None where nobody does."""
        return next((wire for wire in self.wires.values() if path.startswith(wire.paths)), None)

    # --- the control endpoint

    def control(self, path: str, asked: Row) -> Any:
        """Answer `/_control/<path>`. Raises ValueError, TypeError or NotThere for nonsense."""
        answers: Mapping[str, Callable[[Row], Any]] = {
            "health": lambda _asked: {"ok": True},
            "clock": self._set_clock,
            "faults": self._set_faults,
            "mutate": self._mutate,
            "truth": lambda asked: self._wire(asked).truth(),
            "counts": lambda asked: self._wire(asked).counts(),
            "log": self._read_log,
            "hooks": self._set_hooks,
            "revoke": lambda asked: self._wire(asked).revoke(str(asked["secret"])),
        }
        if path not in answers:
            raise NotThere(path)
        return answers[path](asked)

    def _wire(self, asked: Row) -> Wire:
        """Return the wire that is meant: Linear's, if nothing is said."""
        name = str(asked.get("wire", "linear"))
        if name not in self.wires:
            raise NotThere(f"wire {name}")
        return self.wires[name]

    def _set_clock(self, asked: Row) -> Row:
        if "now" in asked:
            self.clock.set(moment(str(asked["now"])) if asked["now"] else None)
        if "advance_seconds" in asked:
            self.clock.advance(timedelta(seconds=float(asked["advance_seconds"])))
        self.tick()
        return {"now": text(self.clock.now()), "follows_real_time": self.clock.follows_real_time}

    def _set_faults(self, asked: Row) -> Row:
        script = self._wire(asked).faults
        if asked.get("clear"):
            script.clear()
        for fault in asked.get("add", ()):
            script.add(Fault(**fault))
        return {"faults": [asdict(fault) for fault in script.faults], "actions": dict(ACTIONS)}

    def _mutate(self, asked: Row) -> Any:
        given = {key: moment(value) if key in {"at", "starts_at", "ends_at"} else value
                 for key, value in asked.get("with", {}).items()}  # fmt: skip
        return self._wire(asked).change(str(asked["do"]), given)

    def _read_log(self, asked: Row) -> Row:
        log = self._wire(asked).log
        seen = [asdict(line) for line in log]
        if asked.get("clear"):
            log.clear()
        return {"requests": seen}

    def _set_hooks(self, asked: Row) -> Row:
        name = str(asked.get("wire", "linear"))
        if name not in self.senders:
            raise NotThere(f"webhooks of {name}")
        sender = self.senders[name]
        if "url" in asked:
            sender.register(str(asked["url"]), str(asked.get("secret", "")))
        if "confirm" in asked:
            sender.confirm(sender.hooks[-1], str(asked["confirm"]))
        return {"hooks": [asdict(hook) for hook in sender.hooks], "waiting": len(sender.waiting)}


class Server(ThreadingHTTPServer):
    """A thread for each connection, as many as come."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            self.sandbox.mistakes.append(traceback.format_exc(limit=-2))
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Takes requests from the socket and spoils answers on their way where a fault says so."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "sandbox"

    @property
    def sandbox(self) -> Sandbox:
        return cast(Server, self.server).sandbox

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the request log is at `/_control/log`."""

    def do_GET(self) -> None:
        if self.path.startswith("/_control/"):
            self._control({})
        else:
            self._answer(b"")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            self._send(Reply(413, b"", {}))
            return
        body = self.rfile.read(length)
        if self.path.startswith("/_control/"):
            try:
                asked = json.loads(body or b"{}")
            except ValueError:
                asked = None
            if isinstance(asked, dict):
                self._control(asked)
            else:
                self._send(Reply(400, b'{"error":"a JSON object is needed"}', {"Content-Type": "application/json"}))
            return
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        sandbox = self.sandbox
        wire = sandbox.wire_at(self.path)
        if wire is None:
            self._send(Reply(404, b"", {}))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        with sandbox.world.lock:
            if sandbox.life is not None:
                sandbox.life.advance()
            reply = wire.answer(self.command, self.path, headers, body)
        self._send(reply)

    def _control(self, asked: Row) -> None:
        if self.client_address[0] not in LOOPBACK:
            self._send(Reply(403, b"", {}))
            return
        path = self.path.removeprefix("/_control/").strip("/")
        try:
            # These send to receivers that may ask back: they must not hold the lock
            with nullcontext() if path in {"clock", "hooks"} else self.sandbox.world.lock:
                status, answer = 200, self.sandbox.control(path, asked)
        except NotThere as error:
            status, answer = 404, {"error": f"not there: {error}"}
        except (ValueError, TypeError, KeyError) as error:
            status, answer = 400, {"error": f"{type(error).__name__}: {error}"}
        body = json.dumps(answer, default=str, ensure_ascii=False).encode()
        self._send(Reply(status, body, {"Content-Type": "application/json; charset=utf-8"}))

    # --- on the wire

    def _send(self, reply: Reply) -> None:
        fault = reply.fault
        action = fault.action if fault else ""
        if action == "reset_before":
            self._reset()
            return
        body, headers = _packed(*_spoiled(action, reply), accepted=self.headers.get("Accept-Encoding", ""))
        head = [f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('',))[0]}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        head += [f"Content-Length: {len(body)}", f"Date: {self.date_time_string()}", "Server: sandbox", "", ""]
        start = "\r\n".join(head).encode("latin-1")
        if action == "slow" and fault:
            time.sleep(float(fault.params.get("seconds", 30)))
        if action == "reset_inside":
            self.wfile.write(start + body[: len(body) // 2])
            time.sleep(0.05)  # so that the first half arrives before the reset
            self._reset()
        elif action == "trickle" and fault:
            self._trickle(start, body, float(fault.params.get("seconds", 30)))
        else:
            self.wfile.write(start + body)  # one write: no waiting for the other side's acknowledgement

    def _trickle(self, start: bytes, body: bytes, seconds: float) -> None:
        self.wfile.write(start)
        drops = 30
        size = max(1, -(-len(body) // drops))
        for place in range(0, len(body), size):
            time.sleep(seconds / drops)
            self.wfile.write(body[place : place + size])

    def _reset(self) -> None:
        """Close so that the other side gets a reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        # The file objects hold the socket open, too
        self.rfile.close()
        self.connection.close()


def _spoiled(action: str, reply: Reply) -> tuple[bytes, dict[str, str]]:
    body, headers = reply.body, dict(reply.headers)
    if action == "truncated":
        body = body[: len(body) // 2]
    elif action == "empty":
        body = b""
    elif action == "not_an_object":
        body = b"[1,2,3]"
    elif action == "content_type":
        headers["Content-Type"] = "text/html; charset=utf-8"
    elif action == "gzip_garbage":
        headers["Content-Encoding"] = "gzip"
        body = b"\x1f\x8b\x08\x00this is no gzip stream at all"
    return body, headers


def _packed(body: bytes, headers: dict[str, str], *, accepted: str) -> tuple[bytes, dict[str, str]]:
    """Compress an answer for a client that takes it so, as the tools' own servers do."""
    if "gzip" not in accepted or "Content-Encoding" in headers or len(body) < WORTH_PACKING:
        return body, headers
    return gzip.compress(body, GZIP_LEVEL, mtime=0), {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


@contextmanager
def serve(
    world: World, port: int = 0, *, host: str = "127.0.0.1", life: Life | None = None, ticks_every: float | None = None,
    wires: Iterable[Wire] = (), **linear: Any,
) -> Iterator[Sandbox]:  # fmt: skip
    """Serve a world over HTTP from a thread of this process, until the block ends.

        world = small_world()                       # or demo_world(), history_world(path), World()
        with serve(world) as sandbox:
            url, key = sandbox.url, KEY             # "http://127.0.0.1:54321", POST <url>/graphql
            issue = world.create_issue(team_id, "Pay by card")
            sandbox.fail("limited", "IssuesWindow", count=2)       # faults.ACTIONS lists them all
            sandbox.advance(timedelta(days=1))      # the clock, and with it budgets, webhooks and life
            assert sandbox.linear.log[-1].operation == "IssuesWindow"
            assert world.truth()["Issue"].keys() == …              # what a faithful reader must hold

    Port 0 takes a free one. The personal key `linear.KEY` ("lin_api_sandbox", sent bare) and the OAuth token
    `linear.TOKEN` (sent behind `Bearer`) are known from the start; `sandbox.linear.keys` maps each to an e-mail
    of the world, None being its first admin. `sandbox.linear.revoke(key)` ends one.

    `wires` are front ends beside Linear's; those of the life's departments are there by themselves.
    `linear` goes to `LinearWire`: `request_limit`, `point_limit` (both per hour; give large ones to a test that is
    not about budgets and keeps the clock still: nothing refills then), `validation_status` (400 or 500).
    `life` lets a demo world live on up to its clock before each answer; without it nothing moves by itself.
    `ticks_every` seconds, also when nobody asks, life goes on and webhooks are sent.

    Safe from several threads and processes: the world's methods and each answer take `world.lock`. A test process
    that is killed takes the server along, for it is a daemon thread; a sandbox that must outlive a worker runs in
    the test's own process or by `manage.py sandbox`.
    """
    sandbox = Sandbox(world, life=life, wires=wires, **linear)
    server = Server((host, port), sandbox)
    sandbox.url = f"http://{host}:{server.server_address[1]}"
    stop = Event()
    threads = [Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)]
    if ticks_every is not None:
        threads.append(Thread(target=_tick, args=(sandbox, stop, ticks_every), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield sandbox
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join(timeout=10)


def _tick(sandbox: Sandbox, stop: Event, seconds: float) -> None:
    while not stop.wait(seconds):
        sandbox.tick()
