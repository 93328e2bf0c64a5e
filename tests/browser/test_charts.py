"""Charts by keyboard, in a real browser: the arrow keys read one week after the other, aloud."""

from datetime import timedelta

import pytest
from django.utils import timezone

from kpis.queries import monday
from tests.kpis.factories import MetricFactory, ObservationFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def charted(people):
    metric = MetricFactory(key="cycle-time", name="Cycle time, median")
    last = monday(timezone.localdate()) - timedelta(weeks=1)
    for back, value in enumerate((6.0, 5.0, 4.0)):
        ObservationFactory(metric=metric, week=last - timedelta(weeks=back), value=value)
    return metric


@pytest.mark.parametrize(("width", "drawing"), [(1440, ".chart__wide"), (390, ".chart__narrow")])
def test_arrow_keys_read_week_after_week(visit, charted, width, drawing):
    seen = visit("member", width=width)
    seen.go("/kpis/cycle-time/")
    reading = seen.page.locator("[data-reading]")
    seen.page.locator(drawing).focus()

    heard = []
    for key in ("End", "ArrowLeft", "ArrowLeft", "ArrowRight", "ArrowRight", "ArrowRight"):
        seen.page.keyboard.press(key)
        heard.append(reading.inner_text())

    days = ("6.0", "5.0", "4.0", "5.0", "6.0", "6.0")  # the last key stays on the last week
    assert [f": {figure}\u00a0days" in text for figure, text in zip(days, heard, strict=True)] == [True] * 6
    seen.page.keyboard.press("Escape")
    assert reading.inner_text() == ""
    assert seen.problems() == []


def test_the_first_and_the_last_week_are_one_key_away(visit, charted):
    seen = visit("member")
    seen.go("/kpis/cycle-time/?weeks=13")
    seen.page.locator(".chart__wide").focus()

    seen.page.keyboard.press("Home")

    assert "not measured" in seen.page.locator("[data-reading]").inner_text()
    assert seen.page.locator(".chart__wide .c-slot--on").count() == 1


def test_the_pointer_reads_and_the_table_says_the_same(visit, charted):
    seen = visit("member")
    seen.go("/kpis/cycle-time/?weeks=13")

    seen.page.locator(".chart__wide .c-slot").last.hover()
    seen.page.locator(".chart summary").click()

    first = seen.page.locator(".chart tbody tr").first
    assert "6.0" in seen.page.locator("[data-reading]").inner_text()
    assert "6.0" in first.inner_text()
