"""`manage.py rotate_secrets`: seal every secret again with the newest key."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from connectors.secrets import box, is_newest

# Tables with a sealed `secret`, by name: the last one stands above this room.
HOLDERS = ("connectors.Connection", "connectors.Webhook", "connectors.Warehouse", "imports.Feed")


class Command(BaseCommand):
    """Goes row by row, so it can be stopped anywhere and started again; what is done is passed over."""

    help = "Seal every secret with the first key of SECRET_KEYS. Afterwards the older keys can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        turned, unreadable = 0, []
        models = [apps.get_model(name) for name in HOLDERS]
        held = [(one, pk) for one in models for pk in one._default_manager.order_by("pk").values_list("pk", flat=True)]
        for model, pk in held:
            with transaction.atomic():
                row = model._default_manager.select_for_update().filter(pk=pk).first()
                if row is None or not row.secret or is_newest(bytes(row.secret)):
                    continue
                try:
                    row.secret = box().rotate(bytes(row.secret))
                except InvalidToken:
                    unreadable.append(str(row))
                    continue
                row.save(update_fields=["secret"])
                turned += 1
        self.stdout.write(f"{turned} secrets sealed with the newest key.")
        if unreadable:
            raise CommandError(
                f"No key opens the secret of: {', '.join(unreadable)}. Give the key back, or enter the token again."
            )
