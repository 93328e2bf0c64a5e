"""A metric is a contract: what it says, how it is computed, who answers for it, and what is aimed at."""

from datetime import date, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from hub.core.http import address_of
from hub.core.models import Timestamped, Versioned
from hub.people.models import Team, User

STALE_AFTER = timedelta(days=2)  # two nights without a good sync


class MetricQuerySet(models.QuerySet["Metric"]):
    def shown(self) -> Self:
        """Metrics that dashboards show."""
        return self.exclude(status=Metric.Status.RETIRED)


class Metric(Timestamped, Versioned):
    """One number of the company. `key` never changes: computations and links hold on to it.

    `CONTRACT` are the long texts, which only the metric's own page and its form show.
    """

    CONTRACT = ("definition", "definition_fr", "formula", "formula_fr", "pitfalls", "pitfalls_fr")

    class Status(models.TextChoices):
        PROPOSED = "proposed", pgettext_lazy("metric", "Proposed")
        APPROVED = "approved", pgettext_lazy("metric", "Approved")
        RETIRED = "retired", pgettext_lazy("metric", "Retired")

    class Kind(models.TextChoices):
        """What may be added up. A ratio is recomputed from its counts, a percentile from the items: never averaged."""

        COUNT = "count", _("Count: adds up over teams and weeks")
        STOCK = "stock", _("Stock: adds up over teams, not over time")
        RATIO = "ratio", _("Ratio: recomputed from its counts, never averaged")
        PERCENTILE = "percentile", _("Percentile: recomputed from the items, never averaged")

    class Unit(models.TextChoices):
        DAYS = "days", _("days")
        ITEMS = "items", _("items")
        PERCENT = "percent", _("%")  # stored as 0–1
        SEATS = "seats", _("seats")
        NOTES = "notes", _("notes")
        INTERVIEWS = "interviews", _("interviews")
        PAGES = "pages", _("pages")
        OBJECTIVES = "objectives", _("objectives")
        KEY_RESULTS = "key_results", _("key results")
        FEATURES = "features", _("features")
        DECISIONS = "decisions", _("decisions")
        TIMES = "times", pgettext_lazy("unit", "times")
        MONEY = "money", _("money")  # in the currency of its prices

    class Theme(models.TextChoices):
        """Under which heading a list of metrics puts it, in this order."""

        DELIVERY = "delivery", _("Delivery")
        DISCOVERY = "discovery", _("Discovery")
        STRATEGY = "strategy", _("Strategy")
        DOCUMENTS = "documents", _("Documents")
        ADOPTION = "adoption", _("Adoption")

    class SourceKind(models.TextChoices):
        """Who writes the values. One kind a metric: what is computed can't be overwritten from outside."""

        COMPUTED = "computed", _("Computed from the tools")
        PUSHED = "pushed", _("Pushed by another system")
        SQL = "sql", _("Read from a database")
        UPLOADED = "uploaded", _("Uploaded as a file")

    class Direction(models.TextChoices):
        UP = "up", _("higher")
        DOWN = "down", _("lower")
        BAND = "band", _("within a band")
        NEUTRAL = "neutral", _("neither: it describes")

    key = models.SlugField(_("key"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_fr = models.CharField(_("name, French"), max_length=120, blank=True)
    summary = models.CharField(_("in one line"), max_length=200, blank=True)
    summary_fr = models.CharField(_("in one line, French"), max_length=200, blank=True)
    definition = models.TextField(_("definition"), max_length=4000)
    definition_fr = models.TextField(_("definition, French"), max_length=4000, blank=True)
    formula = models.CharField(_("formula"), max_length=400)
    formula_fr = models.CharField(_("formula, French"), max_length=400, blank=True)
    pitfalls = models.TextField(_("what it does not say"), max_length=4000, blank=True)
    pitfalls_fr = models.TextField(_("what it does not say, French"), max_length=4000, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    unit = models.CharField(_("unit"), max_length=12, choices=Unit.choices)
    decimals = models.PositiveSmallIntegerField(_("decimals"), default=1)
    direction = models.CharField(_("better when"), max_length=8, choices=Direction.choices)
    theme = models.CharField(_("theme"), max_length=12, choices=Theme.choices, default=Theme.DELIVERY)
    is_of_now = models.BooleanField(_("of a moment"), default=False)  # the week under way has as good a value as any
    source = models.CharField(_("source"), max_length=120, blank=True)
    source_kind = models.CharField(
        _("where values come from"), max_length=10, choices=SourceKind.choices, default=SourceKind.COMPUTED
    )
    streams = models.JSONField(_("streams it is computed from"), default=list, blank=True)
    settings = models.JSONField(_("parameters"), default=dict, blank=True)
    least = models.PositiveSmallIntegerField(_("fewest cases shown"), default=5)
    is_about_people = models.BooleanField(_("about people"), default=False)  # by team only from five people up
    owner = models.ForeignKey(
        User, models.SET_NULL, verbose_name=_("owner"), null=True, blank=True, related_name="metrics_owned"
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.APPROVED)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    is_headline = models.BooleanField(_("on the leadership page"), default=False)
    review_every_days = models.PositiveSmallIntegerField(_("review every (days)"), default=90)
    reviewed_on = models.DateField(_("last verified"), null=True, blank=True)
    read_at = models.DateTimeField(_("data read at"), null=True, blank=True, editable=False)
    computed_at = models.DateTimeField(_("computed at"), null=True, blank=True, editable=False)

    objects = MetricQuerySet.as_manager()

    class Meta:
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")

    def __str__(self) -> str:
        return self.localized("name")

    def get_absolute_url(self) -> str:
        return address_of("kpis:metric_detail")(self.key)

    def localized(self, field: str) -> str:
        """Return a text in the reader's language; English where the French one is missing."""
        french = getattr(self, f"{field}_fr", "") if (get_language() or "").startswith("fr") else ""
        return str(french or getattr(self, field))

    @property
    def summary_text(self) -> str:
        return self.localized("summary")

    @property
    def definition_text(self) -> str:
        return self.localized("definition")

    @property
    def formula_text(self) -> str:
        return self.localized("formula")

    def is_owned_by(self, user: User) -> bool:
        return self.owner_id is not None and self.owner_id == user.pk

    @property
    def is_stale(self) -> bool:
        """True when the data was last read more than two nights ago."""
        return self.read_at is not None and timezone.now() - self.read_at > STALE_AFTER

    @property
    def review_due_on(self) -> date | None:
        return self.reviewed_on + timedelta(days=self.review_every_days) if self.reviewed_on else None


class Target(models.Model):
    """What is aimed at from a day on, for the company (`team` empty) or a team. The latest one in force counts."""

    metric = models.ForeignKey(Metric, models.CASCADE, verbose_name=_("metric"), related_name="targets")
    team = models.ForeignKey(Team, models.CASCADE, verbose_name=_("team"), null=True, blank=True, related_name="+")
    value = models.FloatField(_("target"))
    upper = models.FloatField(_("up to"), null=True, blank=True)  # of a band
    amber_ratio = models.FloatField(_("at risk from"), default=0.95)
    since = models.DateField(_("in force from"))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    set_at = models.DateTimeField(auto_now_add=True)
    reason = models.CharField(_("why"), max_length=300, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        constraints = [
            models.CheckConstraint(condition=Q(upper=None) | Q(upper__gte=models.F("value")), name="kpis_target_band"),
            models.CheckConstraint(condition=Q(amber_ratio__gt=0, amber_ratio__lte=1), name="kpis_target_amber"),
        ]
        indexes = [models.Index(fields=["metric", "team", "-since", "-id"], name="kpis_target_latest")]

    def __str__(self) -> str:
        return f"{self.metric_id} {self.value}"


class Comment(models.Model):
    """What a person says about a number."""

    metric = models.ForeignKey(Metric, models.CASCADE, related_name="comments")
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    text = models.TextField(_("comment"), max_length=1000)
    written_at = models.DateTimeField(auto_now_add=True)
    key = models.UUIDField(unique=True)  # of the form: a second click is the same comment

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        indexes = [models.Index(fields=["metric", "team", "-written_at", "-id"], name="kpis_comment_latest")]

    def __str__(self) -> str:
        return self.text[:60]
