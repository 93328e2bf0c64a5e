"""The KPIs of documents once more, in plain Python. Written from integrations.md 6.3 and docs/metrics.md."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from tests.kpis.reference import percentile, week_of
from tests.kpis.reference_tools import WEEK, grouped, home, local_day, monday, share, stays

DAY = timedelta(days=1)


class Workspace:
    """Mapped databases and their pages.

    `sources`: ref → dict with meaning, fields, held, known (ids of properties it has), is_readable.
    `pages`: dicts with ref, source, values (id → (type, value)), editor, edited_at, deleted_at, is_trashed, title.
    `names`: lower-cased name → team. `people`: account → dict with is_active, kind, works_here.
    """

    def __init__(self, sources, pages, *, names, homes, people, zone, now):
        self.sources, self.pages, self.names, self.homes = sources, pages, names, homes
        self.people, self.zone, self.now = people, zone, now
        self.today, self.week = local_day(now, zone), week_of(now, zone)

    # --- what a page says

    def has(self, page, *fields):
        source = self.sources[page["source"]]
        return all(source["fields"].get(field) in source["known"] for field in fields)

    def held(self, page, field):
        """Return (type, value) of a field's property; (None, None) where none is named or it is gone."""
        source = self.sources[page["source"]]
        key = source["fields"].get(field)
        return page["values"].get(key, (None, None)) if key in source["known"] else (None, None)

    def is_filled(self, page, field):
        return self.held(page, field)[1] is not None

    def day(self, page, field, end=False):
        kind, value = self.held(page, field)
        if value is None or kind not in ("date", "created_time"):
            return None
        text = value if kind == "created_time" else (end and value["end"]) or value["start"]
        if len(text) == 10:
            return date.fromisoformat(text)
        return local_day(datetime.fromisoformat(text), self.zone)

    def counts(self, page):
        kind, value = self.held(page, "status")
        if value is None:
            return False
        spelled = str(value).lower() if kind == "checkbox" else value["id"]
        return spelled in self.sources[page["source"]]["held"]

    def teams(self, page, day):
        kind, value = self.held(page, "team")
        if value is None:
            return set()
        if kind == "people":
            return set().union(*(home(self.homes, ref, day) for ref in value))
        by_ref = {one["ref"]: one["title"] for one in self.pages}
        said = {
            "select": lambda: [value["name"]],
            "multi_select": lambda: [one["name"] for one in value],
            "relation": lambda: [by_ref.get(ref, "") for ref in value["ids"]],
        }[kind]()
        return {self.names[name.strip().lower()] for name in said if name.strip().lower() in self.names}

    def of(self, *meanings):
        return [
            page for page in self.pages
            if not page["is_trashed"] and self.sources[page["source"]]["is_readable"]
            and self.sources[page["source"]]["meaning"] in meanings
        ]  # fmt: skip

    def dated(self, meaning):
        """Return scope → week → pages that count."""
        kept = [
            page for page in self.of(meaning)
            if self.has(page, "date", "status") and self.counts(page) and self.day(page, "date")
            and stays(page, monday(self.day(page, "date")), self.zone)
        ]  # fmt: skip
        found = {}
        for scope, pages in grouped(kept, lambda page: self.teams(page, self.day(page, "date"))).items():
            weeks = defaultdict(list)
            for page in pages:
                weeks[monday(self.day(page, "date"))].append(page)
            found[scope] = weeks
        return found

    # --- figures

    def interviews(self):
        found = {}
        for scope, weeks in self.dated("interviews").items():
            born = week = min(weeks)
            while week <= self.week:
                talks = weeks.get(week, [])
                found["interviews", scope, week] = (len(talks), len(talks), None)
                span = [week - n * WEEK for n in range(13) if week - n * WEEK >= born]
                busy = [one for one in span if weeks.get(one)]
                found["interview-cadence", scope, week] = (share(busy, span), len(span), None)
                week += WEEK
            for at, talks in weeks.items():
                told = [page for page in talks if self.has(page, "insights")]
                if told:
                    used = [page for page in told if self.is_filled(page, "insights")]
                    found["insight-rate", scope, at] = (share(used, told), len(told), share(told, talks))
                spans = [(self.written(page) - self.day(page, "date")).days for page in talks]
                spans = [days for days in spans if days >= 0]
                if spans:
                    found["write-up-time", scope, at] = (percentile(spans, 0.5), len(spans), share(spans, talks))
        return found

    def written(self, page):
        return self.day(page, "written") or local_day(page["opened_at"], self.zone)

    def product_people(self, staff, titles):
        """`staff`: person → (job title, [(team, from, to)], accounts). Who held an interview, of those titled so."""
        asked = defaultdict(set)
        for page in self.of("interviews"):
            if self.has(page, "date", "status", "person") and self.counts(page) and self.day(page, "date"):
                week = monday(self.day(page, "date"))
                who = self.held(page, "person")[1]
                if stays(page, week, self.zone) and who:
                    asked[week] |= set(who)
        found, week = {}, min(asked, default=self.week + WEEK)
        while week <= self.week:
            sunday = week + 6 * DAY
            there = {
                person: teams
                for person, (title, spans, _accounts) in staff.items()
                if any(word in title.lower() for word in titles) and (teams := home({person: spans}, person, sunday))
            }
            owner = {ref: person for person in there for ref in staff[person][2]}
            busy = {owner[ref] for ref in asked[week] if ref in owner}
            covered = sum(ref in owner for ref in asked[week]) / len(asked[week]) if asked[week] else None
            for scope, people in grouped(there, there.__getitem__).items():
                good = [person for person in people if person in busy]
                shown = covered if scope is None else None
                found["discovery-people", scope, week] = (share(good, people), len(people), shown)
            week += WEEK
        return found

    def reviews(self):
        decided = [
            page for page in self.of("decisions")
            if page["deleted_at"] is None and self.has(page, "status", "review") and self.counts(page)
        ]  # fmt: skip
        found = {}
        for scope, pages in grouped(decided, lambda page: self.teams(page, self.today)).items():
            days = [self.day(page, "review") for page in pages if self.day(page, "review")]
            if days:
                late = sum(day < self.today for day in days)
                found["overdue-reviews", scope, self.week] = (late, len(days), share(days, pages))
        return found

    def decisions(self):
        found = {}
        for scope, weeks in self.dated("decisions").items():
            week = min(weeks)
            while week <= self.week:
                count = len(weeks.get(week, []))
                found["decisions", scope, week] = (count, count, None)
                week += WEEK
            for week, pages in weeks.items():
                spans = [
                    (self.day(page, "date") - self.day(page, "proposed")).days
                    for page in pages
                    if self.day(page, "proposed")
                ]
                spans = [days for days in spans if days >= 0]
                if spans:
                    found["decision-time", scope, week] = (percentile(spans, 0.5), len(spans), share(spans, pages))
                told = [page for page in pages if self.has(page, "person", "review")]
                if told:
                    good = [p for p in told if self.is_filled(p, "person") and self.is_filled(p, "review")]
                    found["decision-ownership", scope, week] = (share(good, told), len(told), share(told, pages))
        return found

    def experiments(self):
        due = []
        for page in self.of("experiments"):
            if page["deleted_at"] is None and self.has(page, "date", "status"):
                end = self.day(page, "date", end=True)
                if end and self.today - 90 * DAY < end + 30 * DAY <= self.today:
                    due.append(page)
        return {
            ("experiment-results", scope, self.week): (
                share([p for p in pages if self.counts(p)], pages),
                len(pages),
                None,
            )
            for scope, pages in grouped(due, lambda page: self.teams(page, self.day(page, "date", end=True))).items()
        }

    def is_fresh(self, page):
        kind, seal = self.held(page, "verification")
        if kind and seal and seal["state"] == "verified":
            end = seal["end"]
            if end is None or date.fromisoformat(end) >= self.today:
                return True
        editor = self.people.get(page["editor"])
        return page["edited_at"] >= self.now - self.span(page) and not (editor and editor["kind"] == "bot")

    def span(self, page):
        return timedelta(days=365 if self.sources[page["source"]]["meaning"] == "policies" else 90)

    def is_owned(self, page):
        _kind, owners = self.held(page, "person")
        found = [self.people.get(ref) for ref in owners or ()]
        return any(one and one["is_active"] and one["kind"] != "bot" and one["works_here"] for one in found)

    def documents(self):
        alive = [page for page in self.pages if not page["is_trashed"] and page["deleted_at"] is None]
        pointed = {
            ref
            for page in alive
            for kind, value in page["values"].values()
            if kind == "relation" and value
            for ref in value["ids"]
            if ref != page["ref"]
        }
        found = {}
        docs = [page for page in self.of("documents", "policies") if page["deleted_at"] is None]
        for scope, pages in grouped(docs, lambda page: self.teams(page, self.today)).items():
            fresh = [page for page in pages if self.is_fresh(page)]
            found["doc-freshness", scope, self.week] = (share(fresh, pages), len(pages), None)
            dead = [
                page for page in pages
                if page["edited_at"] < self.now - 2 * self.span(page) and page["ref"] not in pointed
            ]  # fmt: skip
            ages = [(self.now - page["edited_at"]).total_seconds() / 86400 for page in pages]
            found["doc-age", scope, self.week] = (percentile(ages, 0.5), len(pages), None)
            found["dead-docs", scope, self.week] = (len(dead), len(pages), None)
            asked = [page for page in pages if self.has(page, "person")]
            if asked:
                owned = [page for page in asked if self.is_owned(page)]
                found["doc-ownership", scope, self.week] = (share(owned, asked), len(asked), share(asked, pages))
        return found

    def completeness(self):
        every = [
            page for page in self.of("interviews", "decisions", "experiments", "documents", "policies", "insights")
            if page["deleted_at"] is None
        ]  # fmt: skip
        found = {}
        for scope, pages in grouped(every, lambda page: self.teams(page, self.today)).items():
            asked = [page for page in pages if self.named(page)]
            if asked:
                whole = [page for page in asked if all(self.is_filled(page, field) for field in self.named(page))]
                found["completeness", scope, self.week] = (share(whole, asked), len(asked), share(asked, pages))
        return found

    def named(self, page):
        return [field for field in self.sources[page["source"]]["fields"] if self.has(page, field)]
