"""Saying by hand which project delivers a feature, and taking that back."""

from django.db import transaction
from django.utils import timezone

from connectors.models import ProductItem, WorkProject
from hub.activity.actions import record
from hub.people.models import User
from kpis.models import ProjectLink


@transaction.atomic
def link_project(*, project: WorkProject, item: ProductItem, by: User) -> ProjectLink:
    """Say that `project` delivers `item`. Said twice it is one link."""
    made, is_new = ProjectLink.objects.in_force().get_or_create(
        project=project, item=item, removed_at=None, defaults={"linked_by": by}
    )
    if is_new:
        record(by=by, verb="linked", on=made, changes={"project": (None, project.name), "feature": (None, item.name)})
    return made


@transaction.atomic
def unlink_project(*, link: ProjectLink, by: User) -> bool:
    """Take a link back; it stays in the record. False when it was taken back already."""
    changed = ProjectLink.objects.in_force().filter(pk=link.pk).update(removed_at=timezone.now())
    if changed:
        names = {"project": (link.project.name, None), "feature": (link.item.name, None)}
        record(by=by, verb="unlinked", on=link, changes=names)
    return bool(changed)
