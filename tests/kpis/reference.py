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


def is_there(thing, at):
    return thing.get("deleted_at") is None or thing["deleted_at"] > at


class World:
    """`teams`: ref → (company team's id or None, zone). `items`: dicts with the fields of a work item.

    `spans`: (item, state, start, end or None). `removed_states`: state → when it was removed from the tracker.
    """

    def __init__(self, teams, items, spans=(), started_states=(), bug_refs=(), removed_states=()):
        self.teams, self.items, self.spans = teams, items, spans
        self.started_states, self.bug_refs = set(started_states), set(bug_refs)
        self.removed_states = dict(removed_states)

    def done(self):
        """Items that count as finished, by (scope, week)."""
        found = defaultdict(list)
        finished_in = {}
        for item in self.items:
            if item["state_type"] == "completed" and item["completed_at"] and not item["is_trashed"]:
                zone = self.teams[item["team"]][1]
                week = week_of(item["completed_at"], zone)
                if item.get("deleted_at") is None or item["deleted_at"] >= week_ends_at(week, zone):
                    finished_in[item["ref"]] = week
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
                week = week_of(item["opened_at"], zone)
                if item.get("deleted_at") is not None and item["deleted_at"] < week_ends_at(week, zone):
                    continue
                for scope in scopes(team):
                    opened[scope, week].append(item)
        found = {}
        for key, groups in (("bug-ratio", opened), ("bug-ratio-done", self.done())):
            for (scope, week), items in groups.items():
                bugs = sum(bool(self.bug_refs & set(item["labels"])) for item in items)
                found[key, scope, week] = (bugs / len(items), len(items), None)
        return found

    def under_way(self, week, now):
        """Return what was being worked on when the week ended (or now): tracker's team → ages in days."""
        by_ref = {item["ref"]: item for item in self.items}
        since = {}
        for item_ref, state, starts, ends in self.spans:
            item = by_ref[item_ref]
            at = self.moment(item["team"], week, now)
            is_open = starts <= at and (ends is None or ends > at)
            is_named = state in self.started_states and self.removed_states.get(state, at + timedelta(1)) > at
            if is_open and is_named and not item["is_trashed"] and is_there(item, at):
                since[item_ref] = min(since.get(item_ref, starts), starts, item["started_at"] or starts)
        ages = defaultdict(list)
        for ref, start in since.items():
            team = by_ref[ref]["team"]
            ages[team].append(days(self.moment(team, week, now), start))
        return ages

    def moment(self, team, week, now):
        return min(now, week_ends_at(week, self.teams[team][1]))

    def usual(self, team, week, now):
        """Return the 85th percentile of a tracker team's cycle time over the 90 days before; None without cases."""
        at = self.moment(team, week, now)
        finished_in = {
            item["ref"]: week_of(item["completed_at"], self.teams[item["team"]][1])
            for item in self.items
            if item["state_type"] == "completed" and item["completed_at"] and not item["is_trashed"]
        }
        lengths = [
            days(item["completed_at"], item["started_at"])
            for item in self.items
            if item["team"] == team and item["ref"] in finished_in and item["started_at"] and is_there(item, at)
            and at - timedelta(days=90) <= item["completed_at"] < at
            and item["completed_at"] - item["started_at"] >= timedelta(minutes=1)
            and not (item["parent"] and finished_in.get(item["parent"]) == finished_in[item["ref"]])
        ]  # fmt: skip
        return percentile(lengths, 0.85) if lengths else None

    def stock(self, week, now):
        """(key, scope) → (value, n, coverage) of work under way."""
        ages, old, judged = defaultdict(list), defaultdict(int), defaultdict(int)
        for team, lengths in self.under_way(week, now).items():
            usual = self.usual(team, week, now)
            for scope in scopes(self.teams[team][0]):
                ages[scope] += lengths
                if usual is not None:
                    judged[scope] += len(lengths)
                    old[scope] += sum(length > usual for length in lengths)
        found = {}
        for scope, lengths in ages.items():
            found["wip", scope] = (len(lengths), len(lengths), None)
            found["wip-age-p85", scope] = (percentile(lengths, 0.85), len(lengths), None)
            if judged[scope]:
                share = old[scope] / judged[scope]
                found["ageing-share", scope] = (share, judged[scope], judged[scope] / len(lengths))
        return found


def committed_and_kept(cycle):
    """Return how many items were in the cycle 24 hours after its start, and how many of them were done by its end.

    `cycle`: (starts, ends, [(history, done_at)]); `history` lists (moment, is in the cycle from then on).
    """
    starts, ends, items = cycle
    committed = kept = 0
    for history, done_at in items:
        is_in = False
        for at, comes_in in sorted(history):
            if at <= starts + timedelta(hours=24):
                is_in = comes_in
        committed += is_in
        kept += bool(is_in and done_at and done_at <= ends)
    return committed, kept


def last_six(cycles, now):
    """Return (committed, kept) of the last six closed cycles that had a commitment, oldest first."""
    closed = sorted((cycle for cycle in cycles if cycle[1] <= now), key=lambda cycle: cycle[1])
    return [pair for pair in map(committed_and_kept, closed) if pair[0]][-6:]


def predictability(cycles, now):
    """Return (mean, standard deviation) of the shares kept in one team's last six cycles; None without any."""
    shares = [kept / committed for committed, kept in last_six(cycles, now)]
    if not shares:
        return None
    mean = sum(shares) / len(shares)
    return mean, (sum((share - mean) ** 2 for share in shares) / len(shares)) ** 0.5


def company_predictability(cycles_by_team, now):
    """Return all that was kept ÷ all that was committed, of the teams named; None without a commitment."""
    pairs = [pair for cycles in cycles_by_team for pair in last_six(cycles, now)]
    committed = sum(pair[0] for pair in pairs)
    return sum(pair[1] for pair in pairs) / committed if committed else None


def scope_change(histories):
    """Return (last − first) ÷ first over cycles; first is the day after planning. None where there is none.

    `histories`: a cycle's daily scope each, in one measure. A cycle without scope on that day is left out.
    """
    told = [history for history in histories if len(history) >= 2 and history[1] > 0]
    first = sum(history[1] for history in told)
    return (sum(history[-1] for history in told) - first) / first if told else None


def seats(accounts, now):
    """Return (active, dormant) of accounts, each with `is_active`, `kind`, `seen`, `joined`."""
    limit = now - timedelta(days=30)
    dormant = total = 0
    for one in accounts:
        if not one["is_active"] or one["kind"] == "bot" or one["deleted_at"]:
            continue
        if one["seen"] is None and one["joined"] is None:  # the tool tells nothing of this seat's use
            continue
        total += 1
        if one["seen"] is None:
            dormant += one["joined"] is not None and one["joined"] < limit
        else:
            dormant += one["seen"] < limit
    return total - dormant, dormant
