"""Forms that notice a second editor."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    Base = forms.ModelForm[Any]
else:
    Base = forms.ModelForm


@dataclass(frozen=True)
class Conflict:
    """A field that somebody else saved while it was being edited here."""

    name: str
    label: str
    theirs: str
    yours: str


class VersionedForm(Base):
    """Edits a Versioned row, and saves only over the version that was read.

    Lock the row first (`select_for_update`) and pass it as `instance`. If it moved on meanwhile, the form is invalid
    and `conflicts` holds both texts of each field that both changed; what only the other changed is taken over.
    Sent again, the form saves what it then holds: its editor has seen both.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conflicts: list[Conflict] = []
        self.stored_version = self.instance.version if self.instance.pk else 0
        self.fields["version"].initial = self.stored_version
        # Each field carries what it held when it was read, so that two editors' changes can be told apart.
        for name, bound in self.fields.items():
            if name != "version":
                bound.show_hidden_initial = True
        self._stored = {name: self.get_initial_for_field(bound, name) for name, bound in self.fields.items()}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk and not self.errors and self.cleaned_data.get("version") != self.stored_version:
            self._meet(cleaned or self.cleaned_data)
        return cleaned

    def _meet(self, cleaned: dict[str, Any]) -> None:
        """Compare this edit with what was saved meanwhile, and show both."""
        mine = set(self.changed_data)
        data: Any = self.data.copy() if hasattr(self.data, "copy") else dict(self.data)
        for name, bound in self.fields.items():
            if name == "version":
                continue
            stored = bound.prepare_value(self._stored[name])
            yours = bound.prepare_value(self[name].data)
            if str(stored or "") == str(yours or ""):
                continue
            if name in mine:
                self.conflicts.append(
                    Conflict(name, str(bound.label or name), self._words(bound, stored), self._words(bound, yours))
                )
            else:
                data[self.add_prefix(name)] = stored  # only they changed it: take it over
            data[self.add_initial_prefix(name)] = stored
        data[self.add_prefix("version")] = str(self.stored_version)
        self.data = data
        self.add_error(
            None,
            forms.ValidationError(
                _("Somebody saved this while you were editing. Both texts are shown below; save again to keep yours."),
                code="stale",
            ),
        )

    @staticmethod
    def _words(bound: forms.Field, value: Any) -> str:
        """Say a stored value as its reader knows it: the choice's label, not its key."""
        if isinstance(bound, forms.ChoiceField):
            pairs: Any = bound.choices
            for key, label in pairs:
                if str(key) == str(value):
                    return str(label)
        return "" if value is None else str(value)

    @property
    def is_stale(self) -> bool:
        """True when the row moved on while it was edited."""
        return self.has_error(NON_FIELD_ERRORS, code="stale")
