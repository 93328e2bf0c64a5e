"""The KPIs of feedback, plans, documents and joins once more, in plain Python: what their SQL is checked against.

Written from integrations.md 6.2 to 6.4 and docs/metrics.md, not from the SQL. Every function returns
(key, scope, week) → (value, n, coverage); scope None is the company.
"""

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from zoneinfo import ZoneInfo

from tests.kpis.reference import percentile, week_ends_at, week_of

DAY, WEEK = timedelta(days=1), timedelta(days=7)


def local_day(moment, zone):
    return moment.astimezone(ZoneInfo(zone)).date()


def monday(day):
    return day - timedelta(days=day.weekday())


def grouped(things, teams_of):
    """Return scope → things, each once for the company and once for each of its teams."""
    found = defaultdict(list)
    for thing in things:
        for scope in {None, *teams_of(thing)}:
            found[scope].append(thing)
    return found


def share(good, every):
    return len(good) / len(every)


def home(homes, ref, day):
    """Return the teams of an account's person that day. `homes`: ref → [(team, from, to or None)]."""
    return {team for team, start, end in homes.get(ref, ()) if start <= day and (end is None or end > day)}


def stays(thing, week, zone):
    gone = thing.get("deleted_at")
    return gone is None or gone >= week_ends_at(week, zone)


# ---------------------------------------------------------------- feedback


class Feedback:
    """`notes`: dicts; `links` lists (item, deleted_at), `seen` what each snapshot showed: (day, is processed)."""

    def __init__(self, notes, homes, zone, now):
        self.notes, self.homes, self.zone, self.now = notes, homes, zone, now

    def teams(self, note):
        return home(self.homes, note["owner"], local_day(note["opened_at"], self.zone))

    def by_week(self):
        found = {}
        for scope, notes in grouped(self.notes, self.teams).items():
            weeks = defaultdict(list)
            for note in notes:
                week = week_of(note["opened_at"], self.zone)
                if stays(note, week, self.zone):
                    weeks[week].append(note)
            week = min(week_of(note["opened_at"], self.zone) for note in notes)
            while week <= week_of(self.now, self.zone):
                every = weeks[week]
                kept = [note for note in every if not note["archived"]]
                found["feedback-volume", scope, week] = (len(kept), len(kept), None)
                if every:
                    gone = [note for note in every if note["archived"]]
                    found["feedback-archived", scope, week] = (share(gone, every), len(every), None)
                if kept:
                    for key, field in (("feedback-processed", "processed"), ("feedback-customer", "customer")):
                        good = [note for note in kept if note[field]]
                        found[key, scope, week] = (share(good, kept), len(kept), share(kept, every))
                week += WEEK
        return found

    def processed_on(self, note):
        """Return the day a note was seen processed for the first time, and True; or by which day it was, and False."""
        seen = sorted(note["seen"])
        days = [day for day, is_processed in seen if is_processed]
        if not days and not note["processed"]:
            return None
        if days:
            was_waiting = any(day < days[0] for day, _ in seen)
            if was_waiting or seen[0][0] <= local_day(note["opened_at"], self.zone) + timedelta(days=1):
                return days[0], True
        return min([local_day(note["edited_at"], self.zone), *days[:1]]), False

    def linked(self):
        found = {}
        kept = [note for note in self.notes if not note["archived"] and self.processed_on(note)]
        for scope, notes in grouped(kept, self.teams).items():
            weeks = defaultdict(list)
            for note in notes:
                week = monday(self.processed_on(note)[0])
                if stays(note, week, self.zone):
                    weeks[week].append(note)
            for week, every in weeks.items():
                done = [
                    note for note in every
                    if self.processed_on(note)[1] or local_day(note["opened_at"], self.zone) >= week
                ]  # fmt: skip
                good = [note for note in done if any(gone is None for _item, gone in note["links"])]
                if done:
                    found["feedback-linked", scope, week] = (share(good, done), len(done), share(done, every))
        return found

    def waiting(self):
        """The backlog of now, and Kaplan and Meier's median of the last ninety days."""
        today, week, found = local_day(self.now, self.zone), week_of(self.now, self.zone), {}
        alive = [note for note in self.notes if not note["archived"] and note["deleted_at"] is None]
        for scope, notes in grouped(alive, self.teams).items():
            open_ones = [note for note in notes if not note["processed"]]
            ages = [(self.now - note["opened_at"]).total_seconds() / 86400 for note in open_ones]
            found["feedback-backlog", scope, week] = (len(ages), len(ages), None)
            if ages:
                found["feedback-age", scope, week] = (percentile(ages, 0.5), len(ages), None)
                found["feedback-age-p90", scope, week] = (percentile(ages, 0.9), len(ages), None)
            cohort = [n for n in notes if local_day(n["opened_at"], self.zone) > today - timedelta(days=90)]
            lives, known = [], 0
            for note in cohort:
                born, over = local_day(note["opened_at"], self.zone), self.processed_on(note)
                known += over is None or over[1]
                lives.append((max(((over[0] if over else today) - born).days, 0), over is not None))
            median = kaplan_meier_median(lives)
            if median is not None:
                found["time-to-process", scope, week] = (median, len(cohort), known / len(cohort))
        return found


