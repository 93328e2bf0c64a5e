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
        self._stored: dict[str, Any] = {}
        for name, bound in self.fields.items():
            self._watch(name, bound)

    def add_field(self, name: str, bound: forms.Field) -> None:
        """Add a field that depends on the row; a second editor of it is noticed, too."""
        self.fields[name] = bound
        self._watch(name, bound)

    def _watch(self, name: str, bound: forms.Field) -> None:
        """Have a field carry what it held when it was read, so that two editors' changes can be told apart."""
        bound.show_hidden_initial = name != "version"
        self._stored[name] = self.get_initial_for_field(bound, name)

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
            if _texts(stored) == _texts(yours):
                continue
            if name in mine:
                self.conflicts.append(
                    Conflict(name, str(bound.label or name), self._words(bound, stored), self._words(bound, yours))
                )
            else:
                _put(data, self.add_prefix(name), stored)  # only they changed it: take it over
            _put(data, self.add_initial_prefix(name), stored)
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
        """Say a stored value as its reader knows it: the labels of what was chosen, not their keys."""
        if isinstance(bound, forms.ChoiceField):
            pairs: Any = bound.choices
            labels = {str(key): str(label) for key, label in pairs}
            return ", ".join(labels.get(text, text) for text in _texts(value))
        return "" if value is None else str(value)

    @property
    def is_stale(self) -> bool:
        """True when the row moved on while it was edited."""
        return self.has_error(NON_FIELD_ERRORS, code="stale")


def _texts(value: Any) -> list[str]:
    """Return what a field holds as texts: each of several values in a fixed order, the only one, or none."""
    several = value if isinstance(value, list | tuple) else [value] if value else []
    return sorted(map(str, several))


def _put(data: Any, key: str, value: Any) -> None:
    """Set what a browser would have sent: several values are sent one by one."""
    if isinstance(value, list | tuple):
        data.setlist(key, value)
    else:
        data[key] = value
