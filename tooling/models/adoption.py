"""How much a tool is used: counted from accounts and days after each sync, never typed."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hub.people.models import Team

from .tool import Tool

WINDOWS = (7, 30, 90)


def percent(rate: float) -> str:
    """Say a share of 0–1 in the reader's language."""
    return gettext("%(number)d%%") % {"number": round(rate * 100)}


class Signal(models.TextChoices):
    """How much "was seen" means, best first. Empty where a source says nothing: then use is unknown, not nought."""

    ACTIVITY = "activity", _("Activity per day")
    SIGN_IN = "sign_in", _("Sign-ins")
    EDIT = "edit", _("Edits only, a lower bound")
    LAST_SEEN = "last_seen", _("Last seen, one moment per person")
    MANUAL = "manual", _("Entered by hand")


class AdoptionRollup(models.Model):
    """A tool's use by one team (None: the company) in the `window` days that end with `as_of`.

    People count once, whatever number of accounts they hold. `active` counts eligible people who were seen;
    None where the source has no signal. Rows of teams are kept for the latest day only, the company's for good.
    """

    tool = models.ForeignKey(Tool, models.CASCADE, related_name="rollups")
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="tool_rollups")
    window = models.PositiveSmallIntegerField(_("days"))
    as_of = models.DateField(_("as of"))
    is_current = models.BooleanField(default=True)
    eligible = models.PositiveIntegerField(_("people"))  # active people with a team on that day
    holders = models.PositiveIntegerField(_("people with an account"))  # of the eligible
    active = models.PositiveIntegerField(_("active people"), null=True)  # of the eligible
    accounts = models.PositiveIntegerField(_("accounts"))  # seats of people, in or outside the teams
    accounts_active = models.PositiveIntegerField(_("active accounts"), null=True)
    unmatched = models.PositiveIntegerField(_("accounts without a person"))
    signal = models.CharField(_("signal"), max_length=10, choices=Signal.choices, blank=True)

    class Meta:
        verbose_name = _("adoption")
        verbose_name_plural = _("adoption")
        constraints = [
            models.UniqueConstraint(
                fields=["tool", "team", "window", "as_of"], nulls_distinct=False, name="tooling_rollup_once"
            ),
            models.UniqueConstraint(
                fields=["tool", "window", "team"],
                condition=Q(is_current=True),
                nulls_distinct=False,
                name="tooling_rollup_one_current",
            ),
            models.CheckConstraint(condition=Q(window__in=WINDOWS), name="tooling_rollup_window"),
            models.CheckConstraint(
                condition=Q(active=None) | Q(active__lte=F("eligible")), name="tooling_rollup_active_are_people"
            ),
            models.CheckConstraint(
                condition=Q(signal="", active=None, accounts_active=None) | ~Q(signal=""),
                name="tooling_rollup_no_signal_no_number",
            ),
        ]
        indexes = [
            models.Index(fields=["team", "window", "tool"], condition=Q(is_current=True), name="tooling_rollup_of_team")
        ]

    def __str__(self) -> str:
        return f"{self.tool} · {self.team or '—'} · {self.window}"

    @property
    def rate(self) -> float | None:
        """The share of eligible people who were active, 0–1. None where it is not measured or nobody is eligible."""
        return None if self.active is None or not self.eligible else self.active / self.eligible

    @property
    def percent(self) -> str:
        """The rate as a person reads it; empty where it is not measured."""
        return "" if self.rate is None else percent(self.rate)

    @property
    def dormant(self) -> int | None:
        """Accounts nobody used in the window; None where use is not measured."""
        return None if self.accounts_active is None else self.accounts - self.accounts_active


class AdoptionWeek(models.Model):
    """How many people were seen in a tool in the week that starts on Monday `week`."""

    tool = models.ForeignKey(Tool, models.CASCADE, related_name="weeks")
    week = models.DateField(_("week"))
    active = models.PositiveIntegerField(_("active people"))

    class Meta:
        verbose_name = _("week of adoption")
        verbose_name_plural = _("weeks of adoption")
        constraints = [models.UniqueConstraint(fields=["tool", "week"], name="tooling_week_once")]

    def __str__(self) -> str:
        return f"{self.tool} · {self.week}"
