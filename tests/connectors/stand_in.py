"""A stand-in source on a real socket: a small world, and faults on demand."""

import itertools
import json
import socket
import threading
import time
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NOW = datetime.now(UTC).replace(microsecond=0)


def stamp(moment):
    return moment.astimezone(UTC).isoformat()


def person(number, **fields):
    return {
        "id": f"p{number}", "name": f"Person {number}", "email": f"person{number}@ardoise.example", "active": True,
        "updatedAt": stamp(NOW - timedelta(days=3)), **fields,
    }  # fmt: skip


def issue(number, *, updated=None, **fields):
    created = NOW - timedelta(days=20, minutes=number)
    begun = stamp(created + timedelta(days=1))
    return {
        "id": f"i{number}", "title": f"Issue {number}", "state": "started", "createdAt": stamp(created),
        "updatedAt": stamp(updated or created + timedelta(days=1)),
        "spans": [
            {"id": f"i{number}-s0", "state": "todo", "start": stamp(created), "end": begun},
            {"id": f"i{number}-s1", "state": "doing", "start": begun, "end": None},
        ],
        **fields,
    }  # fmt: skip


class World:
    """What the source holds; `fault(path, number)` may answer in place of it."""

    def __init__(self, people=3, issues=25):
        self.people = {row["id"]: row for row in (person(n) for n in range(people))}
        self.issues = {row["id"]: row for row in (issue(n) for n in range(issues))}
        self.requests = []
        self.fault = None
        self.delay = 0.0
        self.secret = None
        self.token_salt = ""
        self.lock = threading.Lock()

    def answer(self, path, query):
        if path == "/me":
            return {"name": "Robot", "workspace": "Toys"}
        if path.startswith("/spans/"):
            return {"spans": [], "more": None}
        rows = list(getattr(self, path.strip("/")).values())
        size = int(query.get("size", "10"))
        if "from" in query:
            start, end = datetime.fromisoformat(query["from"]), datetime.fromisoformat(query["to"])
            rows = [row for row in rows if start <= datetime.fromisoformat(row["updatedAt"]) < end]
        rows.sort(key=lambda row: (row["updatedAt"], row["id"]), reverse=True)
        if query.get("ids"):
            rows = [{"id": row["id"], "updatedAt": row["updatedAt"]} for row in rows]
        token = query.get("token", "")
        if token:
            salt, _, place = token.rpartition(":")
            if salt != self.token_salt:
                return 400, {"code": "BAD_TOKEN"}
            at = int(place)
        else:
            at = 0
        more = f"{self.token_salt}:{at + size}" if at + size < len(rows) else None
        return {"rows": rows[at : at + size], "next": more}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        world = self.server.world
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        with world.lock:
            world.requests.append((parts.path, query))
            number = len(world.requests)
        if world.delay:
            time.sleep(world.delay)
        if world.secret is not None and self.headers.get("Authorization") != world.secret:
            return self.reply(401, b'{"code": "UNAUTHORIZED"}')
        if world.fault is not None and world.fault(self, parts.path, number):
            return None
        with world.lock:
            answer = world.answer(parts.path, query)
        status, payload = answer if isinstance(answer, tuple) else (200, answer)
        return self.reply(status, json.dumps(payload).encode())

    def reply(self, status, body, headers=(), length=None):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if "Content-Type" not in dict(headers):
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away is part of the game."""


class StandIn:
    """Serves a world; use as a context manager."""

    def __init__(self, world=None):
        self.world = world or World()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.world = self.world
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


# Faults. Each is a function of (handler, path, number of the request); True means that it has answered.


def status(code, body=b"{}", headers=()):
    def fault(handler, path, number):
        handler.reply(code, body, headers)
        return True

    return fault


def reset(handler, path, number):
    """Close without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True
    return True


def cut_inside(handler, path, number):
    """Promise more bytes than are sent."""
    handler.reply(200, b'{"rows": [', length=1000)
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True
    return True


@cache
def bomb(megabytes=100):
    """Pack a very long body without ever holding it."""
    pack = zlib.compressobj(9, wbits=31)
    return b"".join([*(pack.compress(bytes(1_000_000)) for _ in range(megabytes)), pack.flush()])


def gzip_bomb(handler, path, number):
    handler.reply(200, bomb(), {"Content-Encoding": "gzip"})
    return True


def endless_body(handler, path, number):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    piece = b" " * 65536
    try:
        for _ in range(2000):
            handler.wfile.write(piece)
    except OSError:
        pass
    return True


def trickle(handler, path, number):
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass
    handler.close_connection = True
    return True


def hang(handler, path, number):
    time.sleep(5)
    handler.close_connection = True
    return True


def never_ending_pages(handler, path, number):
    rows = [person(number % 3) if path == "/people" else issue(number)]
    handler.reply(200, json.dumps({"rows": rows, "next": f"n{number}"}).encode())
    return True


def same_token(handler, path, number):
    handler.reply(200, json.dumps({"rows": [person(number % 3)], "next": "again"}).encode())
    return True


def token_circle(handler, path, number):
    handler.reply(200, json.dumps({"rows": [person(number % 3)], "next": f"c{number % 5}"}).encode())
    return True


def empty_promises(handler, path, number):
    handler.reply(200, json.dumps({"rows": [], "next": f"e{number}"}).encode())
    return True


def first(times, fault, *, on=None):
    """Have only the first `times` requests (to path `on`) meet the fault."""
    left = itertools.count(times, -1)

    def limited(handler, path, number):
        return (on is None or path == on) and next(left) > 0 and fault(handler, path, number)

    return limited


def on(path_wanted, fault):
    def narrowed(handler, path, number):
        return path == path_wanted and fault(handler, path, number)

    return narrowed
