"""Jira's answers, read: pages of raw records, made small. Pure.

An issue comes with people's addresses and with every text it ever held, in its changes. What the hub does not use is
dropped here, before anything is compared or stored, and moments are brought to UTC: Jira writes them in the time zone
of whoever asks, so that the end of summer time would change every record.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_noop

from connectors.base import FailureClass, Json, More, Notice, Page, Request, SourceFailed

from .site import Site, site_with

CUT = 40  # changes that come with an issue; Jira leaves out the older ones
ENTRIES = 100  # changes in one answer of an issue's own list
FIELDS: Mapping[str, tuple[str, ...]] = {  # fields asked for, and what is kept of those that are objects
    "summary": (), "created": (), "updated": (), "resolutiondate": (), "duedate": (), "labels": (),
    "status": ("id", "name", "statusCategory"),
    "issuetype": ("id", "name", "hierarchyLevel"),
    "project": ("id",),
    "priority": ("id",),
    "assignee": ("accountId",),
    "creator": ("accountId",),
    "resolution": ("name",),
    "parent": (),
}  # fmt: skip
MOMENTS = ("created", "updated", "resolutiondate")
TRACKED = {"status": "state", "assignee": "assignee", "priority": "priority", "labels": "label", "project": "team",
           "issuetype": "type"}  # fmt: skip
IN_WORDS = frozenset({"label", "estimate"})  # changes whose value is their text; of others it is an id
CUSTOMER = "customer"
HIDDEN = gettext_noop(
    "Accounts that hide their e-mail, as each person may at Atlassian: %(count)s. Match them by hand on the"
    " page Accounts."
)
CUSTOMERS = gettext_noop("Customers of a help centre, who hold no seat and are left out: %(count)s.")


def read_page(stream: str, payload: Json) -> Page:
    """Read one page's answer; the place in the list was put beside it."""
    return _READS[stream](payload)


def listed(payload: Json, name: str) -> list[Json]:
    """Return a list of objects. Raises SourceFailed."""
    found = payload.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SourceFailed(FailureClass.BAD_PAYLOAD, f"no list of {name}", is_final=False)
    return found


def _users(payload: Json) -> Page:
    """Accounts, until a page is empty: a short page only means that some of its accounts may not be seen."""
    found = listed(payload, "items")
    if not found:
        return Page(())
    people = [one for one in found if one.get("accountType") != CUSTOMER]
    hidden = sum(1 for one in people if one.get("accountType") != "app" and not one.get("emailAddress"))
    customers = len(found) - len(people)
    notices = [Notice(text, {"count": count}) for text, count in ((HIDDEN, hidden), (CUSTOMERS, customers)) if count]
    kept = ("accountId", "accountType", "displayName", "active", "emailAddress")
    rows = [{name: one[name] for name in kept if name in one} for one in people]
    return Page(rows, str(payload["_at"] + payload["_size"]), notices=tuple(notices))


def _following(payload: Json, count: int) -> int | None:
    """Return where a numbered list goes on, None at its end. Raises SourceFailed for a promise without rows."""
    if payload.get("isLast") is not False:
        if not isinstance(payload.get("isLast"), bool):
            raise SourceFailed(FailureClass.SCHEMA_DRIFT, "isLast is missing or changed")
        return None
    if not count:
        raise SourceFailed(FailureClass.SOURCE_MISBEHAVES, "an empty page that promises more")
    return int(payload["_at"]) + count


def _projects(payload: Json) -> Page:
    found = listed(payload, "values")
    following = _following(payload, len(found))
    return Page([_only(one, ("id", "key", "name")) for one in found], None if following is None else str(following))


def _statuses(payload: Json) -> Page:
    rows = []
    for one in listed(payload, "items"):
        rows.append(_only(one, ("id", "name", "statusCategory", "scope")))
        if isinstance(one.get("statusCategory"), dict):
            rows[-1]["statusCategory"] = _only(one["statusCategory"], ("key",))
    return Page(rows)


