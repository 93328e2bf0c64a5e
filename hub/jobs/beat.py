"""The clock: Celery beat, with a dispatcher in place of its own schedule.

Beat's schedule lives in a file and its ticks in the broker; both can be lost. This one keeps neither: what is due
follows from the database (`@work(every=…)`), so a beat that was away for a day, or a second one, does no harm.
"""

from typing import Any

from celery.beat import Scheduler as CeleryScheduler

from .dispatch import Dispatcher

PAUSE_SECONDS = 1.0


class Scheduler(CeleryScheduler):
    """Runs one dispatch round a second."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dispatcher = Dispatcher()

    def setup_schedule(self) -> None:
        """Load every room's `tasks`, for they declare what is periodic."""
        self.app.loader.import_default_modules()

    def tick(self, *args: Any, **options: Any) -> float:
        """Do one round; return the seconds until the next."""
        self.dispatcher.round()
        return PAUSE_SECONDS
