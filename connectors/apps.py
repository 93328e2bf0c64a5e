"""The wires: the only code that talks to other machines."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectorsConfig(AppConfig):
    name = "connectors"

    def ready(self) -> None:
        """Give the room's own verbs their words."""
        from hub.activity.words import name_verbs

        name_verbs(
            mapped_source=_("Database mapped"),
            unmapped_source=_("Database no longer mapped"),
            chose=_("What is read was chosen"),
            turned_webhooks_on=_("Webhooks turned on"),
            turned_webhooks_off=_("Webhooks turned off"),
            moved_webhook=_("Webhook moved to a new address"),
            renewed_webhook_secret=_("Secret of the webhooks renewed"),
        )
