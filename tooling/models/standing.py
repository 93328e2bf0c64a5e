"""Where a tool stands for a job: decided by a person, with a reason, and looked at again."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hub.people.models import Team, User

from .tool import Capability, Tool

LONGEST_WITHOUT_REVIEW = timedelta(days=548)  # 18 months


class StandardDecisionQuerySet(models.QuerySet["StandardDecision"]):
    def current(self) -> Self:
        """The latest decision on each capability, tool and scope."""
        return self.filter(is_current=True)

    def for_company(self) -> Self:
        return self.filter(team=None)


class StandardDecision(models.Model):
    """One tool's standing for one job, for the company or for one team.

    Its words are never changed; a later decision on the same three supersedes it.
    """

    capability = models.ForeignKey(Capability, models.PROTECT, verbose_name=_("capability"), related_name="decisions")
    tool = models.ForeignKey(Tool, models.CASCADE, verbose_name=_("tool"), related_name="decisions")
    team = models.ForeignKey(
        Team, models.PROTECT, verbose_name=_("for"), null=True, blank=True, related_name="tool_decisions"
    )  # None: the whole company
    ring = models.CharField(_("standing"), max_length=10, choices=Tool.Ring.choices)
    why = models.TextField(_("why"), max_length=2000)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="tool_decisions")
    decided_on = models.DateField(_("decided on"))
    review_on = models.DateField(_("to be looked at again on"))
    is_current = models.BooleanField(default=True, editable=False)  # the latest of its capability, tool and scope
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StandardDecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("standard decision")
        verbose_name_plural = _("standard decisions")
        constraints = [
            models.UniqueConstraint(
                fields=["capability", "tool", "team"],
                condition=Q(is_current=True),
                nulls_distinct=False,
                name="tooling_decision_one_current",
            ),
            models.CheckConstraint(
                condition=Q(review_on__gt=F("decided_on"))
                & Q(review_on__lte=F("decided_on") + models.Value(LONGEST_WITHOUT_REVIEW)),
                name="tooling_decision_review_within_18_months",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool} · {self.capability} · {self.get_ring_display()}"
