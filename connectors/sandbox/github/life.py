"""Ardoise's engineers at work: what is in progress in Linear becomes a pull request, is merged when it is done, and is
then released and brought to people. Each day is drawn from the seed and its date alone.
"""

from bisect import bisect_left
from datetime import date, datetime, timedelta
from random import Random

from connectors.sandbox.clock import text
from connectors.sandbox.life import Life, at_hour
from connectors.sandbox.world import Row

from .forge import Forge
from .wire import GitHubWire

HOMES = {"CHK": "shop", "SRC": "search", "MOB": "app", "GRW": "shop", "ONB": "shop", "PLT": "platform"}
ALL_HOMES = ("shop", "search", "app", "platform")
NAMED = 0.86  # of the pull requests name their issue, in branch or title
SHOWN_EACH_TIME = 0.45  # of the issues in progress, at noon and in the evening
DEPLOYED_A_DAY = {"shop": 2.2, "search": 1.3, "app": 0.4, "platform": 0.8}
FAILED = 0.07
BUMPS_A_WEEK = 3


class Engineering:
    """The department: its repositories, and how code gets into them."""

    def __init__(self, life: Life) -> None:
        self.life, self.world = life, life.world
        self.forge = Forge(life.world)
        self.wire = GitHubWire(self.forge)
        self.pulls: dict[str, Row] = {}  # Linear's issue → its pull request
        self.begun: dict[str, Row] = {}  # issues in progress that have none yet
        self.looked_at = at_hour(life.first, 0)
        self.bumps: list[Row] = []
        self.versions = dict.fromkeys(ALL_HOMES, 0)
        for home in ALL_HOMES:
            self.forge.add_repository(home)
        for person in (*life.company.people, *life.company.leavers):
            if person.craft == "engineering":
                self.forge.add_account(person.email.partition("@")[0].replace(".", "-"))

    def plan_day(self, day: date) -> None:
        """Lay down a day: what moved in Linear, deployments as they come, Thursday's releases."""
        if day.weekday() > 4:
            return
        draw = Random(f"{self.world.seed}:code:{day}")
        for hour in (11, 17):
            self.life.later(at_hour(day, hour), self._follow_linear, draw.getrandbits(48))
        for home in ALL_HOMES:
            wanted = DEPLOYED_A_DAY[home]
            for _one in range(int(wanted) + (draw.random() < wanted % 1)):
                at = at_hour(day, 9) + timedelta(minutes=draw.uniform(0, 480))
                self.life.later(at, self._deploy, home, draw.getrandbits(48))
            if day.weekday() == 3:
                self.life.later(at_hour(day, 15), self._release, home)
        if day.weekday() == 0:
            self.life.later(at_hour(day, 6), self._bump, draw.getrandbits(48))

    def _follow_linear(self, at: datetime, number: int) -> None:
        """Work in progress is proposed, finished work is merged, what was given up is closed."""
        draw = Random(number)
        issues, states = self.world.rows("Issue"), self.world.rows("WorkflowState")
        order = self.world.tables["Issue"].order("updatedAt")
        for _at, key in order[bisect_left(order, (text(self.looked_at), "")) :]:
            kind = states[issues[key]["stateId"]]["type"]
            pull = self.pulls.get(key)
            if pull is None and kind == "started":
                self.begun[key] = issues[key]
            elif pull is not None and pull["state"] == "open" and kind == "completed":
                self.life.later(at + timedelta(minutes=draw.uniform(1, 60)), self._end, pull, "merge")
            elif pull is not None and pull["state"] == "open" and kind in {"canceled", "duplicate"}:
                self.life.later(at + timedelta(minutes=draw.uniform(1, 60)), self._end, pull, "close")
        self.looked_at = at
        for key, issue in list(self.begun.items()):
            if states[issue["stateId"]]["type"] != "started" or key not in issues:
                del self.begun[key]
            elif draw.random() < SHOWN_EACH_TIME:
                del self.begun[key]
                when = at + timedelta(minutes=draw.uniform(1, 170))
                self.life.later(when, self._propose, issue, draw.getrandbits(48))

    def _end(self, at: datetime, pull: Row, how: str) -> None:
        if pull["state"] == "open":
            (self.forge.merge if how == "merge" else self.forge.close)(pull["id"], at=at)

    def _propose(self, at: datetime, issue: Row, number: int) -> None:
        is_begun = self.world.rows("WorkflowState")[issue["stateId"]]["type"] == "started"
        if issue["id"] in self.pulls or not is_begun:
            return
        draw = Random(number)
        team = self.world.rows("Team")[issue["teamId"]]
        key = str(issue["identifier"])
        assignee = self.world.rows("User").get(issue.get("assigneeId") or "")
        login = str(assignee["email"]).partition("@")[0].replace(".", "-") if assignee else ""
        if login not in self.forge.accounts:
            login = next(iter(self.forge.accounts.values()))["login"]
        words = str(issue["title"]).lower().replace(" ", "-").replace(",", "")[:40]
        is_named, in_title = draw.random() < NAMED, draw.random() < 0.3
        branch = f"{login}/{key.lower()}-{words}" if is_named and not in_title else f"{login}/{words}"
        title = f"{key}: {issue['title']}" if is_named and in_title else str(issue["title"])
        home = f"{self.forge.owner}/{HOMES[team['key']]}"
        made = self.forge.open_pull(home, title, branch=branch, by=login, at=at, draft=draw.random() < 0.1)
        self.pulls[issue["id"]] = made

    def _bump(self, at: datetime, number: int) -> None:
        """Monday: the robot merges what it proposed last week, and proposes anew."""
        draw = Random(number)
        for pull in self.bumps:
            self.forge.merge(pull["id"], at=at)
        self.bumps = [
            self.forge.open_pull(
                f"{self.forge.owner}/{draw.choice(ALL_HOMES)}", f"Update dependency {place}",
                branch=f"renovate/{number % 10_000}-{place}", at=at,
            )
            for place in range(BUMPS_A_WEEK)
        ]  # fmt: skip

    def _release(self, at: datetime, home: str) -> None:
        self.versions[home] += 1
        self.forge.publish(f"{self.forge.owner}/{home}", f"v1.{self.versions[home]}.0", at=at)

    def _deploy(self, at: datetime, home: str, number: int, environment: str = "staging") -> None:
        """Bring main to an environment; from staging it goes on to people, unless it fails."""
        draw = Random(number)
        made = self.forge.deploy(f"{self.forge.owner}/{home}", environment, at=at)
        has_failed = draw.random() < FAILED
        self.life.later(at + timedelta(seconds=20), self._tell, made["id"], "in_progress")
        self.life.later(at + timedelta(minutes=9), self._tell, made["id"], "failure" if has_failed else "success")
        if environment == "staging" and not has_failed:
            self.life.later(at + timedelta(minutes=40), self._deploy, home, draw.getrandbits(48), "production")

    def _tell(self, at: datetime, key: int, state: str) -> None:
        self.forge.tell(key, state, at=at)
