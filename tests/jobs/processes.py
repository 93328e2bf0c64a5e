"""Real workers in processes of their own, to be killed."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection
from django.utils import timezone

from hub.jobs.models import Job


def database_url():
    """Return where this process's test database is; the suite's own server is a socket, whose folder is the host."""
    held = connection.settings_dict
    host = quote(held["HOST"] or "", safe="")
    port = f":{held['PORT']}" if held["PORT"] else ""
    return f"postgres://{held['USER']}:{held['PASSWORD']}@{host}{port}/{held['NAME']}"


class Worker:
    """A Celery worker; `kill` takes the whole tree away with SIGKILL. It doesn't outlive a pytest that is killed."""

    def __init__(self, *, lease=3, soft=60, toy_url="", sandbox_url="", concurrency=2, recycles=True):
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "TEST_LEASE_SECONDS": str(lease),
            "TEST_TOY_URL": toy_url,
            "TEST_SANDBOX_URL": sandbox_url,
            "TEST_SOFT_SECONDS": str(soft),
            "TEST_RECYCLES": "1" if recycles else "",  # a leak would hide behind the change of processes
            "TEST_PARENT": str(os.getpid()),  # the worker ties itself to it, and its pool to itself
            "REMAP_SIGTERM": "SIGQUIT",  # these two as docker-compose.yml has them: what runs may end softly,
            "MALLOC_TRIM_THRESHOLD_": "131072",  # and memory goes back to the system
        }
        self.command = [
            sys.executable, "-m", "celery", "-A", "tests.jobs.app", "worker", "--concurrency", str(concurrency),
            "--without-gossip", "--without-mingle", "--loglevel", "warning", "--pool", "prefork",
        ]  # fmt: skip
        self.process = None
        self.log = None

    def start(self):
        self.log = self.log or tempfile.TemporaryFile()  # noqa: SIM115, closed by `kill`
        self.process = subprocess.Popen(
            self.command, env=self.environment, start_new_session=True, stdout=self.log, stderr=self.log
        )
        return self

    def said(self):
        """Return its last lines, for the one who asks why nothing happens."""
        self.log.seek(max(0, self.log.tell() - 3000))
        return self.log.read().decode(errors="replace")

    def kill(self):
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
            self.log.close()
            self.log = None

    def kill_child(self):
        """Take one process of the pool away, as the system does when memory runs out; False if there is none now."""
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):
                child.kill()
                return True
        return False

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.kill()


class Pool:
    """One worker at a time, started when it is first asked for; the next one starts while the test goes on."""

    def __init__(self, **options):
        self.options = options
        self.held = None

    def worker(self):
        if self.held is None:
            self.held = Worker(**self.options).start()
        return self.held

    def kill(self):
        if self.held is not None:
            self.held.kill()
            self.held = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.kill()


def tell_again(dispatcher):
    """Do a round in which every waiting job is told, those told before included: duplicates abound.

    The clock isn't moved for it: a minute later every lease would be over, and each round would take running work
    away from its worker.
    """
    Job.objects.filter(state=Job.State.QUEUED).update(run_after=timezone.now(), dispatched_at=None)
    dispatcher.round()


def miss_the_dead():
    """Let the time pass after which a silent worker is missed. Not while one is at work: it would lose its job."""
    Job.objects.filter(state=Job.State.RUNNING).update(lease_until=timezone.now() - timedelta(seconds=1))


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
