"""The marks of the numbers: sparkline, for tiles and tables."""

from collections.abc import Sequence

from django import template

from kpis import charts

register = template.Library()


@register.inclusion_tag("components/spark.html")
def spark(values: Sequence[float | None], target: float | None = None, css: str = "") -> dict[str, object]:
    """Draw the last values small; the figures beside it say the same, so readers skip it."""
    return {"spark": charts.spark(values, target), "css": css}
