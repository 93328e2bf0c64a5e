"""What people choose about a file, and about an address that is read every night."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from connectors.addresses import AddressRefused, check_spelling

from .kinds import Kind
from .models import Feed

WHOLE = _("The file is the whole list")


class UploadForm(forms.Form):
    """A table to read."""

    file = forms.FileField(
        label=_("CSV file or workbook"),
        error_messages={"required": _("Choose a file first.")},
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


class FeedForm(forms.Form):
    """An address and how its file is read. The token is asked of technical admins alone, and never shown again."""

    label = forms.CharField(label=_("Name"), max_length=80)
    url = forms.URLField(
        label=_("Address"),
        max_length=500,
        assume_scheme="https",
        help_text=_("An https address that answers with a CSV or .xlsx file; redirects are not followed."),
    )
    is_whole = forms.BooleanField(label=WHOLE, required=False)
    is_active = forms.BooleanField(label=_("Read it every night"), required=False)
    secret = forms.CharField(
        label=_("Token"),
        required=False,
        strip=True,
        max_length=4000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Sent as a bearer token. Leave it empty to keep the one there is."),
    )
    forget = forms.BooleanField(label=_("Forget the token"), required=False)

    def __init__(self, *args: Any, kind: Kind, feed: Feed, may_hold_tokens: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if kind.closes is None:
            del self.fields["is_whole"]
        else:
            self.fields["is_whole"].help_text = str(kind.closes)
        if not may_hold_tokens:
            del self.fields["secret"]
        if not (may_hold_tokens and feed.has_secret):
            del self.fields["forget"]

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_spelling(url)
        except AddressRefused as refused:
            raise ValidationError(
                _("The hub may not read there: only public https addresses, without a name or password in them.")
            ) from refused
        return url

    def token(self) -> str | None:
        """Return the token to keep: None for the one there is, empty for none."""
        if self.cleaned_data.get("forget"):
            return ""
        return self.cleaned_data.get("secret") or None
