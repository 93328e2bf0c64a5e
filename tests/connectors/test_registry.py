from connectors import registry
from tests.connectors.toy import Toy


def test_a_connector_from_outside_is_known_while_it_is_registered():
    before = registry.reading("issues")
    registry.add(Toy("http://toy.invalid"))
    try:
        there = registry.reading("issues")
    finally:
        registry.remove("toy")

    assert "toy" not in before
    assert set(there) == {*before, "toy"}
    assert registry.reading("issues") == before
