"""Everyone the hub knows, their teams, and the dates between which they belong to them."""

import secrets
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.core.http import address_of
from hub.core.models import Timestamped, Versioned

from .names import InitialAndLast, MailName, PlainName

NEW_VISIT_AFTER = timedelta(hours=1)


class Role(models.TextChoices):
    """What a person comes to the hub for."""

    MEMBER = "member", _("Product person")
    OPS = "ops", _("Product Ops")
    LEADER = "leader", _("Leader")


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> Self:
        """People who still work here."""
        return self.filter(is_active=True)

    def matching(self, words: str) -> Self:
        """People whose name, e-mail or job title holds every one of `words`."""
        found = self
        for word in words.split()[:8]:
            found = found.filter(Q(name__icontains=word) | Q(email__icontains=word) | Q(job_title__icontains=word))
        return found

    def with_access(self) -> Self:
        """Annotate `access`: left, open (has a password), invited or none."""
        invited = Invitation.objects.open().filter(email=models.OuterRef("email"))
        has_password = ~Q(password="") & ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        return self.annotate(
            access=models.Case(
                models.When(is_active=False, then=models.Value("left")),
                models.When(has_password, then=models.Value("open")),
                models.When(models.Exists(invited), then=models.Value("invited")),
                default=models.Value("none"),
            )
        )


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes people; an e-mail is kept in lower case, for it is what joins a person across tools."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person. Without a password they can't sign in until they accept an invitation."""
        user = User(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a technical admin with every right."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, "role": Role.OPS, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by e-mail, however it is typed."""
        person: User = self.get(email=(username or "").strip().lower())
        return person


class User(AbstractBaseUser, PermissionsMixin, Timestamped, Versioned):
    """A person of the company, whether or not they ever sign in.

    `is_staff` marks the technical admin: connections, tokens and Django's admin.
    `last_visit_at` moves while they are here; `previous_visit_at` is when the visit before this one ended,
    which is what "since your last visit" means.
    """

    class Theme(models.TextChoices):
        SYSTEM = "system", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.MEMBER)
    job_title = models.CharField(_("job title"), max_length=120, blank=True)
    is_staff = models.BooleanField(_("technical admin"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    started_on = models.DateField(_("first day"), null=True, blank=True)
    left_on = models.DateField(_("last day"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True)
    theme = models.CharField(_("theme"), max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    last_visit_at = models.DateTimeField(_("last visit"), null=True, blank=True, editable=False)
    previous_visit_at = models.DateTimeField(_("visit before"), null=True, blank=True, editable=False)

    access: str  # brought along by with_access()

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="people_user_email_lower"),
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(started_on=None) | Q(left_on__gte=models.F("started_on")),
                name="people_user_leaves_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="people_user_by_name"),
            models.Index(fields=["id"], condition=Q(is_active=False), name="people_user_left"),
            models.Index(PlainName("name"), name="people_user_plain_name"),
            models.Index(InitialAndLast("name"), name="people_user_initial_and_last"),
            models.Index(MailName("email"), name="people_user_mail_name"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_absolute_url(self) -> str:
        return address_of("people:person_detail")(self.pk)

    @property
    def is_ops(self) -> bool:
        """True for Product Ops and for the technical admin."""
        return self.role == Role.OPS or self.is_superuser

    @property
    def is_leader(self) -> bool:
        return self.role == Role.LEADER

    @property
    def can_sign_in(self) -> bool:
        """True once they have chosen a password; a name in the directory alone opens nothing."""
        return bool(self.is_active and self.password and self.has_usable_password())

    def start_visit(self, *, at: datetime) -> None:
        """Note that they are here at `at`; the visit before is kept when they had been away."""
        away = self.last_visit_at is not None and at - self.last_visit_at >= NEW_VISIT_AFTER
        changed = {"last_visit_at": at} | ({"previous_visit_at": self.last_visit_at} if away else {})
        type(self).objects.filter(pk=self.pk).update(**changed)
        for name, value in changed.items():
            setattr(self, name, value)


class TeamQuerySet(models.QuerySet["Team"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def with_size(self, *, day: date) -> Self:
        """Annotate `size`: people who are in the team itself on `day`. One pass over the memberships, for all teams."""
        holds = Q(memberships__starts_on__lte=day) & (Q(memberships__ends_on=None) | Q(memberships__ends_on__gt=day))
        left = Q(memberships__person__in=User.objects.filter(is_active=False))  # few, where a join reads everybody
        return self.annotate(size=models.Count("memberships__person", distinct=True, filter=holds & ~left))


class Team(Timestamped, Versioned):
    """A team of the company; `parent` is the tribe or department it is part of."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    parent = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("part of"), null=True, blank=True, related_name="children"
    )
    lead = models.ForeignKey(
        User, models.SET_NULL, verbose_name=_("lead"), null=True, blank=True, related_name="teams_led"
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            models.CheckConstraint(condition=~Q(parent=models.F("id")), name="people_team_not_its_own_parent")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address_of("people:team_detail")(self.slug)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def on(self, day: date) -> Self:
        """Memberships that hold on `day`: from the first day, up to but not on the last."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gt=day), starts_on__lte=day)


class Membership(Timestamped):
    """A person in a team from `starts_on`, up to but not on `ends_on` (open while empty)."""

    person = models.ForeignKey(User, models.CASCADE, verbose_name=_("person"), related_name="memberships")
    team = models.ForeignKey(Team, models.CASCADE, verbose_name=_("team"), related_name="memberships")
    is_primary = models.BooleanField(_("main team"), default=True)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gt=models.F("starts_on")), name="people_membership_dates"
            ),
            models.UniqueConstraint(
                fields=["person"], condition=Q(is_primary=True, ends_on=None), name="people_membership_one_main_team"
            ),
            models.UniqueConstraint(
                fields=["person", "team"], condition=Q(ends_on=None), name="people_membership_once_per_team"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.team}"

    def is_now(self, today: date) -> bool:
        """True when it holds on `today`."""
        return self.starts_on <= today and (self.ends_on is None or self.ends_on > today)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def unanswered(self) -> Self:
        """Neither accepted nor taken back, whether or not they are still valid."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> Self:
        """Those whose link still works."""
        return self.unanswered().filter(expires_at__gt=timezone.now())


class Invitation(Timestamped):
    """A link that lets one person choose a password; only the hash of its token is kept."""

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting")
        EXPIRED = "expired", _("Expired")
        ACCEPTED = "accepted", _("Accepted")
        REVOKED = "revoked", _("Taken back")

    VALID_FOR = timedelta(days=7)

    email = models.EmailField(_("e-mail"))
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.MEMBER)
    team = models.ForeignKey(Team, models.SET_NULL, verbose_name=_("team"), null=True, blank=True)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="invitations_sent")
    expires_at = models.DateTimeField(_("valid until"))
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("taken back at"), null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="people_invitation_email_lower"),
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="people_invitation_one_unanswered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.email})"

    @staticmethod
    def new_token() -> tuple[str, str]:
        """Return a fresh token for the link and the hash that is stored."""
        token = secrets.token_urlsafe(32)
        return token, Invitation.hash_of(token)

    @staticmethod
    def hash_of(token: str) -> str:
        return sha256(token.encode()).hexdigest()

    @property
    def status(self) -> "Invitation.Status":
        if self.accepted_at:
            return self.Status.ACCEPTED
        if self.revoked_at:
            return self.Status.REVOKED
        return self.Status.OPEN if self.expires_at > timezone.now() else self.Status.EXPIRED

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN
