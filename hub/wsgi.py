"""WSGI entry point, served by gunicorn."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 - loads every view once, before gunicorn forks and before the first reader waits
