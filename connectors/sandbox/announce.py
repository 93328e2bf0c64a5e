"""The other end of the hub's webhooks: the stand-ins announce to every endpoint that is open and leads here."""

from django.conf import settings
from django.urls import reverse

from connectors.models import Webhook
from connectors.secrets import SecretUnreadable, open_secret

from .productboard.webhooks import ProbeFailed
from .server import Sandbox


def announce(sandbox: Sandbox) -> int:
    """Have each stand-in send to the hub's present endpoint, and to no earlier one; return how many begin to.

    It is what an admin does in the tool, so it is safe to do again and again: a moved address, a new value and a
    switch are followed.
    """
    wanted = endpoints(sandbox.url)
    begun = 0
    for name, sender in sandbox.senders.items():
        endpoint = wanted.get(name)
        for hook in sender.hooks:
            hook.is_enabled = hook.is_enabled and (hook.url, hook.secret) == endpoint
        if endpoint is None or any(hook.is_enabled for hook in sender.hooks):
            continue
        try:
            hook = sender.register(*endpoint)
        except ProbeFailed:
            continue  # the hub does not answer yet
        begun += sender.confirm(hook, hook.secret)
    return begun


def endpoints(url: str) -> dict[str, tuple[str, str]]:
    """Return address and secret of the open endpoint of each service that is read from `url`."""
    found = {}
    for webhook in Webhook.objects.on().filter(connection__base_url=url).select_related("connection").order_by("-pk"):
        service = webhook.connection.service
        try:
            secret = open_secret(webhook) if webhook.has_secret else ""
        except SecretUnreadable:
            continue
        if secret:
            path = reverse("webhooks:receive", args=[service, webhook.address])
            found[service] = (f"{settings.BASE_URL.rstrip('/')}{path}", secret)
    return found
