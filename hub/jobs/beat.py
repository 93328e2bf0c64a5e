"""The clock: Celery beat, with a dispatcher in place of its own schedule.

Beat's schedule lives in a file and its ticks in the broker; both can be lost. This one keeps neither: what is due
follows from the database (`@work(every=…)`), so a beat that was away for a day, or a second one, does no harm.
"""

from pathlib import Path
from typing import Any

from celery.beat import Scheduler as CeleryScheduler

from .dispatch import Dispatcher

PAUSE_SECONDS = 1.0


class Scheduler(CeleryScheduler):
    """Runs one dispatch round a second.

    The file named by `--schedule` stays empty, but is touched after each round: its age tells whether beat lives.
    """

    def __init__(self, *args: Any, schedule_filename: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.dispatcher = Dispatcher()
        self.sign_of_life = Path(schedule_filename)

    def setup_schedule(self) -> None:
        """Load every room's `tasks`, for they declare what is periodic."""
        self.app.loader.import_default_modules()

    def tick(self, *args: Any, **options: Any) -> float:
        """Do one round; return the seconds until the next."""
        self.dispatcher.round()
        self.sign_of_life.touch()
        return PAUSE_SECONDS
