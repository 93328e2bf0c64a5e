"""What Ardoise writes in Notion from day to day: interviews, decisions, experiments, and pages that age.

Each day is drawn from the seed and its own date, as in the rest of the company's life.
"""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from connectors.sandbox.company import Person
from connectors.sandbox.life import PARIS, THINGS, Life
from connectors.sandbox.wires import Wire
from connectors.sandbox.world import Row

from .wire import NotionWire
from .workspace import Workspace, minute, prop

# Per team: how many interviews, decisions and experiments a working day brings
PACE = {
    "CHK": (0.42, 0.14, 0.09),
    "SRC": (0.30, 0.10, 0.07),
    "MOB": (0.16, 0.08, 0.03),
    "GRW": (0.48, 0.12, 0.16),
    "ONB": (0.34, 0.09, 0.08),
    "PLT": (0.05, 0.12, 0.02),
}
DOCUMENTS, POLICIES, NOTES = 150, 14, 60
KINDS_OF_DOCUMENT = ("Brief", "Research", "How-to", "Retrospective", "Roadmap")
STRENGTHS = ("Strong", "Medium", "Weak")
SUBJECTS = (
    "paying",
    "finding a size",
    "the first order",
    "returns",
    "delivery",
    "the app at night",
    "prices",
    "vouchers",
)
RULES = ("Security", "Travel", "Remote work", "Incident", "Data retention", "Accessibility", "Access rights",
         "Purchasing", "On-call", "Interview consent", "Open source", "Design review", "Release",
         "Support")  # fmt: skip
BEGUN_BEFORE = timedelta(days=420)


