"""What a log line never holds."""

import io
import json
import logging
import logging.config

import pytest
import structlog

from hub.core.logs import configured, masked


@pytest.fixture
def lines():
    """Configure logging as production does and return what it printed."""
    written = io.StringIO()
    logging.config.dictConfig(configured(is_readable=False, level="INFO", stream=written))
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.getLogger().handlers.clear()


@pytest.mark.parametrize(
    "text",
    ["lin_api_abcdef123456", "Bearer eyJhbGciOi.payload.sig", "hub_0123456789abcdef", "ana.silva@ardoise.example"],
)
def test_credentials_and_addresses_are_masked_inside_a_sentence(text):
    assert text not in masked(f"refused for {text} at noon")


def test_a_field_named_like_a_secret_is_masked_at_any_depth():
    given = {"headers": [{"Authorization": "plain-value"}, {"Cookie": "c=1"}], "n": 3}

    assert "plain-value" not in str(masked(given))
    assert masked(given)["n"] == 3


def test_an_entry_is_one_line_of_json_with_its_fields(lines):
    structlog.get_logger().info("sync.finished", connection=1, changed=12, token="abc")

    (entry,) = lines()
    assert entry["event"] == "sync.finished"
    assert entry["changed"] == 12
    assert entry["token"] == "…"


def test_a_librarys_traceback_is_masked(lines):
    try:
        raise ValueError("lin_api_SECRETSECRET")
    except ValueError:
        logging.getLogger("django.request").exception("failed for a@b.example\r\nforged")

    (entry,) = lines()
    assert "SECRETSECRET" not in json.dumps(entry)
    assert "a@b.example" not in json.dumps(entry)
