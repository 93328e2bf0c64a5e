"""Addresses of rows, looked up once for all of them."""

import pytest
from django.urls import reverse, set_script_prefix

from hub.core.http import address_of


@pytest.mark.parametrize(
    ("name", "before", "row", "after"),
    [
        ("tooling:tool_detail", [], "miro", []),
        ("people:person_detail", [], 7, []),
        ("connectors:stream_detail", [3], "issues", []),
        ("connectors:stream_switch", [3], "issues", [1]),
    ],
)
def test_it_is_the_address_that_reverse_gives(name, before, row, after):
    assert address_of(name, *before, after=after)(row) == reverse(name, args=[*before, row, *after])


def test_it_follows_the_folder_that_the_hub_is_served_under():
    set_script_prefix("/hub/")
    inside = address_of("tooling:tool_detail")("miro")
    set_script_prefix("/")

    assert (inside, address_of("tooling:tool_detail")("miro")) == ("/hub/tools/miro/", "/tools/miro/")
