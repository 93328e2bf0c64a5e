"""Changing people: invitations, roles, teams, leaving. Each act is noted with who, before, after and why."""

from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import F, Model, Q
from django.utils import timezone
from django.utils.text import slugify

from .journal import note
from .models import Invitation, Membership, Role, Team, User


class StaleVersion(Exception):
    """Somebody else saved this row since it was read."""


class AlreadyInvited(Exception):
    """An invitation to this address still waits."""

    def __init__(self, invitation: Invitation) -> None:
        super().__init__(invitation.email)
        self.invitation = invitation


class AlreadyHere(Exception):
    """This person can sign in already."""

    def __init__(self, person: User) -> None:
        super().__init__(person.email)
        self.person = person


class InvitationClosed(Exception):
    """The link was used, was taken back or is too old."""


class NotYourself(Exception):
    """Nobody takes away their own role or access: somebody else has to."""


class ProtectedPerson(Exception):
    """A technical admin is changed by technical admins only."""


class OverlappingMembership(Exception):
    """The person is in that team, or has another main team, on some of those days."""


@dataclass(frozen=True)
class Sealed:
    """An invitation and the token of its link, which exists nowhere else."""

    invitation: Invitation
    token: str


@transaction.atomic
def invite(*, email: str, name: str, role: Role, team: Team | None, by: User) -> Sealed:
    """Make the link with which a person comes in. An invitation that ran out makes room for the new one.

    Raises AlreadyHere for someone who can sign in, AlreadyInvited while another link waits.
    """
    email = email.strip().lower()
    person = User.objects.filter(email=email).first()
    if person is not None and person.can_sign_in:
        raise AlreadyHere(person)
    waiting = Invitation.objects.select_for_update().filter(email=email)
    now = timezone.now()
    waiting.unanswered().filter(expires_at__lte=now).update(revoked_at=now)
    token, token_hash = Invitation.new_token()
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                email=email,
                name=name,
                role=role,
                team=team,
                token_hash=token_hash,
                invited_by=by,
                expires_at=now + Invitation.VALID_FOR,
            )
    except IntegrityError as error:
        raise AlreadyInvited(Invitation.objects.unanswered().get(email=email)) from error
    note(
        by=by,
        verb="invited",
        on=invitation,
        changes={"role": (None, role), "team": (None, team.name if team else None)},
    )
    return Sealed(invitation, token)


@transaction.atomic
def renew_invitation(*, invitation: Invitation, by: User) -> Sealed:
    """Replace the link by a fresh one; the old one stops working. Raises InvitationClosed once it is answered."""
    held = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if held.accepted_at or held.revoked_at:
        raise InvitationClosed
    token, held.token_hash = Invitation.new_token()
    held.expires_at = timezone.now() + Invitation.VALID_FOR
    held.save(update_fields=["token_hash", "expires_at", "updated_at"])
    note(by=by, verb="invited_again", on=held)
    return Sealed(held, token)


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: User) -> Invitation:
    """Take an invitation back: its link stops working. Raises InvitationClosed once it is answered."""
    held = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if held.accepted_at or held.revoked_at:
        raise InvitationClosed
    held.revoked_at = timezone.now()
    held.save(update_fields=["revoked_at", "updated_at"])
    note(by=by, verb="revoked_invitation", on=held)
    return held


@transaction.atomic
def accept_invitation(*, token: str, name: str, password: str, language: str) -> User:
    """Open the door: make the person, or wake the one who is in the directory already. Works once.

    Raises InvitationClosed for a link that was used, was taken back, is too old or never was.
    """
    invitation = Invitation.objects.select_for_update().filter(token_hash=Invitation.hash_of(token)).first()
    if invitation is None or not invitation.is_open:
        raise InvitationClosed
    person: User | None = User.objects.select_for_update().filter(email=invitation.email).first()
    before = (person.role, person.is_active) if person else (None, None)
    if person is None:
        person = User(email=invitation.email, started_on=timezone.localdate())
    person.name, person.role, person.language = name, invitation.role, person.language or language
    person.is_active, person.left_on = True, None
    person.set_password(password)
    person.version += 1
    person.save()
    today = timezone.localdate()
    if invitation.team and not person.memberships.on(today).filter(team=invitation.team).exists():
        has_main_team = person.memberships.filter(is_primary=True, ends_on=None).exists()
        person.memberships.create(team=invitation.team, starts_on=today, is_primary=not has_main_team)
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at", "updated_at"])
    note(
        by=person,
        verb="accepted_invitation",
        on=person,
        changes={"role": (before[0], person.role), "is_active": (before[1], True)},
    )
    return person


def save_version(row: User | Team, *, version: int) -> None:
    """Save `row` if nobody saved it since `version`, and count up. Raises StaleVersion. Call it in a transaction."""
    model = type(row)
    if not model._default_manager.filter(pk=row.pk, version=version).update(version=F("version") + 1):
        raise StaleVersion
    row.version = version + 1
    row.save()


@transaction.atomic
def edit_person(
    *, person: User, name: str, job_title: str, role: Role, started_on: date | None, version: int, by: User, why: str
) -> User:
    """Change what is said of a person. Raises StaleVersion, NotYourself (own role) or ProtectedPerson."""
    held = held_person(person, by=by)
    if person == by and role != held.role:
        raise NotYourself
    wanted: dict[str, object] = {"name": name, "job_title": job_title, "role": role, "started_on": started_on}
    changes = set_fields(held, wanted)
    if changes:
        save_version(held, version=version)
        note(by=by, verb="changed", on=held, changes=changes, why=why)
    return held


