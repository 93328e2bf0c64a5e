"""Texts and forms made to keep the machine busy: each is done in seconds, or refused."""

import time

import pytest

from hub.core.markdown import LONGEST, render_markdown

pytestmark = pytest.mark.faults
ALL_SECONDS = 10
MANY = 10_000

# Each unit is repeated until the text is as long as a field takes; the known ways to make a parser sweat
UNITS = (
    "[", "]", "(", "![", "[a](", "[[", "<", "<!--", "<?", "<![CDATA[", "&", "&#", "`", "``` ", "*a ", "**a", "_a ",
    "*_", "~~", "> ", ">", "- ", "1. ", "    ", "\t", "#", "|", "\\", "a\n", "[a]: b\n", "[^", "</", '<a b="', "<b>",
    "*a **a ", "<x/y", "http://", "a@",
)  # fmt: skip
BOMBS = [
    *((unit * LONGEST)[:LONGEST] for unit in UNITS),
    "[" * 5000 + "a" + "](b)" * 5000,
    ("> " * 400 + "a\n") * 20,
    "".join("  " * depth + "- a\n" for depth in range(120)),
    "|a" * 3000 + "\n" + "|-" * 3000 + "\n" + ("|b" * 100 + "\n") * 40,
    "".join(f"[{number}]: x\n" for number in range(2000)) + "[1]" * 2000,
    "<div>" * 4000,
    "*" * 9999 + "a" + "*" * 9999,
]


def test_every_markdown_bomb_is_defused_in_time():
    begun = time.process_time()

    longest = max(len(render_markdown(bomb)) for bomb in BOMBS)

    assert len(BOMBS) >= 31
    assert time.process_time() - begun < ALL_SECONDS
    assert longest < 50 * LONGEST


@pytest.mark.django_db
def test_a_form_of_ten_thousand_fields_is_refused(ops, sign_in):
    client = sign_in(ops)

    answer = client.post("/tools/new/", {f"field{number}": "x" for number in range(MANY)})

    assert answer.status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/tools/", "/people/", "/kpis/"])
def test_an_address_of_ten_thousand_parameters_is_answered_in_time(path, ops, sign_in):
    client = sign_in(ops)
    begun = time.process_time()

    answer = client.get(path + "?" + "&".join(f"q{number}=x" for number in range(MANY)))

    assert answer.status_code in (200, 400, 414)
    assert time.process_time() - begun < 2


@pytest.mark.django_db
def test_a_body_that_is_too_long_is_refused(ops, sign_in):
    answer = sign_in(ops).post("/tools/new/", {"name": "x" * 13 * 1024 * 1024})

    assert answer.status_code in (400, 413)
