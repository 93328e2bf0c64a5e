"""What people choose about a file, and about an address that is read every night."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .kinds import Kind

WHOLE = _("The file is the whole list")


class UploadForm(forms.Form):
    """A table to read."""

    file = forms.FileField(
        label=_("CSV file or workbook"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )
    is_whole = forms.BooleanField(label=WHOLE, required=False)

    def __init__(self, *args: Any, kind: Kind, **options: Any) -> None:
        super().__init__(*args, **options)
        if kind.closes is None:
            del self.fields["is_whole"]
        else:
            self.fields["is_whole"].help_text = str(kind.closes)


class MappingForm(forms.Form):
    """Which column of the file is what."""

    def __init__(self, *args: Any, kind: Kind, header: list[str], mapping: dict[str, int], **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        columns = [
            ("", _("Not in the file")),
            *((str(index), name or f"#{index + 1}") for index, name in enumerate(header)),
        ]
        for name, (label, _words) in kind.columns.items():
            self.fields[name] = forms.ChoiceField(
                label=str(label), choices=columns, required=False, initial=str(mapping.get(name, ""))
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not any(cleaned.get(name) for name in self.kind.keys):
            raise ValidationError(str(self.kind.key_missing))
        used = [value for value in cleaned.values() if value]
        if len(used) != len(set(used)):
            raise ValidationError(_("One column is chosen twice. Each column can be one thing only."))
        return cleaned

    def mapping(self) -> dict[str, int]:
        """Return the choice as the plan keeps it."""
        return {name: int(value) for name, value in self.cleaned_data.items() if value}
