"""What the styleguide shows: one example of each part in each state. Nothing here is anybody's data."""

from datetime import timedelta

from django import forms
from django.core.paginator import Paginator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.core.templatetags.ui import short_day
from kpis.formulas import Status
from kpis.queries import TONES, Tile, state_text

COLOURS = (
    "paper", "surface", "sunken", "ink", "ink-muted", "line", "edge", "accent", "accent-fill", "accent-line", "ok",
    "warn", "bad", "info", "neutral",
)  # fmt: skip
ICONS = (
    "home", "tools", "library", "onboarding", "kpis", "sync", "review", "people", "settings", "search", "bell", "globe",
    "menu", "close", "down", "right", "rise", "fall", "external", "check", "plus", "filter", "columns", "download",
    "clock", "calendar", "edit", "alert", "lock", "key", "comment", "document", "table", "renew", "undo", "theme",
    "more", "play", "swap", "ask", "link", "copy", "verified",
)  # fmt: skip
PEOPLE = ["Nora Haddad", "Inès Carpentier", "Salomé Petit", "Thomas Weil", "Élodie Faure", "Yann Le Goff"]


class ExampleForm(forms.Form):
    """One field of each kind; the second is filled in wrongly."""

    name = forms.CharField(label=gettext_lazy("Name"), help_text=gettext_lazy("What people will search for."))
    target = forms.IntegerField(label=gettext_lazy("Target"), max_value=100)
    source = forms.CharField(label=gettext_lazy("Source"), disabled=True, required=False)
    team = forms.ChoiceField(label=gettext_lazy("Team"), choices=[("1", "Checkout"), ("2", "Search")])
    day = forms.DateField(
        label=gettext_lazy("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    why = forms.CharField(label=gettext_lazy("Why"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    is_told = forms.BooleanField(label=gettext_lazy("Tell the owner"), required=False)
    theme = forms.ChoiceField(
        label=gettext_lazy("Theme"),
        required=False,
        widget=forms.RadioSelect,
        choices=[("light", gettext_lazy("Light")), ("dark", gettext_lazy("Dark"))],
    )


def tiles() -> list[Tile]:
    """Return one stat tile for each state a figure can be in."""
    day = timezone.localdate()
    said = [
        (Status.ON_TRACK, "4.2", _("days"), "−0.3", (5.0, 4.8, 4.9, 4.5, 4.2)),
        (Status.AT_RISK, "5.3", _("days"), "+0.2", (4.9, 5.0, None, 5.1, 5.3)),
        (Status.OFF_TRACK, "8.1", _("days"), "+2.6", (5.0, 5.5, 6.1, 7.4, 8.1)),
        (Status.STALE, "4.2", _("days"), "", (4.4, 4.3, 4.2, 4.2, 4.2)),
        (Status.NO_TARGET, "31", _("items"), "+4", (22.0, 25.0, 30.0, 27.0, 31.0)),
        (Status.TOO_FEW, state_text(Status.TOO_FEW), "", "", ()),
        (Status.NOT_MEASURED, state_text(Status.NOT_MEASURED), "", "", ()),
    ]
    return [
        Tile(
            key=status.value,
            url="#tiles",
            label=_("Cycle time"),
            value=value,
            unit=f"\u00a0{unit}" if unit else "",
            tone=TONES[status][0],
            badge=TONES[status][1],
            state=state_text(status) if trend and status != Status.NO_TARGET else "",
            status=status,
            change=change,
            is_worse=status in (Status.AT_RISK, Status.OFF_TRACK),
            span=_("in 4 weeks") if change else "",
            target=_("at most %(target)s") % {"target": 5} if trend and status != Status.NO_TARGET else "",
            trend=trend,
            target_value=5.0 if status != Status.NO_TARGET else None,
            as_of=day if trend else None,
            as_of_text=short_day(day) if trend else "",
            owner=PEOPLE[0] if trend else "",
            note=_("A comment, in one or two lines.") if status == Status.OFF_TRACK else "",
        )
        for status, value, unit, change, trend in said
    ]


def everything() -> dict[str, object]:
    """Return what the styleguide's template needs."""
    now = timezone.now()
    typed = {"name": "Linear", "target": "640", "team": "1", "theme": "light"}
    form = ExampleForm({f"example-{field}": value for field, value in typed.items()}, prefix="example")
    form.is_valid()
    return {
        "colours": COLOURS,
        "series": range(1, 7),
        "icons": ICONS,
        "people": PEOPLE,
        "tiles": tiles(),
        "form": form,
        "rings": ("adopt", "trial", "assess", "hold", ""),
        "badges": (
            ("ok", _("On track")),
            ("warn", _("At risk")),
            ("bad", _("Off target")),
            ("info", _("Running")),
            ("neutral", _("Draft")),
            ("none", _("Not measured")),
        ),
        "pages": Paginator(range(30), 10).page(2),
        "remove": _("Remove this filter"),
        "moments": (now, now - timedelta(minutes=12), now - timedelta(days=3), now - timedelta(days=400), None),
        "spans": (timedelta(seconds=45), timedelta(minutes=12), timedelta(hours=3.5), timedelta(days=8.2), None),
        "toasts": (
            ("success", _("Linear was archived."), True),
            ("info", _("The sync was asked for; it starts in a moment."), False),
            ("warning", _("Saved, but nobody owns it now."), False),
            ("error", _("That did not work, and nothing was changed. Try again in a moment."), False),
        ),
        "old_text": _("Baskets paid within one hour of being opened."),
        "new_text": _("Baskets paid within 24 hours of being opened, tests by staff left out."),
        "prose": _(
            "## When to use it\n\nUse it **before** a decision, never after. It takes twenty minutes.\n\n"
            "- one question\n- one owner\n\n## When not\n\n> A score is no decision."
        ),
    }
