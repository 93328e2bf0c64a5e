"""Whatever happens to the company, its wires and the workers: after quiet nights the hub holds what the tools hold.

One machine turns it all, over three tools of one world: people change things, answers go wrong in every way the sandbox
knows, workers die at one of their writes in this process and real ones are killed with SIGKILL, lose a child, or lose
their database. More of it: `HUB_FULL=1 pytest tests/connectors/test_together.py`. The longer war is `make soak`.
"""

import socket
from contextlib import closing
from random import Random

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from connectors.models import State
from connectors.sandbox.faults import ACTIONS
from hub.jobs.models import Job
from tests.connectors.firm import SIDES, Firm, served_company
from tests.connectors.side import CLASSES
from tests.jobs.processes import Pool
from tests.numbers import IS_FULL, times

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.faults]
ENDINGS = ("SIGKILL", "its child is killed", "its database throws it out")
WORKERS = times(2, 4)  # real ones that come to harm in one example
BLOWS = [(place, operation) for place, side in enumerate(SIDES) for operation in side.struck]

number = st.integers(0, 10**6)
blow = st.sampled_from(BLOWS)
tool = st.integers(0, len(SIDES) - 1)


class Machine(RuleBasedStateMachine):
    """Steps that may come in any order; `teardown` is the morning after. No example ends without a real kill."""

    tools: dict  # set by the test: what a firm is opened with

    def __init__(self):
        super().__init__()
        self.harmed = 0
        given = dict(self.tools)
        self.server = served_company(given.pop("port"))
        self.at = Firm(self.server.__enter__(), **given)

    @rule(tool=tool, seeds=st.lists(number, min_size=1, max_size=4))
    def people_work(self, tool, seeds):
        for seed in seeds:
            self.at.change(self.at.sides[tool], Random(seed))

    @rule(hours=st.integers(1, 240))
    def time_passes(self, hours):
        self.at.advance(hours=hours)

    @rule(action=st.sampled_from(sorted(ACTIONS)), blow=blow, skip=st.integers(0, 2))
    def an_answer_will_go_wrong(self, action, blow, skip):
        self.at.sides[blow[0]].fail(action, blow[1], skip=skip)

    @rule(action=st.sampled_from(sorted(set(ACTIONS) - {"limited_edge"})), blow=blow)
    def answers_go_wrong_all_night(self, action, blow):
        self.at.sides[blow[0]].fail(action, blow[1], lasts=True)
        self.at.night()

    @rule()
    def an_ordinary_night(self):
        self.at.night()

    @rule(dies_at=st.integers(0, 90))
    def a_night_in_which_the_worker_dies(self, dies_at):
        self.at.night(dies_at)

    @precondition(lambda self: self.harmed < WORKERS)
    @rule(ending=st.sampled_from(ENDINGS), requests=st.integers(1, 60))
    def a_night_in_which_a_real_worker_comes_to_harm(self, ending, requests):
        self.harmed += 1
        self.at.night_of_a_worker(ending, requests)

    def teardown(self):
        try:
            self.check()
        finally:
            self.server.__exit__(None, None, None)

    def check(self):
        if not self.harmed:
            self.at.night_of_a_worker("SIGKILL", 3)
        self.at.quiet_nights()

        assert self.at.sandbox.mistakes == []
        for side in self.at.sides:
            assert side.run.state == State.DONE, (side.service, side.failures())
            side.assert_same()
            new, held = side.counted()
            assert new == held, side.service
        before = [side.run.pk for side in self.at.sides]
        self.at.night()
        again = [side.run for side in self.at.sides]
        assert not set(before) & {run.pk for run in again}
        assert [(run.new, run.changed, run.gone) for run in again] == [(0, 0, 0)] * len(SIDES)
        assert set(self.at.end_jobs().values_list("state", flat=True)) == {Job.State.DONE}


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_every_fault_of_the_sandbox_has_its_class():
    assert set(CLASSES) == set(ACTIONS)


def test_after_quiet_nights_the_hub_holds_what_the_tools_hold(quick_retries, clean_redis, settings, ops, sign_in):
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
