"""Tying what a wire reads to the tool it reads from."""

from django.db import transaction

from connectors.models import Connection
from hub.activity.actions import record
from tooling.models import Tool, ToolAlias, Workspace, normalized


@transaction.atomic
def workspace_of(connection: Connection) -> Workspace:
    """Return the workspace that `connection` reads; made on first sight, and its tool with it if need be.

    A tool that is read is in the estate: it is no starter suggestion any more. Whether to keep it stays undecided.
    """
    Connection.objects.select_for_update().get(pk=connection.pk)
    found = Workspace.objects.filter(connection=connection).select_related("tool").first()
    if found is not None:
        return found
    tool = _tool_of(connection.service)
    if tool.is_starter:
        tool.is_starter = False
        tool.version += 1
        tool.save(update_fields=["is_starter", "version", "updated_at"])
    name = connection.workspace_name or connection.label or connection.service
    taken = set(tool.workspaces.values_list("name", flat=True))
    workspace = Workspace.objects.create(
        tool=tool,
        connection=connection,
        name=name if name not in taken else f"{name[:100]} ({connection.pk})",
        url=connection.workspace_url,
    )
    record(by=None, verb="connected", on=tool, changes={"workspace": (None, workspace.name)})
    return workspace


def _tool_of(service: str) -> Tool:
    """Find the tool of a service by slug or by any of its names; make it where the hub has never heard of it."""
    found = Tool.objects.filter(slug=service).first()
    if found is None:
        alias = ToolAlias.objects.filter(key=normalized(service)).select_related("tool").first()
        found = alias.tool if alias else Tool.objects.filter(name__iexact=service).first()
    if found is None:
        found = Tool.objects.create(slug=service, name=service.replace("_", " ").title())
        record(by=None, verb="discovered", on=found)
    return found
