"""The one question of this section."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SecretForm(forms.Form):
    """The secret with which a tool signs what it sends."""

    secret = forms.CharField(
        label=_("Signing secret"),
        help_text=_("It is kept encrypted, and never shown again."),
        min_length=8,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "input"}),
    )
