"""Moments as people say them."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def when(moment: datetime | None) -> str:
    """Say a moment: "Today, 04:08", "Tomorrow, 04:00", "12 March, 04:06"; with its year when that is another one."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    today = timezone.localdate()
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return _("Today, %(clock)s") % {"clock": clock}
    if local.date() == today - timedelta(days=1):
        return _("Yesterday, %(clock)s") % {"clock": clock}
    if local.date() == today + timedelta(days=1):
        return _("Tomorrow, %(clock)s") % {"clock": clock}
    day = date_format(local, "MONTH_DAY_FORMAT" if local.year == today.year else "DATE_FORMAT")
    return f"{day}, {clock}"
