"""Whatever happens to the company, the wire and the worker: after quiet nights the hub holds what Linear holds.

One machine turns it all: people change things, answers go wrong in every way the sandbox knows, workers die at one of
their writes in this process and real ones are killed with SIGKILL, lose a child, or lose their database. More of it:
`HUB_FULL=1 pytest tests/connectors/linear/test_convergence.py`.
"""

import socket
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from connectors.models import State
from connectors.sandbox.faults import ACTIONS
from hub.jobs.models import Job
from tests.jobs.processes import Pool
from tests.numbers import IS_FULL, times

from .company import CLASSES, STATES, open_company
from .truth import assert_same

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.faults]
LISTS = ("IssuesWindow", "IssueIdSweep", "Users", "Teams", "Cycles", "Projects", "WorkflowStates", "IssueHistoryMore")
ENDINGS = ("SIGKILL", "its child is killed", "its database throws it out")
WORKERS = times(2, 4)  # real ones that come to harm in one example

number = st.integers(0, 10**6)
place = st.integers(0, len(STATES) - 1)


class Machine(RuleBasedStateMachine):
    """Steps that may come in any order; `teardown` is the morning after. No example ends without a real kill."""

    tools: dict  # set by the test: what a company is opened with

    def __init__(self):
        super().__init__()
        self.harmed = 0
        self.at, self.server = open_company(**self.tools)

    @rule(number=number, place=place)
    def somebody_works(self, number, place):
        if number % 3 == 0:
            self.at.world.create_issue(self.at.team, f"New {number}", state="triage")
        self.at.move(number, place)
        self.at.world.clock.advance(timedelta(seconds=7))

    @rule(number=number)
    def somebody_edits(self, number):
        self.at.edit(number)

    @rule(number=number)
    def somebody_moves_an_issue_to_and_fro(self, number):
        self.at.shuttle(number)

    @rule(how=st.sampled_from(("archive", "unarchive", "trash", "restore", "delete", "bring back")), number=number)
    def somebody_tidies_up(self, how, number):
        self.at.put_away(how, number)

    @rule(how=st.sampled_from(("rename person", "deactivate", "leave team", "rename state")), number=number)
    def the_company_changes(self, how, number):
        self.at.reorganise(how, number)

    @rule(hours=st.integers(1, 240))
    def time_passes(self, hours):
        self.at.world.clock.advance(timedelta(hours=hours))

    @rule(action=st.sampled_from(sorted(ACTIONS)), operation=st.sampled_from(LISTS), skip=st.integers(0, 2))
    def an_answer_will_go_wrong(self, action, operation, skip):
        self.at.fail(action, operation, skip=skip, lasts=False)

    @rule(action=st.sampled_from(sorted(set(ACTIONS) - {"limited_edge"})), operation=st.sampled_from(LISTS))
    def answers_go_wrong_all_night(self, action, operation):
        self.at.fail(action, operation, skip=0, lasts=True)
        self.at.night()

    @rule()
    def an_ordinary_night(self):
        self.at.night()

    @rule(dies_at=st.integers(0, 60))
    def a_night_in_which_the_worker_dies(self, dies_at):
        self.at.night(dies_at)

    @precondition(lambda self: self.harmed < WORKERS)
    @rule(ending=st.sampled_from(ENDINGS), requests=st.integers(1, 20))
    def a_night_in_which_a_real_worker_comes_to_harm(self, ending, requests):
        self.harmed += 1
        self.at.night_of_a_worker(ending, requests)

    def teardown(self):
        try:
            self.check()
        finally:
            self.at.world.clock.set(None)
            self.server.__exit__(None, None, None)

    def check(self):
        if not self.harmed:
            self.at.night_of_a_worker("SIGKILL", 3)
        self.at.quiet_nights()

        assert self.at.run.state == State.DONE
        assert_same(self.at.connection, self.at.world)
        new, held = self.at.counted()
        assert new == held
        before = self.at.run
        self.at.night()
        again = self.at.run
        assert (again.pk != before.pk, again.new, again.changed, again.gone) == (True, 0, 0, 0)
        assert set(self.at.end_jobs().values_list("state", flat=True)) == {Job.State.DONE}


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_every_fault_of_the_sandbox_has_its_class():
    assert set(CLASSES) == set(ACTIONS)


def test_after_quiet_nights_the_hub_holds_what_linear_holds(quick_retries, clean_redis, settings, ops, sign_in):
    client = sign_in(ops)
    port = free_port()
    settings.SANDBOX_URL = f"http://127.0.0.1:{port}"

    def page(address):
        return client.get(address).content.decode()

    with Pool(sandbox_url=settings.SANDBOX_URL, concurrency=1) as pool:
        pool.worker()  # it starts while the first steps are taken
        Machine.tools = {"port": port, "held": clean_redis, "pool": pool, "page": page}
        run_state_machine_as_test(
            Machine,
            settings=hypothesis(
                max_examples=times(3, 40), stateful_step_count=times(9, 20), deadline=None, database=None,
                phases=(Phase.generate,) if not IS_FULL else (Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
