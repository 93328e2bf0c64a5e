"""The library's one noun: a page that somebody keeps true."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from hub.core.models import Timestamped, Versioned
from hub.people.models import User


class Page(Timestamped, Versioned):
    """A framework, a template, a playbook or a note: one noun of several kinds."""

    class Kind(models.TextChoices):
        FRAMEWORK = "framework", _("Framework")
        TEMPLATE = "template", pgettext_lazy("page of the library", "Template")
        PLAYBOOK = "playbook", _("Playbook")
        NOTE = "note", pgettext_lazy("page of the library", "Note")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=120)
    summary = models.CharField(_("summary"), max_length=300, blank=True)
    owner = models.ForeignKey(
        User, models.SET_NULL, verbose_name=_("owner"), null=True, blank=True, related_name="pages_owned"
    )
    review_on = models.DateField(_("review on"), null=True, blank=True)

    class Meta:
        verbose_name = _("page")
        verbose_name_plural = _("pages")
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title
