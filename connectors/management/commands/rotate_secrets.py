"""`manage.py rotate_secrets`: seal every secret again with the newest key."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from connectors.models import Connection
from connectors.secrets import box, is_newest


class Command(BaseCommand):
    """Goes row by row, so it can be stopped anywhere and started again; what is done is passed over."""

    help = "Seal every secret with the first key of SECRET_KEYS. Afterwards the older keys can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        turned, unreadable = 0, []
        for pk in list(Connection.objects.order_by("pk").values_list("pk", flat=True)):
            with transaction.atomic():
                connection = Connection.objects.select_for_update().filter(pk=pk).first()
                if connection is None or not connection.secret or is_newest(bytes(connection.secret)):
                    continue
                try:
                    connection.secret = box().rotate(bytes(connection.secret))
                except InvalidToken:
                    unreadable.append(str(connection))
                    continue
                connection.save(update_fields=["secret"])
                turned += 1
        self.stdout.write(f"{turned} secrets sealed with the newest key.")
        if unreadable:
            raise CommandError(
                f"No key opens the secret of: {', '.join(unreadable)}. Give the key back, or enter the token again."
            )
