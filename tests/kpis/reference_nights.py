"""The KPIs that nightly readings tell, and what unused seats cost, once more in plain Python.

Written from integrations.md 6.2 and 6.4 and docs/metrics.md, not from the SQL. A history is [(day, what was so)], a row
only where something had changed. Every function returns (key, scope, week) → (value, n, coverage).
"""

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise

from tests.kpis.reference import percentile, week_of
from tests.kpis.reference_tools import DAY, WEEK, grouped, local_day, monday, share, stays


class Board:
    """`items`: ProductItem's columns, and `teams`. `nights`: ref → history of its status, or of its value."""

    def __init__(self, items, nights, zone, now, done=("delivered", "released", "done")):
        self.items, self.nights, self.zone, self.now, self.done = items, nights, zone, now, done
        self.today, self.week = local_day(now, zone), week_of(now, zone)

    def kept(self, kind):
        return [one for one in self.items if one["kind"] == kind and not one["is_archived"]]

    def alive(self, kind):
        return [one for one in self.kept(kind) if one["deleted_at"] is None]

    def history(self, item):
        return sorted(self.nights.get(item["external_id"], ()), key=lambda night: night[0])

    def entered(self, item):
        """Return (status, day it was entered or None, day it was left or None), for each stay."""
        found = []
        for day, status in self.history(item):
            if found and found[-1][0] == status:
                continue
            if found:
                found[-1] = (*found[-1][:2], day)
            made = local_day(item["opened_at"], self.zone)
            since = day if found else made if day <= made + DAY else None
            found.append((status, since, None))
        return found

    # --- features

    def moves(self):
        features = self.kept("feature")
        first = min((day for ref in self.nights for day, _ in self.nights[ref]), default=self.today)
        if first >= self.today:
            return {}
        counts, scopes = Counter(), {None}
        for feature in features:
            past = self.history(feature)
            scopes |= set(feature["teams"]) if past else set()
            for (_, before), (day, after) in pairwise(past):
                if before != after and stays(feature, monday(day), self.zone):
                    for scope in {None, *feature["teams"]}:
                        counts[scope, monday(day)] += 1
        found, week = {}, monday(first + DAY)
        while week <= self.week:
            for scope in scopes:
                found["feature-moves", scope, week] = (counts[scope, week], counts[scope, week], None)
            week += WEEK
        return found

    def statuses(self):
        return {
            ("features-by-status", scope, self.week): (len(ones), len(ones), None)
            for scope, ones in grouped(self.alive("feature"), lambda one: one["teams"]).items()
        }

    def ageing(self):
        past = defaultdict(list)
        for feature in self.kept("feature"):
            for status, since, until in self.entered(feature):
                if since and until:
                    past[status].append((until - since).days)
        usual = {status: percentile(days, 0.85) for status, days in past.items() if len(days) >= 5}
        found = {}
        for scope, ones in grouped(self.alive("feature"), lambda one: one["teams"]).items():
            every = [one for one in ones if one["status"] in usual]
            ages = [
                ((self.today - since).days, usual[one["status"]])
                for one in every
                for status, since, until in self.entered(one)[-1:]
                if since and until is None and status == one["status"]
            ]
            if ages:
                old = [age for age, limit in ages if age > limit]
                found["features-ageing", scope, self.week] = (share(old, ages), len(ages), share(ages, every))
        return found

    # --- key results

    def freshness(self):
        found = {}
        told = [one for one in self.alive("key_result") if one["metric_current"] is not None]
        for scope, ones in grouped(told, lambda one: one["teams"]).items():
            days = [self.changed(one) for one in ones]
            known = sorted((self.today - day).days for day in days if day)
            places = sorted(known) + [None] * (len(ones) - len(known))
            low, high = places[(len(ones) - 1) // 2], places[len(ones) // 2]
            if high is not None:
                value = (low + high) / 2
                found["key-result-freshness", scope, self.week] = (value, len(ones), share(known, ones))
        return found

    def changed(self, item):
        """Return the day its value last changed; None where nobody saw that."""
        past, made = self.history(item), local_day(item["opened_at"], self.zone)
        days = [day for (_, before), (day, after) in pairwise(past) if before != after]
        return days[-1] if days else made if past and past[0][0] <= made + DAY else None

    # --- releases

    def releases(self, first):
        over = []
        for one in self.items:
            is_out = one["status"].lower() in self.done
            gone = one["deleted_at"] is not None or (one["is_archived"] and not is_out)
            if one["kind"] == "release" and not gone and one["ends_on"] and one["ends_on"] < self.today:
                over.append(one)
        found, week = {}, first
        while week <= self.week:
            sunday = week + 6 * DAY
            late = [one for one in over if sunday - 91 * DAY < one["ends_on"] <= sunday]
            for scope, ones in grouped(late, lambda one: one["teams"]).items():
                known = [one for one in ones if self.came(one) is not None]
                if known:
                    kept = [one for one in known if self.came(one)]
                    found["releases-on-time", scope, week] = (share(kept, known), len(known), share(known, ones))
            week += WEEK
        return found

    def came(self, release):
        """Tell whether a release was out by its last day; None where nobody can."""
        before = [status for day, status in self.history(release) if day <= release["ends_on"]]
        if before:
            return before[-1].lower() in self.done
        if release["status"].lower() not in self.done:
            return False
        return True if local_day(release["edited_at"], self.zone) <= release["ends_on"] else None

    # --- feedback

    def shipped(self, notes, teams_of):
        """`notes` as in `reference_tools.Feedback`."""
        by_ref = {one["external_id"]: one for one in self.items if one["kind"] in ("feature", "subfeature")}
        weeks = defaultdict(list)
        for note in notes:
            said = local_day(note["opened_at"], self.zone)
            days = []
            for ref, gone in note["links"]:
                out = [day for day, status in self.history(by_ref[ref]) if status.lower() in self.done]
                if gone is None and out and out[0] >= said and not note["archived"]:
                    first, made = self.history(by_ref[ref])[0][0], local_day(by_ref[ref]["opened_at"], self.zone)
                    days.append((out[0], first < out[0] or out[0] <= made + DAY))
            if days and all(is_seen for _, is_seen in days):
                over = min(day for day, _ in days)
                if stays(note, monday(over), self.zone):
                    for scope in {None, *teams_of(note)}:
                        weeks[scope, monday(over)].append((over - said).days)
        return {
            ("feedback-to-ship", scope, week): (percentile(days, 0.5), len(days), None)
            for (scope, week), days in weeks.items()
        }


def spend(accounts, days, prices, today, now, week, *, light=()):
    """`accounts`: dicts with tool, ref, kind, teams, seen, joined, is_open. `days`: (tool, ref, day, is active).

    Guests of the tools in `light` cost nothing.
    """
    month, found = timedelta(days=30), {}
    by_day = {tool for tool, _ref, day, _active in days if day <= today - month}
    seats = []
    for one in accounts:
        if not one["is_open"] or one["tool"] not in prices or one["kind"] == "bot":
            continue
        if one["kind"] == "guest" and one["tool"] in light:
            continue
        if one["seen"]:
            dormant = one["seen"] < now - month
        elif one["tool"] in by_day:
            mine = [day for tool, ref, day, active in days if (tool, ref) == (one["tool"], one["ref"]) and active]
            dormant = not any(day > today - month for day in mine)
        else:
            dormant = one["joined"] < now - month if one["joined"] else None
        seats.append((one["teams"], prices[one["tool"]], dormant))
    for scope, every in grouped(seats, lambda seat: seat[0]).items():
        told = [seat for seat in every if seat[2] is not None]
        if told:
            cost = sum(price for _teams, price, dormant in told if dormant)
            found["spend-at-risk", scope, week] = (cost, len(told), share(told, every))
    return found
