"""Numbers with their contract."""

from django.apps import AppConfig


class KpisConfig(AppConfig):
    name = "kpis"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from connectors.hooks import after_sync
        from hub.activity.words import name_verbs
        from hub.imports.kinds import register

        from . import tasks
        from .actions.sheet import Observations

        after_sync(tasks.after_sync)
        register(Observations())
        name_verbs(
            aimed=_("Target set"),
            withdrew=_("Target withdrawn"),
            redefined=_("Definition changed"),
            verified=_("Verified"),
            linked=_("Linked"),
            unlinked=_("Link taken back"),
            made_token=_("Token made"),
            revoked_token=_("Token revoked"),
            allowed_databases=_("Reading databases allowed"),
            forbade_databases=_("Reading databases forbidden"),
            asked_otherwise=_("Query changed"),
        )
