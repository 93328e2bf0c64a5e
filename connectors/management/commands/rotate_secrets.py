"""`manage.py rotate_secrets`: seal every secret again with the newest key."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from connectors.models import Connection, Webhook
from connectors.secrets import box, is_newest

HOLDERS: tuple[type[Connection] | type[Webhook], ...] = (Connection, Webhook)


class Command(BaseCommand):
    """Goes row by row, so it can be stopped anywhere and started again; what is done is passed over."""

    help = "Seal every secret with the first key of SECRET_KEYS. Afterwards the older keys can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        turned, unreadable = 0, []
        held = [(one, pk) for one in HOLDERS for pk in one.objects.order_by("pk").values_list("pk", flat=True)]
        for model, pk in held:
            with transaction.atomic():
                row = model.objects.select_for_update().filter(pk=pk).first()
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
