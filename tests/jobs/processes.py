"""Real workers in processes of their own, to be killed."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from django.conf import settings
from django.db import connection


def database_url():
    held = connection.settings_dict
    return f"postgres://{held['USER']}:{held['PASSWORD']}@{held['HOST'] or ''}:{held['PORT'] or 5432}/{held['NAME']}"


class Worker:
    """A Celery worker; `kill` takes the whole tree away with SIGKILL."""

    def __init__(self, *, lease=3, toy_url="", concurrency=2):
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "TEST_LEASE_SECONDS": str(lease),
            "TEST_TOY_URL": toy_url,
        }
        self.command = [
            sys.executable, "-m", "celery", "-A", "tests.jobs.app", "worker", "--concurrency", str(concurrency),
            "--without-gossip", "--without-mingle", "--loglevel", "warning", "--pool", "prefork",
        ]  # fmt: skip
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def kill(self):
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.kill()


def until(is_true, *, seconds, step=None, pause=0.1):
    """Wait until something holds, doing `step` in between; False when it never did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_true():
            return True
        if step is not None:
            step()
        time.sleep(pause)
    return False
