import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.local.errors import CannotStart
from hub.local.keys import own_secrets
from hub.local.place import Hold

PROJECT = Path(__file__).resolve().parents[2]


def test_second_starter_is_told_who_holds_the_folder(folder):
    first = Hold(folder)
    first.take()
    first.tell(pid=os.getpid(), address="http://localhost:8000")

    with pytest.raises(CannotStart) as told:
        Hold(folder).take()

    for fact in (str(folder), f"process {os.getpid()}", "http://localhost:8000"):
        assert fact in str(told.value)
    first.release()


def test_folder_of_a_killed_holder_is_free_at_once(folder):
    script = f"from pathlib import Path; from hub.local.place import Hold; hold = Hold(Path({str(folder)!r}))"
    script += "; hold.take(); print(); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT, text=True
    )
    with holder:
        holder.stdout.readline()
        with pytest.raises(CannotStart, match=f"process {holder.pid}"):
            Hold(folder).take()
        holder.kill()
        holder.wait()

    begun = time.monotonic()
    hold = Hold(folder)
    hold.take()

    assert time.monotonic() - begun < 1
    hold.release()


def test_secrets_are_made_once_and_are_ours_alone(folder):
    path = folder / "secrets.env"

    made = own_secrets(path)

    assert own_secrets(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(made["SECRET_KEY"]) >= 50
    assert len(made["SECRET_KEYS"]) == 44


def test_every_hub_has_secrets_of_its_own(folder):
    one, other = own_secrets(folder / "one.env"), own_secrets(folder / "other.env")

    assert not set(one.values()) & set(other.values())