@transaction.atomic
def deactivate(*, person: User, left_on: date, by: User, why: str = "") -> User:
    """Let a person go: no sign-in from now on, memberships end, what they own stays to be handed over.

    Their sessions end with their next request. Raises NotYourself or ProtectedPerson.
    """
    held = held_person(person, by=by)
    if person == by:
        raise NotYourself
    changes = set_fields(held, {"is_active": False, "left_on": left_on})
    if changes:
        save_version(held, version=held.version)
        open_ones = held.memberships.filter(Q(ends_on=None) | Q(ends_on__gt=left_on))
        open_ones.filter(starts_on__gte=left_on).delete()
        open_ones.update(ends_on=left_on)
        Invitation.objects.unanswered().filter(email=held.email).update(revoked_at=timezone.now())
        note(by=by, verb="deactivated", on=held, changes=changes, why=why)
    return held


@transaction.atomic
def reactivate(*, person: User, by: User, why: str = "") -> User:
    """Take a person back. Their old password is gone: they come in by a new invitation."""
    held = held_person(person, by=by)
    changes = set_fields(held, {"is_active": True, "left_on": None})
    if changes:
        held.set_unusable_password()
        save_version(held, version=held.version)
        note(by=by, verb="reactivated", on=held, changes=changes, why=why)
    return held


@transaction.atomic
def join_team(
    *, person: User, team: Team, starts_on: date, ends_on: date | None, is_primary: bool, by: User, why: str = ""
) -> Membership:
    """Put a person into a team between two dates; `ends_on` is the first day outside. Raises OverlappingMembership."""
    User.objects.select_for_update().get(pk=person.pk)
    refuse_overlap(person=person, team=team, starts_on=starts_on, ends_on=ends_on, is_primary=is_primary)
    membership = person.memberships.create(team=team, starts_on=starts_on, ends_on=ends_on, is_primary=is_primary)
    note(by=by, verb="joined_team", on=person, changes={"team": (None, said(membership))}, why=why)
    return membership


@transaction.atomic
def change_membership(
    *, membership: Membership, starts_on: date, ends_on: date | None, is_primary: bool, by: User, why: str = ""
) -> Membership:
    """Move the dates of a membership, or make it the main one. Raises OverlappingMembership."""
    person = User.objects.select_for_update().get(pk=membership.person_id)
    before = said(membership)
    refuse_overlap(
        person=person,
        team=membership.team,
        starts_on=starts_on,
        ends_on=ends_on,
        is_primary=is_primary,
        but=membership,
    )
    membership.starts_on, membership.ends_on, membership.is_primary = starts_on, ends_on, is_primary
    if said(membership) != before:
        membership.save()
        note(by=by, verb="changed_team", on=person, changes={"team": (before, said(membership))}, why=why)
    return membership


@transaction.atomic
def save_team(
    *, team: Team, name: str, parent: Team | None, lead: User | None, is_active: bool, version: int, by: User, why: str
) -> Team:
    """Make or change a team. Raises StaleVersion."""
    is_new = team.pk is None
    wanted: dict[str, object] = {"name": name, "parent": parent, "lead": lead, "is_active": is_active}
    changes = set_fields(team, wanted)
    if is_new:
        team.slug = free_slug(name)
        team.save()
        note(by=by, verb="created", on=team, changes=changes)
    elif changes:
        save_version(team, version=version)
        note(by=by, verb="changed", on=team, changes=changes, why=why)
    return team


def free_slug(name: str) -> str:
    """Return the address of a new team: its name in plain letters, with a number where that is taken."""
    base = slugify(name)[:70] or "team"
    taken = set(Team.objects.filter(slug__startswith=base).values_list("slug", flat=True)) | {"new"}
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if slug not in taken)


@transaction.atomic
def change_own_profile(*, person: User, name: str, language: str, theme: str) -> User:
    """Keep a person's own name, language and theme."""
    changes = set_fields(person, {"name": name, "language": language, "theme": theme})
    if changes:
        person.version = F("version") + 1
        person.save(update_fields=[*changes, "version", "updated_at"])
        person.refresh_from_db(fields=["version"])
        if "name" in changes:
            note(by=person, verb="changed", on=person, changes={"name": changes["name"]})
    return person


def held_person(person: User, *, by: User) -> User:
    """Return `person` locked until the transaction ends. Raises ProtectedPerson."""
    held: User = User.objects.select_for_update().get(pk=person.pk)
    if (held.is_staff or held.is_superuser) and not (by.is_staff or by.is_superuser):
        raise ProtectedPerson
    return held


def set_fields(row: Model, wanted: dict[str, object]) -> dict[str, tuple[object, object]]:
    """Set the fields of `row` that differ; return them with before and after in plain values."""
    changes = {}
    for field, value in wanted.items():
        before = getattr(row, field)
        if before != value:
            setattr(row, field, value)
            changes[field] = (plain(before), plain(value))
    return changes


def plain(value: object) -> object:
    """Return what can be kept as JSON and read by a person: names for things, ISO for dates."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Model) else value


def said(membership: Membership) -> str:
    """Return a membership as the record keeps it: team, from, until, whether it is the main one."""
    until = membership.ends_on.isoformat() if membership.ends_on else "…"
    main = "" if membership.is_primary else " (+)"
    return f"{membership.team}{main}, {membership.starts_on.isoformat()} → {until}"


def refuse_overlap(
    *,
    person: User,
    team: Team,
    starts_on: date,
    ends_on: date | None,
    is_primary: bool,
    but: Membership | None = None,
) -> None:
    """Raise OverlappingMembership if the team, or the place of main team, is taken on some of those days."""
    clash = Q(team=team) | (Q(is_primary=True) if is_primary else Q(pk=None))
    others = person.memberships.filter(clash).filter(Q(ends_on=None) | Q(ends_on__gt=starts_on))
    if ends_on is not None:
        others = others.filter(starts_on__lt=ends_on)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise OverlappingMembership
