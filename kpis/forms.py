"""What people type about numbers."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from connectors.models import Warehouse
from connectors.warehouse.addresses import NotAllowed, check
from connectors.warehouse.statements import NotASelect, single_select
from connectors.warehouse.words import explained
from hub.core.forms import VersionedForm
from hub.people.forms import PersonField
from tooling.models import Tool

from .actions import CONTRACT
from .formulas import NotAPrice, seat_prices
from .models import Metric
from .parameters import CHOSEN, EFFORTS, MAY_BE_EMPTY, PRICES, chosen_key, effort_fields

SHORTEST_REASON = 10
UNBOXED = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.HiddenInput)  # drawn without a frame around them
LONGEST_TOKEN = timedelta(days=365)


class MetricForm(VersionedForm):
    """A metric's contract. Another definition needs a reason."""

    owner = PersonField(label=_("Owner"), help_text=_("Their e-mail or full name. Empty: nobody yet."))
    why = forms.CharField(
        label=_("Why this change?"),
        max_length=500,
        required=False,
        help_text=_("Needed when the definition, the formula or the direction changes; kept with it for good."),
    )

    class Meta:
        model = Metric
        fields = (
            "name", "name_fr", "summary", "summary_fr", "definition", "definition_fr", "formula", "formula_fr",
            "pitfalls", "pitfalls_fr", "direction", "owner", "status", "is_headline", "review_every_days",
        )  # fmt: skip
        widgets = {
            name: forms.Textarea(attrs={"rows": rows})
            for name, rows in (("definition", 5), ("definition_fr", 5), ("pitfalls", 4), ("pitfalls_fr", 4))
        }
        labels = {
            "name": _("Name, in English"),
            "name_fr": _("Name, in French"),
            "summary": _("In one line, in English"),
            "summary_fr": _("In one line, in French"),
            "definition": _("Definition, in English"),
            "definition_fr": _("Definition, in French"),
            "formula": _("Formula, in English"),
            "formula_fr": _("Formula, in French"),
            "pitfalls": _("What it does not say, in English"),
            "pitfalls_fr": _("What it does not say, in French"),
            "direction": _("Better when"),
            "status": _("Status"),
            "is_headline": _("Show on the leadership page"),
            "review_every_days": _("Review every (days)"),
        }
        help_texts = {
            "pitfalls": _("One a line."),
            "pitfalls_fr": _("One a line."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen_key = chosen_key(self.instance.settings)
        if self.chosen_key:
            self.add_field("chosen", self._choice(self.chosen_key, self.instance.settings[self.chosen_key]))
            self.order_fields([name for name in self.fields if name != "why"])  # the reason comes last
        for name, field in self.fields.items():
            if not isinstance(field.widget, UNBOXED):
                field.widget.attrs.setdefault("class", "input")
            if name == "review_every_days":
                field.widget.attrs["min"] = 7

    @staticmethod
    def _choice(key: str, now: list[str]) -> forms.Field:
        """Return the field of a list among the metric's parameters: boxes to tick, or a name a line."""
        if key == EFFORTS:
            fields = effort_fields(now)
            some = _("Fields of Productboard in which a feature holds a number. Several are added up.")
            none = _("Nothing to choose: no feature read so far holds a number in a field that your company made.")
            return forms.MultipleChoiceField(
                label=CHOSEN[key], choices=fields, initial=now, required=False, widget=forms.CheckboxSelectMultiple,
                help_text=some if fields else none,
            )  # fmt: skip
        return forms.CharField(
            label=CHOSEN[key], max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
            initial="\n".join(now), required=key not in MAY_BE_EMPTY,
            help_text=_("One tool a line: linear 12.50 EUR") if key == PRICES else _("One a line."),
        )  # fmt: skip

    def clean_chosen(self) -> str | list[str]:
        """Take what was chosen into the metric's parameters."""
        if self.chosen_key == EFFORTS:
            self.instance.settings = {**self.instance.settings, EFFORTS: self.cleaned_data["chosen"]}
            return list(self.cleaned_data["chosen"])
        names = [line.strip() for line in str(self.cleaned_data["chosen"]).splitlines() if line.strip()]
        if not names and self.chosen_key not in MAY_BE_EMPTY:
            raise ValidationError(_("Name at least one."))
        if self.chosen_key == PRICES:
            try:
                seat_prices(names)
            except NotAPrice as wrong:
                text = _("“%(line)s”: write the tool, the price and the currency, the same one in each line.")
                raise ValidationError(text % {"line": wrong}) from wrong
        self.instance.settings = {**self.instance.settings, self.chosen_key: names}
        return "\n".join(names)

    def clean_review_every_days(self) -> int:
        """A contract is read again at least every two years, at most every week."""
        days = int(self.cleaned_data["review_every_days"])
        if not 7 <= days <= 730:
            raise ValidationError(_("Between 7 and 730 days."))
        return days

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        is_redefined = any(name in (*CONTRACT, "chosen") for name in self.changed_data)
        why = str(self.cleaned_data.get("why") or "").strip()
        if is_redefined and len(why) < SHORTEST_REASON and "why" not in self.errors:
            self.add_error("why", _("Say in a sentence why the contract changes: those who used the number will ask."))
        return cleaned


class TargetForm(forms.Form):
    """What is aimed at, from when, and why. Percentages are typed as such: 80, not 0.8."""

    value = forms.FloatField(label=_("Target"), localize=True)
    upper = forms.FloatField(
        label=_("Up to"), required=False, localize=True, help_text=_("The upper edge of the band.")
    )
    since = forms.DateField(
        label=_("In force from"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
    )  # fmt: skip
    why = forms.CharField(label=_("Why this target?"), max_length=300)

    def __init__(self, *args: Any, metric: Metric, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.metric = metric
        self.fields["since"].initial = timezone.localdate
        if metric.direction != Metric.Direction.BAND:
            del self.fields["upper"]
        unit = "%" if metric.unit == Metric.Unit.PERCENT else metric.get_unit_display()
        self.fields["value"].help_text = _("In %(unit)s.") % {"unit": unit}
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def _stored(self, value: float) -> float:
        limit = 1000 if self.metric.unit == Metric.Unit.PERCENT else 1_000_000
        if value != value or not 0 <= value <= limit:  # noqa: PLR0124 - NaN is no target
            raise ValidationError(_("A figure from 0 to %(limit)s.") % {"limit": limit})
        return value / 100 if self.metric.unit == Metric.Unit.PERCENT else value

    def clean_value(self) -> float:
        return self._stored(self.cleaned_data["value"])

    def clean_upper(self) -> float | None:
        upper = self.cleaned_data["upper"]
        return None if upper is None else self._stored(upper)

    def clean_why(self) -> str:
        why = str(self.cleaned_data["why"]).strip()
        if len(why) < SHORTEST_REASON:
            raise ValidationError(_("Say in a sentence why: whoever misses it will ask."))
        return why

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if "upper" in self.fields and not self.errors:
            upper = cleaned.get("upper")
            if upper is None:
                self.add_error("upper", _("A band has two edges."))
            elif upper < cleaned["value"]:
                self.add_error("upper", _("The upper edge is under the lower one."))
        return cleaned


class CommentForm(forms.Form):
    """A few sentences about a number."""

    text = forms.CharField(
        label=_("Your comment"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3, "class": "input"})
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


RESERVED_KEYS = ("leadership", "teams", "joins", "new", "sources")  # they are addresses (kpis.urls)


class NewMetricForm(forms.ModelForm):  # type: ignore[type-arg]
    """A metric whose values come from outside. Its key is for good; its other words can be edited later."""

    owner = PersonField(label=_("Owner"), help_text=_("Their e-mail or full name. Empty: nobody yet."))

    class Meta:
        model = Metric
        fields = (
            "name", "name_fr", "key", "source_kind", "kind", "unit", "direction", "definition", "formula", "source",
            "is_about_people", "owner",
        )  # fmt: skip
        widgets = {"definition": forms.Textarea(attrs={"rows": 4})}
        labels = {
            "name": _("Name, in English"),
            "name_fr": _("Name, in French"),
            "key": _("Key"),
            "source_kind": _("Where values come from"),
            "direction": _("Better when"),
            "definition": _("Definition"),
            "formula": _("Formula"),
            "source": _("Name of the source"),
            "is_about_people": _("It is about what people do"),
        }
        help_texts = {
            "key": _("How calls, files and links name it: lower-case letters, digits and hyphens. It never changes."),
            "kind": _("It decides what a row must bring, and what may be added up."),
            "is_about_people": _("Teams of fewer than five cases are then never shown."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        source = self.fields["source_kind"]
        assert isinstance(source, forms.ChoiceField)
        source.choices = [
            choice for choice in Metric.SourceKind.choices if choice[0] != Metric.SourceKind.COMPUTED
        ]  # fmt: skip
        unit = self.fields["unit"]
        assert isinstance(unit, forms.ChoiceField)
        unit.choices = [choice for choice in Metric.Unit.choices if choice[0] != Metric.Unit.MONEY]  # of which country?
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs.setdefault("class", "input")

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"]).lower()
        if key in RESERVED_KEYS:
            raise ValidationError(_("“%(key)s” is an address of the hub: choose another key.") % {"key": key})
        return key


class TokenForm(forms.Form):
    """What a token opens, for whom and how long."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("The system that will use it: “CRM, nightly”."))
    owner = PersonField(label=_("Owner"), help_text=_("Their e-mail or full name. When they leave, it stops working."))
    metrics = forms.ModelMultipleChoiceField(
        Metric.objects.none(), label=_("Metrics it may write"), required=False, widget=forms.CheckboxSelectMultiple
    )
    tools = forms.CharField(
        label=_("Tools whose use it may report"),
        required=False,
        max_length=400,
        help_text=_("Their short names in addresses, with commas between: miro, figma. Tools no connector reads."),
    )
    expires_on = forms.DateField(
        label=_("Valid until"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        metrics = self.fields["metrics"]
        assert isinstance(metrics, forms.ModelMultipleChoiceField)
        metrics.queryset = Metric.objects.shown().filter(source_kind=Metric.SourceKind.PUSHED).order_by("name", "pk")
        today = timezone.localdate()
        self.fields["owner"].required = True
        self.fields["expires_on"].initial = today + timedelta(days=180)
        self.fields["expires_on"].widget.attrs |= {"min": f"{today}", "max": f"{today + LONGEST_TOKEN}"}
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxSelectMultiple):
                field.widget.attrs["class"] = "input"

    def clean_tools(self) -> list[Tool]:
        slugs = {slug.strip().lower() for slug in str(self.cleaned_data["tools"]).split(",") if slug.strip()}
        found = list(Tool.objects.filter(slug__in=slugs).order_by("slug"))
        missing = slugs - {tool.slug for tool in found}
        if missing:
            raise ValidationError(_("There is no tool “%(tool)s”.") % {"tool": sorted(missing)[0]})
        return found

    def clean_expires_on(self) -> date:
        day: date = self.cleaned_data["expires_on"]
        today = timezone.localdate()
        if not today < day <= today + LONGEST_TOKEN:
            raise ValidationError(_("A day from tomorrow to a year from now."))
        return day

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("metrics") and not cleaned.get("tools"):
            raise ValidationError(_("A token that may write nothing is of no use: tick a metric or name a tool."))
        return cleaned


class WarehouseForm(forms.Form):
    """A database to read from. The address is written, encrypted and never shown again."""

    label = forms.CharField(label=_("Name"), max_length=80, help_text=_("How colleagues call it: “Shop, replica”."))
    address = forms.CharField(
        label=_("Address, with user and password"),
        max_length=4000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("It is encrypted and never shown again. Use a role of its own that may only read."),
    )
    timeout_seconds = forms.IntegerField(
        label=_("Longest time of a query, seconds"), min_value=1, max_value=30, initial=10
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def clean_label(self) -> str:
        label = str(self.cleaned_data["label"])
        if Warehouse.objects.filter(label=label).exists():
            raise ValidationError(_("Another database is called so."))
        return label

    def clean_address(self) -> str:
        address = str(self.cleaned_data["address"]).strip()
        try:
            place = check(address, looks_up=False)
        except NotAllowed as error:
            raise ValidationError(" ".join(explained("", error.code))) from error
        if place.kind.missing:
            raise ValidationError(" ".join(explained("", "driver", place.kind.missing)))
        return address


class QueryForm(forms.Form):
    """The query of a metric."""

    warehouse = forms.ModelChoiceField(Warehouse.objects.none(), label=_("Database"), empty_label=None)
    text = forms.CharField(
        label=_("Query"),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
        help_text=_("One SELECT, without comments. Columns: week, value, and where there are any team, num, den, n."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["warehouse"]
        assert isinstance(chosen, forms.ModelChoiceField)
        chosen.queryset = Warehouse.objects.order_by("label", "pk")
        chosen.widget.attrs["class"] = "input"
        self.fields["text"].widget.attrs["class"] = "input kpis__query"

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("warehouse") and cleaned.get("text"):
            try:
                cleaned["text"] = single_select(cleaned["text"], cleaned["warehouse"].kind)
            except NotASelect as error:
                self.add_error("text", " ".join(explained("", error.code, error.word)))
        return cleaned
