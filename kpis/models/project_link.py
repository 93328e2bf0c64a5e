"""Which project delivers what was planned, where no address says so: a person's word, that can be taken back."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from connectors.models import ProductItem, WorkProject
from hub.people.models import User


class ProjectLinkQuerySet(models.QuerySet["ProjectLink"]):
    def in_force(self) -> Self:
        """Links that nobody took back."""
        return self.filter(removed_at=None)


class ProjectLink(models.Model):
    """A project delivers this feature, says a person. Taken back, the row stays and counts no more."""

    project = models.ForeignKey(WorkProject, models.CASCADE, verbose_name=_("project"), related_name="+")
    item = models.ForeignKey(ProductItem, models.CASCADE, verbose_name=_("feature"), related_name="+")
    linked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    linked_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ProjectLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints = [
            models.UniqueConstraint(
                fields=["project", "item"], condition=Q(removed_at=None), name="kpis_projectlink_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project_id} {self.item_id}"
