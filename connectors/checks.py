"""*Test the connection*: one request (and one for each thing that an admin named), and what it tells."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from . import registry
from .base import Choosing, Connector, FailureClass, SourceFailed
from .budget import MustWait
from .engine import MayWrite, NobodyElse, opened
from .models import OPEN_STATES, Check, Connection, State
from .secrets import SecretUnreadable
from .transport import Transport


def check(connection: Connection, lease: MayWrite | None = None) -> None:
    """Ask the service who we are; the answer, or why there is none, is written to the connection's check.

    What was found of a token says nothing of the one that was entered meanwhile: that has a test of its own.
    """
    service = registry.connector(connection.service)
    news: dict[str, str] = {}
    found = {"account": "", "workspace": "", "unavailable": {}, "failure": "", "detail": "", "state": State.DONE}
    try:
        with opened(connection, service) as transport:
            told = service.checked(transport.fetch(service.check_request()))
            shut = not_opened(connection, service, transport)
    except SourceFailed as failed:
        found |= {"state": State.FAILED, "failure": failed.kind, "detail": failed.detail[:1000]}
    except SecretUnreadable as error:
        found |= {"state": State.FAILED, "failure": FailureClass.AUTH_INVALID, "detail": str(error)}
    except MustWait as wait:
        found |= {"state": State.FAILED, "failure": wait.kind, "detail": str(wait)}
    else:
        unavailable = {name: str(reason) for name, reason in told.unavailable.items()} | shut
        found |= {"account": told.account, "workspace": told.workspace, "unavailable": unavailable}
        news |= {"workspace_name": told.workspace[:120], "workspace_url": told.workspace_url[:300]}
        news["auth"] = Connection.Auth.OK
    if found["failure"] == FailureClass.AUTH_INVALID:
        news["auth"] = Connection.Auth.NEEDS_REAUTH
    with transaction.atomic():
        (lease or NobodyElse()).confirm()
        tested = {"pk": connection.pk, "secret_print": connection.secret_print}
        if Connection.objects.filter(**tested).update(updated_at=timezone.now(), **news):
            Check.objects.update_or_create(connection=connection, defaults=found)


def give_up(*, connection_id: int, error: str) -> None:
    """Say of a test that no worker brought to its end that nothing was found out."""
    Check.objects.filter(connection=connection_id, state__in=OPEN_STATES).update(
        state=State.FAILED, failure=FailureClass.BUG, detail=error[:1000], updated_at=timezone.now()
    )


def not_opened(connection: Connection, service: Connector, transport: Transport) -> dict[str, str]:
    """Return what an admin named and the token does not open, with the reason."""
    found: dict[str, str] = {}
    if not isinstance(service, Choosing):
        return found
    for one in connection.chosen:
        try:
            transport.fetch(service.choice_request(one["name"]))
        except SourceFailed as failed:
            if failed.kind not in (FailureClass.SCOPE_MISSING, FailureClass.STREAM_UNAVAILABLE):
                raise
            found[one["name"]] = gettext_noop("it is not there, was renamed, or is not open to the token")
    return found
