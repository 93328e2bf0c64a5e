"""`manage.py compile_locale`: the catalogues of `locale/`, readable by Django, without gettext's own tools."""

import os
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Compile locale/*/LC_MESSAGES/*.po where the compiled file is older or missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write each stale catalogue beside its source, whole or not at all."""
        for folder in settings.LOCALE_PATHS:
            for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
                target = source.with_suffix(".mo")
                if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
                    continue
                fresh = target.with_name(f"{target.name}.{os.getpid()}")
                polib.pofile(str(source)).save_as_mofile(str(fresh))
                fresh.replace(target)
                if options["verbosity"]:
                    self.stdout.write(f"compiled {source.relative_to(folder)}")
