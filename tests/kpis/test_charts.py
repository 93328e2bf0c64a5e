"""Where the marks of a chart go."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.charts import Line, Mark, Reading, axis, chart, nice_ticks, spark, stretches

START = date(2026, 1, 5)


def drawn(values, **options):
    readings = [Reading(START + timedelta(weeks=i), value, f"week {i}") for i, value in enumerate(values)]
    return chart(readings, figure=lambda v: f"{v:g}", month=lambda d: d.strftime("%b"), no_data="no data", **options)


def test_a_gap_in_the_data_is_a_gap_in_the_line():
    wide = drawn([1.0, 2.0, None, None, 3.0, 4.0]).wide

    assert len(wide.paths) == 2
    assert len(wide.gaps) == 1


def test_weeks_before_the_first_value_are_no_gap():
    assert drawn([None, None, 3.0, 4.0]).wide.gaps == ()


def test_bars_start_at_zero():
    made = drawn([100.0, 110.0, 105.0], as_bars=True)

    assert made.starts_at is None
    assert all(y + height == made.wide.bottom for _x, y, _width, height in made.wide.bars)


def test_a_line_far_from_zero_says_where_its_axis_starts():
    assert drawn([100.0, 110.0, 105.0]).starts_at == 100


def test_the_target_is_drawn_and_named_clear_of_the_last_value():
    wide = drawn([3.0, 3.0, 3.0], lines=[Line(3.05, "Target 3.05", "3.05")], last="3 days").wide

    assert wide.lines[0].text == "Target 3.05"
    assert abs(wide.lines[0].label_y - wide.last.y) >= 14


def test_marks_outside_the_span_are_left_out():
    marks = [Mark(date(2025, 1, 1), "old", "old"), Mark(START + timedelta(days=8), "new", "new")]

    assert [flag.text for flag in drawn([1.0, 2.0, 3.0], marks=marks).wide.flags] == ["new"]


def test_a_single_week_between_gaps_is_a_dot():
    assert len(drawn([1.0, None, 2.0, None, 3.0]).wide.dots) == 2


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 7.3), (60, 66), (0, 0), (0.001, 0.002), (-3, 4), (0, 123456)])
def test_ticks_hold_the_values_and_are_few(low, high):
    ticks = nice_ticks(low, high)

    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 2 <= len(ticks) <= 7


@pytest.mark.parametrize(("value", "ticks"), [(51, [0, 20, 40, 60]), (100, [0, 50, 100]), (-3, [-3, -2, -1, 0])])
def test_a_single_value_is_seen_from_zero(value, ticks):
    assert nice_ticks(value, value) == ticks


numbers = st.lists(st.none() | st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=60)


@given(numbers, st.booleans())
def test_every_mark_is_inside_the_drawing(values, as_bars):
    for one in (drawn(values, as_bars=as_bars).wide, drawn(values, as_bars=as_bars).narrow):
        heights = [float(y) for path in one.paths for y in re.findall(r" (-?[\d.]+(?:e-?\d+)?)(?= |$)", path)[::2]]
        assert all(slot.y is None or one.top - 0.1 <= slot.y <= one.bottom + 0.1 for slot in one.slots)
        assert all(height >= 0 for *_rest, height in one.bars)
        assert all(height <= one.height + one.width for height in heights)


@given(numbers)
def test_stretches_hold_every_value_once(values):
    assert [place for run in stretches(values) for place in run] == [i for i, v in enumerate(values) if v is not None]


def test_a_sparkline_of_nothing_is_empty():
    assert spark([None, None]).end is None


def test_a_flat_sparkline_lies_in_the_middle():
    assert spark([2.0, 2.0]).paths == ("M2 16 90 16",)


def test_weeks_without_a_cycles_end_are_no_gap():
    wide = drawn([1.0, None, 2.0, None, 3.0], connects=True).wide

    assert len(wide.paths) == 1
    assert wide.gaps == ()
    assert len(wide.dots) == 2  # and the last one, which has its own


def test_a_long_word_at_the_line_s_end_has_room_on_a_narrow_screen():
    def narrow(last):
        return drawn([10.0, 16.0], last=last).narrow

    assert narrow("16 décisions").right < narrow("16").right
    assert 340 - narrow("16 décisions").right >= 14 + 12 * 6.5


def test_a_single_value_near_its_target_is_seen_from_zero_too():
    assert axis([None, 8.0], [Line(5.0, "Target 5 seats", "5 seats")], from_zero=False)[0] == 0
