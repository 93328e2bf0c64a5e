"""What the palette finds in this room: tools and the jobs they are for, one query each."""

import re
from collections.abc import Sequence

from django.db.models import Case, Exists, F, FloatField, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hub.people.models import User
from hub.search.registry import Hit, Source, register

from .models import Capability, Tool, ToolAlias, ToolCapability, normalized


def near(words: str) -> str:
    """Return a regular expression that fits a name with one letter wrong, missing, extra or swapped.

    Empty for words under four letters: everything is near them.
    """
    letters = [re.escape(letter) for letter in words.casefold()[:24]]
    if len(letters) < 4:
        return ""
    ways = []
    for at in range(len(letters)):
        before, after = "".join(letters[:at]), "".join(letters[at + 1 :])
        ways += [f"{before}.?{after}", f"{before}{letters[at]}.{after}"]
        if at + 1 < len(letters):
            ways.append(f"{before}{letters[at + 1]}{letters[at]}{''.join(letters[at + 2 :])}")
    return f"^({'|'.join(dict.fromkeys(ways))})"


def find_tools(words: str, _reader: User, limit: int) -> Sequence[Hit]:
    """Find tools by name, alias, what they are for, then by a name one letter off; ours before suggestions."""
    words = " ".join(words.split())[:60]
    key = normalized(words)
    if not key:
        return []
    aliases = ToolAlias.objects.filter(tool=OuterRef("pk"))
    jobs = ToolCapability.objects.filter(tool=OuterRef("pk")).filter(_intent("capability__", words))
    typo = near(words)
    found = (
        Tool.objects.with_capability()
        .select_related("capability_link__capability")  # type: ignore[misc]
        .defer("how_to_en", "how_to_fr")
        .annotate(
            rank=Case(
                When(name__iexact=words, then=Value(1.0)),
                When(Exists(aliases.filter(key=key)), then=Value(0.95)),
                When(name__istartswith=words, then=Value(0.9)),
                When(name__icontains=words, then=Value(0.7)),
                When(Exists(aliases.filter(key__contains=key)), then=Value(0.65)),
                When(Exists(jobs), then=Value(0.5)),
                When(Q(summary_en__icontains=words) | Q(summary_fr__icontains=words), then=Value(0.4)),
                *([When(name__iregex=typo, then=Value(0.3))] if typo else []),
                default=Value(0.0),
                output_field=FloatField(),
            )
        )
        .filter(rank__gt=0)
        .order_by(F("is_starter").asc(), "-rank", "name", "pk")
    )
    return [
        Hit(
            url=tool.get_absolute_url(),
            title=tool.name,
            detail=_detail(tool),
            icon="tools",
            rank=tool.rank * (0.5 if tool.is_starter or tool.is_over else 1.0),  # type: ignore[attr-defined]
        )
        for tool in found[:limit]
    ]


def _detail(tool: Tool) -> str:
    """Say what a tool is for; of one that the company does not have, that first."""
    says = tool.summary or (tool.capability_link.capability.name if tool.capability_link else "")
    if tool.is_starter:
        return gettext("Suggestion · %(says)s") % {"says": says}
    return f"{tool.get_lifecycle_display()} · {says}" if tool.is_over else says


def find_capabilities(words: str, _reader: User, limit: int) -> Sequence[Hit]:
    """Find jobs by what they are called and what one wants to do."""
    words = " ".join(words.split())[:60]
    if not words:
        return []
    found: QuerySet[Capability] = Capability.objects.jobs().filter(_intent("", words)).order_by("sort", "pk")
    return [
        Hit(url=job.get_absolute_url(), title=job.name, detail=job.intent, icon="key", rank=0.6)
        for job in found[:limit]
    ]


def _intent(prefix: str, words: str) -> Q:
    """Every word of four letters or more (or the only one) is in the job's name or intent, in one language."""
    parts = [word for word in words.split() if len(word) > 3] or words.split()
    english, french = Q(), Q()
    for word in parts[:6]:
        stem = word[:-1] if len(word) > 4 and word[-1].lower() in "sx" else word
        english &= Q(**{f"{prefix}name_en__icontains": stem}) | Q(**{f"{prefix}intent_en__icontains": stem})
        french &= Q(**{f"{prefix}name_fr__icontains": stem}) | Q(**{f"{prefix}intent_fr__icontains": stem})
    return english | french


register(Source("tools", _("Tools"), find_tools, order=10))
register(Source("capabilities", _("Which tool for this job?"), find_capabilities, order=20))
