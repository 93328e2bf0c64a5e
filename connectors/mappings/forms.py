"""Saying what a database holds, property by property."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from connectors.models import DocumentSource, SourceMapping

from .meanings import HOLDINGS, Field, fitting

YES = "true"  # what a ticked checkbox is called among the values that count


def meaning_choices() -> list[tuple[str, Any]]:
    return [("", _("Choose…")), *SourceMapping.Meaning.choices]


class MeaningForm(forms.Form):
    """What the database holds; the rest of the questions follow from it."""

    meaning = forms.ChoiceField(label=_("What does it hold?"), choices=meaning_choices)


@dataclass(frozen=True)
class Values:
    """The values of one property that may be the status."""

    ref: str
    name: str
    kind: str
    values: list[tuple[str, Any]]


class MappingForm(forms.Form):
    """Which property means what, for one meaning. A property is known by its id, so renaming it changes nothing.

    `filled` says how many pages have something in each property (by id, and under "" how many pages there are).
    """

    def __init__(
        self, *args: Any, source: DocumentSource, meaning: str, filled: Mapping[str, int] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.source, self.meaning = source, meaning
        self.holding = HOLDINGS[meaning]
        self.filled = filled or {}
        for one in self.holding.fields:
            self.fields[one.key] = self.asked(one)
        self.groups: list[Values] = []
        if self.holding.held:
            self.ask_for_values()

    def asked(self, one: Field) -> forms.ChoiceField:
        """Return the question for one field: the properties that can hold it, with how full they are."""
        options = fitting(one, self.source.properties)
        nothing = _("Choose…") if one.is_required else _("Not in this database")
        choices = [("", nothing), *((str(p["id"]), self.named(p)) for p in options)]
        help_text = one.help if options else _("No property of this database can hold this.")
        return forms.ChoiceField(label=one.label, choices=choices, required=one.is_required, help_text=help_text)

    def named(self, found: Mapping[str, object]) -> str:
        pages = self.filled.get("", 0)
        if not pages:
            return str(found["name"])
        text = ngettext(
            "%(name)s: filled in %(count)s of %(pages)s page", "%(name)s: filled in %(count)s of %(pages)s pages", pages
        )
        return text % {"name": found["name"], "count": self.filled.get(str(found["id"]), 0), "pages": pages}

    def ask_for_values(self) -> None:
        """Offer the values of each property that may be the status, under its name."""
        status = next(one for one in self.holding.fields if one.key == "status")
        choices = []
        for found in fitting(status, self.source.properties):
            key = str(found["id"])
            options: Any = found["options"]
            values: list[tuple[str, Any]] = [(f"{key}={YES}", _("Ticked"))] if found["type"] == "checkbox" else []
            values += [(f"{key}={option['id']}", option["name"]) for option in options]
            choices += values
            if values:
                self.groups.append(Values(key, str(found["name"]), str(found["type"]), values))
        self.groups.sort(key=lambda one: status.types.index(one.kind))
        self.fields["held"] = forms.MultipleChoiceField(
            label=self.holding.held, choices=choices, required=False, widget=forms.CheckboxSelectMultiple,
            help_text=_("Only the values of the property chosen as status count."),
        )  # fmt: skip

    @classmethod
    def said_so_far(cls, mapping: SourceMapping) -> dict[str, Any]:
        """Return what a stored mapping answers to the questions."""
        status = mapping.fields.get("status", "")
        return {**mapping.fields, "held": [f"{status}={value}" for value in mapping.held]}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        used: dict[str, str] = {}
        for one in self.holding.fields:
            ref = cleaned.get(one.key)
            if ref and ref in used and one.key != "status":
                text = _("This property already stands for “%(other)s”.") % {"other": used[ref]}
                self.add_error(one.key, text)
            elif ref:
                used[ref] = str(one.label)
        if "held" in self.fields and cleaned.get("status") and not self.counted(cleaned):
            self.add_error("held", _("Tick at least one value of the property chosen as status."))
        return cleaned

    def counted(self, cleaned: Mapping[str, Any]) -> list[str]:
        prefix = f"{cleaned.get('status', '')}="
        return [value.removeprefix(prefix) for value in cleaned.get("held") or () if value.startswith(prefix)]

    @property
    def ticked(self) -> list[str]:
        """What is ticked among the values, as the page shows it."""
        return [str(value) for value in self["held"].value() or ()]

    @property
    def shown_values(self) -> list[tuple[Values, bool]]:
        """The values to offer, property by property, and whether that one is (or is likely to be) the status."""
        status = self["status"].value() or next((one.ref for one in self.groups), "")
        return [(one, one.ref == status) for one in self.groups]

    @property
    def chosen(self) -> dict[str, str]:
        """The property's id for each field that was answered."""
        return {one.key: self.cleaned_data[one.key] for one in self.holding.fields if self.cleaned_data.get(one.key)}

    @property
    def held(self) -> list[str]:
        """The ids of the values that count."""
        return self.counted(self.cleaned_data) if self.cleaned_data.get("status") else []
