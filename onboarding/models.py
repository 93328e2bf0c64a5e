"""A newcomer's way through the first months."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from hub.core.models import Timestamped, Versioned
from hub.people.models import User


class Journey(Timestamped, Versioned):
    """What a newcomer does in their first days; its steps come later."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=120)
    summary = models.CharField(_("summary"), max_length=300, blank=True)
    owner = models.ForeignKey(
        User, models.SET_NULL, verbose_name=_("owner"), null=True, blank=True, related_name="journeys_owned"
    )
    length_days = models.PositiveSmallIntegerField(_("length in days"), default=90)

    class Meta:
        verbose_name = _("journey")
        verbose_name_plural = _("journeys")
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title
