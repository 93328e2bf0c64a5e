"""The whole way: a board, its wire, the engine, PostgreSQL. What the tables hold is compared with the board itself."""

from datetime import timedelta

import pytest

from connectors.models import State

from .truth import assert_same


def test_a_first_sync_brings_everything_and_a_second_writes_nothing(company):
    ada = next(iter(company.board.rows("member")))
    company.board.be_active(ada, company.board.clock.now().date(), boardsOpened=3)

    first = company.sync()
    assert first.state == State.DONE
    assert_same(company.connection, company.board)

    again = company.sync()
    assert (again.state, again.new, again.changed, again.gone, again.refused) == (State.DONE, 0, 0, 0, 0)
    assert_same(company.connection, company.board)
