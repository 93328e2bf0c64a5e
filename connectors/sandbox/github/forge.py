"""What GitHub would know of the company's code, and every way a person or a robot may change it.

Rows are plain dicts under GitHub's own field names; what GitHub shows nested or by address is added by the wire.
Times are cut to the second, as GitHub's are. A forge shares the world's clock and lock.
"""

from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.world import NotThere, Row, World

KINDS = ("Pull", "Release", "Deployment")


def text(at: datetime) -> str:
    """Write a moment as GitHub does: UTC, whole seconds, Z. Such texts sort as the moments do."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class Forge:
    """Everything: accounts, repositories by their full name, and what is in them."""

    def __init__(self, world: World, owner: str = "") -> None:
        self.world, self.clock = world, world.clock
        self.owner = owner or str(world.organization["urlKey"])
        self.accounts: dict[str, Row] = {}
        self.repositories: dict[str, Row] = {}
        self.moved: dict[str, int] = {}  # a former name → the repository's id
        self.tables: dict[str, dict[int, Row]] = {kind: {} for kind in KINDS}
        self._in_use: dict[tuple[int, str], int] = {}  # repository and environment → deployment
        self._last = 1000
        self.robot = self.add_account("renovate[bot]", kind="Bot")

    # --- making

    def add_account(self, login: str, *, kind: str = "User") -> Row:
        self.accounts[login] = {"id": self._new_id(), "login": login, "type": kind}
        return self.accounts[login]

    def add_repository(self, name: str) -> Row:
        """Make a repository of the company's."""
        row: Row = {"id": self._new_id(), "full_name": f"{self.owner}/{name}", "is_open": True, "numbers": 0}
        self.repositories[row["full_name"]] = row
        return row

    def open_pull(
        self, repository: str, title: str, *, branch: str, by: str = "", at: datetime | None = None,
        draft: bool = False, base: str = "main",
    ) -> Row:  # fmt: skip
        """Propose a change."""
        home, when = self.repository(repository), self._when(at)
        home["numbers"] += 1
        return self._keep("Pull", home, {
            "number": home["numbers"], "title": title, "state": "open", "draft": draft, "head": branch, "base": base,
            "user": by or self.robot["login"], "created_at": when, "updated_at": when, "closed_at": None,
            "merged_at": None,
        })  # fmt: skip

    def publish(
        self, repository: str, tag: str, *, name: str = "", by: str = "", at: datetime | None = None,
        prerelease: bool = False,
    ) -> Row:  # fmt: skip
        """Make a release public."""
        when = self._when(at)
        return self._keep("Release", self.repository(repository), {
            "tag_name": tag, "name": name or tag, "draft": False, "prerelease": prerelease,
            "author": by or self.robot["login"], "created_at": when, "published_at": when,
        })  # fmt: skip

    def deploy(
        self, repository: str, environment: str, *, ref: str = "main", by: str = "", at: datetime | None = None,
    ) -> Row:  # fmt: skip
        """Ask for a deployment; how it goes is said by statuses."""
        when = self._when(at)
        return self._keep("Deployment", self.repository(repository), {
            "environment": environment, "production_environment": environment == "production", "ref": ref,
            "creator": by or self.robot["login"], "created_at": when, "updated_at": when, "statuses": [],
        })  # fmt: skip

    # --- changing

    def edit_pull(self, key: int, *, at: datetime | None = None, **fields: Any) -> Row:
        """Change a pull request, by its fields' own names."""
        row = self.get("Pull", key)
        row |= fields | {"updated_at": self._when(at)}
        return row

    def merge(self, key: int, *, at: datetime | None = None) -> Row:
        when = self._when(at)
        return self.edit_pull(key, at=at, state="closed", closed_at=when, merged_at=when)

    def close(self, key: int, *, at: datetime | None = None) -> Row:
        """Close a pull request without merging it."""
        return self.edit_pull(key, at=at, state="closed", closed_at=self._when(at))

    def reopen(self, key: int, *, at: datetime | None = None) -> Row:
        return self.edit_pull(key, at=at, state="open", closed_at=None)

    def edit_release(self, key: int, **fields: Any) -> Row:
        """Change a release. Nothing in GitHub's list says when."""
        row = self.get("Release", key)
        row |= fields
        return row

    def tell(self, key: int, state: str, *, at: datetime | None = None) -> Row:
        """Say how a deployment goes. A success makes the one before, in its environment, inactive."""
        row = self.get("Deployment", key)
        if state == "success":
            before = self._in_use.get((row["home"], row["environment"]), key)
            if before != key and before in self.tables["Deployment"]:
                self._add_status(self.get("Deployment", before), "inactive", at)
            self._in_use[row["home"], row["environment"]] = key
        return self._add_status(row, state, at)

    def delete(self, kind: str, key: int) -> Row:
        """Delete a release, a deployment, or (as only GitHub's staff may) a pull request."""
        self.get(kind, key)
        return self.tables[kind].pop(key)

    def rename(self, repository: str, name: str) -> Row:
        """Give a repository another name; the former one leads there."""
        row = self.repositories.pop(self.repository(repository)["full_name"])
        self.moved[row["full_name"]] = row["id"]
        row["full_name"] = f"{self.owner}/{name}"
        self.repositories[row["full_name"]] = row
        return row

    def hide(self, repository: str) -> Row:
        """Take a repository away from the token."""
        return self._open(repository, is_open=False)

    def show(self, repository: str) -> Row:
        return self._open(repository, is_open=True)

    # --- reading

    def repository(self, full_name: str) -> Row:
        """Return a repository. Names are not case-sensitive. Raises NotThere."""
        for name, row in self.repositories.items():
            if name.lower() == full_name.lower():
                return row
        raise NotThere(f"repository {full_name}")

    def get(self, kind: str, key: int) -> Row:
        if key not in self.tables[kind]:
            raise NotThere(f"{kind} {key}")
        return self.tables[kind][key]

    def rows(self, kind: str, repository: str = "") -> list[Row]:
        """Return the rows of a kind, of one repository or of all that the token opens."""
        homes = {row["id"] for name, row in self.repositories.items() if row["is_open"] and repository in ("", name)}
        return [row for row in self.tables[kind].values() if row["home"] in homes]

    def truth(self) -> dict[str, dict[str, Row]]:
        """Return all that a faithful reader of every open repository must end up with."""
        names = {row["id"]: name for name, row in self.repositories.items()}
        return {
            kind: {str(row["id"]): {**row, "repository": names[row["home"]]} for row in self.rows(kind)}
            for kind in KINDS
        }

    # --- inside

    def _keep(self, kind: str, home: Row, fields: Row) -> Row:
        row = {"id": self._new_id(), "home": home["id"], **fields}
        self.tables[kind][row["id"]] = row
        return row

    def _add_status(self, row: Row, state: str, at: datetime | None) -> Row:
        when = self._when(at)
        row["statuses"].append({"id": self._new_id(), "state": state, "created_at": when})
        row["updated_at"] = when
        return row

    def _open(self, repository: str, *, is_open: bool) -> Row:
        row = self.repository(repository)
        row["is_open"] = is_open
        return row

    def _when(self, at: datetime | None) -> str:
        return text(at or self.clock.now())

    def _new_id(self) -> int:
        self._last += 1
        return self._last
