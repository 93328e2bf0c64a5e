"""Ardoise's product people at work: feedback comes in and is processed, ideas become features, and these are built.

The same company as in Linear, by the same clock: what is planned here is what is built there, and two features in
three say so by the address of their project. Each day is drawn from the seed and its date alone.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from connectors.sandbox.life import GOALS, THINGS, VERBS, Life, at_hour, spread, working
from connectors.sandbox.world import Row

from .board import Board
from .wire import ProductboardWire

NOTES_A_DAY = 6.0
IDEAS_A_WEEK = 0.9  # per team
LINKED_TO_LINEAR = 0.66
CUSTOMERS = ("Northbank", "Halden Foods", "Maison Perrault", "Lumen Retail", "Corvo", "Atlas Wines", "Brae & Co",
             "Tellier", "Kavita Home", "Odense Toys", "Rivage", "Stonebridge")  # fmt: skip
SOURCES = ("intercom", "email", "slack", "sales call", "interview", "app store")
TAGS = ("pricing", "bug", "praise", "mobile", "checkout", "search")
COUNTERS = ("boardsOpened", "notesCreated", "noteStatesChanged", "featuresCreated", "commentsCreated")
GRAINS = ("quarter", "month", "day")
EFFORTS = (3, 5, 8, 8, 13, 20, 40)  # days
HEALTHS = ("onTrack", "onTrack", "onTrack", "atRisk", "offTrack")
# Name, start, target; whose it is, how many days it has, how much of the way a hundred weeks bring, and whether its
# owner tells when it is late
KEY_RESULTS = {
    "Checkout anyone can finish": (
        ("Baskets paid, %", 54, 66, "CHK", 360, 2.1, True),
        ("Payment errors a day", 120, 40, "CHK", 360, 1.0, False),
    ),
    "Find it in three words": (("Searches with a click, %", 48, 60, "SRC", 330, 2.0, True),),
    "Open the Nordics": (
        ("Orders a week from the Nordics", 0, 900, "GRW", 300, 0.9, True),
        ("Partners signed", 1, 6, "GRW", 420, 0.9, False),
        ("First orders that arrive in time, %", 71, 90, "ONB", 365, 1.8, True),
    ),
    "Half the cloud bill": (("Cost per order, cents", 31, 16, "PLT", 340, 2.3, True),),
    "Loyalty, again": (),
}  # fmt: skip
# Release groups, and the teams whose work they carry
RELEASES = {"Web": ("CHK", "SRC", "GRW", "ONB"), "App": ("MOB",), "Platform": ("PLT",)}
# Craft → role; an engineer has a seat only where one leads a team
ROLES = {"product": "maker", "ops": "admin", "leadership": "viewer", "design": "contributor"}


@dataclass(frozen=True)
class KeyResult:
    """`reach` is how far a hundred weeks bring it; `tells`: its health is set by how it stands, not by hope."""

    key: str
    reach: float
    tells: bool


class ProductOffice:
    """The department: founds the board, and plans each of its days."""

    def __init__(self, life: Life) -> None:
        self.life, self.world = life, life.world
        self.board = Board(life.world)
        self.wire = ProductboardWire(self.board)
        self.teams: dict[str, Row] = {}
        self.makers: dict[str, list[Row]] = {}
        self.components: dict[str, str] = {}
        self.initiatives: dict[str, list[str]] = {}
        self.customers: list[str] = []
        self.key_results: list[KeyResult] = []
        self.release_groups: dict[str, str] = {}
        self.open_features: dict[str, list[Row]] = {team.key: [] for team in life.company.product_teams}
        self.built: dict[str, str] = {}  # Linear project → feature
        self._found(at_hour(life.first, 8))

    def plan_day(self, day: date) -> None:
        """Lay down a day: notes as they come, the week's planning on Monday, its news on Friday, and who was there."""
        draw = Random(f"{self.world.seed}:product:{day}")
        later = self.life.later
        if day.weekday() < 5:
            wanted = NOTES_A_DAY * self.life.scale
            for _one in range(int(wanted) + (draw.random() < wanted % 1)):
                later(at_hour(day, 7) + timedelta(minutes=draw.uniform(0, 660)), self._hear, draw.getrandbits(48))
            later(at_hour(day, 16), self._follow_linear, draw.getrandbits(48))
        if day.weekday() == 0:
            later(at_hour(day, 11), self._plan_week, draw.getrandbits(48))
            if day.day <= 7:
                self._plan_releases(day)
        if day.weekday() == 4:
            later(at_hour(day, 15), self._tell_news, draw.getrandbits(48))
        later(at_hour(day, 19), self._count_day, draw.getrandbits(48))

    # --- how it began

    def _found(self, at: datetime) -> None:
        board, company = self.board, self.life.company
        for team in company.product_teams:
            self.teams[team.key] = board.add_team(team.name, team.slug, at=at)
            self.makers[team.key] = []
        self._seat_people(at)
        self.customers = [board.add("company", name, at=at)["id"] for name in CUSTOMERS]
        self.customers += [board.add("user", f"Somebody at {name}", at=at)["id"] for name in CUSTOMERS[:4]]
        products = {
            key: board.add("product", name, at=at)["id"] for key, name in (("SHP", "Shopping"), ("FND", "Foundations"))
        }
        for team in company.product_teams:
            made = board.add("component", team.name, parent=products[team.parent], at=at, **self._owned(team.key, 0))
            self.components[team.key] = made["id"]
        goals = [self._set_goal(at, place, name, status) for place, (name, status) in enumerate(GOALS)]
        for place, team in enumerate(company.product_teams):
            self.initiatives[team.key] = [
                board.add(
                    "initiative", f"{team.name}: {word}", at=at, status="In progress", ties=[("link", goal)],
                    timeframe=_quarter(self.life.first, number), health=_health("onTrack", at),
                    **self._owned(team.key, 0),
                )["id"]
                for number, (word, goal) in enumerate((("the basics", goals[place % 3]), ("the bet", goals[2])))
            ]  # fmt: skip
        self.release_groups = {name: board.add("releaseGroup", name, at=at)["id"] for name in RELEASES}
        draw = Random(f"{self.world.seed}:product:ideas")
        for team in company.product_teams:
            for _number in range(8):
                self._have_idea(at, team.key, draw)

    def _set_goal(self, at: datetime, place: int, name: str, status: str) -> str:
        """Set an objective with its key results; the last one has none, and nothing leads to it."""
        words = {"Active": "In progress", "Completed": "Delivered", "Planned": "Planned"}
        goal = self.board.add(
            "objective", name, at=at, status=words[status], timeframe=_quarter(self.life.first, place % 3),
            health=_health("onTrack", at) if status == "Active" else None,
        )["id"]  # fmt: skip
        for label, start, target, team, days, speed, tells in KEY_RESULTS[name]:
            made = self.board.add(
                "keyResult", label, at=at, parent=goal, timeframe=_frame(self.life.first, days, "day"),
                progress={"startValue": start, "targetValue": target, "currentValue": start},
                health=_health("onTrack", at), **self._owned(team, 0),
            )  # fmt: skip
            self.key_results.append(KeyResult(made["id"], (target - start) * speed, tells))
        return str(goal)

    def _seat_people(self, at: datetime) -> None:
        """Seat product people and those around them, under the e-mails of Linear; some leave, some never came."""
        engineers: set[str] = set()
        for person in (*self.life.company.people, *self.life.company.leavers):
            role = ROLES.get(person.craft, "viewer" if person.team not in engineers else "")
            if person.craft == "engineering":
                engineers.add(person.team)
            if not role or (person.left_on is not None and person.craft != "product"):
                continue
            teams = [self.teams[person.team]["id"]] if person.team in self.teams else []
            row = self.board.add_member(person.email, person.name, role=role, teams=teams, at=at)
            if role == "maker" and teams and person.left_on is None:
                self.makers[person.team].append(row)
        self.board.add_member("pia@freelance.example", "Pia K.", role="maker", teams=[self.teams["GRW"]["id"]], at=at)
        self.board.add_member("newcomer@ardoise.example", "Newcomer", role="viewer", invitationPending=True, at=at)

    def _owned(self, team: str, place: int) -> Row:
        """Return owner and teams of something that a team's product manager keeps."""
        maker = self.makers[team][place % len(self.makers[team])]
        row = self.teams[team]
        return {
            "owner": {"id": maker["id"], "email": maker["fields"]["email"]},
            "teams": [{"id": row["id"], "name": row["fields"]["name"]}],
        }

    # --- features

    def _have_idea(self, at: datetime, team: str, draw: Random) -> Row:
        is_owned = draw.random() < 0.85
        row = self.board.add(
            "feature", f"{draw.choice(VERBS)} {draw.choice(THINGS[team])}", at=at, status="New idea",
            parent=self.components[team], **(self._owned(team, draw.randrange(3)) if is_owned else {}),
        )  # fmt: skip
        self.open_features[team].append(row)
        return row

    def _plan_week(self, at: datetime, number: int) -> None:
        """Monday: ideas are written down, the best are made candidates and planned, some are given up."""
        draw = Random(number)
        for team, features in self.open_features.items():
            if draw.random() < IDEAS_A_WEEK:
                self._have_idea(at, team, draw)
            for row in draw.sample(features, min(2, len(features))):
                status, chance = row["fields"]["status"]["name"], draw.random()
                if status == "New idea" and chance < 0.6:
                    self.board.edit(row["id"], at=at, status="Candidate")
                elif status == "Candidate" and chance < 0.5:
                    self._promise(at, team, row, draw)
                elif status in {"New idea", "Candidate"} and chance > 0.93:
                    self.board.edit(row["id"], at=at, status="Won’t do", archived=True)
                    features.remove(row)

    def _promise(self, at: datetime, team: str, row: Row, draw: Random) -> None:
        """Plan a feature: it gets a time, mostly an effort and a goal, and sometimes parts."""
        grain = draw.choice(GRAINS)
        frame = _quarter(at.date(), 1) if grain == "quarter" else _frame(at.date(), 60, grain)
        self.board.edit(row["id"], at=at, status="Planned", timeframe=frame if draw.random() < 0.85 else None)
        guess = Random(f"{row['id']}:effort")
        if guess.random() < 0.8:
            effort: Row = {self.board.effort_field: guess.choice(EFFORTS)}
            self.board.edit(row["id"], at=at, **effort)
        if draw.random() < 0.75:
            self.board.tie(row["id"], "link", draw.choice(self.initiatives[team]), at=at)
        if draw.random() < 0.3:
            for part in ("first version", "the rest"):
                name = f"{row['fields']['name']}: {part}"
                self.board.add("subfeature", name, at=at, parent=row["id"], status="Planned")

    def _follow_linear(self, at: datetime, number: int) -> None:
        """What became a project is in progress here, too; what is done there was delivered here."""
        draw = Random(number)
        keys = {row["id"]: row["key"] for row in self.world.rows("Team").values()}
        for project in self.world.rows("Project").values():
            team = keys[project["_teams"][0]]
            feature = self.built.get(project["id"])
            if feature is None:
                self.built[project["id"]] = self._begin(at, team, project, draw)
            elif project.get("completedAt"):
                row = self.board.rows("feature").get(feature)
                if row is not None and row["fields"]["status"]["name"] == "In progress":
                    self.board.edit(feature, at=at, status="Delivered", workProgress={"value": 100, "mode": "manual"})
                    self.open_features[team] = [one for one in self.open_features[team] if one["id"] != feature]

    def _begin(self, at: datetime, team: str, project: Row, draw: Random) -> str:
        """Begin what a project is about: a planned feature, or one that nobody had planned."""
        ready = [row for row in self.open_features[team] if row["fields"]["status"]["name"] == "Planned"]
        row = ready[0] if ready else self._have_idea(at, team, draw)
        fields: Row = {"health": _health("onTrack", at), "workProgress": {"value": 0, "mode": "manual"}}
        fields["timeframe"] = row["fields"].get("timeframe") or _frame(at.date(), 60, "month")
        if draw.random() < LINKED_TO_LINEAR:
            slug = self.world.organization["urlKey"]
            fields[self.board.linear_field] = f"https://linear.app/{slug}/project/{project['id']}"
        self.board.edit(row["id"], at=at, status="In progress", **fields)
        return str(row["id"])

    def _tell_news(self, at: datetime, number: int) -> None:
        """Friday: health and progress are written, dates slip, key results move."""
        draw = Random(number)
        for features in self.open_features.values():
            for row in features:
                fields = row["fields"]
                if fields["status"]["name"] != "In progress" or draw.random() < 0.35:
                    continue
                health = draw.choice(HEALTHS)
                done = min(95, fields["workProgress"]["value"] + draw.randrange(5, 20))
                news: Row = {"health": _health(health, at), "workProgress": {"value": done, "mode": "manual"}}
                if health == "offTrack" and fields.get("timeframe"):
                    end = date.fromisoformat(fields["timeframe"]["endDate"]) + timedelta(days=21)
                    news["timeframe"] = {**fields["timeframe"], "endDate": str(end)}
                self.board.edit(row["id"], at=at, **news)
        for one in self.key_results:
            if one.key in self.board.rows("keyResult") and draw.random() < 0.4:
                self._move_key_result(at, one, draw)

    def _move_key_result(self, at: datetime, one: KeyResult, draw: Random) -> None:
        """Write a key result's value and health down; not every owner says that it is late."""
        fields = self.board.rows("keyResult")[one.key]["fields"]
        held, frame = fields["progress"], fields["timeframe"]
        moved = round(held["currentValue"] + one.reach * draw.uniform(-0.01, 0.06), 1)
        done = (moved - held["startValue"]) / (held["targetValue"] - held["startValue"])
        starts, ends = date.fromisoformat(frame["startDate"]), date.fromisoformat(frame["endDate"])
        late = (at.date() - starts) / (ends - starts) - done
        health = "onTrack" if late < 0.1 or not one.tells else "atRisk" if late < 0.3 else "offTrack"
        self.board.edit(one.key, at=at, progress={**held, "currentValue": moved}, health=_health(health, at))

    # --- releases

    def _plan_releases(self, day: date) -> None:
        """On a month's first Monday: next month's release of each group, which comes early, late or not at all."""
        draw = Random(f"{self.world.seed}:releases:{day}")
        for name, teams in RELEASES.items():
            self.life.later(at_hour(day, 12), self._plan_release, name, teams, draw.gauss(-4, 7), draw.random())

    def _plan_release(self, at: datetime, name: str, teams: tuple[str, ...], days: float, chance: float) -> None:
        starts = (at.date().replace(day=1) + timedelta(days=31)).replace(day=1)
        ends = (starts + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        rows = [self.teams[key] for key in teams]
        made = self.board.add(
            "release", f"{name}, {starts:%Y-%m}", at=at, parent=self.release_groups[name], status="Planned",
            timeframe={"startDate": str(starts), "endDate": str(ends), "granularity": "month"},
            teams=[{"id": row["id"], "name": row["fields"]["name"]} for row in rows],
        )  # fmt: skip
        if chance < 0.88:
            comes = working(at_hour(ends, 10) + timedelta(days=days))
            self.life.later(comes, self._release, made["id"])

    def _release(self, at: datetime, key: str) -> None:
        if key in self.board.rows("release"):
            self.board.edit(key, at=at, status="Delivered")

    # --- feedback

    def _hear(self, at: datetime, number: int) -> None:
        """Write a note down; mostly somebody processes it, some days later."""
        draw = Random(number)
        team = draw.choice(list(self.makers))
        about = draw.choice(THINGS[team])
        kind = draw.choices(("textNote", "conversationNote", "opportunityNote"), (70, 25, 5))[0]
        maker = draw.choice(self.makers[team])
        note = self.board.add_note(
            f"About {about}", at=at, kind=kind, source={"origin": draw.choice(SOURCES)},
            customer=draw.choice(self.customers) if draw.random() < 0.8 else "",
            tags=[{"name": name} for name in draw.sample(TAGS, draw.randrange(3))] or None,
            owner={"id": maker["id"], "email": maker["fields"]["email"]} if draw.random() < 0.9 else None,
            creator={"id": maker["id"], "email": maker["fields"]["email"]},
        )  # fmt: skip
        fate, days = draw.random(), spread(draw, 4.0, 1.0)
        if fate < 0.78:
            self.life.later(working(at + timedelta(days=days)), self._process, note["id"], team, draw.getrandbits(48))
        elif fate < 0.88:
            self.life.later(working(at + timedelta(days=3 * days)), self._put_away, note["id"])

    def _process(self, at: datetime, note: str, team: str, number: int) -> None:
        """Tie a note to what it is about, and call it processed; some reach no feature."""
        if note not in self.board.rows("note"):
            return  # somebody deleted it
        draw = Random(number)
        features = self.open_features[team]
        if features and draw.random() < 0.8:
            for row in draw.sample(features, min(len(features), draw.choice((1, 1, 1, 2)))):
                self.board.tie(note, "link", row["id"], at=at)
        self.board.edit(note, at=at, processed=True)

    def _put_away(self, at: datetime, note: str) -> None:
        if note in self.board.rows("note"):
            self.board.edit(note, at=at, archived=True)

    # --- who was there

    def _count_day(self, at: datetime, number: int) -> None:
        """Count the day of each maker and admin, and of whoever else came."""
        draw, day = Random(number), at.date()
        for key, row in self.board.rows("member").items():
            fields = row["fields"]
            works = fields["role"] in {"maker", "admin"}
            has_left = self._has_left(fields["email"], day)
            chance = (0.62 if works else 0.12) * (0.04 if day.weekday() >= 5 else 1.0)
            if fields["invitationPending"] or has_left:
                continue
            if draw.random() < chance:
                most = (9, 4, 5, 1, 3) if works else (4, 0, 0, 0, 1)
                self.board.be_active(key, day, **{
                    name: draw.randrange(top + 1) for name, top in zip(COUNTERS, most, strict=True)
                })  # fmt: skip
            elif works and day.weekday() < 5:
                self.board.be_active(key, day)

    def _has_left(self, email: str, day: date) -> bool:
        return any(one.email == email and one.left_on and one.left_on <= day for one in self.life.company.leavers)


def _health(status: str, at: datetime) -> Row:
    return {"status": status, "mode": "manual", "lastUpdatedAt": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"}


def _frame(day: date, days: int, grain: str) -> Row:
    return {"startDate": str(day), "endDate": str(day + timedelta(days=days)), "granularity": grain}


def _quarter(day: date, ahead: int) -> Row:
    """Return the quarter that a day is in, or one after it."""
    number = day.year * 4 + (day.month - 1) // 3 + ahead
    start, after = (date(one // 4, one % 4 * 3 + 1, 1) for one in (number, number + 1))
    return {"startDate": str(start), "endDate": str(after - timedelta(days=1)), "granularity": "quarter"}
