"""Whatever happens on the board and on the wire: after quiet nights the hub holds what Productboard holds."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from connectors.models import Connection, State
from connectors.sandbox.faults import ACTIONS
from hub.jobs.work import TryLater
from tests.numbers import times

from .test_faults import PARAMS
from .truth import assert_same

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.faults]
KINDS = ("feature", "objective", "subfeature", "note")
OPERATIONS = ("search feature", "list feature", "notes", "members", "teams", "entities configurations")
SLOW = {"slow", "trickle", "limited", "limited_edge", "big_string"}  # only time; tests/…/test_faults.py has them
PHASES = (Phase.explicit, Phase.generate)  # a failure is told as found: making it smaller takes minutes
READ = ["configurations", "members", "teams", "features", "objectives", "subfeatures", "notes", "member_activities"]

number = st.integers(0, 10**6)


class Machine(RuleBasedStateMachine):
    """Steps that may come in any order; `teardown` is the morning after."""

    open_company: object  # set by the test

    def __init__(self):
        super().__init__()
        self.company = self.open_company()
        self.board = self.company.board
        self.gone = []
        for place in range(8):
            self.board.add("feature", f"Feature {place}", status="Candidate")
        self.company.sync()

    def some(self, kind, number):
        rows = list(self.board.rows(kind).values())
        return rows[number % len(rows)] if rows else None

    @rule(kind=st.sampled_from(KINDS), number=number)
    def somebody_edits(self, kind, number):
        row = self.some(kind, number)
        if row and kind == "note":
            self.board.edit(row["id"], processed=number % 2 == 0, archived=number % 5 == 0)
        elif row:
            changes = ({"status": "Delivered"}, {"health": {"status": "offTrack"}}, {"name": f"Name {number}"},
                       {"owner": None}, {"archived": True}, {"timeframe": {"endDate": "2026-09-30"}})  # fmt: skip
            self.board.edit(row["id"], quiet=number % 7 == 0, **changes[number % len(changes)])
        self.board.clock.advance(timedelta(seconds=7))

    @rule(kind=st.sampled_from(KINDS), number=number)
    def somebody_ties(self, kind, number):
        row, target = self.some(kind, number), self.some("feature", number // 3)
        if row and target and row["id"] != target["id"]:
            change = self.board.tie if number % 3 else self.board.untie
            change(row["id"], "link", target["id"])

    @rule(kind=st.sampled_from(KINDS), number=number)
    def something_is_made(self, kind, number):
        if kind == "note":
            self.board.add_note(f"Note {number}")
        else:
            self.board.add(kind, f"New {number}", status="New idea")

    @rule(number=number)
    def something_is_deleted_or_comes_back(self, number):
        row = self.some("feature", number)
        if number % 3 == 0 and self.gone:
            self.board.bring_back(self.gone.pop())
        elif row and len(self.board.rows("feature")) > 3:
            self.gone.append(self.board.delete(row["id"]))

    @rule(number=number)
    def people_change(self, number):
        member, team = self.some("member", number), self.some("team", number)
        self.board.edit(member["id"], disabled=number % 2 == 0)
        (self.board.join_team if number % 3 else self.board.leave_team)(member["id"], team["id"])
        self.board.be_active(member["id"], self.board.clock.now().date(), boardsOpened=number % 4)

    @rule(action=st.sampled_from(sorted(set(ACTIONS) - SLOW)), operation=st.sampled_from(OPERATIONS), skip=number)
    def an_answer_will_go_wrong(self, action, operation, skip):
        self.company.fail(action, operation, skip=skip % 2, **PARAMS.get(action, {}))

    @rule()
    def a_night(self):
        try:
            self.company.sync(only=READ)
        except TryLater:
            Connection.objects.update(pause_until=None)

    def teardown(self):
        company = self.company
        company.wire.faults.clear()
        for days in (1, 1, 7, 1):  # notes are read whole once a week
            Connection.objects.update(auth=Connection.Auth.OK, pause_until=None)
            company.connection.streams.exclude(sweep_gone=0).update(sweep_confirmed_at=company.board.clock.now())
            run = company.sync(timedelta(days=days), only=READ)
        assert run.state == State.DONE
        assert_same(company.connection, self.board)
        assert (run.new, run.changed, run.gone) == (0, 0, 0)


def test_after_quiet_nights_the_hub_holds_what_productboard_holds(open_company, quick_retries, clean_redis):
    Machine.open_company = staticmethod(open_company)
    run_state_machine_as_test(
        Machine,
        settings=hypothesis(
            max_examples=times(2, 40), stateful_step_count=times(10, 30), deadline=None, database=None,
            suppress_health_check=list(HealthCheck), print_blob=True, phases=PHASES,
        ),
    )  # fmt: skip