class NotionDepartment:
    """Ardoise's Notion workspace, as a part of the company's life."""

    def __init__(self, life: Life, **wire: Any) -> None:
        self.life = life
        self.workspace = Workspace(life.world)
        self.wire: Wire = NotionWire(self.workspace, **wire)
        self.accounts: dict[str, str] = {}  # e-mail → account
        self.people: dict[str, list[Person]] = {}  # team → who writes there
        self.themes: dict[str, list[str]] = {}  # team → insights that interviews come back to
        self._found()

    def plan_day(self, day: date) -> None:
        """Lay down what people write on a day."""
        if day.weekday() >= 5:
            return
        draw = Random(f"{self.life.world.seed}:notion:{day}")
        for place, team in enumerate(sorted(PACE)):
            for kind, rate in zip((self._interview, self._decide, self._experiment), PACE[team], strict=True):
                if draw.random() < rate:
                    self.life.later(at(day, 9, draw.randrange(480)), kind, team, place, draw.getrandbits(48))
        for _one in range(draw.randrange(9)):
            self.life.later(at(day, 9, draw.randrange(480)), self._edit_document, draw.getrandbits(48))
        if draw.random() < 0.3:
            self.life.later(at(day, 11), self._write_document, draw.getrandbits(48))

    # --- the workspace, as it is found

    def _found(self) -> None:
        space = self.workspace
        for person in self.life.company.people:
            self.accounts[person.email] = space.add_user(person.email, person.name)["id"]
            if person.craft in ("product", "design") and person.team in PACE:
                self.people.setdefault(person.team, []).append(person)
        for person in self.life.company.leavers:  # nobody took the seat back
            self.accounts[person.email] = space.add_user(person.email, person.name)["id"]
        for seat in self.life.company.seats:
            if seat.kind == "guest":
                self.accounts[seat.email] = space.add_user(seat.email, seat.name, is_guest=True)["id"]
        begun = at(self.life.first, 8) - BEGUN_BEFORE
        teams = [team.name for team in sorted(self.life.company.product_teams, key=lambda team: team.key)]
        self.insights = space.add_source("Insights", [
            prop("title", "Insight", "title"), prop("i%3At", "Team", "select", teams),
            prop("i%3Aa", "Author", "people"), prop("i%3Ad", "Found on", "date"),
            prop("i%3As", "Strength", "select", STRENGTHS), prop("i%3Aq", "Quote", "rich_text"),
        ], at=begun)  # fmt: skip
        self.interviews = space.add_source("Customer interviews", [
            prop("title", "Interview", "title"), prop("v%3Ad", "Date", "date"), prop("v%3At", "Team", "select", teams),
            prop("v%3Ap", "Interviewer", "people"),
            prop("v%3As", "Status", "status", ("Planned", "Confirmed", "Held", "No-show")),
            prop("v%3Ai", "Insights", "relation", to=self.insights["id"]), prop("v%3An", "Notes", "rich_text"),
            prop("v%3Ae", "Customer e-mail", "email"), prop("v%3Ac", "Number of insights", "rollup", of="v%3Ai"),
            prop("v%3Aw", "Written up on", "date"),
        ], at=begun)  # fmt: skip
        self.insights["properties"]["i%3Av"] = prop("i%3Av", "Interviews", "relation", to=self.interviews["id"])
        self.decisions = space.add_source("Decision log", [
            prop("title", "Decision", "title"), prop("d%3Ap", "Proposed on", "date"),
            prop("d%3Ad", "Decided on", "date"), prop("d%3Ao", "Owner", "people"),
            prop("d%3Ar", "Review on", "date"), prop("d%3At", "Team", "select", teams),
            prop("d%3As", "Status", "status", ("Proposed", "In discussion", "Decided", "Dropped")),
        ], at=begun)  # fmt: skip
        self.experiments = space.add_source("Experiments", [
            prop("title", "Experiment", "title"), prop("x%3Ad", "Runs", "date"), prop("x%3Ao", "Owner", "people"),
            prop("x%3At", "Team", "select", teams), prop("x%3Ah", "Hypothesis", "rich_text"),
            prop("x%3Ar", "Result", "select", ("Accepted", "Rejected", "Inconclusive")),
        ], at=begun)  # fmt: skip
        self.documents = space.add_source("Product documents", [
            prop("title", "Document", "title"), prop("o%3Ao", "Owner", "people"),
            prop("o%3At", "Teams", "multi_select", teams), prop("o%3Ak", "Kind", "select", KINDS_OF_DOCUMENT),
            prop("o%3Av", "Verification", "verification"), prop("o%3Ag", "Age", "formula"),
        ], at=begun)  # fmt: skip
        self.documents["properties"]["o%3Ar"] = prop("o%3Ar", "See also", "relation", to=self.documents["id"])
        self.policies = space.add_source("Policies", [
            prop("title", "Policy", "title"), prop("p%3Ao", "Owner", "people"), prop("p%3Ar", "Review on", "date"),
            prop("p%3Av", "Verification", "verification"),
        ], at=begun)  # fmt: skip
        self.notes = space.add_source("Meeting notes", [
            prop("title", "Name", "title"), prop("m%3Ad", "Date", "date"), prop("m%3Ap", "Present", "people"),
        ], at=begun)  # fmt: skip
        space.add_source("Salary reviews", [prop("title", "Name", "title")], at=begun, is_shared=False)
        self._fill(begun)

    def _fill(self, begun: datetime) -> None:
        draw = Random(f"{self.life.world.seed}:notion")
        days = (at(self.life.first, 8) - begun).days
        for number in range(DOCUMENTS):
            self._write_document(begun + timedelta(days=draw.uniform(0, days), hours=2), draw.getrandbits(48))
            if number % 3:
                self._edit_document(
                    begun + timedelta(days=draw.uniform(days * 0.6, days), hours=4), draw.getrandbits(48)
                )
        writers = [person for people in self.people.values() for person in people]
        for number in range(POLICIES):
            owner = draw.choice(writers)
            when = begun + timedelta(days=draw.uniform(0, days))
            values: Row = {"title": f"{RULES[number % len(RULES)]} policy", "p%3Ao": [self.accounts[owner.email]]}
            if number % 4:
                review = (when + timedelta(days=365)).date()
                values |= {"p%3Ar": (str(review), None), "p%3Av": verified(self.accounts[owner.email], review)}
            self.workspace.add_page(self.policies["id"], values, at=when, by=self.accounts[owner.email])
        for number in range(NOTES):
            when = begun + timedelta(days=draw.uniform(0, days))
            values = {"title": f"Weekly {number + 1}", "m%3Ad": (str(when.date()), None)}
            self.workspace.add_page(self.notes["id"], values, at=when)

    # --- what people do

    def _interview(self, moment: datetime, team: str, place: int, number: int) -> None:
        """Somebody plans an interview; a few days later it is held, or the customer does not come."""
        draw = Random(number)
        person = draw.choice(self.people[team])
        who = self.accounts[person.email]
        when = moment + timedelta(days=draw.randint(1, 7))
        page = self.workspace.add_page(self.interviews["id"], {
            "title": f"About {draw.choice(SUBJECTS)}, with customer {draw.randrange(100, 999)}",
            "v%3Ad": (str(when.date()), None), "v%3At": f"v%3At-{place}", "v%3Ap": [who], "v%3As": "v%3As-0",
            "v%3Ae": f"customer{draw.randrange(1000)}@shopper.example",
        }, at=moment, by=who)  # fmt: skip
        if draw.random() < 0.1:
            return  # stays planned for ever
        came = draw.random() < 0.86
        self.life.later(when, self._edit, page["id"], {"v%3As": "v%3As-2" if came else "v%3As-3"}, who)
        if came and draw.random() < 0.72:
            after = when + timedelta(days=draw.choice((0, 0, 1, 1, 2, 5)), hours=2)
            self.life.later(after, self._learn, page["id"], team, place, draw.getrandbits(48))

    def _learn(self, moment: datetime, page_id: str, team: str, place: int, number: int) -> None:
        """Write down what an interview taught: something new, and something that was heard before."""
        draw = Random(number)
        if page_id not in self.workspace.pages:
            return
        page = self.workspace.pages[page_id]
        who = page["created_by"]
        known = self.themes.setdefault(team, [])
        found = [key for key in known[:2] if draw.random() < 0.35 and key in self.workspace.pages]
        for _one in range(draw.choice((0, 1, 1, 2))):
            made = self.workspace.add_page(self.insights["id"], {
                "title": f"{draw.choice(THINGS[team]).capitalize()}: {draw.choice(SUBJECTS)} takes too long",
                "i%3At": f"i%3At-{place}", "i%3Aa": [who], "i%3Ad": (str(moment.date()), None),
                "i%3As": f"i%3As-{draw.randrange(3)}", "i%3Aq": "Words that only the researcher needs.", "i%3Av": [],
            }, at=moment, by=who)  # fmt: skip
            known.append(made["id"])
            found.append(made["id"])
        for key in found:
            heard = self.workspace.pages[key]["values"].get("i%3Av") or []
            self.workspace.edit_page(key, {"i%3Av": [*heard, page_id]}, at=moment, by=who)
        written = {"v%3Ai": found, "v%3An": "Notes.", "v%3Aw": (str(moment.date()), None)}
        self.workspace.edit_page(page_id, written, at=moment, by=who)

    def _decide(self, moment: datetime, team: str, place: int, number: int) -> None:
        """Somebody proposes; most proposals are decided within weeks, a few never."""
        draw = Random(number)
        who = self.accounts[draw.choice(self.people[team]).email]
        values: Row = {
            "title": f"{draw.choice(('Keep', 'Drop', 'Buy', 'Build', 'Postpone'))} {draw.choice(THINGS[team])}",
            "d%3Ap": (str(moment.date()), None), "d%3At": f"d%3At-{place}", "d%3As": "d%3As-0",
        }  # fmt: skip
        if draw.random() < 0.85:
            values["d%3Ao"] = [who]
        page = self.workspace.add_page(self.decisions["id"], values, at=moment, by=who)
        if draw.random() < 0.12:
            return
        ends = moment + timedelta(days=draw.lognormvariate(2.1, 0.7))
        decided: Row = {"d%3As": "d%3As-3"}
        if draw.random() < 0.9:
            decided = {"d%3As": "d%3As-2", "d%3Ad": (str(ends.date()), None)}
            if draw.random() < 0.6:
                review = ends + timedelta(days=90)
                decided["d%3Ar"] = (str(review.date()), None)
                self._plan_review(page["id"], review, who, draw)
        self.life.later(ends, self._edit, page["id"], decided, who)

    def _plan_review(self, key: str, due: datetime, who: str, draw: Random) -> None:
        """Two reviews in three take place, some of them late; each says when the next one is."""
        if draw.random() < 0.65:
            moment = due + timedelta(days=draw.choice((-3, -1, 0, 0, 2, 9)))
            again = {"d%3Ar": (str(due.date() + timedelta(days=180)), None)}
            self.life.later(moment, self._edit, key, again, who)

    def _experiment(self, moment: datetime, team: str, place: int, number: int) -> None:
        """An experiment runs for two weeks; most have a result some days after."""
        draw = Random(number)
        who = self.accounts[draw.choice(self.people[team]).email]
        ends = moment + timedelta(days=14)
        page = self.workspace.add_page(self.experiments["id"], {
            "title": f"{draw.choice(THINGS[team]).capitalize()}, variant {draw.choice('BCD')}",
            "x%3Ad": (str(moment.date()), str(ends.date())), "x%3Ao": [who], "x%3At": f"x%3At-{place}",
            "x%3Ah": "We believe that fewer steps sell more.",
        }, at=moment, by=who)  # fmt: skip
        if draw.random() < 0.8:
            after = ends + timedelta(days=draw.lognormvariate(2.0, 0.9))
            self.life.later(after, self._edit, page["id"], {"x%3Ar": f"x%3Ar-{draw.choice((0, 0, 1, 1, 1, 2))}"}, who)

    def _write_document(self, moment: datetime, number: int) -> None:
        draw = Random(number)
        team = draw.choice(sorted(self.people))
        who = self.accounts[draw.choice(self.people[team]).email]
        others = list(self.workspace.by_source[self.documents["id"]])
        values: Row = {
            "title": f"{draw.choice(KINDS_OF_DOCUMENT)}: {draw.choice(THINGS[team])}",
            "o%3At": [f"o%3At-{sorted(PACE).index(team)}"], "o%3Ak": f"o%3Ak-{draw.randrange(5)}",
            "o%3Ar": draw.sample(others, min(len(others), draw.choice((0, 0, 1, 2)))),
        }  # fmt: skip
        if draw.random() < 0.7:
            owners = [*self.accounts.values()] if draw.random() < 0.1 else [who]
            values["o%3Ao"] = [draw.choice(owners)]
        if draw.random() < 0.25:
            values["o%3Av"] = verified(who, moment.date() + timedelta(days=180))
        self.workspace.add_page(self.documents["id"], values, at=moment, by=who)

    def _edit_document(self, moment: datetime, number: int) -> None:
        """Somebody improves a document: a young one more likely than an old one."""
        draw = Random(number)
        keys = list(self.workspace.by_source[self.documents["id"]])
        key = keys[min(int(len(keys) * draw.betavariate(3, 1.2)), len(keys) - 1)]
        team = draw.choice(sorted(self.people))
        if self.workspace.pages[key]["created"] <= minute(moment):
            self.workspace.edit_page(key, {}, at=moment, by=self.accounts[draw.choice(self.people[team]).email])

    def _edit(self, moment: datetime, key: str, values: Row, who: str) -> None:
        if key in self.workspace.pages:  # somebody may have deleted it
            self.workspace.edit_page(key, values, at=moment, by=who)


def at(day: date, hour: int, minutes: int = 0) -> datetime:
    return datetime.combine(day, time(hour), PARIS).astimezone(UTC) + timedelta(minutes=minutes)


def verified(who: str, until: date) -> Row:
    """Return a verification that ends on a day."""
    by = {"object": "user", "id": who}
    return {"state": "verified", "verified_by": by, "date": {"start": str(until), "end": str(until), "time_zone": None}}