def kaplan_meier_median(lives):
    """Return the first day at which no more than half is left, None if none. `lives`: (days, is over)."""
    left = Fraction(1)
    for day in sorted({days for days, _ in lives}):
        at_risk = sum(days >= day for days, _ in lives)
        over = sum(days == day and is_over for days, is_over in lives)
        left *= 1 - Fraction(over, at_risk)
        if left <= Fraction(1, 2):
            return day
    return None


# ---------------------------------------------------------------- plans


class Plan:
    """`items`: ProductItem's columns, and `teams`, the company's. `links`: (item, target, deleted_at)."""

    def __init__(self, items, links, notes, zone, now, statuses=("planned", "in progress"), efforts=()):
        self.efforts = efforts
        self.items = [item for item in items if item["deleted_at"] is None and not item["is_archived"]]
        self.every = [item for item in items if item["deleted_at"] is None]
        self.links = [(a, b) for a, b, gone in links if gone is None]
        self.notes, self.zone, self.now, self.statuses = notes, zone, now, statuses
        self.today, self.week = local_day(now, zone), week_of(now, zone)

    def chosen(self):
        return [i for i in self.items if i["kind"] == "feature" and i["status"].lower() in self.statuses]

    def by_scope(self, items, judge):
        """Return scope → (good, every) of a judgement."""
        return {
            scope: ([one for one in ones if judge(one)], ones)
            for scope, ones in grouped(items, lambda item: item["teams"]).items()
        }

    def shares(self):
        month_ago = self.now - timedelta(days=30)
        parts = {
            "features-owner": lambda i: bool(i["owner_ref"] or i["owner_email"]),
            "features-team": lambda i: bool(i["team_refs"]),
            "features-timeframe": lambda i: i["starts_on"] is not None or i["ends_on"] is not None,
            "features-health": lambda i: (
                i["health"] not in ("", "notSet") and i["health_at"] is not None and i["health_at"] >= month_ago
            ),
        }
        judges = {
            **parts,
            "features-hygiene": lambda i: all(judge(i) for judge in parts.values()),
            "evidence": lambda i: self.notes_about(i) >= 3,
            "objective-alignment": lambda i: bool(self.served_by(i["external_id"])),
        }
        return {
            (key, scope, self.week): (share(good, every), len(every), None)
            for key, judge in judges.items()
            for scope, (good, every) in self.by_scope(self.chosen(), judge).items()
        }

    def effort(self, item):
        """Return the sum of what the chosen fields hold, None where none holds a number from nought up."""
        held = [Fraction(item["numbers"][ref]) for ref in self.efforts if item["numbers"].get(ref, -1) >= 0]
        return sum(held) if held else None

    def weighed(self):
        """The share of effort that is in features tied to an objective."""
        found = {}
        for scope, every in grouped(self.chosen(), lambda item: item["teams"]).items():
            told = [item for item in every if self.effort(item) is not None]
            whole = sum(self.effort(item) for item in told)
            if whole:
                good = sum(self.effort(item) for item in told if self.served_by(item["external_id"]))
                found["effort-alignment", scope, self.week] = (float(good / whole), len(told), share(told, every))
        return found

    def notes_about(self, item):
        return sum(
            note["deleted_at"] is None and not note["archived"]
            and any(ref == item["external_id"] and gone is None for ref, gone in note["links"])
            for note in self.notes
        )  # fmt: skip

    def ties(self, ref, items):
        by_ref = {item["external_id"]: item for item in items}
        found = {b for a, b in self.links if a == ref} | {a for a, b in self.links if b == ref}
        if ref in by_ref and by_ref[ref]["parent_ref"]:
            found.add(by_ref[ref]["parent_ref"])
        return [by_ref[one] for one in found if one in by_ref]

    def served_by(self, ref, items=None):
        """Return the objectives that a thing serves, walking up what it is part of."""
        items = self.items if items is None else items
        by_ref = {item["external_id"]: item for item in items}
        found, up, walked = set(), ref, set()
        while up and up not in walked:
            walked.add(up)
            for near in self.ties(up, items):
                if near["kind"] == "objective":
                    found.add(near["external_id"])
                elif near["kind"] == "initiative":
                    far = self.ties(near["external_id"], items)
                    found |= {one["external_id"] for one in far if one["kind"] == "objective"}
            up = by_ref[up]["parent_ref"] if up in by_ref else ""
        return found

    def orphans(self):
        served = set()
        for item in self.items:
            if item["kind"] in ("feature", "initiative"):
                served |= self.served_by(item["external_id"])
        goals = [item for item in self.items if item["kind"] == "objective"]
        return {
            ("orphan-objectives", scope, self.week): (len(good), len(every), None)
            for scope, (good, every) in self.by_scope(goals, lambda goal: goal["external_id"] not in served).items()
        }

    def progress(self, item):
        start, target, current = item["metric_start"], item["metric_target"], item["metric_current"]
        if None in (start, target, current) or start == target:
            return None
        return min(max((current - start) / (target - start), 0), 1)

    def gap(self, item):
        start, end, progress = item["starts_on"], item["ends_on"], self.progress(item)
        if progress is None or start is None or end is None or end <= start:
            return None
        return progress - min(max((self.today - start) / (end - start), 0), 1)

    def key_results(self):
        found = {}
        results = [item for item in self.items if item["kind"] == "key_result"]
        for scope, ones in grouped(results, lambda item: item["teams"]).items():
            told = [self.progress(one) for one in ones if self.progress(one) is not None]
            gaps = [(self.gap(one), one["health"]) for one in ones if self.gap(one) is not None]
            if told:
                value = sum(told) / len(told)
                found["key-result-progress", scope, self.week] = (value, len(told), len(told) / len(ones))
            if gaps:
                covered = len(gaps) / len(ones)
                value = sum(gap for gap, _ in gaps) / len(gaps)
                late = sum(gap < -0.2 and health == "onTrack" for gap, health in gaps)
                found["key-result-pace", scope, self.week] = (value, len(gaps), covered)
                found["key-result-conflicts", scope, self.week] = (late, len(gaps), covered)
        return found

    def drift(self, snapshots):
        """`snapshots`: ref → [(day, end or None)]."""
        found = {}
        for scope, ones in grouped(self.chosen(), lambda item: item["teams"]).items():
            moved = []
            for one in ones:
                ends = [end for _day, end in sorted(snapshots.get(one["external_id"], ()), key=lambda s: s[0]) if end]
                if ends and one["ends_on"]:
                    grain = one["granularity"]
                    moved.append((period_end(one["ends_on"], grain) - period_end(ends[0], grain)).days)
            if moved:
                value = (percentile(moved, 0.5), len(moved), len(moved) / len(ones))
                found["timeframe-drift", scope, self.week] = value
        return found


