"""A short war in every run of the suite; `make soak` is the long one."""

import os
import subprocess
import sys

import pytest

from tests.numbers import times

pytestmark = [pytest.mark.slow, pytest.mark.faults]
NIGHTS = times(4, 60)


def test_after_nights_under_fire_every_promise_was_kept():
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    command = [sys.executable, "-m", "tests.soak", "--nights", str(NIGHTS), "--seed", "7"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "MISSED" not in done.stdout and f"{NIGHTS} nights" in done.stdout
