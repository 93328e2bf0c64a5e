"""What happens at Ardoise from day to day: work is planned, started, reviewed, finished, carried over, put off.

Every day is drawn from the seed and its own date, so that a sandbox started on Tuesday knows the same Monday as
one that ran all along. A day's work is planned when the day begins, and happens as the clock passes it.
"""

import heapq
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from math import log
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from .clock import Clock, text
from .company import COMPANY, Company, Person
from .wires import Department
from .world import Row, World

PARIS = ZoneInfo("Europe/Paris")
FIRST_DAY = date(2026, 3, 2)  # a Monday; where the clock stands much earlier, an earlier one
SHORTEST_PAST = timedelta(days=210)
CYCLE = timedelta(days=14)
# Per team: how fast it is, how many issues a working day brings, how much of them are bugs, how well it plans
PACE = {
    "CHK": (0.85, 2.9, 0.13, 0.88),
    "SRC": (0.95, 2.7, 0.11, 0.84),
    "MOB": (1.25, 2.6, 0.19, 0.72),
    "GRW": (0.90, 2.4, 0.10, 0.78),
    "ONB": (1.00, 2.2, 0.14, 0.82),
    "PLT": (1.40, 2.5, 0.16, 0.68),
}
DAYS_BY_ESTIMATE = {1: 1.1, 2: 1.9, 3: 3.0, 5: 4.6, 8: 7.0, None: 2.8}
VERBS = ("Show", "Fix", "Speed up", "Rework", "Let people change", "Explain", "Measure", "Retire", "Translate",
         "Simplify", "Remember", "Guard")  # fmt: skip
WHERE = ("on small screens", "for guests", "in French", "behind a switch", "after a time-out", "for returning people",
         "in the evening", "with a keyboard", "on slow networks", "for the Nordics")  # fmt: skip
THINGS = {
    "CHK": ("the basket summary", "card errors", "the delivery picker", "saved cards", "the receipt", "voucher codes"),
    "SRC": ("the size filter", "synonyms", "empty results", "the ranking of new items", "typing hints", "sorting"),
    "MOB": ("the home tab", "offline mode", "push settings", "the camera search", "deep links", "start-up time"),
    "GRW": ("the referral page", "the welcome offer", "campaign links", "the sign-up test", "the return e-mail",
            "the price banner"),
    "ONB": ("the first order", "the address form", "the profile step", "the tour", "account checks", "help texts"),
    "PLT": ("the event log", "build times", "the image cache", "access rights", "the job queue", "database copies"),
}  # fmt: skip
PROJECTS = ("One-page {}", "Calmer {}", "Faster {}", "{} for everyone", "{}, second act", "Goodbye, old {}")
GOALS = (
    ("Checkout anyone can finish", "Active"),
    ("Find it in three words", "Active"),
    ("Open the Nordics", "Active"),
    ("Half the cloud bill", "Completed"),
    ("Loyalty, again", "Planned"),
)
DORMANT = frozenset({"beatriz.goncalves", "daniel.novak", "lena.schafer", "aoife.byrne", "stefan.ilic", "tomas.dvorak"})


