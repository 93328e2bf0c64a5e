"""Whatever the world does, whatever goes wrong and wherever a worker dies: after a quiet night the store equals it.

The toy source here; the three tools of the sandbox in `test_together.py`, real kills in `test_kill.py`.
"""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import registry
from connectors.budget import Pace
from connectors.engine import Engine, NobodyElse
from connectors.models import Connection, PersonAccount, State, StateSpan, StreamState, WorkItem
from hub.jobs.work import LeaseLost, TryLater
from tests.connectors import stand_in
from tests.connectors.factories import make_connection, make_run
from tests.connectors.stand_in import StandIn, World, first, issue, person, stamp, status
from tests.connectors.toy import Toy

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NUMBERS = st.integers(0, 14)
STEPS = st.one_of(
    st.tuples(st.just("create"), NUMBERS),
    st.tuples(st.just("edit"), NUMBERS),
    st.tuples(st.just("respan"), NUMBERS),
    st.tuples(st.just("delete"), NUMBERS),
    st.tuples(st.just("person"), NUMBERS),
    st.tuples(st.just("leave"), NUMBERS),
    st.tuples(st.just("sync"), st.just(0)),
    st.tuples(st.just("die"), st.integers(1, 12)),
    st.tuples(st.just("fault"), st.sampled_from(["500", "reset", "cut", "junk", "token", "refused"])),
)
FAULTS = {
    "500": lambda: first(7, status(503)),
    "reset": lambda: first(2, stand_in.reset),
    "cut": lambda: first(3, stand_in.cut_inside),
    "junk": lambda: first(9, status(200, b"{")),
    "token": lambda: first(1, status(400, b'{"code": "BAD_TOKEN"}'), on="/issues"),
    "refused": lambda: first(1, status(401)),
}


class Dies(NobodyElse):
    """A worker that is gone at its n-th transaction, which rolls back."""

    def __init__(self, after):
        self.left = after

    def confirm(self):
        self.left -= 1
        if self.left < 0:
            raise LeaseLost("killed")


def change(world, what, number):
    now = stamp(timezone.now())
    key = f"i{number}"
    match what:
        case "create":
            world.issues[key] = issue(number, updated=timezone.now())
        case "edit" if key in world.issues:
            world.issues[key] |= {"title": f"Edited {now}", "updatedAt": now}
        case "respan" if key in world.issues:
            world.issues[key] |= {"spans": world.issues[key]["spans"][:1], "updatedAt": now}
        case "delete":
            world.issues.pop(key, None)
        case "person":
            world.people[f"p{number}"] = person(number)
        case "leave":
            world.people.pop(f"p{number}", None)


def run(connection, slot, lease=None):
    """One run, or what is left of it, as a worker does it; a worker that dies leaves it open."""
    made = connection.runs.open().first() or make_run(connection, slot=slot)
    engine = Engine(made, registry.connector("toy"), lease=lease or NobodyElse())
    try:
        with transaction.atomic():
            engine.go()
    except (LeaseLost, TryLater):
        pass
    made.refresh_from_db()
    return made


def quiet_night(connection, slot):
    """No faults, nobody dies, and the sweeps are due; what a person must confirm is confirmed."""
    Connection.objects.update(auth=Connection.Auth.OK, pause_until=None)
    Pace(connection.secret_print, ()).forget_pause()
    long_ago = timezone.now() - timedelta(days=8)
    StreamState.objects.update(last_sweep_at=long_ago, sweep_confirmed_at=timezone.now())
    return run(connection, slot)


def living(model):
    return set(model.objects.filter(deleted_at=None).values_list("external_id", flat=True))


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, max_size=14))
def test_after_a_quiet_night_the_store_equals_the_world(steps):
    with StandIn(World(people=5, issues=15)) as source, transaction.atomic():
        world = source.world
        registry.add(Toy(source.url))
        connection = make_connection()
        for number, (what, value) in enumerate(steps):
            if what == "sync":
                run(connection, f"s{number}")
            elif what == "die":
                run(connection, f"s{number}", Dies(value))
            elif what == "fault":
                world.fault = FAULTS[value]()
                run(connection, f"s{number}")
                world.fault = None
            else:
                change(world, what, value)
        for night in range(3):  # one ends what was left open, one reads, one sweeps with what that told
            last = quiet_night(connection, f"night{night}")

        assert last.state == State.DONE
        assert living(WorkItem) == set(world.issues)
        assert living(PersonAccount) == set(world.people)
        assert living(StateSpan) == {span["id"] for row in world.issues.values() for span in row["spans"]}
        titles = dict(WorkItem.objects.filter(deleted_at=None).values_list("external_id", "title"))
        assert titles == {key: row["title"] for key, row in world.issues.items()}
        again = quiet_night(connection, "again")
        assert (again.new, again.changed, again.gone) == (0, 0, 0)
        transaction.set_rollback(True)
        registry.remove("toy")
