"""What people do to a metric: word it, verify it, aim at something, comment."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from hub.activity.actions import record
from hub.activity.models import Event
from hub.people.models import Team, User
from kpis.models import Comment, Metric, Target

CONTRACT = ("definition", "definition_fr", "formula", "formula_fr", "direction", "settings")  # a change needs a reason


@transaction.atomic
def edit_metric(*, metric: Metric, before: Metric, by: User, why: str = "") -> Event | None:
    """Save what a form put into `metric`, and keep what it was; None when nothing differs.

    `before` is the same row as it was stored. A change of the definition or formula is kept under a verb of its own.
    """
    fields = [
        "name", "name_fr", "summary", "summary_fr", "definition", "definition_fr", "formula", "formula_fr", "pitfalls",
        "pitfalls_fr", "direction", "source", "owner", "status", "is_headline", "review_every_days",
        "settings",
    ]  # fmt: skip
    changes: dict[str, tuple[object, object]] = {}
    for field in fields:
        old, new = getattr(before, field), getattr(metric, field)
        if old != new:
            changes[field] = (str(old) if isinstance(old, User) else old, str(new) if isinstance(new, User) else new)
    if not changes:
        return None
    metric.version = before.version + 1
    metric.save()
    verb = "redefined" if any(field in CONTRACT for field in changes) else "edited"
    return record(by=by, verb=verb, on=metric, changes=changes, why=why)


@transaction.atomic
def verify(*, metric: Metric, by: User) -> Event:
    """Note that the definition was read again today and still holds."""
    before, metric.reviewed_on = metric.reviewed_on, timezone.localdate()
    metric.save(update_fields=["reviewed_on", "updated_at"])
    was = before.isoformat() if before else None
    return record(by=by, verb="verified", on=metric, changes={"reviewed_on": (was, metric.reviewed_on.isoformat())})


@transaction.atomic
def set_target(
    *, metric: Metric, team: Team | None, value: float, upper: float | None, since: date, by: User, why: str
) -> Target:
    """Aim at `value` (up to `upper` for a band) from `since` on; earlier targets stay in the history."""
    made = Target.objects.create(
        metric=metric, team=team, value=value, upper=upper, since=since, set_by=by, reason=why
    )  # fmt: skip
    changes = {"target": (None, value), "upper": (None, upper), "team": (None, team.name if team else None)}
    record(by=by, verb="aimed", on=metric, changes={k: v for k, v in changes.items() if v[1] is not None}, why=why)
    return made


@transaction.atomic
def withdraw_target(*, target: Target, by: User) -> bool:
    """Take a target back: the one before it counts again. False when it was taken back already."""
    changed = Target.objects.filter(pk=target.pk, withdrawn_at=None).update(withdrawn_at=timezone.now())
    if changed:
        record(by=by, verb="withdrew", on=target.metric, changes={"target": (target.value, None)})
    return bool(changed)


@transaction.atomic
def comment(*, metric: Metric, team: Team | None, by: User, text: str, key: UUID) -> Comment:
    """Keep what `by` says about a number. The same `key` twice is one comment."""
    made, _ = Comment.objects.get_or_create(
        key=key, defaults={"metric": metric, "team": team, "author": by, "text": text}
    )
    return made


@transaction.atomic
def take_back_comment(*, comment: Comment, by: User) -> None:
    """Take away what somebody said about a number. Who takes away another's words is recorded; the words are not."""
    if comment.author_id != by.pk:
        record(by=by, verb="comment_taken_back", on=comment.metric)
    comment.delete()


@transaction.atomic
def create_metric(*, metric: Metric, by: User) -> Metric:
    """Define a metric whose values come from outside."""
    metric.decimals = 0 if metric.kind in {Metric.Kind.COUNT, Metric.Kind.STOCK} else 1
    metric.save()
    record(by=by, verb="created", on=metric, changes={"source_kind": (None, metric.source_kind)})
    return metric
