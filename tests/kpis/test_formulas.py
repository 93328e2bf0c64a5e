"""The arithmetic of a number's state, as tables."""

import pytest

from kpis.formulas import Status, attainment, is_worse, relative_change, status_against


@pytest.mark.parametrize(
    ("value", "target", "upper", "direction", "expected"),
    [
        (80, 100, None, "up", 0.8),
        (120, 100, None, "up", 1.2),
        (5, 4, None, "down", 0.8),
        (4, 5, None, "down", 1.25),
        (0, 5, None, "down", None),
        (5, 0, None, "up", None),
        (0.8, 0.7, 0.9, "band", 1.0),
        (0.6, 0.7, 0.9, "band", 0.5),
        (1.0, 0.7, 0.9, "band", 0.5),
        (0.1, 0.7, 0.9, "band", 0.0),
        (3, 2, None, "neutral", None),
    ],
)
def test_attainment(value, target, upper, direction, expected):
    reached = attainment(value, target, direction=direction, upper=upper)

    assert reached == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("value", "target", "direction", "expected"),
    [
        (3, 3, "down", Status.ON_TRACK),
        (3.1, 3, "down", Status.AT_RISK),
        (4, 3, "down", Status.OFF_TRACK),
        (0, 3, "down", Status.ON_TRACK),
        (96, 100, "up", Status.AT_RISK),
        (94, 100, "up", Status.OFF_TRACK),
        (0, 0, "up", Status.ON_TRACK),
        (-1, 0, "up", Status.OFF_TRACK),
        (5, None, "up", Status.NO_TARGET),
        (5, 3, "neutral", Status.NO_TARGET),
    ],
)
def test_status(value, target, direction, expected):
    assert status_against(value, target, direction=direction) == expected


@pytest.mark.parametrize(
    ("now", "before", "expected"), [(6, 4, 0.5), (2, 4, -0.5), (2, 0, None), (-1, 2, None), (-1, -2, 0.5)]
)
def test_relative_change(now, before, expected):
    assert relative_change(now, before) == expected


@pytest.mark.parametrize(
    ("now", "before", "direction", "expected"),
    [
        (5, 4, "down", True), (4, 5, "down", False), (4, 5, "up", True), (5, 4, "up", False), (4, 4, "up", False),
        (60, 70, "band", True), (70, 60, "band", False), (99, 90, "band", True), (80, 90, "band", False),
        (5, 4, "neutral", False),
    ],
)  # fmt: skip
def test_a_change_is_worse_when_it_went_away_from_what_is_asked(now, before, direction, expected):
    assert is_worse(now, before, direction=direction, target=75, upper=95) is expected
