"""Addresses that nobody types."""

import pytest


@pytest.mark.parametrize("address", ["/people/accounts/?q=%00", "/people/accounts/?q=a%00b", "/people/teams/%00/"])
def test_a_nul_in_an_address_is_a_bad_request(address, sign_in, ops):
    answer = sign_in(ops).get(address)

    assert answer.status_code == 400
    assert "Content-Security-Policy" in answer.headers
