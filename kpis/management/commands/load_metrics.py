"""Load the metrics that come with the hub."""

from typing import Any

from django.core.management.base import BaseCommand

from kpis.models import Metric
from kpis.starter import metrics


class Command(BaseCommand):
    help = "Load the starter metrics; those that are there already stay as they were edited."

    def handle(self, *args: Any, **options: Any) -> None:
        known = set(Metric.objects.values_list("key", flat=True))
        new = [Metric(**fields) for fields in metrics() if fields["key"] not in known]
        Metric.objects.bulk_create(new, ignore_conflicts=True)
        self.stdout.write(f"{len(new)} metrics loaded, {len(known)} were there")
