"""What people type about tools."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.core.forms import VersionedForm
from hub.people.forms import TeamField
from hub.people.models import Team, User

from .models import MOVES_WITH_REASON, Capability, Tool, ToolAlias, normalized
from .models.standing import LONGEST_WITHOUT_REVIEW

SHORTEST_REASON = 10


def job_choices(*, empty: str) -> list[tuple[str, Any]]:
    """Return the jobs grouped by family, for a select."""
    jobs = list(Capability.objects.select_related("parent").order_by("sort", "name_en", "pk"))
    families = [job for job in jobs if job.parent_id is None]
    return [
        ("", empty),
        *((family.name, [(job.slug, job.name) for job in jobs if job.parent_id == family.pk]) for family in families),
    ]


def https_by_default(field: "models.Field[Any, Any]", **options: Any) -> Any:
    """Make a model field's form field; an address typed without its scheme is https."""
    if isinstance(field, models.URLField):
        options["assume_scheme"] = "https"
    return field.formfield(**options)


class ToolForm(VersionedForm):
    """A tool's own words: what it is, what it is for, how we use it."""

    main_job = forms.ChoiceField(label=_("Mainly for"), required=False)
    other_jobs = forms.MultipleChoiceField(
        label=_("Also for"), required=False, widget=forms.CheckboxSelectMultiple(attrs={"class": "jobs"})
    )
    vendor_name = forms.CharField(label=_("Vendor"), max_length=120, required=False)
    alias_texts = forms.CharField(
        label=_("Other names"), max_length=400, required=False, help_text=_("Separated by commas.")
    )
    why = forms.CharField(
        label=_("Why this change?"),
        max_length=500,
        required=False,
        help_text=_("Kept with the change."),
    )

    class Meta:
        model = Tool
        formfield_callback = https_by_default
        fields = (
            "name", "summary_en", "summary_fr", "website", "login_url", "kind", "how_to_en", "how_to_fr",
        )  # fmt: skip
        labels = {
            "name": _("Name"),
            "summary_en": _("What it is for, in English"),
            "summary_fr": _("What it is for, in French"),
            "website": _("Website"),
            "login_url": _("Address to open"),
            "kind": _("Kind"),
            "how_to_en": _("How we use it, in English"),
            "how_to_fr": _("How we use it, in French"),
        }
        help_texts = {
            "summary_en": _("One line: somebody who never heard of it knows when to pick it."),
            "login_url": _("Where people sign in. Empty: the website."),
            "how_to_en": _("Markdown: ## title, - list, **strong**, [text](address)."),
        }
        widgets = {
            "how_to_en": forms.Textarea(attrs={"rows": 10}),
            "how_to_fr": forms.Textarea(attrs={"rows": 10}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        instance: Tool | None = kwargs.get("instance")
        initial = kwargs.setdefault("initial", {})
        if instance is not None and instance.pk:
            links = list(instance.capability_links.select_related("capability").order_by("-is_primary", "pk"))
            initial["main_job"] = next((link.capability.slug for link in links if link.is_primary), "")
            initial["other_jobs"] = [link.capability.slug for link in links if not link.is_primary]
            initial["vendor_name"] = instance.vendor.name if instance.vendor else ""
            initial["alias_texts"] = ", ".join(alias.text for alias in instance.aliases.all())
        super().__init__(*args, **kwargs)
        choices = job_choices(empty="—")
        self.fields["main_job"].choices = choices  # type: ignore[attr-defined]
        self.fields["other_jobs"].choices = choices[1:]  # type: ignore[attr-defined]

    def clean_alias_texts(self) -> list[str]:
        """Return the other names; refuse one that is another tool's."""
        texts = [
            text for text in (" ".join(part.split()) for part in self.cleaned_data["alias_texts"].split(",")) if text
        ]
        for text in texts:
            if len(text) > 80 or not normalized(text):
                raise ValidationError(_("“%(text)s” can’t be a name."), params={"text": text[:80]})
        taken = ToolAlias.objects.filter(key__in=[normalized(text) for text in texts]).select_related("tool")
        for alias in taken.exclude(tool=self.instance.pk):
            raise ValidationError(
                _("“%(text)s” is already a name of %(tool)s."), params={"text": alias.text, "tool": alias.tool.name}
            )
        return texts

    def jobs(self) -> list[Capability]:
        """Return the chosen jobs, the main one first. Without a main one, the first of the others is it."""
        slugs = [slug for slug in (self.cleaned_data["main_job"], *self.cleaned_data["other_jobs"]) if slug]
        found = Capability.objects.jobs().in_bulk(slugs, field_name="slug")
        return [found[slug] for slug in dict.fromkeys(slugs)]

    def own_fields(self) -> dict[str, Any]:
        """Return the fields of the tool itself."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class MoveForm(forms.Form):
    """The next state of a tool's life, and why."""

    to = forms.ChoiceField(label=_("New state"), widget=forms.RadioSelect)
    why = forms.CharField(
        label=_("Why"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed, in 10 characters or more, to reject, to retire and to bring back."),
    )  # fmt: skip
    successor = forms.CharField(
        label=_("Successor"), required=False, max_length=80,
        help_text=_("The name of the tool to use instead, where there is one."),
    )  # fmt: skip

    def __init__(self, *args: Any, tool: Tool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tool = tool
        self.fields["to"].choices = [(state.value, state.label) for state in tool.next_moves]  # type: ignore[attr-defined]
        if len(tool.next_moves) == 1 and not self.initial.get("to"):
            self.initial["to"] = tool.next_moves[0].value

    def clean_successor(self) -> Tool | None:
        """Find the tool that is named."""
        name = self.cleaned_data["successor"].strip()
        if not name:
            return None
        found = (
            Tool.objects.filter(Q(name__iexact=name) | Q(aliases__key=normalized(name)))
            .exclude(pk=self.tool.pk)
            .first()
        )
        if found is None:
            raise ValidationError(_("No other tool is called “%(name)s”."), params={"name": name})
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "to" in cleaned:
            move = (Tool.Lifecycle(self.tool.lifecycle), Tool.Lifecycle(cleaned["to"]))
            if move in MOVES_WITH_REASON and len(cleaned.get("why", "").strip()) < SHORTEST_REASON:
                self.add_error("why", _("Say why, in 10 characters or more: people will ask."))
        return cleaned


class DecisionForm(forms.Form):
    """Where a tool stands for a job."""

    capability = forms.ChoiceField(label=_("For which job"))
    ring = forms.ChoiceField(label=_("Standing"), choices=Tool.Ring.choices, widget=forms.RadioSelect)
    team = TeamField(
        Team.objects.active().order_by("name", "pk"),
        label=_("For whom"),
        required=False,
        empty_label=_("The whole company"),
    )
    why = forms.CharField(
        label=_("Why"), min_length=SHORTEST_REASON, max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What speaks for it, what was looked at instead."),
    )  # fmt: skip
    review_on = forms.DateField(
        label=_("Look again on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("At most 18 months from now."),
    )  # fmt: skip

    def __init__(self, *args: Any, tool: Tool, **kwargs: Any) -> None:
        main = tool.capability_links.filter(is_primary=True).select_related("capability").first()
        kwargs["initial"] = {
            "capability": main.capability.slug if main else "",
            "review_on": timezone.localdate() + timedelta(days=182),
            **(kwargs.get("initial") or {}),
        }
        super().__init__(*args, **kwargs)
        self.fields["capability"].choices = job_choices(empty="—")  # type: ignore[attr-defined]

    def clean_capability(self) -> Capability:
        """Return the job itself."""
        return Capability.objects.jobs().get(slug=self.cleaned_data["capability"])

    def clean_review_on(self) -> Any:
        """Hold the date within its limits."""
        day, today = self.cleaned_data["review_on"], timezone.localdate()
        if not today < day <= today + LONGEST_WITHOUT_REVIEW:
            raise ValidationError(_("Choose a day after today and within 18 months."))
        return day


class OwnerForm(forms.Form):
    """Who answers for a tool from now on."""

    owner = forms.CharField(
        label=_("New owner"), max_length=254, required=False,
        help_text=_("A name or an e-mail, or the name of a team. Empty: nobody for now."),
    )  # fmt: skip
    why = forms.CharField(label=_("Why"), max_length=500, required=False)

    def clean_owner(self) -> User | Team | None:
        """Find the person or the team that is named."""
        name = " ".join(self.cleaned_data["owner"].split())
        if not name:
            return None
        people = list(User.objects.active().filter(Q(email=name.lower()) | Q(name__iexact=name))[:2])
        if len(people) > 1:
            raise ValidationError(_("Several people are called “%(name)s”. Type the e-mail."), params={"name": name})
        found = people[0] if people else Team.objects.active().filter(name__iexact=name).first()
        if found is None:
            near = User.objects.active().filter(name__icontains=name.split()[0]).order_by("name")[:3]
            raise ValidationError(
                _("Nobody here is called “%(name)s”. Near: %(near)s."),
                params={"name": name, "near": ", ".join(user.name for user in near) or "—"},
            )
        return found
