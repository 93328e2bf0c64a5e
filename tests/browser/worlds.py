"""Three states of a hub to look at: empty, the demo company, and thousands of everything."""

from django.core.management import call_command
from django.utils import timezone

from hub.jobs import worker
from hub.jobs.models import Job
from tests.bench import people, seed

KINDS = ("empty", "demo", "thousands")


def fill(kind: str) -> None:
    """Fill a migrated, empty database."""
    if kind == "thousands":
        seed.seed(seed.Size(0.3))
    if kind == "demo":
        fill_demo()
    people.make_people()


def fill_demo() -> None:
    """Do what `make run` does, in one process: starter content, company, first sync, and all that follows."""
    from django.conf import settings

    from connectors.sandbox.life import demo_world
    from connectors.sandbox.server import serve

    settings.DEMO = True
    call_command("load_starter", verbosity=0)
    call_command("seed_demo", verbosity=0)
    world, life = demo_world()
    with serve(world, life=life, request_limit=10**9, point_limit=10**12) as sandbox:
        settings.SANDBOX_URL = sandbox.url
        call_command("first_sync", url=sandbox.url, verbosity=0)
        drain()
        call_command("seed_demo", verbosity=0)  # what hangs on synchronised rows
        drain()


def drain(most: int = 2000) -> int:
    """Do all work that is due, here; return how many jobs were run."""
    for count in range(most):
        job = Job.objects.filter(state=Job.State.QUEUED, run_after__lte=timezone.now()).order_by("-priority").first()
        if job is None:
            return count
        worker.run(job.pk)
    return most
