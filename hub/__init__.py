"""The hall: what every room stands in."""

from .celery import app as celery_app

__all__ = ["celery_app"]
