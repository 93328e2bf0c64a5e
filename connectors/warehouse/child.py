"""The process in which a query runs: nothing of the hub is in it but the job on its standard input.

`reader.py` starts this file with `python -I` and an empty environment, so it holds no settings and no other secret. It
may write no file, start no program and connect to no address but those it was given; its parent kills it by the clock,
whatever the driver is doing. It imports nothing of the hub.
"""

import ipaddress
import json
import os
import re
import resource
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

MEMORY = 4 * 1024**3
LONGEST_CELL = 500
LARGEST_ANSWER = 16 * 1024**2  # characters
ROWS_AT_ONCE = 200
CONNECT_SECONDS = 5
PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn")
TOO_MIGHTY = (
    "pg_write_all_data", "pg_read_server_files", "pg_write_server_files", "pg_execute_server_program",
    "pg_signal_backend", "pg_create_subscription", "pg_maintain",
)  # fmt: skip
GRANT = re.compile(r"GRANT (?P<powers>.+?) ON (?P<place>\S+) TO ", re.IGNORECASE)
MYSQL_TOO_MIGHTY = {"ALL PRIVILEGES", "SUPER", "FILE", "SHUTDOWN", "RELOAD", "CREATE USER"}
MYSQL_WRITING = {"ALL PRIVILEGES", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "EXECUTE"}
ROLE = """
SELECT bool_or(rolsuper), bool_or(rolcreaterole AND rolname = current_user),
       string_agg(rolname, ', ') FILTER (WHERE rolname = ANY(%s)),
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^(pg_|information_schema$)'
          AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')"""

HELD: list[Any] = []
Job = dict[str, Any]
Found = dict[str, Any]


class Refused(Exception):
    """The database may be read, but not by us as we are. `kind` is a failure class of the hub."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def main() -> None:
    """Read the job, do it, write what came of it as one JSON object."""
    job: Job = json.loads(sys.stdin.buffer.read())
    confine(job)
    began = time.monotonic()
    try:
        found = READERS[job["kind"]](job)
    except BaseException as error:
        found = {"failure": failure_of(error), "detail": told(error, job)}
    found["took"] = round(time.monotonic() - began, 3)
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # a driver's threads may hang on for ever


def confine(job: Job) -> None:
    """Take away what a query needs not: files to write, programs, memory, other addresses."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    numbers = set(job["numbers"])

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event in PROGRAMS:
            raise PermissionError(event)
        if event == "socket.connect" and not may_connect(args[1], numbers, is_service=job["is_service"]):
            raise PermissionError("this address is not the database’s")

    sys.addaudithook(watch)


def may_connect(address: Any, numbers: set[str], *, is_service: bool) -> bool:
    """Tell whether a socket may go there. A service's own driver may reach public addresses."""
    if not isinstance(address, tuple):
        return False
    number = str(address[0]).partition("%")[0]
    return number in numbers or (is_service and ipaddress.ip_address(number).is_global)


def rows_of(cursor: Any, job: Job, warnings: Sequence[str] = ()) -> Found:
    """Run the wrapped query and return its columns and rows, one more than allowed at most.

    Raises Refused where they are more than anybody wants to hold in memory.
    """
    cursor.execute(job["query"])
    columns = [str(column[0]) for column in cursor.description or ()]
    rows: list[list[Any]] = []
    size = 0
    while some := cursor.fetchmany(min(ROWS_AT_ONCE, job["most"] - len(rows))):
        read = [[plain(cell) for cell in row] for row in some]
        size += sum(len(cell) if isinstance(cell, str) else 8 for row in read for cell in row)
        rows += read
        if size > LARGEST_ANSWER:
            raise Refused("bad_payload", "the answer is too large")
        if len(rows) >= job["most"]:
            break
    return {"columns": columns, "rows": rows, "types": types_of(columns, rows), "warnings": list(warnings)}


def plain(cell: Any) -> Any:
    """Return a cell as JSON has it: numbers as numbers, days as text, anything else as the beginning of its text."""
    if cell is None or isinstance(cell, bool | int):
        return cell
    if isinstance(cell, float):
        return cell if abs(cell) < float("inf") else str(cell)
    if isinstance(cell, Decimal):
        return float(cell) if cell.is_finite() else str(cell)
    if isinstance(cell, date):  # a moment, too
        return cell.isoformat()
    return str(cell)[:LONGEST_CELL].replace("\0", "\ufffd")


def types_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Name what each column holds, by its first cell that holds something."""
    names = {bool: "boolean", int: "number", float: "number", str: "text"}
    first = (next((row[n] for row in rows if row[n] is not None), None) for n in range(len(columns)))
    return ["" if cell is None else names[type(cell)] for cell in first]


def opened(job: Job, **options: Any) -> Any:
    """Return the driver's own connection. SQLAlchemy's wrapper closes it once forgotten, so it is held for good."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    HELD.append(create_engine(job["address"], poolclass=NullPool, **options).raw_connection())
    return HELD[-1].driver_connection


def postgresql(job: Job) -> Found:
    """Read inside a read-only transaction, by the extended protocol, which knows one statement only."""
    options = {"hostaddr": job["numbers"][0], "connect_timeout": CONNECT_SECONDS, "application_name": "product-ops-hub"}
    connection = opened(job, connect_args=options)
    connection.rollback()
    connection.read_only = True
    cursor = connection.cursor(binary=True)
    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(job["seconds"] * 1000)])
    cursor.execute("SET LOCAL lock_timeout = '2s'")
    cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    cursor.execute("SET LOCAL jit = off")
    cursor.execute(ROLE, [list(TOO_MIGHTY)])
    is_super, makes_roles, mighty, writable = cursor.fetchone()
    if is_super or makes_roles or mighty:
        raise Refused("scope_missing", f"role: {mighty or ('superuser' if is_super else 'createrole')}")
    return rows_of(cursor, job, ["may_write"] if writable else [])


