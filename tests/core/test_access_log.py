"""What gunicorn's access log may say."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from hub.core.access import AccessLogger

ADDRESS = "/hooks/linear/0123456789abcdef0123456789abcdef/"


def line(path, **headers):
    logger = AccessLogger(Config())
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "RAW_URI": f"{path}?validationToken=x", "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }  # fmt: skip
    request = SimpleNamespace(headers=list(headers.items()))
    answer = SimpleNamespace(status="200 OK", headers=[], sent=6)
    return logger.atoms(answer, request, environ, timedelta(milliseconds=12))


@pytest.mark.parametrize("path", ["/people/welcome/wJ8x_canary-0a1B/", "/account/password/reset/key/3-dk2a8c-canary/"])
def test_a_link_that_lets_a_person_in_is_in_no_line(path):
    assert "canary" not in str(line(path, referer=f"https://hub.example{path}"))


def test_the_address_of_a_webhook_is_in_no_line():
    atoms = line(ADDRESS, authorization="our value")

    assert "0123456789abcdef" not in str(atoms)
    assert "our value" not in str(atoms)
    assert (atoms["U"], atoms["s"], atoms["M"]) == ("/hooks/…", "200", 12)


def test_other_addresses_are_as_they_were():
    assert line("/tools/miro/")["U"] == "/tools/miro/"
