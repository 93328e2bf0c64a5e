"""A small company on Productboard's wire, and a quick way to sync it."""

import pytest

from connectors.sandbox.history import small_world
from connectors.sandbox.productboard.board import small_board
from connectors.sandbox.productboard.wire import TOKEN, ProductboardWire
from tests.connectors.company import UNLIMITED, Company


class ProductboardCompany(Company):
    service, label, secret = "productboard", "Productboard", TOKEN

    @property
    def board(self):
        return self.wire.board


@pytest.fixture
def open_company(put_on):
    """Return a function that serves a board (a small one, if none is given) and connects the hub to it."""

    def make(board=None, **switches):
        board = board or small_board(small_world())
        wire = ProductboardWire(board, **{"requests_per_second": UNLIMITED, **switches})
        return put_on(ProductboardCompany, board.world, wire)

    return make


@pytest.fixture
def company(open_company):
    return open_company()
