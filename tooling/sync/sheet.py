"""Judging a spreadsheet of tools: pure, so that what a plan shows is what applying it does."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hub.core.csv import Line
from hub.imports.sheet import Judged, cells_of, choices_in_words, parts_of
from tooling.models import MOVES, MOVES_WITH_REASON, Tool, normalized

SHORTEST_REASON = 10

# What a column can be, what it is called on the page, and the headers it is known under (normalised).
COLUMNS: dict[str, tuple[Promise, str]] = {
    "name": (_("name"), "tool nom outil application app software logiciel toolname"),
    "slug": (_("address in the hub"), "key identifier identifiant"),
    "summary_en": (_("what it is for, English"), "summary description purpose whatitisfor summaryen for usage"),
    "summary_fr": (_("what it is for, French"), "resume summaryfr descriptionfr aquoiilsert utilite"),
    "vendor": (_("vendor"), "editeur supplier publisher fournisseur company societe maker"),
    "website": (_("website"), "site siteweb url web link lien"),
    "login_url": (_("address to open"), "login loginurl signin openurl connexion adresse address"),
    "kind": (_("kind"), "type nature"),
    "lifecycle": (_("lifecycle"), "status statut state etat cycledevie"),
    "reason": (_("reason of the move"), "why motif raison pourquoi"),
    "capabilities": (_("capabilities"), "capability capacites capacite category categorie usages jobs"),
    "aliases": (_("other names"), "alias othernames autresnoms aka"),
    "owner": (_("owner’s e-mail"), "owneremail responsable email emailowner proprietaire referent"),
}
LONGEST = {"name": 80, "summary_en": 200, "summary_fr": 200, "vendor": 120, "website": 300, "login_url": 300}

PROBLEMS: dict[str, Promise] = {
    "name_missing": _("The name is empty. Every tool needs one."),
    "too_long": _("“%(column)s” has %(count)s characters; at most %(limit)s fit. Shorten it."),
    "not_an_address": _("“%(value)s” is no web address. Write it like https://example.com."),
    "unknown_choice": _("“%(value)s” is not known for “%(column)s”. Use one of: %(choices)s."),
    "unknown_capability": _(
        "There is no capability “%(value)s”. Nearest: %(nearest)s. The list is under “Which tool for this job?”."
    ),
    "unknown_person": _("Nobody here has the e-mail “%(value)s”. Invite them first, or leave the cell empty."),
    "slug_unknown": _("No tool has the address “%(value)s”. Leave the cell empty to add a new tool."),
    "alias_taken": _("“%(value)s” is already a name of %(tool)s. Remove it from one of the two."),
    "name_taken": _("Another tool is already called “%(value)s”."),
    "twice": _("The same tool is on line %(line)s already. Keep one of the two lines."),
    "move_not_allowed": _("A tool can’t go from “%(before)s” to “%(after)s”. From there: %(choices)s."),
    "reason_missing": _(
        "Going from “%(before)s” to “%(after)s” needs a reason of 10 characters or more in the column “reason”."
    ),
}


@dataclass(frozen=True)
class Facts:
    """What the hub knows of one tool, in the form of a row."""

    pk: int
    version: int
    is_starter: bool
    values: Mapping[str, Any]  # keys of COLUMNS; capabilities and aliases are lists, owner is an e-mail


@dataclass(frozen=True)
class Known:
    """What the hub holds, as far as judging a sheet needs it."""

    tools: Mapping[str, Facts]  # by slug
    by_name: Mapping[str, str]  # normalized name or alias → slug
    capabilities: Mapping[str, str]  # normalized slug or name → slug
    people: frozenset[str]  # e-mails of active people


def judge(lines: Sequence[Line], mapping: Mapping[str, int], known: Known) -> list[Judged]:
    """Say of every line what it would do. Nothing is read or written."""
    judge_one = _Judge(mapping, known)
    return [judge_one(line) for line in lines]


class _Judge:
    """Judges line after line; remembers which tools the file named before."""

    def __init__(self, mapping: Mapping[str, int], known: Known) -> None:
        self.mapping = mapping
        self.known = known
        self.named: dict[str, int] = {}  # slug, or "name:" and the normalized name, → line
        self.claimed: dict[str, tuple[str, int]] = {}  # normalized name or alias → title and line of a new tool
        self.kinds = choices_in_words(Tool.Kind)
        self.states = choices_in_words(Tool.Lifecycle)
        self.check_address = URLValidator(schemes=["http", "https"])
        self.nearest: dict[str, str] = {}

    def __call__(self, line: Line) -> Judged:
        cells = cells_of(line.cells, self.mapping)
        row = Judged(line=line.number, title=(cells.get("name") or cells.get("slug") or "…")[:200])
        if line.problem:
            row.problems.append((line.problem.code, dict(line.problem.values)))
            return row
        tool = self._tool(cells, row)
        if row.problems:
            return row
        self._values(cells, row, tool)
        self._lifecycle(cells, row, tool)
        self._aliases(row, tool)
        if row.problems:
            return row
        self._verdict(row, tool)
        return row

    def _tool(self, cells: Mapping[str, str], row: Judged) -> Facts | None:
        """Find the tool that a line is about; None for a new one."""
        if "slug" in cells:
            tool = self.known.tools.get(cells["slug"].lower())
            if tool is None:
                row.problems.append(("slug_unknown", {"value": cells["slug"][:80]}))
                return None
            key = cells["slug"].lower()
        else:
            name = normalized(cells.get("name", ""))
            if not name:
                row.problems.append(("name_missing", {}))
                return None
            slug = self.known.by_name.get(name, "")
            tool, key = self.known.tools.get(slug), slug or f"name:{name}"
        if key in self.named:
            row.problems.append(("twice", {"line": self.named[key]}))
            return None
        self.named[key] = row.line
        if tool is not None:
            row.target_id, row.target_version = tool.pk, tool.version
        return tool

    def _values(self, cells: Mapping[str, str], row: Judged, tool: Facts | None) -> None:
        """Read each cell; an empty one leaves things as they are."""
        for name, cell in cells.items():
            if name in LONGEST:
                self._text(name, " ".join(cell.split()), row)
            elif name == "kind":
                self._choice(name, cell, self.kinds, Tool.Kind.values, row)
            elif name == "capabilities":
                self._capabilities(cell, row)
            elif name == "aliases":
                row.values["aliases"] = [part[:80] for part in parts_of(cell)]
            elif name == "owner":
                self._owner(cell.lower(), row)
        name = row.values.get("name", "")
        holder = self.known.by_name.get(normalized(name))
        if name and tool is not None and holder and self.known.tools[holder].pk != tool.pk:
            row.problems.append(("name_taken", {"value": name}))
        if tool is not None and "name" in row.values and "slug" not in cells:
            del row.values["name"]  # found by its name or an alias: that is no wish to rename it

    def _text(self, name: str, text: str, row: Judged) -> None:
        if len(text) > LONGEST[name]:
            row.problems.append(("too_long", {"column": name, "count": len(text), "limit": LONGEST[name]}))
        elif name in ("website", "login_url"):
            self._address(name, text, row)
        else:
            row.values[name] = text

    def _owner(self, email: str, row: Judged) -> None:
        if email in self.known.people:
            row.values["owner"] = email
        else:
            row.problems.append(("unknown_person", {"value": email[:120]}))

    def _address(self, name: str, text: str, row: Judged) -> None:
        address = text if "://" in text else f"https://{text}"
        try:
            self.check_address(address)
        except ValidationError:
            row.problems.append(("not_an_address", {"value": text[:120]}))
        else:
            row.values[name] = address

    def _choice(self, name: str, cell: str, known: Mapping[str, str], offered: Sequence[str], row: Judged) -> None:
        value = known.get(normalized(cell))
        if value is None:
            row.problems.append(("unknown_choice", {"column": name, "value": cell[:80], "choices": ", ".join(offered)}))
        else:
            row.values[name] = value

    def _capabilities(self, cell: str, row: Judged) -> None:
        slugs = []
        for part in parts_of(cell):
            key = normalized(part)
            if key in self.known.capabilities:
                slugs.append(self.known.capabilities[key])
                continue
            if key not in self.nearest:
                near = difflib.get_close_matches(key, self.known.capabilities, n=1, cutoff=0.4)
                self.nearest[key] = self.known.capabilities[near[0]] if near else "—"
            row.problems.append(("unknown_capability", {"value": part[:80], "nearest": self.nearest[key]}))
        row.values["capabilities"] = list(dict.fromkeys(slugs))

    def _lifecycle(self, cells: Mapping[str, str], row: Judged, tool: Facts | None) -> None:
        """Check the move. A new tool, and a suggestion that a file names, is in use unless the file says otherwise."""
        if "lifecycle" in cells:
            self._choice("lifecycle", cells["lifecycle"], self.states, Tool.Lifecycle.values, row)
        elif tool is None or tool.is_starter:
            row.values["lifecycle"] = Tool.Lifecycle.ACTIVE.value
        if tool is None or "lifecycle" not in row.values:
            return
        before, after = Tool.Lifecycle(tool.values["lifecycle"]), Tool.Lifecycle(row.values["lifecycle"])
        if before == after or tool.is_starter:
            return
        said = {"before": before.value, "after": after.value}
        if after not in MOVES[before]:
            choices = ", ".join(MOVES[before])
            row.problems.append(("move_not_allowed", {**said, "choices": choices}))
        elif (before, after) in MOVES_WITH_REASON and len(cells.get("reason", "")) < SHORTEST_REASON:
            row.problems.append(("reason_missing", said))
        else:
            row.values["reason"] = cells.get("reason", "")[:500]

    def _aliases(self, row: Judged, tool: Facts | None) -> None:
        """Refuse a name that another tool has, here or earlier in the file."""
        names = list(row.values.get("aliases", []))
        if tool is None:
            names.append(row.values.get("name", ""))
        for name in names:
            key = normalized(name)
            holder = self.known.by_name.get(key)
            if holder and (tool is None or self.known.tools[holder].pk != tool.pk):
                row.problems.append(("alias_taken", {"value": name, "tool": self.known.tools[holder].values["name"]}))
            elif key in self.claimed and self.claimed[key][1] != row.line:
                row.problems.append(("alias_taken", {"value": name, "tool": self.claimed[key][0]}))
            elif not row.problems:
                self.claimed[key] = (row.title, row.line)

    def _verdict(self, row: Judged, tool: Facts | None) -> None:
        if tool is None:
            row.verdict = "create"
            row.changes = {name: [None, value] for name, value in row.values.items() if name != "reason"}
            return
        for name, value in row.values.items():
            if name == "reason":
                continue
            stored = tool.values.get(name)
            if name == "aliases":
                have = {normalized(text) for text in (*(stored or []), tool.values["name"])}
                wanted = [*(stored or []), *(text for text in value if normalized(text) not in have)]
            else:
                wanted = value
            if wanted != (stored if stored is not None else ""):
                row.changes[name] = [stored, wanted]
        row.verdict = "update" if row.changes else "unchanged"