def period_end(day, grain):
    """Return the day after the month, quarter or year of `day`; `day` itself for a plan by the day."""
    if grain == "year":
        return date(day.year + 1, 1, 1)
    if grain in ("month", "quarter"):
        months = 1 if grain == "month" else 3
        following = (day.month - 1) // months * months + months
        return date(day.year + following // 12, following % 12 + 1, 1)
    return day


def makers(accounts, days, homes, zone, now, first):
    """`accounts`: dicts with ref, kind, is_active, deleted_at. `days`: (ref, day, is active, counters)."""
    found, week = {}, first
    seats = [one for one in accounts if one["kind"] in ("admin", "member") and one["is_active"]]
    since = min((day for _ref, day, *_rest in days), default=None)
    counters = {
        key: name
        for key, name in (("boards-opened", "boardsOpened"), ("note-changes", "noteStatesChanged"))
        if any(name in counts for *_rest, counts in days)
    }
    while since is not None and week <= week_of(now, zone):
        if week + timedelta(days=6) >= since:
            there = [one for one in seats if stays(one, week, zone)]
            this = [row for row in days if row[2] and week <= row[1] < week + WEEK]
            seen = {row[0] for row in this}
            sunday = week + timedelta(days=6)
            for scope, ones in grouped(there, partial(at_home, homes, sunday)).items():
                good = {one["ref"] for one in ones if one["ref"] in seen}
                found["maker-adoption", scope, week] = (share(good, ones), len(ones), None)
                for key, name in counters.items():
                    if good:
                        total = sum(counts.get(name, 0) for ref, *_rest, counts in this if ref in good)
                        found[key, scope, week] = (total / len(good), len(good), 1.0)
        week += WEEK
    return found


def at_home(homes, day, account):
    return home(homes, account["ref"], day)


# ---------------------------------------------------------------- across


def deliveries(projects, items, by_hand, zone):
    """`projects`: ref, url, teams, completed_at, deleted_at. `items`: `outside_urls`. `by_hand`: {(project, item)}."""
    found, weeks = {}, defaultdict(list)
    for project in projects:
        if project["completed_at"] is None or project["is_trashed"]:
            continue
        week = week_of(project["completed_at"], zone)
        if stays(project, week, zone):
            for scope in {None, *project["teams"]}:
                weeks[scope, week].append(project)
    for (scope, week), done in weeks.items():
        lengths = []
        for project in done:
            ideas = [
                item["opened_at"] for item in items
                if item["kind"] == "feature" and is_joined(project, item, by_hand)
            ]  # fmt: skip
            if ideas and project["completed_at"] >= min(ideas):
                lengths.append((project["completed_at"] - min(ideas)).total_seconds() / 86400)
        if lengths:
            value = (percentile(lengths, 0.5), len(lengths), len(lengths) / len(done))
            found["idea-to-delivery", scope, week] = value
    return found


def is_joined(project, item, by_hand):
    if (project["ref"], item["external_id"]) in by_hand:
        return True
    for url in item["outside_urls"]:
        plain = url.lower().split("?")[0].split("#")[0].rstrip("/") + "/"
        if plain.startswith(project["url"].lower().rstrip("/") + "/"):
            return True
    return False
