"""What people pages take in."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.models import ModelChoiceIterator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.core.forms import VersionedForm

from .models import Invitation, Membership, Role, Team, User
from .queries import teams_below

if TYPE_CHECKING:
    MembershipModelForm = forms.ModelForm[Membership]
    UserModelForm = forms.ModelForm[User]
    PersonChoiceField = forms.ModelChoiceField[User]
    TeamChoiceField = forms.ModelChoiceField[Team]
else:
    MembershipModelForm = UserModelForm = forms.ModelForm
    PersonChoiceField = TeamChoiceField = forms.ModelChoiceField

WHY = _("Why")
WHY_HELP = _("Kept with the change.")


def day_input() -> forms.DateInput:
    """A date field that the browser draws, in the one format it speaks."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def why_field() -> forms.CharField:
    return forms.CharField(label=WHY, help_text=WHY_HELP, max_length=500, required=False)


class PersonField(PersonChoiceField):
    """One who works here, typed as e-mail or full name: a list of everybody would grow with the company."""

    default_error_messages = {
        "several": _("Several people are called “%(name)s”. Type the e-mail."),
        "nobody": _("Nobody who works here is called “%(name)s” or has this e-mail."),
    }

    def __init__(self, *, suggestions: str = "", **kwargs: Any) -> None:
        """Take the id of a datalist in the page as `suggestions`, if there is one."""
        attrs = {"autocomplete": "off"} | ({"list": suggestions} if suggestions else {})
        kwargs = {"help_text": _("Their e-mail or full name."), **kwargs}
        super().__init__(User.objects.none(), required=False, widget=forms.TextInput(attrs=attrs), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Write a person, or the id of a stored one, as their e-mail."""
        if isinstance(value, int):
            return User.objects.filter(pk=value).values_list("email", flat=True).first() or ""
        return value.email if isinstance(value, User) else value

    def to_python(self, value: Any) -> User | None:
        text = " ".join(str(value or "").split())
        if not text:
            return None
        found: list[User] = list(
            User.objects.active().filter(Q(email=text.lower()) | Q(name__iexact=text)).order_by("pk")[:2]
        )
        if len(found) != 1:
            code = "several" if found else "nobody"
            raise ValidationError(self.error_messages[code], code=code, params={"name": text})
        return found[0]


class TeamChoices(ModelChoiceIterator):
    """The teams to choose from, each read as its id and name alone: a company has hundreds."""

    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        yield from self.queryset.values_list("pk", "name")


class TeamSelect(forms.Select):
    """A list of teams that is drawn without a template for each of them."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        chosen = {str(one) for one in value}
        options = [
            {"value": key, "label": label, "attrs": {"selected": True} if str(key) in chosen else {}}
            for key, label in self.choices
        ]
        return [(None, options, 0)]


class TeamField(TeamChoiceField):
    """One of many teams, by name."""

    iterator = TeamChoices
    widget = TeamSelect


class InviteForm(forms.Form):
    """Who is to come in, as what, into which team."""

    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), max_length=254, help_text=_("The address they have in your tools."))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.MEMBER)
    team = TeamField(
        Team.objects.active().order_by("name", "pk"), label=_("Team"), required=False, empty_label=_("No team yet")
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


class AcceptForm(forms.Form):
    """The name one goes by and a password."""

    name = forms.CharField(label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=256,
        help_text=password_validators_help_text_html,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation
        self.fields["name"].initial = invitation.name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        person = User(email=self.invitation.email, name=cleaned.get("name", self.invitation.name))
        if password := cleaned.get("password"):
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class PersonForm(VersionedForm):
    """What Product Ops says of a person."""

    why = why_field()

    class Meta:
        model = User
        fields = ("name", "job_title", "role", "started_on")
        widgets = {"started_on": day_input()}


class LeaveForm(forms.Form):
    """The last day of someone who leaves."""

    left_on = forms.DateField(label=_("Last day"), widget=day_input())
    why = why_field()

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["left_on"].initial = timezone.localdate

    def clean_left_on(self) -> Any:
        day = self.cleaned_data["left_on"]
        if self.person.started_on and day < self.person.started_on:
            raise ValidationError(_("The last day can’t be before the first day."))
        if day > timezone.localdate():
            raise ValidationError(_("Access closes at once: choose today or an earlier day."))
        return day


class MembershipForm(MembershipModelForm):
    """From when, until when, and whether it is the main team."""

    why = why_field()

    class Meta:
        model = Membership
        fields = ("team", "starts_on", "ends_on", "is_primary")
        field_classes = {"team": TeamField}
        widgets = {"starts_on": day_input(), "ends_on": day_input()}
        help_texts = {"ends_on": _("The first day outside the team; empty while it goes on.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["team"]
        else:
            team = self.fields["team"]
            assert isinstance(team, TeamField)
            team.queryset = Team.objects.active().order_by("name", "pk")
            self.fields["starts_on"].initial = timezone.localdate

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on <= starts_on:
            self.add_error("ends_on", _("The end must come after the start."))
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        # Overlaps are judged by the action, which says what is wrong in the trade's words.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"person", "team", "ends_on", "is_primary"}


class TeamForm(VersionedForm):
    """A team's name, its place in the tree and its lead."""

    lead = PersonField(
        label=_("Lead"),
        suggestions="team-people",
        help_text=_("Their e-mail or full name; the people of the team are suggested."),
    )
    why = why_field()

    class Meta:
        model = Team
        fields = ("name", "parent", "lead", "is_active")
        field_classes = {"parent": TeamField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parent = self.fields["parent"]
        assert isinstance(parent, TeamField)
        parent.queryset = Team.objects.active().order_by("name", "pk")
        parent.empty_label = _("No parent: it stands on its own")
        if self.instance.pk:
            parent.queryset = parent.queryset.exclude(pk__in=teams_below(self.instance))


class ProfileForm(UserModelForm):
    """What everybody sets for themselves."""

    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("As the browser")), *settings.LANGUAGES]
    )

    class Meta:
        model = User
        fields = ("name", "language", "theme")
