"""*Test the connection*: one request, and what it tells."""

from django.db import transaction

from . import registry
from .base import FailureClass, SourceFailed
from .budget import MustWait
from .engine import opened
from .models import Check, Connection, State
from .secrets import SecretUnreadable


def check(connection: Connection) -> None:
    """Ask the service who we are; the answer, or why there is none, is written to the connection's check."""
    service = registry.connector(connection.service)
    found = {"account": "", "workspace": "", "unavailable": {}, "failure": "", "detail": "", "state": State.DONE}
    try:
        with opened(connection, service) as transport:
            told = service.checked(transport.fetch(service.check_request()))
    except SourceFailed as failed:
        found |= {"state": State.FAILED, "failure": failed.kind, "detail": failed.detail[:1000]}
    except SecretUnreadable as error:
        found |= {"state": State.FAILED, "failure": FailureClass.AUTH_INVALID, "detail": str(error)}
    except MustWait as wait:
        found |= {"state": State.FAILED, "failure": wait.kind, "detail": str(wait)}
    else:
        unavailable = {name: str(reason) for name, reason in told.unavailable.items()}
        found |= {"account": told.account, "workspace": told.workspace, "unavailable": unavailable}
        Connection.objects.filter(pk=connection.pk).update(
            auth=Connection.Auth.OK, workspace_name=told.workspace[:120], workspace_url=told.workspace_url[:300]
        )
    with transaction.atomic():
        if found["failure"] == FailureClass.AUTH_INVALID:
            Connection.objects.filter(pk=connection.pk).update(auth=Connection.Auth.NEEDS_REAUTH)
        Check.objects.update_or_create(connection=connection, defaults=found)
