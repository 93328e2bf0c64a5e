"""The marks of the numbers: sparkline, for tiles and tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django import template
from django.utils.safestring import SafeString

from hub.core.text import drawn
from kpis import charts

if TYPE_CHECKING:
    from kpis.views.panels import Row

register = template.Library()


@register.inclusion_tag("components/spark.html")
def spark(values: Sequence[float | None], target: float | None = None, css: str = "") -> dict[str, object]:
    """Draw the last values small; the figures beside it say the same, so readers skip it."""
    return {"spark": charts.spark(values, target), "css": css}


@register.simple_tag
def slots(drawing: charts.Drawing) -> SafeString:
    """Draw the strips of the weeks. Written here and not as a loop: a dashboard has hundreds of them."""
    height = drawing.bottom - drawing.top
    return drawn(
        '<rect class="c-slot" x="{}" y="{}" width="{}" height="{}" data-says="{}"><title>{}</title></rect>',
        ((slot.x, drawing.top, slot.width, height, slot.words, slot.words) for slot in drawing.slots),
        between="\n",
    )


@register.simple_tag
def week_rows(rows: Sequence["Row"]) -> SafeString:
    """List a chart's weeks as the rows of its table."""
    return drawn(
        '<tr><td>{}</td><td class="num">{}</td><td class="num">{}</td><td class="num">{}</td></tr>',
        ((row.week, row.value, row.n, row.coverage) for row in rows),
        between="\n",
    )
