"""What the sign-in page shows of the demo."""

from django import template
from django.conf import settings

from hub.demo.accounts import ACCOUNTS, PASSWORD

register = template.Library()


@register.inclusion_tag("hub/demo/accounts.html")
def demo_accounts() -> dict[str, object]:
    """Show the demo accounts and their password; nothing at all where DEMO is off."""
    return {"accounts": ACCOUNTS, "password": PASSWORD} if settings.DEMO else {"accounts": (), "password": ""}
