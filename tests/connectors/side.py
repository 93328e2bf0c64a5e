"""One tool of a company and the hub's connection to it: what its people change, and what may go wrong on its wire."""

import itertools
from collections import Counter
from random import Random

from connectors.base import FailureClass as Why
from connectors.models import Connection, SourceRecord, State
from connectors.transport import TRIES
from tests.connectors.factories import make_connection

# What each fault may make of a stream; nothing where it passes unnoticed
CLASSES = {
    "unauthorized": {Why.AUTH_INVALID},
    "forbidden": {Why.SCOPE_MISSING},
    "feature": {Why.STREAM_UNAVAILABLE},
    "rejected": {Why.QUERY_REJECTED},
    "cursor_expired": {Why.QUERY_REJECTED},
    "limited": {Why.RATE_LIMITED},
    "limited_edge": {Why.RATE_LIMITED},
    "status": {Why.SOURCE_DOWN},
    "internal": {Why.SOURCE_DOWN},
    "edge_html": {Why.SOURCE_DOWN},
    "partial": {Why.SOURCE_DOWN},
    "reset_before": {Why.SOURCE_DOWN},
    "reset_inside": {Why.SOURCE_DOWN},
    "truncated": {Why.BAD_PAYLOAD},
    "empty": {Why.BAD_PAYLOAD},
    "gzip_garbage": {Why.BAD_PAYLOAD},
    "not_an_object": {Why.BAD_PAYLOAD},
    "empty_page": {Why.SOURCE_MISBEHAVES, Why.QUERY_REJECTED},
    "cursor_loop": {Why.SOURCE_MISBEHAVES},
    "field_missing": {Why.SCHEMA_DRIFT},
    "field_renamed": {Why.SCHEMA_DRIFT},
    "type_changed": {Why.SCHEMA_DRIFT},
    "new_enum": set(),
    "big_string": {Why.BAD_PAYLOAD},  # with thirty of them, the answer is longer than we read
    "strange_text": set(),
    "content_type": set(),
    "duplicate_row": set(),
    "edit_during_paging": set(),
    "trickle": set(),
    "slow": set(),
}
SPOILING = {"field_missing", "field_renamed", "type_changed", "new_enum", "big_string", "strange_text"}
AT_ONCE = {"unauthorized", "forbidden", "feature", "rejected", "limited"}  # asking again at once is of no use
RETRIED = {fault for fault, kinds in CLASSES.items() if kinds and kinds <= {Why.SOURCE_DOWN, Why.BAD_PAYLOAD}}
RETRIED -= SPOILING
PARAMS = {
    "edge_html": {"status": 520},
    "limited": {"retry_after": 600},
    "limited_edge": {"retry_after": 1},
    "trickle": {"seconds": 0.2},
    "slow": {"seconds": 0.2},
}


class Side:
    """What a tool's own `side.py` fills in. Its wire is found under `service` in the sandbox."""

    service = ""
    label = ""
    secret = ""
    operations: dict[str, set[str]] = {}  # stream → the requests that it is read by
    struck: tuple[str, ...] = ()  # requests that faults may befall
    spoilt = ""  # the request whose rows the faults of SPOILING change
    params: dict[str, dict] = {}  # of this tool's faults, beside PARAMS
    overrides: dict[str, set[Why]] = {}  # of CLASSES
    at_once = AT_ONCE

    def __init__(self, sandbox):
        self.sandbox, self.world = sandbox, sandbox.world
        self.wire = sandbox.wires[self.service]
        self.connection = make_connection(self.service, secret=self.secret, label=self.label, base_url=sandbox.url)
        self.classes = CLASSES | self.overrides
        self.slots = itertools.count()
        self.run = None
        self.causes = set()  # (operation, fault) that struck since the run began
        self.is_spoiled = False
        self.lost = 0  # things that vanished: enough of them, and a person is asked
        self.is_revoked = False  # the token, by the tool's admin

    # What people do: filled in by each tool

    def change(self, draw: Random):
        """Have somebody do one thing, drawn at random."""
        raise NotImplementedError

    def settle(self):
        """Have everything that came spoiled over the wire come once more."""

    def grant(self, secret):
        """Have the tool know a new token."""
        raise NotImplementedError

    def assert_same(self):
        """Fail unless the hub holds what the tool holds."""
        raise NotImplementedError

    # What goes wrong on the wire

    def fail(self, action, operation, *, skip=0, lasts=False):
        if action in SPOILING:
            operation, self.is_spoiled = self.spoilt, True
        given = PARAMS.get(action, {}) | self.params.get(action, {})
        count = None if lasts else 1
        return self.sandbox.fail(action, operation, wire=self.service, skip=skip, count=count, **given)

    def mend(self):
        with self.world.lock:
            self.wire.faults.clear()

    def heard(self):
        """Take note of what struck since the last call; return it, counted, and the number of requests."""
        with self.world.lock:
            lines = list(self.wire.log)
            self.wire.log.clear()
        hits = Counter((line.operation, line.fault) for line in lines if line.fault)
        self.causes |= set(hits)
        return hits, len(lines)

    # What the hub makes of it

    def reload(self):
        self.connection.refresh_from_db()
        if self.run is not None:
            self.run.refresh_from_db()

    def forgive(self):
        """Have the person act who is asked to: a new token, a confirmed sweep. No wait of last night is left."""
        mine = Connection.objects.filter(pk=self.connection.pk)
        mine.update(pause_until=None, pause_reason="", auth=Connection.Auth.OK)
        self.connection.streams.exclude(sweep_gone=0).update(sweep_confirmed_at=self.world.clock.now())

    def failures(self, run=None):
        """Return what a run says of each stream that failed."""
        return dict((run or self.run).streams.filter(state=State.FAILED).values_list("stream", "failure"))

    def detail(self, stream):
        return self.run.streams.get(stream=stream).detail

    def assert_each_failure_has_its_cause(self, failures):
        # One refusal stops the whole connection: the next worker finds that it waits for a new token
        is_refused = self.is_revoked or any(fault == "unauthorized" for _operation, fault in self.causes)
        for stream, failure in failures.items():
            is_by_people = failure == Why.SWEEP_IMPLAUSIBLE and self.lost
            if is_by_people or (failure == Why.AUTH_INVALID and is_refused):
                continue
            struck = [fault for operation, fault in self.causes if operation in self.operations[stream]]
            possible = set().union(*(self.classes[fault] for fault in struck))
            assert failure in possible, (self.service, stream, failure, self.detail(stream), self.causes)

    def assert_what_struck_was_said(self, hits, said):
        """Fail if an answer went so wrong that the hub had to speak, and it did not. For nights without other harm."""
        for (operation, fault), count in hits.items():
            is_met = fault in self.at_once or (fault in RETRIED and self.classes[fault] and count >= TRIES)
            assert not is_met or self.classes[fault] & said, (self.service, operation, fault, count, said)

    def counted(self):
        """Return how many records all runs together called new, and how many there are."""
        new = sum(self.connection.runs.values_list("new", flat=True))
        return new, SourceRecord.objects.filter(connection=self.connection).count()