def _labels(payload: Json) -> Page:
    """Issue types come first, as labels: a bug is a type there. Then the labels, which are bare words."""
    if payload["_at"] is None:
        rows = [{"id": f"type:{one.get('id')}", "name": one.get("name")} for one in listed(payload, "items")]
        return Page(rows, "0", ends_list=True)
    words = payload.get("values")
    if not isinstance(words, list):
        raise SourceFailed(FailureClass.BAD_PAYLOAD, "no list of values", is_final=False)
    following = _following(payload, len(words))
    rows = [{"id": label_id(str(word)), "name": word} for word in words]
    return Page(rows, None if following is None else str(following))


def label_id(word: str) -> str:
    """Return the id of a label, which Jira knows by its word alone."""
    return f"label:{word}"[:120]


def _cycles(payload: Json) -> Page:
    """Boards, page after page; then the sprints of each that has any. The token holds the boards still to be read."""
    place, found = payload["_place"], listed(payload, "values")
    following = _following(payload, len(found))
    boards = place["boards"]
    if place["at"] is not None:
        for one in found:
            home = one.get("location")
            project = home.get("projectId") if isinstance(home, dict) else None
            boards = [*boards, [one.get("id"), "" if project is None else str(project)]]
        return Page((), _place(following, boards), ends_list=True)
    (board, project), *others = boards
    rows = [
        {**_only(one, ("name", "state", "startDate", "endDate", "completeDate")), "id": str(one.get("id")),
         "project": project}
        for one in found
        # One that is yet to be planned has no dates; one that is shown on several boards belongs to its first
        if one.get("startDate") and one.get("endDate") and one.get("originBoardId") in (None, board)
    ]  # fmt: skip
    for row in rows:
        row |= {name: utc(row[name]) for name in ("startDate", "endDate", "completeDate") if name in row}
    if following is not None:
        return Page(rows, _place(None, boards, following), ends_list=True)
    return Page(rows, _place(None, others), ends_list=True)


def _place(at: int | None, boards: list[Any], sprint: int = 0) -> str | None:
    """Write where we are: in the list of boards at `at`, or in the sprints of the first board at `sprint`."""
    return json.dumps({"at": at, "boards": boards, "sprint": sprint}) if boards or at is not None else None


def _issues(payload: Json) -> Page:
    if not payload["_site"]:
        return Page((), str(site_with(listed(payload, "items"))), ends_list=True)
    site = Site.read(payload["_site"])
    if site.kinds is None:
        return Page((), str(site.with_statuses(listed(payload, "items"))), ends_list=True)
    found = listed(payload, "issues")
    rows = [small(one, site) for one in found]
    more = [held for raw, row in zip(found, rows, strict=True) if (held := _more(raw, row, site)) is not None]
    after = payload.get("nextPageToken")
    is_last = payload.get("isLast") is True or after is None
    return Page(rows, None if is_last else str(site.at(str(after))), tuple(more))


def small(raw: Json, site: Site) -> Json:
    """Return an issue with what is used of it. What is missing or strange stays so, for the shape to refuse."""
    fields = raw.get("fields")
    if not isinstance(fields, dict):
        return raw
    kept = {}
    for name, parts in FIELDS.items():
        if name in fields:
            value = fields[name]
            kept[name] = _only(value, parts) if parts and isinstance(value, dict) else value
    for name in MOMENTS:
        if name in kept:
            kept[name] = utc(kept[name])
    status = kept.get("status")
    if isinstance(status, dict) and isinstance(status.get("statusCategory"), dict):
        kept["status"] = {**status, "statusCategory": _only(status["statusCategory"], ("key",))}
    kept["parent"] = _parent(fields.get("parent"))
    sprints = fields.get(site.sprint) if site.sprint else None
    kept["sprints"] = [_only(one, ("id", "state")) for one in sprints or () if isinstance(one, dict)]
    points = (fields.get(name) for name in site.points)
    kept["points"] = next((float(one) for one in points if isinstance(one, int | float)), None)
    row = {name: raw[name] for name in ("id", "key", "self") if name in raw} | {"fields": kept}
    log = raw.get("changelog")
    if isinstance(log, dict) and isinstance(log.get("histories"), list):
        row["changelog"] = entries(log["histories"], site)
    return row


