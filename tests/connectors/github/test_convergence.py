"""Whatever happens on the forge and on the wire: after quiet nights the hub holds what GitHub holds."""

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
HOMES = ("ardoise/shop", "ardoise/app")
OPERATIONS = ("pulls", "releases", "deployments", "statuses")
SLOW = {"slow", "trickle", "limited", "limited_edge", "big_string"}  # only time; test_faults.py has them
PHASES = (Phase.explicit, Phase.generate)  # a failure is told as found: making it smaller takes minutes

number = st.integers(0, 10**6)


class Machine(RuleBasedStateMachine):
    """Steps that may come in any order; `teardown` is the morning after."""

    open_company: object  # set by the test

    def __init__(self):
        super().__init__()
        self.company = self.open_company()
        self.forge = self.company.forge
        self.company.name(*HOMES)
        for place in range(105):
            self.forge.open_pull(HOMES[0], f"Change {place}", branch=f"b{place}")
        self.company.sync()

    def some(self, kind, number):
        rows = list(self.forge.tables[kind].values())
        return rows[number % len(rows)]["id"] if rows else None

    @rule(number=number)
    def somebody_works(self, number):
        key = self.some("Pull", number)
        if key is None:
            return
        match number % 5:
            case 0:
                self.forge.merge(key)
            case 1:
                self.forge.close(key)
            case 2:
                self.forge.reopen(key)
            case _:
                self.forge.edit_pull(key, title=f"SHP-{number}: told anew", draft=number % 2 == 0)
        self.forge.clock.advance(timedelta(seconds=7))

    @rule(home=st.sampled_from(HOMES), number=number)
    def something_is_made(self, home, number):
        match number % 3:
            case 0:
                self.forge.open_pull(home, f"New {number}", branch="new", by="ana")
            case 1:
                self.forge.publish(home, f"v{number}")
            case _:
                self.forge.tell(self.forge.deploy(home, "production")["id"], "in_progress")

    @rule(number=number)
    def a_deployment_ends(self, number):
        key = self.some("Deployment", number)
        if key is not None and self.forge.get("Deployment", key)["created_at"][:10] == f"{self.forge.clock.now():%F}":
            self.forge.tell(key, ("success", "failure", "error")[number % 3])

    @rule(number=number)
    def something_is_deleted(self, number):
        kind = ("Release", "Deployment")[number % 2]
        key = self.some(kind, number)
        if key is not None:
            self.forge.delete(kind, key)

    @rule(home=st.sampled_from(HOMES))
    def a_repository_is_away_for_a_night(self, home):
        self.forge.hide(home)
        self.a_night()
        self.forge.show(home)

    @rule(number=number)
    def the_choice_changes(self, number):
        self.company.connection.refresh_from_db()
        self.company.name(*(HOMES if number % 2 else HOMES[:1]))

    @rule(action=st.sampled_from(sorted(set(ACTIONS) - SLOW)), operation=st.sampled_from(OPERATIONS), skip=number)
    def an_answer_will_go_wrong(self, action, operation, skip):
        self.company.fail(action, operation, skip=skip % 2, **PARAMS.get(action, {}))

    @rule()
    def a_night(self):
        try:
            self.company.sync()
        except TryLater:
            Connection.objects.update(pause_until=None)

    def teardown(self):
        company = self.company
        company.wire.faults.clear()
        company.connection.refresh_from_db()
        company.name(*HOMES)
        for days in (1, 1, 8, 1, 1):  # what was deleted is looked for once a week, and twice where it is much
            Connection.objects.update(auth=Connection.Auth.OK, pause_until=None)
            company.connection.streams.exclude(sweep_gone=0).update(sweep_confirmed_at=company.clock.now())
            run = company.sync(timedelta(days=days))
        assert run.state == State.DONE
        assert_same(company, HOMES)
        assert (run.new, run.changed, run.gone) == (0, 0, 0)


def test_after_quiet_nights_the_hub_holds_what_github_holds(open_company, quick_retries, clean_redis):
    Machine.open_company = staticmethod(open_company)
    run_state_machine_as_test(
        Machine,
        settings=hypothesis(
            max_examples=times(2, 40), stateful_step_count=times(10, 30), deadline=None, database=None,
            suppress_health_check=list(HealthCheck), print_blob=True, phases=PHASES,
        ),
    )  # fmt: skip
