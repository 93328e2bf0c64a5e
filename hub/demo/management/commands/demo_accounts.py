"""`manage.py demo_accounts`: where the demo is, and who to sign in as."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.demo.accounts import ACCOUNTS, PASSWORD


class Command(BaseCommand):
    help = "Print the address of the demo and the accounts to sign in with."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line an account, then the password that they share."""
        if not settings.DEMO:
            raise CommandError("DEMO is off: there are no demo accounts here.")
        self.stdout.write(f"Open {settings.BASE_URL}")
        for account in ACCOUNTS:
            self.stdout.write(f"  {account.email:<26} {account.label} ({account.first_job})")
        self.stdout.write(f"  password for all of them: {PASSWORD}")
