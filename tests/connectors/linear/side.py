"""Linear's side of a company: issues that people move, edit, put away; accounts, states and labels that change."""

from datetime import timedelta

from connectors.sandbox.linear import KEY
from connectors.services.linear.operations import LISTS, SWEEPS
from tests.connectors.side import Side

from .truth import assert_same

ISSUES, DELETIONS = 30, 3
TITLE = {"path": "issues.nodes.title"}
OPERATIONS = {name: {made.name} for name, made in LISTS.items()}
for name, made in SWEEPS.items():
    OPERATIONS[name].add(made.name)
OPERATIONS["issues"] |= {"IssueHistoryMore", "IssueStatesMore"}


class LinearSide(Side):
    service, label, secret = "linear", "Linear", KEY
    operations = OPERATIONS
    struck = ("IssuesWindow", "IssueIdSweep", "Users", "Teams", "Cycles", "Projects", "WorkflowStates",
              "IssueHistoryMore")  # fmt: skip
    spoilt = "IssuesWindow"
    params = {
        "new_enum": {"path": "issues.nodes.state.type"},
        "field_missing": TITLE,
        "field_renamed": TITLE | {"to": "name"},
        "type_changed": TITLE | {"value": 7},
        "big_string": TITLE,
        "strange_text": TITLE,
    }

    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.team = next(iter(self.world.rows("Team")))
        self.deleted = []
        for place in range(ISSUES):
            self.world.create_issue(self.team, f"Issue {place}")

    def one(self, kind, place):
        rows = list(self.world.rows(kind).values())
        return rows[place % len(rows)]

    def state_at(self, issue, place):
        """Return the name that a state of the issue's team has by now; it may have been renamed."""
        states = [row for row in self.world.rows("WorkflowState").values() if row["teamId"] == issue["teamId"]]
        return sorted(states, key=lambda row: row["position"])[place % len(states)]["name"]

    def change(self, draw):
        acts = (self.move, self.move, self.create, self.edit, self.shuttle, self.put_away, self.reorganise)
        draw.choice(acts)(draw, draw.randrange(10**6))

    def create(self, draw, number):
        self.world.create_issue(self.team, f"New {number}", state=self.state_at({"teamId": self.team}, 0))

    def move(self, draw, number):
        issue, person = self.one("Issue", number), self.one("User", number)
        self.world.edit_issue(issue["id"], state=self.state_at(issue, draw.randrange(7)), actor_id=person["id"])

    def edit(self, _draw, number):
        labels = [self.one("IssueLabel", number)["id"]]
        title = f"Title {number}"
        self.world.edit_issue(self.one("Issue", number)["id"], title=title, estimate=number % 8, labelIds=labels)

    def shuttle(self, _draw, number):
        """Move an issue to and fro until its history is longer than its page."""
        issue = self.one("Issue", number)
        for place in range(14):
            self.world.clock.advance(timedelta(minutes=5))
            self.world.edit_issue(issue["id"], state=self.state_at(issue, place % 2))

    def put_away(self, draw, number):
        issue = self.one("Issue", number)
        how = draw.choice(("archive", "unarchive", "trash", "restore", "delete", "bring back"))
        if how == "delete" and len(self.deleted) < DELETIONS:
            self.lost += 1
            self.deleted.append(self.world.delete("Issue", issue["id"]))
        elif how == "bring back" and self.deleted:
            self.world.bring_back("Issue", self.deleted.pop())
        elif how in ("archive", "unarchive", "trash", "restore"):
            getattr(self.world, how)("Issue", issue["id"])

    def reorganise(self, draw, number):
        how = draw.choice(("rename person", "deactivate", "leave team", "rename state"))
        person, memberships = self.one("User", number), self.world.rows("TeamMembership")
        if how == "rename person":
            self.world.rename("User", person["id"], f"Name {number}")
        elif how == "rename state":
            self.world.rename("WorkflowState", self.one("WorkflowState", number)["id"], f"State {number}")
        elif how == "deactivate" and not person["admin"]:
            self.world.deactivate(person["id"])
        elif how == "leave team" and len(memberships) > 1:
            self.lost += 1
            self.world.delete("TeamMembership", self.one("TeamMembership", number)["id"])

    def settle(self):
        """Change every row: the weekly sweep lists ids alone, and would not bring a spoiled value again."""
        if self.is_spoiled:
            for key in self.world.rows("Issue"):
                self.world.edit("Issue", key, at=self.world.clock.advance(timedelta(seconds=1)))

    def grant(self, secret):
        self.wire.keys[secret] = None

    def assert_same(self):
        assert_same(self.connection, self.world)