def mysql(job: Job) -> Found:
    """Read inside a read-only transaction; the server's own clock has another name in MySQL and in MariaDB."""
    seconds = job["seconds"]
    options = {"connect_timeout": CONNECT_SECONDS, "read_timeout": seconds + 2, "local_infile": False}
    connection = opened(job, connect_args=options)
    cursor = connection.cursor()
    cursor.execute("SELECT version()")
    is_mariadb = "maria" in str(cursor.fetchone()[0]).lower()
    clock = f"max_statement_time = {seconds:d}" if is_mariadb else f"max_execution_time = {seconds * 1000:d}"
    cursor.execute(f"SET SESSION {clock}")
    cursor.execute("SHOW GRANTS")
    mighty, may_write = powers_of([str(grant) for (grant,) in cursor.fetchall()])
    if mighty:
        raise Refused("scope_missing", f"role: {', '.join(mighty)}")
    cursor.execute("START TRANSACTION READ ONLY")
    return rows_of(cursor, job, ["may_write"] if may_write else [])


def powers_of(grants: Sequence[str]) -> tuple[list[str], bool]:
    """Return which powers over the whole server MySQL's grants give, and whether they let anybody write a table."""
    mighty: set[str] = set()
    may_write = False
    for grant in grants:
        said = GRANT.match(grant)
        if said is None:  # of a role, or of being somebody else
            continue
        # A grant on some columns names them after the privilege: SELECT (`week`, `value`)
        held = {power.strip().upper() for power in re.sub(r"\([^)]*\)", "", said["powers"]).split(",")}
        if said["place"] == "*.*":
            mighty |= held & MYSQL_TOO_MIGHTY
        may_write = may_write or bool(held & MYSQL_WRITING)
    return sorted(mighty), may_write


def duckdb(job: Job) -> Found:
    """Read a file that is opened read only, by an engine that may reach nothing else and can't be told otherwise."""
    config = {
        "enable_external_access": "false",
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
        "threads": "1",
        "memory_limit": "1GB",
    }
    connection = opened(job, connect_args={"read_only": True, "config": config})
    cursor = connection.cursor()
    cursor.execute("SET lock_configuration = true")
    interrupt_after(job["seconds"], cursor.interrupt)
    return rows_of(cursor, job)


def sqlite(job: Job) -> Found:
    """Read a file that is opened read only; the engine asks us before each act, and we allow reading alone."""
    import sqlite3

    def open_file() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(job['path'])}?mode=ro", uri=True, check_same_thread=False)

    connection = opened(job, creator=open_file)
    reading = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
    connection.set_authorizer(lambda act, *_: sqlite3.SQLITE_OK if act in reading else sqlite3.SQLITE_DENY)
    interrupt_after(job["seconds"], connection.interrupt)
    return rows_of(connection.cursor(), job)


def snowflake(job: Job) -> Found:
    """Read with the role's own rights; the service keeps the time."""
    connection = opened(job, connect_args={"login_timeout": CONNECT_SECONDS * 2})
    cursor = connection.cursor()
    cursor.execute(f"ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {job['seconds']:d}")
    return rows_of(cursor, job)


def bigquery(job: Job) -> Found:
    """Read with the account's own rights; our clock alone ends it, and the limit on bytes billed."""
    return rows_of(opened(job).cursor(), job)


READERS: dict[str, Callable[[Job], Found]] = {
    "postgresql": postgresql, "mysql": mysql, "duckdb": duckdb, "sqlite": sqlite, "snowflake": snowflake,
    "bigquery": bigquery,
}  # fmt: skip


def interrupt_after(seconds: float, interrupt: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()


MYSQL_CODES = {
    1045: "auth_invalid", 1044: "scope_missing", 1142: "scope_missing", 1143: "scope_missing", 1227: "scope_missing",
    3024: "source_slow", 1969: "source_slow", 1317: "source_slow", 2003: "source_down", 2013: "source_slow",
}  # fmt: skip
STATES = (("57014", "source_slow"), ("55P03", "source_slow"), ("28", "auth_invalid"), ("42501", "scope_missing"),
          ("08", "source_down"), ("57P", "source_down"), ("53", "source_down"), ("3D", "source_down"))  # fmt: skip


TEXTS = (
    ("source_slow", ("interrupt", "timeout", "timed out")),
    ("auth_invalid", ("authentication", "password")),
    ("source_down", ("connection refused", "could not connect", "connection failed", "unable to open")),
)


def failure_of(error: BaseException) -> str:
    """Return the failure class of what went wrong; what the database says of a query is the query's fault."""
    error = getattr(error, "orig", None) or error
    if isinstance(error, Refused):
        return error.kind
    if isinstance(error, MemoryError):
        return "bad_payload"
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code in MYSQL_CODES:  # its driver gives states, too, which say less
        return MYSQL_CODES[code]
    state = str(getattr(error, "sqlstate", None) or "")
    if state:
        return next((kind for start, kind in STATES if state.startswith(start)), "query_rejected")
    text = str(error).lower()
    by_text = next((kind for kind, words in TEXTS if any(word in text for word in words)), None)
    if by_text is None and isinstance(error, PermissionError | ConnectionError):
        by_text = "source_down"
    return by_text or "query_rejected"


def told(error: BaseException, job: Job) -> str:
    """Return the first lines of what the database says, without the address it was reached by."""
    text = f"{type(error).__name__}: {error}".replace(job["address"], "…")
    for secret in job["secrets"]:
        text = text.replace(secret, "…")
    return text[:400]


if __name__ == "__main__":
    main()
