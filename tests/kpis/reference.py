"""The KPIs once more, in plain Python, item by item: what the product's SQL is checked against.

Written from integrations.md 6.1 and docs/metrics.md, not from the SQL. Percentile: linear interpolation between the
two nearest ranks (Hyndman and Fan's type 7, PostgreSQL's percentile_cont).
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = 86400.0


def percentile(values, share):
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def week_of(moment, zone):
    day = moment.astimezone(ZoneInfo(zone)).date()
    return day - timedelta(days=day.weekday())


def week_ends_at(week, zone):
    following = week + timedelta(days=7)
    return datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def days(later, earlier):
    return (later - earlier).total_seconds() / DAY


def scopes(team):
    return [None] if team is None else [None, team]


class World:
    """`teams`: ref → (company team's id or None, zone). `items`: dicts with the fields of a work item."""

    def __init__(self, teams, items, spans=(), started_states=(), bug_refs=()):
        self.teams, self.items, self.spans = teams, items, spans
        self.started_states, self.bug_refs = set(started_states), set(bug_refs)

    def done(self):
        """Items that count as finished, by (scope, week)."""
        found = defaultdict(list)
        finished_in = {}
        for item in self.items:
            if item["state_type"] == "completed" and item["completed_at"] and not item["is_trashed"]:
                finished_in[item["ref"]] = week_of(item["completed_at"], self.teams[item["team"]][1])
        for item in self.items:
            week = finished_in.get(item["ref"])
            if week is None or (item["parent"] and finished_in.get(item["parent"]) == week):
                continue
            for scope in scopes(self.teams[item["team"]][0]):
                found[scope, week].append(item)
        return found

    def flow(self):
        """(key, scope, week) → (value, n, coverage) of the figures about finished items."""
        found = {}
        for (scope, week), items in self.done().items():
            cycles = [days(i["completed_at"], i["started_at"]) for i in items if i["started_at"]]
            cycles = [length for length in cycles if length * 1440 >= 1]
            leads = [days(i["completed_at"], i["opened_at"]) for i in items]
            leads = [length for length in leads if length >= 0]
            found["throughput", scope, week] = (len(items), len(items), None)
            if cycles:
                covered = len(cycles) / len(items)
                found["cycle-time", scope, week] = (percentile(cycles, 0.5), len(cycles), covered)
                found["cycle-time-p85", scope, week] = (percentile(cycles, 0.85), len(cycles), covered)
            if leads:
                found["lead-time", scope, week] = (percentile(leads, 0.5), len(leads), len(leads) / len(items))
        return found

    def bugs(self):
        """(key, scope, week) → (value, n, None) of the bug ratios."""
        opened = defaultdict(list)
        for item in self.items:
            if not item["is_trashed"]:
                team, zone = self.teams[item["team"]]
                for scope in scopes(team):
                    opened[scope, week_of(item["opened_at"], zone)].append(item)
        found = {}
        for key, groups in (("bug-ratio", opened), ("bug-ratio-done", self.done())):
            for (scope, week), items in groups.items():
                bugs = sum(bool(self.bug_refs & set(item["labels"])) for item in items)
                found[key, scope, week] = (bugs / len(items), len(items), None)
        return found

    def wip(self, week, now):
        """(scope) → items under way when the week ended, or now where it has not."""
        by_ref = {item["ref"]: item for item in self.items}
        held = defaultdict(set)
        for item_ref, state, starts, ends in self.spans:
            item = by_ref[item_ref]
            team, zone = self.teams[item["team"]]
            at = min(now, week_ends_at(week, zone))
            if state in self.started_states and not item["is_trashed"] and starts <= at and (ends is None or ends > at):
                for scope in scopes(team):
                    held[scope].add(item_ref)
        return {scope: len(refs) for scope, refs in held.items()}


def predictability(cycles, now):
    """Return (mean share of the last six closed cycles) of one team; `cycles`: (starts, ends, {item: (history, done)}).

    `history` lists (moment, is in the cycle from then on), oldest first; an item is committed when it is in the cycle
    24 hours after the start.
    """
    shares = []
    for starts, ends, items in sorted(cycles, key=lambda cycle: cycle[1]):
        if ends > now:
            continue
        planned = starts + timedelta(hours=24)
        committed = kept = 0
        for history, done_at in items:
            is_in = False
            for at, comes_in in history:
                if at <= planned:
                    is_in = comes_in
            committed += is_in
            kept += bool(is_in and done_at and done_at <= ends)
        if committed:
            shares.append(kept / committed)
    recent = shares[-6:]
    return sum(recent) / len(recent) if recent else None
