"""How values come out of the database."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.psycopg_any import get_adapters_template  # type: ignore[import-untyped]
from psycopg.abc import Buffer
from psycopg.adapt import Loader


class MomentLoader(Loader):
    """Reads a moment with Python's own parser: a sixth of the time of Django's, and a page reads hundreds of them."""

    timezone = UTC  # Django looks here, and takes its own loader where a connection speaks of another zone

    def load(self, data: Buffer) -> datetime:
        return datetime.fromisoformat(str(data, "ascii")).astimezone(UTC)


def read_moments_faster() -> None:
    """Have all connections made from now on read moments with MomentLoader."""
    get_adapters_template(settings.USE_TZ, connection.timezone).register_loader("timestamptz", MomentLoader)