class Life:
    """Moves a demo world on, up to its clock."""

    def __init__(
        self, world: World, company: Company = COMPANY, *, scale: float = 1.0, first: date | None = None,
        departments: Iterable[Callable[["Life"], Department]] = (),
    ):  # fmt: skip
        self.world = world
        self.company = company
        self.scale = scale
        self.first = first or first_day(world.clock.now())
        self._next_day = self.first
        self._queue: list[tuple[datetime, int, Callable[..., object], tuple[Any, ...]]] = []
        self._count = 0
        self._teams: dict[str, Row] = {}
        self._members: dict[str, list[Row]] = {}
        self._makers: dict[str, list[Row]] = {}
        self._cycles: dict[str, list[Row]] = {}
        self._in_cycle: dict[str, dict[str, Row]] = {}
        self._projects: dict[str, list[Row]] = {}
        self._in_project: dict[str, list[Row]] = {}
        self._bugs: list[str] = []
        self._labels: dict[str, str] = {}
        self._templates: dict[str, Row] = {}
        self._people: dict[str, Person] = {}
        self._initiatives: list[Row] = []
        self._found()
        self.departments = [make(self) for make in departments]

    def advance(self) -> None:
        """Let everything happen that the clock has passed."""
        now = self.world.clock.now()
        if self._next_day > now.date() and not (self._queue and self._queue[0][0] <= now):
            return
        while True:
            if self._next_day <= now.date() and (not self._queue or self._queue[0][0] >= at_hour(self._next_day, 0)):
                self._plan_day(self._next_day)
                self._next_day += timedelta(days=1)
            elif self._queue and self._queue[0][0] <= now:
                at, _number, do, given = heapq.heappop(self._queue)
                do(at, *given)
            else:
                return

    def later(self, at: datetime, do: Callable[..., object], *given: Any) -> None:
        """Have `do(at, *given)` happen when the clock passes `at`."""
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, do, given))

    # --- the company as Linear knows it

    def _found(self) -> None:
        world, at = self.world, at_hour(self.first, 7)
        for team in self.company.product_teams:
            row = world.add_team(
                team.key, team.name, at=at, issueEstimationType="notUsed" if team.key == "PLT" else "fibonacci"
            )
            self._teams[team.key] = row
            self._members[team.key], self._makers[team.key] = [], []
            self._cycles[row["id"]], self._projects[team.key] = [], []
            self.later(at_hour(self.first, 9), self._open_cycle, row, 0)
        self._seat_people(at)
        group = world.add_label("Bug", is_group=True, at=at)
        for name in ("Regression", "Crash", "Wrong figure", "Display"):
            self._bugs.append(world.add_label(name, parent_id=group["id"], at=at)["id"])
        for name in ("Feature", "Improvement", "Tech debt"):
            self._labels[name] = world.add_label(name, at=at)["id"]
        for name in ("Bug report", "Feature brief", "Experiment", "Incident review", "Old spec (2023)"):
            self._templates[name] = world.add_template(name, at=at)
        owners = [row for row in world.rows("User").values() if row.get("title", "").startswith(("VP", "Chief"))]
        for place, (name, status) in enumerate(GOALS):
            self._initiatives.append(world.add_initiative(
                name, at=at, status=status, ownerId=owners[place % len(owners)]["id"],
                targetDate=str(self.first + timedelta(days=120 + 60 * place)),
                health="onTrack" if status == "Active" else None,
            ))  # fmt: skip

    def _seat_people(self, at: datetime) -> None:
        elsewhere = {seat.stands_for for seat in self.company.seats}
        for person in (*self.company.people, *self.company.leavers):
            if person.email not in elsewhere:
                is_admin = person.is_admin or person.craft == "ops"
                row = self.world.add_user(
                    person.email, person.name, at=at, title=person.job_title, admin=is_admin, owner=person.is_admin
                )
                self._people[row["id"]] = person
                self._join(person, row, at)
        for seat in self.company.seats:
            row = self.world.add_user(
                seat.email, seat.name, at=at, guest=seat.kind == "guest", app=seat.kind == "bot",
                lastSeen=None if seat.is_dormant else text(at),
            )  # fmt: skip
            if seat.stands_for:
                person = self.company.person(seat.stands_for)
                self._people[row["id"]] = person
                self._join(person, row, at)

    def _join(self, person: Person, row: Row, at: datetime) -> None:
        if person.team in self._teams:
            lead = next(team.lead for team in self.company.teams if team.key == person.team)
            self.world.add_member(self._teams[person.team]["id"], row["id"], at=at, owner=person.email == lead)
            self._members[person.team].append(row)
            if person.craft == "engineering" and person.left_on is None:
                self._makers[person.team].append(row)

    # --- a day

    def _plan_day(self, day: date) -> None:
        draw = Random(f"{self.world.seed}:{day}")
        self.later(at_hour(day, 18, 30), self._sign_ins, draw.random())
        for team in self.company.product_teams:
            if day.weekday() == 0:
                self.later(at_hour(day, 10), self._weekly, team.key, draw.random())
            if day.weekday() < 5:
                _factor, per_day, _bugs, _plan = PACE[team.key]
                wanted = per_day * self.scale
                for _one in range(int(wanted) + (draw.random() < wanted % 1)):
                    at = at_hour(day, 7, 30) + timedelta(minutes=draw.uniform(0, 600))
                    self.later(at, self._write_issue, team.key, draw.getrandbits(48))
        for department in self.departments:
            department.plan_day(day)

    def _sign_ins(self, at: datetime, number: float) -> None:
        draw = Random(f"{self.world.seed}:seen:{number}")
        weekend = at.weekday() >= 5
        for key, row in self.world.rows("User").items():
            person = self._people.get(key)
            chance = 0.05 if weekend else 0.84
            if person is not None:
                if person.left_on is not None and at.date() >= person.left_on:
                    if row["active"] and person.craft == "engineering":
                        self.world.deactivate(key, at=at)
                    continue
                if person.email.partition("@")[0] in DORMANT:
                    chance = 0.0 if at.date() > self.first + timedelta(days=40) else 0.2
                elif person.craft == "leadership":
                    chance = 0.03 if weekend else 0.4
            elif row["guest"] and row.get("lastSeen") is None:
                continue
            if draw.random() < chance:
                self.world.see(key, at=at - timedelta(minutes=draw.uniform(0, 500)))

    def _weekly(self, at: datetime, key: str, number: float) -> None:
        """Monday at ten: progress is counted, health is written, a new project begins every other month."""
        draw = Random(f"{self.world.seed}:week:{number}")
        projects = self._projects[key]
        open_ones = [row for row in projects if not row.get("completedAt")]
        if len(open_ones) < 2:
            open_ones.append(self._begin_project(at, key, len(projects), draw))
        states = self.world.rows("WorkflowState")
        for row in open_ones:
            kinds = [states[issue["stateId"]]["type"] for issue in self._in_project[row["id"]]]
            counted = [kind for kind in kinds if kind not in {"canceled", "duplicate"}]
            done = sum(kind == "completed" for kind in counted) + 0.25 * sum(kind == "started" for kind in counted)
            self.world.edit("Project", row["id"], at=at, progress=round(done / len(counted), 4) if counted else 0.0)
            late = date.fromisoformat(row["targetDate"]) < at.date()
            if late and draw.random() < 0.45:
                self._end_project(at, row)
            elif draw.random() < 0.82:
                odds = (0.2, 0.5) if late else (0.78, 0.95)
                chance = draw.random()
                health = "onTrack" if chance < odds[0] else "atRisk" if chance < odds[1] else "offTrack"
                self.world.add_project_update(row["id"], row["leadId"], health, at=at)
                if health == "offTrack" and draw.random() < 0.5:
                    moved = date.fromisoformat(row["targetDate"]) + timedelta(days=14)
                    self.world.edit("Project", row["id"], at=at, targetDate=str(moved))

    def _begin_project(self, at: datetime, key: str, place: int, draw: Random) -> Row:
        thing = THINGS[key][place % len(THINGS[key])].removeprefix("the ")
        name = PROJECTS[(place + len(key) + ord(key[0])) % len(PROJECTS)].format(thing)
        lead = next(row for row in self._members[key] if self._people[row["id"]].craft == "product")
        row = self.world.add_project(
            name[0].upper() + name[1:], [self._teams[key]["id"]], lead_id=lead["id"], at=at,
            startDate=str(at.date()), targetDate=str(at.date() + timedelta(days=draw.choice((42, 56, 70)))),
            startedAt=text(at),
        )  # fmt: skip
        self._projects[key].append(row)
        self._in_project[row["id"]] = []
        if draw.random() < 0.7:
            chosen = self._initiatives[draw.randrange(3)]
            self.world.link_project(chosen["id"], row["id"], at=at)
        return row

    def _end_project(self, at: datetime, row: Row) -> None:
        self.world.edit(
            "Project", row["id"], at=at, completedAt=text(at), progress=1.0, statusId=self.world.status_id("completed")
        )

    # --- cycles

    def _open_cycle(self, at: datetime, team: Row, place: int) -> None:
        """Begin a cycle, end the one before, and have the one after ready."""
        cycles = self._cycles[team["id"]]
        while len(cycles) < place + 2:
            starts = at_hour(self.first + CYCLE * len(cycles), 9)
            ends = at_hour(self.first + CYCLE * (len(cycles) + 1), 9)
            row = self.world.add_cycle(team["id"], starts, ends, at=at)
            cycles.append(row)
            self._in_cycle[row["id"]] = {}
        if place:
            before, now = cycles[place - 1], cycles[place]
            self._count_cycle(at, before)
            closing = list(self._in_cycle[before["id"]].values())
            self.world.close_cycle_of(before["id"], closing, next_id=now["id"], at=at)
            for issue in closing:
                if issue.get("cycleId") == now["id"]:
                    del self._in_cycle[before["id"]][issue["id"]]
                    self._in_cycle[now["id"]][issue["id"]] = issue
        for day in range(14):
            self.later(at + timedelta(days=day, hours=2), self._count_cycle, cycles[place])
        self.later(at_hour(self.first + CYCLE * (place + 1), 9), self._open_cycle, team, place + 1)

    def _count_cycle(self, at: datetime, cycle: Row) -> None:
        states = self.world.rows("WorkflowState")
        issues = self._in_cycle[cycle["id"]].values()
        done = [issue for issue in issues if states[issue["stateId"]]["type"] == "completed"]
        self.world.edit(
            "Cycle", cycle["id"], at=at,
            scopeHistory=[*cycle["scopeHistory"], float(sum(issue.get("estimate") or 1 for issue in issues))],
            completedScopeHistory=[
                *cycle["completedScopeHistory"], float(sum(issue.get("estimate") or 1 for issue in done))
            ],
            issueCountHistory=[*cycle["issueCountHistory"], float(len(issues))],
            completedIssueCountHistory=[*cycle["completedIssueCountHistory"], float(len(done))],
        )  # fmt: skip

    # --- an issue

    def _write_issue(self, at: datetime, key: str, number: int) -> None:
        """Write an issue and draw its whole life, which then happens in its time."""
        draw, team = Random(number), self._teams[key]
        bugs = PACE[key][2]
        kind = draw.choices(("bug", "Feature", "Improvement", "Tech debt"), (bugs, 0.42, 0.28, 0.15))[0]
        is_bug = kind == "bug"
        estimate = None
        if key != "PLT" and draw.random() < 0.88:
            estimate = draw.choices((1, 2, 3, 5, 8), (18, 30, 28, 17, 7))[0]
        projects = [row for row in self._projects[key] if not row.get("completedAt")]
        project = draw.choice(projects) if projects and not is_bug and draw.random() < 0.78 else None
        creator = draw.choice(self._members[key])["id"]
        title = f"{draw.choice(VERBS)} {draw.choice(THINGS[key])}"
        if draw.random() < 0.6:
            title += f" {draw.choice(WHERE)}"
        siblings = self._in_project[project["id"]] if project else []
        parent = draw.choice(siblings)["id"] if siblings and draw.random() < 0.08 else None
        due = str(at.date() + timedelta(days=draw.randint(5, 40))) if draw.random() < 0.07 else None
        through_triage = is_bug and draw.random() < 0.8
        issue = self.world.create_issue(
            team["id"], title, at=at, creator_id=creator, parentId=parent, dueDate=due,
            state="Triage" if through_triage else "Backlog", estimate=estimate,
            labelIds=[draw.choice(self._bugs) if is_bug else self._labels[kind]],
            priority=draw.choices((0, 1, 2, 3, 4), (10, 12 if is_bug else 3, 25, 40, 22))[0],
            projectId=project["id"] if project else None,
        )  # fmt: skip
        if project:
            self._in_project[project["id"]].append(issue)
        template = self._templates["Bug report" if is_bug else "Feature brief"]
        if draw.random() < 0.3:
            self.world.edit("Template", template["id"], at=at, lastAppliedAt=text(at))
        if through_triage:
            at = working(at + timedelta(hours=spread(draw, 5, 0.9)))
            self.later(at, self._move, issue, creator, {"state": "Backlog"})
        fate = draw.random()
        if fate < 0.05:
            return  # stays in the backlog
        if fate < 0.12:
            ends = working(at + timedelta(days=draw.uniform(1, 45)))
            self.later(ends, self._move, issue, creator, {"state": "Canceled" if fate < 0.10 else "Duplicate"})
            return
        self._plan_work(draw, issue, key, at, is_bug=is_bug)

    def _plan_work(self, draw: Random, issue: Row, key: str, at: datetime, *, is_bug: bool) -> None:
        factor, _per_day, _bugs, plan = PACE[key]
        maker = draw.choice(self._makers[key])["id"]
        starts = working(at + timedelta(days=spread(draw, 2.0 if is_bug else 8.0, 0.8)))
        cycle = self._cycle_at(starts)
        if not is_bug and draw.random() < 0.8:
            # Planned: it is in the cycle from its first morning, and begins in it, sooner rather than later
            if (starts - self._cycle_start(cycle)) > timedelta(days=2):
                cycle += 1
            opens = self._cycle_start(cycle)
            starts = working(opens + timedelta(days=0.1 + 11 * draw.betavariate(1.1, 2.6)))
            enters = opens + timedelta(minutes=draw.uniform(5, 300))
            if draw.random() > plan:
                starts = working(starts + CYCLE)  # promised, and put off
        else:
            enters = max(at + timedelta(minutes=2), starts - timedelta(hours=draw.uniform(0.1, 20)))
        self.later(enters, self._commit, issue, maker, key)
        days = spread(draw, DAYS_BY_ESTIMATE[issue.get("estimate")] * factor * (0.7 if is_bug else 1.0), 0.65)
        if draw.random() < 0.03:
            days *= 6  # stuck, and nobody says so
        ends = working(starts + timedelta(days=days))
        if draw.random() < 0.04:
            self.later(ends, self._move, issue, maker, {"state": "Done", "assigneeId": maker})  # never "in progress"
            return
        self.later(starts, self._move, issue, maker, {"state": "In progress", "assigneeId": maker})
        if draw.random() < 0.05:  # laid aside for a while
            aside = starts + (ends - starts) * 0.3
            self.later(aside, self._move, issue, maker, {"state": "Todo"})
            self.later(starts + (ends - starts) * 0.5, self._move, issue, maker, {"state": "In progress"})
        if issue.get("estimate") and draw.random() < 0.06:
            self.later(starts + (ends - starts) * 0.4, self._move, issue, maker, {"estimate": 8})
        self.later(starts + (ends - starts) * draw.uniform(0.6, 0.9), self._move, issue, maker, {"state": "In review"})
        self.later(ends, self._move, issue, maker, {"state": "Done"})
        if draw.random() < 0.035:
            again = working(ends + timedelta(days=draw.uniform(0.5, 4)))
            self.later(again, self._move, issue, maker, {"state": "In progress"})
            self.later(working(again + timedelta(days=draw.uniform(0.3, 2))), self._move, issue, maker,
                        {"state": "Done"})  # fmt: skip
        elif draw.random() < 0.3:
            self.later(ends + timedelta(days=90), self._archive, issue)

    def _commit(self, at: datetime, issue: Row, maker: str, key: str) -> None:
        """Take an issue into the cycle that runs."""
        team = self._teams[key]
        cycle = self._cycles[team["id"]][self._cycle_at(at)]
        if issue.get("cycleId") != cycle["id"]:
            self._in_cycle[cycle["id"]][issue["id"]] = issue
            self.world.edit_issue(issue["id"], at=at, actor_id=maker, state="Todo", cycleId=cycle["id"])

    def _move(self, at: datetime, issue: Row, actor: str, fields: Row) -> None:
        if issue["id"] in self.world.rows("Issue"):  # somebody may have deleted it
            self.world.edit_issue(issue["id"], at=at, actor_id=actor, **fields)

    def _archive(self, at: datetime, issue: Row) -> None:
        if issue["id"] in self.world.rows("Issue"):
            self.world.archive("Issue", issue["id"], at=at)

    def _cycle_start(self, place: int) -> datetime:
        return at_hour(self.first + CYCLE * place, 9)

    def _cycle_at(self, at: datetime) -> int:
        place = max(0, (at.date() - self.first).days // CYCLE.days)
        return place - 1 if place and at < self._cycle_start(place) else place


def first_day(now: datetime) -> date:
    """Return the Monday on which the demo's past begins: always the same, unless the clock stands before its autumn."""
    first = FIRST_DAY
    while now.date() - first < SHORTEST_PAST:
        first -= timedelta(days=182)
    return first


def demo_world(
    clock: Clock | None = None, *, seed: int = 1, scale: float = 1.0,
    departments: Iterable[Callable[[Life], Department]] = (),
) -> tuple[World, Life]:  # fmt: skip
    """Return Ardoise with its past up to the clock, and what moves it on. `scale` multiplies its issues.

    `departments` are other tools that it works with, see `departments.ALL`; without any, it knows Linear alone.
    """
    world = World(clock, seed=seed)
    life = Life(world, scale=scale, departments=departments)
    life.advance()
    return world, life


def at_hour(day: date, hour: int, minute: int = 0) -> datetime:
    """Return an hour of a day in Paris, in UTC."""
    return datetime.combine(day, time(hour, minute), PARIS).astimezone(UTC)


def working(at: datetime) -> datetime:
    """Return the moment, moved out of nights and weekends. Keeps minutes, so that not all of it happens at nine."""
    if at.hour < 7:
        at = at.replace(hour=7)
    elif at.hour >= 17:
        at = at.replace(hour=7) + timedelta(days=1)
    return at + timedelta(days=(7 - at.weekday()) % 7) if at.weekday() >= 5 else at


def spread(draw: Random, median: float, sigma: float) -> float:
    """Draw from a log-normal: most are near the median, a few take very long."""
    return draw.lognormvariate(log(median), sigma)
