"""What the nights of fire rest on: a stand-in that breaks down by itself would look like a source that is down."""

import http.client

import pytest

from connectors.sandbox.history import small_world
from connectors.sandbox.server import serve
from tests.connectors.firm import SIDES, Firm, served_company
from tests.connectors.replay import assert_every_fault_can_befall


@pytest.mark.django_db
@pytest.mark.parametrize("place", range(len(SIDES)), ids=[side.label for side in SIDES])
def test_every_fault_can_befall_every_request(clean_redis, settings, place):
    with served_company() as sandbox:
        settings.SANDBOX_URL = sandbox.url
        firm = Firm(sandbox, held=clean_redis, pool=None, page=None)

        assert_every_fault_can_befall(firm.sides[place].wire, firm.quiet_nights)


def test_a_mistake_of_the_stand_in_is_no_silence(capfd):
    with serve(small_world()) as sandbox:
        sandbox.linear.answer = None
        client = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            client.request("POST", "/graphql", b"{}")
            client.getresponse()
        client.close()

    (mistake,) = sandbox.mistakes
    said = "TypeError: 'NoneType' object is not callable"
    assert said in mistake and said in capfd.readouterr().err
