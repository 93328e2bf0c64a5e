"""Connecting a source, and going back in time."""

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from . import registry
from .actions import place_of
from .base import Connector, Shaped, SourceFailed, Stream
from .models import Connection
from .sync import BEGINNING
from .transport import check_address

if TYPE_CHECKING:
    Base = forms.ModelForm[Connection]
else:
    Base = forms.ModelForm  # knows its model's type to the checker only

MOST_CHOSEN = 200


class ConnectionForm(Base):
    """A connection's name, address and token. The token can be written and is never shown."""

    token_needed = _(
        "The address leads elsewhere, and a token goes to no other place than the one it was given for. "
        "Enter the token of the new place."
    )
    token = forms.CharField(
        label=_("Token"),
        max_length=500,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    class Meta:
        model = Connection
        fields = ["service", "label", "base_url"]
        widgets = {"base_url": forms.URLInput(attrs={"placeholder": "https://"})}
        help_texts = {
            "base_url": _("Leave empty for the service’s own address."),
            "label": _("How colleagues call it. Empty: the name of the service."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(one.key, one.name) for one in registry.all()]
        self.fields["service"] = forms.ChoiceField(label=_("Service"), choices=names, widget=forms.HiddenInput)
        self.fields["label"].required = False
        self.name_address()
        self.place = place_of(self.instance, self.instance.base_url)
        if self.instance.pk:
            del self.fields["service"]
            self.fields["token"].required = False
            hint, kept = self.instance.secret_hint, _("Leave empty to keep the present one.")
            ending = _("Leave empty to keep the present one, which ends in “%(hint)s”.")
            self.fields["token"].help_text = ending % {"hint": hint} if hint else kept
            address = self.fields["base_url"]
            moving = _(
                "Another place needs a token of its own. What was read of the old one then leaves the figures, and "
                "everything is read from the start."
            )
            address.help_text = f"{address.help_text} {moving}"
            self.offer_choice()
        else:
            self.fields["token"].help_text = _(
                "It needs the right to read, nothing more. It is encrypted and never shown again."
            )
        if isinstance(self.made, Shaped):
            token = self.fields["token"]
            shape = _("Enter %(shape)s.") % {"shape": self.made.credential_shape}
            token.help_text = f"{shape} {token.help_text}"

    @property
    def made(self) -> Connector | None:
        """The connector that is asked for, None for one that this release does not know."""
        asked = self.instance.service or self.data.get("service") or self.initial.get("service")
        return next((one for one in registry.all() if one.key == asked), None)

    def name_address(self) -> None:
        """Say what the address is for: some services have one of their own, others one for each company."""
        made = self.made
        if made is not None and not made.base_url:
            address = self.fields["base_url"]
            example = f"https://{made.hosts[0].replace('*', 'your-company')}"
            text = _("%(service)s has another address for each company. Enter yours, such as %(example)s.")
            address.required, address.help_text = True, _("Your company’s own.")
            address.error_messages["required"] = text % {"service": made.name, "example": example}
            address.widget.attrs["placeholder"] = example

    def offer_choice(self) -> None:
        """Ask which things are read, where the service reads only what is named."""
        made = registry.choosing(self.instance.service)
        if made is not None:
            self.fields["chosen"] = forms.CharField(
                label=made.choice.label,
                help_text=made.choice.help_text,
                required=False,
                initial="\n".join(one["name"] for one in self.instance.chosen),
                widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "placeholder": made.choice.example}),
            )

    def clean_chosen(self) -> list[str]:
        """Return the names, each once, as they were first written."""
        made = registry.choosing(self.instance.service)
        lines = [line.strip() for line in self.cleaned_data["chosen"].splitlines()]
        named: dict[str, str] = {}
        for line in filter(None, lines):
            named.setdefault(line.lower(), line)
        names = list(named.values())
        for name in names:
            if made is not None and not re.fullmatch(made.choice.pattern, name):
                message = _("“%(name)s” is no such name. It must look like “%(example)s”.")
                raise forms.ValidationError(message, params={"name": name[:100], "example": made.choice.example})
        if len(names) > MOST_CHOSEN:
            raise forms.ValidationError(_("That is too many: at most %(most)s."), params={"most": MOST_CHOSEN})
        return names

    def clean_label(self) -> str:
        """Name it after its service where nobody gave it a name."""
        service = self.cleaned_data.get("service") or self.instance.service
        names = {one.key: one.name for one in registry.all()}
        return self.cleaned_data["label"] or names.get(service, service)

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        service = self.cleaned_data.get("service") or self.instance.service
        if url and service:
            try:
                check_address(registry.connector(service), url)
            except (SourceFailed, registry.UnknownService) as error:
                message = _("The hub may not speak to that address. It reads %(service)s over https, at: %(hosts)s.")
                names = {"service": self.made.name, "hosts": ", ".join(self.made.hosts)} if self.made else {}
                raise forms.ValidationError(message, params=names) from error
        return url

    def clean_token(self) -> str:
        """Refuse what can't be a token of this service before the service does."""
        token: str = self.cleaned_data["token"]
        if token and isinstance(self.made, Shaped) and not re.fullmatch(self.made.credential_pattern, token):
            raise forms.ValidationError(_("Enter %(shape)s."), params={"shape": self.made.credential_shape})
        return token

    def clean(self) -> dict[str, Any]:
        """Ask for the token anew where the address leads to another place, and where a page can't bring it back."""
        told = super().clean() or self.cleaned_data
        is_moved = self.instance.pk and "base_url" in told and place_of(self.instance, told["base_url"]) != self.place
        if is_moved and not told.get("token"):
            self.add_error("token", self.token_needed)
        if self.errors and told.get("token"):
            self.add_error("token", _("A token is never sent back to a page: enter it again."))
        return told


class BackFillForm(forms.Form):
    """Since when to read again, and which stream; empty: all that can be asked for what changed since a day."""

    since = forms.DateField(
        label=_("Since"),
        help_text=_("What changed in the tool on that day or later is read again."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    stream = forms.ChoiceField(label=_("What"), required=False)

    def __init__(self, *args: Any, streams: Sequence[Stream], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = tuple(stream.name for stream in streams)
        choice = self.fields["stream"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", _("All of these streams")), *((one.name, capfirst(one.label)) for one in streams)]
        self.fields["since"].widget.attrs |= {"max": f"{timezone.localdate()}", "min": f"{BEGINNING.date()}"}

    def clean_since(self) -> date:
        since: date = self.cleaned_data["since"]
        if since > timezone.localdate():
            raise forms.ValidationError(_("This day is still to come."))
        if since < BEGINNING.date():
            raise forms.ValidationError(_("No source of the hub knows of anything that old."))
        return since

    @property
    def chosen(self) -> tuple[str, ...]:
        """The streams asked for."""
        one = self.cleaned_data["stream"]
        return (one,) if one else self.names
