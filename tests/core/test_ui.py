"""Moments, figures and parts, by table, in both languages."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import translation

from hub.core.templatetags import ui

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 17, 10, 0, tzinfo=PARIS)  # a Tuesday


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW, "just now"),
        (NOW - timedelta(seconds=59), "just now"),
        (NOW - timedelta(minutes=1), "1 minute ago"),
        (NOW - timedelta(minutes=59), "59 minutes ago"),
        (NOW - timedelta(hours=5), "5 hours ago"),
        (datetime(2026, 3, 16, 20, 0, tzinfo=PARIS), "yesterday"),
        (datetime(2026, 3, 14, 23, 59, tzinfo=PARIS), "3 days ago"),
        (datetime(2026, 3, 14, 23, 30, tzinfo=UTC), "2 days ago"),  # already the 15th in Paris
        (datetime(2025, 12, 17, 10, 0, tzinfo=PARIS), "3 months ago"),
        (datetime(2023, 3, 17, 10, 0, tzinfo=PARIS), "3 years ago"),
        (NOW + timedelta(hours=5), "in 5 hours"),
        (NOW + timedelta(days=2), "in 2 days"),
        (NOW.date(), "today"),
        (NOW.date() - timedelta(days=1), "yesterday"),
        (NOW.date() + timedelta(days=1), "tomorrow"),
    ],
)
def test_age_in_words(moment, said):
    with translation.override("en"):
        assert ui.age_in_words(moment, now=NOW) == said


def test_the_exact_moment_stays_with_its_age():
    with translation.override("en"):
        html = ui.ago(datetime(2026, 3, 14, 9, 30, tzinfo=UTC))

    assert 'datetime="2026-03-14T09:30:00+00:00"' in html
    assert 'title="14 March 2026, 10:30"' in html


@pytest.mark.parametrize(
    ("value", "places", "english", "french"),
    [
        (1234567, 0, "1,234,567", "1\u00a0234\u00a0567"),
        (12.345, 1, "12.3", "12,3"),
        (-0.5, 1, "-0.5", "-0,5"),
    ],
)
def test_numbers(value, places, english, french):
    with translation.override("en"):
        assert ui.number(value, places) == english
    with translation.override("fr"):
        assert ui.number(value, places).replace("\u202f", "\u00a0") == french


def test_what_is_not_measured_is_never_nought():
    with translation.override("en"):
        assert {ui.number(None), ui.percent(None), ui.duration(None)} == {"not measured"}


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=45), "45 s"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=3.5), "3.5 h"),
        (timedelta(days=8.2), "8.2 d"),
    ],
)
def test_spans(span, said):
    with translation.override("en"):
        assert ui.duration(span) == said


def test_a_rate_is_a_percentage():
    with translation.override("en"):
        assert ui.percent(0.125, 1) == "12.5%"


def draw(source, **context):
    return Template(source).render(Context(context))


def test_an_empty_part_is_left_out():
    assert draw('{% wrap "p" "lede" %}  {% endwrap %}') == ""
    assert draw('{% wrap "p" "lede" %}Why{% endwrap %}') == '<p class="lede">Why</p>'


def test_names_are_escaped_in_every_part():
    name = '<b onclick="x">Ana</b>'

    html = draw(
        '{% avatar name %}{% avatars names %}{% badge "ok" name %}{{ name|diff:"Ana" }}{% icon "home" "" name %}',
        name=name,
        names=[name],
    )

    assert "<b onclick" not in html


def test_a_difference_is_readable_without_colour():
    with translation.override("en"):
        html = draw("{{ new|diff:old }}", new="two hours", old="one hour")

    assert '<span class="visually-hidden">Removed: </span>one hour</del>' in html
    assert '<span class="visually-hidden">Added: </span>two hours</ins>' in html
