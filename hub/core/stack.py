"""Room on CPython's stack for what calls much in loops."""

from collections.abc import Callable
from types import FunctionType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
WORDS = 1 << 15  # 256 kB: no page and no job has been seen to need a third of it


def _call(act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return act(*args, **kwargs)


_call_with_room = FunctionType(_call.__code__.replace(co_stacksize=WORDS), globals())


def with_room(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `act` where its calls and theirs cross no end of a piece of the stack.

    CPython (3.11 to 3.13 at least) takes its stack from the system in pieces of 16 kB, and gives a piece back as soon
    as a call returns across its end. A loop that happens to run there pays for it at each turn: a page takes up to
    three times as long, a plain loop a hundred times. Which one it befalls depends on the depth at which a server calls
    us. A frame that asks for much is given a piece of its own with as much again, in which all that follows has room;
    memory that nobody touches is never taken.
    """
    found: T = _call_with_room(act, *args, **kwargs)
    return found
