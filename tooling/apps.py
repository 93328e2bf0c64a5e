"""Tools: the registry of what the company standardises."""

from django.apps import AppConfig


class ToolingConfig(AppConfig):
    name = "tooling"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from connectors.hooks import after_sync
        from hub.activity.words import name_recorded, name_verbs
        from hub.imports.kinds import register

        from . import queries, tasks
        from .actions.imports import Tools
        from .actions.seats import Seats

        after_sync(tasks.after_sync)
        register(Tools())
        register(Seats())
        name_verbs(
            moved=_("Moved to another state"),
            decided=_("Standing decided"),
            handed_over=_("Handed over"),
            connected=_("Connected"),
            discovered=_("Discovered by a sync"),
            seats_read=_("Seats brought in by a file"),
        )
        name_recorded("tooling.tool", "capabilities", _("Jobs"), queries.job_names)
        name_recorded("tooling.tool", "capability", _("Job"), queries.job_names)
        name_recorded("tooling.tool", "successor", _("Successor"), queries.tool_names)
        name_recorded("tooling.tool", "aliases", _("Other names"))
        name_recorded("tooling.tool", "owner", _("Owner"))
        name_recorded("tooling.tool", "team", _("Team"))
