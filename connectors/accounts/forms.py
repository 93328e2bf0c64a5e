"""Reading what was typed beside the rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Q
from django.db.models.functions import Lower
from django.http import QueryDict

from hub.core.http import row_id
from hub.people.models import Team, User

Thing = TypeVar("Thing", User, Team)


@dataclass(frozen=True)
class Typed(Generic[Thing]):
    """What the rows ask for: pairs that are clear, and texts that name nobody (or more than one)."""

    pairs: Mapping[int, Thing]
    unclear: Mapping[int, str]


def chosen_ids(data: QueryDict) -> list[int]:
    """Return the row whose button was pressed (`only`), else the ticked rows."""
    texts = [str(data["only"])] if data.get("only") else [str(text) for text in data.getlist("row")]
    return [pk for text in texts if (pk := row_id(text)) is not None]


def typed_people(data: QueryDict) -> Typed[User]:
    """Read `pick=<row>:<person>` (a suggestion) or the texts `person-<row>`: an e-mail, or a name only one bears."""
    if pick := data.get("pick"):
        row, _, person = pick.partition(":")
        account_id, person_id = row_id(row), row_id(person)
        found = User.objects.filter(pk=person_id).first() if person_id else None
        return Typed({account_id: found} if account_id and found else {}, {})
    return typed(data, "person-", people_named)


def typed_teams(data: QueryDict) -> Typed[Team]:
    """Read the texts `team-<row>`: a team's name or its address."""
    return typed(data, "team-", teams_named)


def typed(data: QueryDict, prefix: str, find: Callable[[Sequence[str]], Mapping[str, Sequence[Thing]]]) -> Typed[Thing]:
    """Pair each row's text with the one thing it names."""
    only, ticked = row_id(data.get("only", "")), {row_id(row) for row in data.getlist("row")}
    texts: dict[int, str] = {}
    for key, text in data.items():
        row = row_id(key.removeprefix(prefix)) if key.startswith(prefix) else None
        wanted = row is not None and (row == only if only else not ticked or row in ticked)
        if row is not None and wanted and isinstance(text, str) and text.strip():
            texts[row] = text.strip()
    named = find([text.lower() for text in texts.values()])
    pairs, unclear = {}, {}
    for row, text in texts.items():
        things = named.get(text.lower(), ())
        if len(things) == 1:
            pairs[row] = things[0]
        else:
            unclear[row] = text
    return Typed(pairs, unclear)


def people_named(texts: Sequence[str]) -> dict[str, list[User]]:
    """Return the people behind each e-mail or full name, in one query."""
    found: dict[str, list[User]] = {}
    if not texts:
        return found
    for person in User.objects.annotate(lower_name=Lower("name")).filter(Q(email__in=texts) | Q(lower_name__in=texts)):
        for key in {person.email, person.name.lower()} & set(texts):
            found.setdefault(key, []).append(person)
    return found


def teams_named(texts: Sequence[str]) -> dict[str, list[Team]]:
    """Return the teams behind each name or address, in one query."""
    found: dict[str, list[Team]] = {}
    for team in Team.objects.active() if texts else ():
        for key in {team.slug, team.name.lower()} & set(texts):
            found.setdefault(key, []).append(team)
    return found
