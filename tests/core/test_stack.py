"""However deep a server calls us, a loop takes as long."""

from time import perf_counter

import pytest

from hub.core.stack import with_room


def work():
    """Call much, some frames further down."""

    def one(number):
        return number

    def down(frames):
        return down(frames - 1) if frames else sum(one(number) for number in range(300))

    return [down(40) for _ in range(5)]


def deeper(frames, act):
    return deeper(frames - 1, act) if frames else act()


def best(act, times=5):
    """Return the least seconds of some turns: what else the machine does befalls not all of them."""
    found = []
    for _ in range(times):
        start = perf_counter()
        act()
        found.append(perf_counter() - start)
    return min(found)


def test_no_depth_is_unlucky():
    took = [best(lambda depth=depth: deeper(depth, lambda: with_room(work))) for depth in range(160)]

    assert max(took) < 8 * min(took)  # without room: a hundred times


def test_what_is_called_gives_its_answer_and_its_errors():
    assert with_room(divmod, 7, 2) == (3, 1)
    assert with_room(dict, a=1) == {"a": 1}
    with pytest.raises(ZeroDivisionError):
        with_room(divmod, 1, 0)
