"""How often a fault is made to happen: a few times in every run of the suite, as often as promised with HUB_FULL=1.

docs/faults.md lists both numbers of each fault; `HUB_FULL=1 make test ARGS="-m faults"` runs the large ones.
"""

import os

IS_FULL = os.environ.get("HUB_FULL") == "1"


def times(few: int, full: int) -> int:
    """Return the number to use: `few` in every run, `full` when the promise itself is to be proved."""
    return full if IS_FULL else few