def _parent(raw: Any) -> Any:
    """An epic is a parent, too; its level tells it from the story that a sub-task is of."""
    if not isinstance(raw, dict):
        return None
    level: Any = raw
    for step in ("fields", "issuetype", "hierarchyLevel"):
        level = level.get(step) if isinstance(level, dict) else None
    return {"id": raw.get("id"), "hierarchyLevel": level if isinstance(level, int) else 0}


def entries(histories: list[Any], site: Site) -> list[Any]:
    """Return the changes of what the hub follows, earliest first: never a text, nor a name."""
    kept = []
    for one in histories:
        if not isinstance(one, dict) or not isinstance(one.get("items"), list):
            kept.append(one)
            continue
        items = [change for item in one["items"] if (change := _change(item, site)) is not None]
        author = one.get("author")
        if items:
            kept.append({
                "id": one.get("id"), "created": utc(one.get("created")), "items": items,
                "author": _only(author, ("accountId",)) if isinstance(author, dict) else None,
            })  # fmt: skip
    return sorted(kept, key=_moment_and_id)


def _change(item: Any, site: Site) -> Json | None:
    if not isinstance(item, dict):
        return None
    name = str(item.get("fieldId") or item.get("field") or "")
    what = "cycle" if name and name == site.sprint else "estimate" if name in site.points else TRACKED.get(name)
    if what is None:
        return None
    before, after = ("fromString", "toString") if what in IN_WORDS else ("from", "to")
    made = {"what": what, "before": item.get(before) or "", "after": item.get(after) or ""}
    if what == "state":
        kinds = site.kinds or {}
        made |= {"left": kinds.get(made["before"], "other"), "entered": kinds.get(made["after"], "other")}
    return made


def _more(raw: Json, row: Json, site: Site) -> More | None:
    """Return the request for an issue's changes where those that came with it may not be all."""
    log, key = raw.get("changelog"), raw.get("id")
    if not isinstance(log, dict) or not isinstance(log.get("histories"), list) or not isinstance(key, str):
        return None
    total = log.get("total")
    count = len(log["histories"])
    is_cut = count >= CUT or (isinstance(total, int) and total > count)
    return _rest(key, row, site, 0) if is_cut else None


def _rest(key: str, row: Json, site: Site, at: int) -> More:
    def merge(payload: Json) -> More | None:
        found = listed(payload, "values")
        known = {one.get("id") for one in row["changelog"]}
        fresh = [one for one in entries(found, site) if one.get("id") not in known]
        row["changelog"] = sorted([*row["changelog"], *fresh], key=_moment_and_id)
        following = _following({**payload, "_at": at}, len(found))
        return None if following is None else _rest(key, row, site, following)

    query = {"startAt": str(at), "maxResults": str(ENTRIES)}
    return More(Request(f"/rest/api/3/issue/{key}/changelog", "GET", query), merge)


def _moment_and_id(entry: Any) -> tuple[str, int, str]:
    key = str(entry.get("id", "")) if isinstance(entry, dict) else ""
    return str(entry.get("created", "")) if isinstance(entry, dict) else "", len(key), key


def _only(raw: Json, names: tuple[str, ...]) -> Json:
    return {name: raw[name] for name in names if name in raw}


def utc(value: Any) -> Any:
    """Write a moment in UTC; what is none is left to the shape to refuse."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at.tzinfo else value


_READS: Mapping[str, Callable[[Json], Page]] = {
    "users": _users,
    "teams": _projects,
    "states": _statuses,
    "labels": _labels,
    "cycles": _cycles,
    "issues": _issues,
}
