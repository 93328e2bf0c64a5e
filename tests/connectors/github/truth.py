"""Compares what the hub holds of a connection with the forge it read, row by row."""

from connectors.models import ChangeRequest, Deployment, Release
from connectors.sandbox.clock import moment


def assert_same(company, repositories):
    """Fail unless every live row is the forge's, and the forge's (of these repositories) is a live row."""
    truth = {
        kind: {key: row for key, row in rows.items() if row["repository"] in repositories}
        for kind, rows in company.forge.truth().items()
    }
    ids = {login: str(account["id"]) for login, account in company.forge.accounts.items()}
    of_hub = {"connection": company.connection, "deleted_at": None}
    assert {
        one.external_id: (
            one.repository, one.number, one.title, one.state, one.is_draft, one.author_ref, one.base, one.opened_at,
            one.edited_at, one.closed_at, one.merged_at, one.is_by_bot,
        )
        for one in ChangeRequest.objects.filter(**of_hub)
    } == {
        key: (
            row["repository"], row["number"], row["title"], "merged" if row["merged_at"] else row["state"],
            row["draft"], ids.get(row["user"], ""), row["base"], moment(row["created_at"]), moment(row["updated_at"]),
            at(row["closed_at"]), at(row["merged_at"]), (row["user"] or "").endswith("[bot]"),
        )
        for key, row in truth["Pull"].items()
    }  # fmt: skip
    assert {
        one.external_id: (one.repository, one.tag, one.name, one.is_prerelease, one.published_at)
        for one in Release.objects.filter(**of_hub)
    } == {
        key: (row["repository"], row["tag_name"], row["name"], row["prerelease"], at(row["published_at"]))
        for key, row in truth["Release"].items()
        if not row["draft"]
    }
    assert {
        one.external_id: (
            one.repository, one.environment, one.is_production, one.outcome, one.requested_at, one.succeeded_at,
            one.failed_at,
        )
        for one in Deployment.objects.filter(**of_hub)
    } == {
        key: (
            row["repository"], row["environment"], row["environment"] == "production", ended(row["statuses"])[0],
            moment(row["created_at"]), *ended(row["statuses"])[1:],
        )
        for key, row in truth["Deployment"].items()
    }  # fmt: skip


def at(text):
    return text and moment(text)


def ended(statuses):
    """Return how a deployment ended, and when it first succeeded and failed."""
    first = {}
    for one in statuses:
        first.setdefault("failure" if one["state"] == "error" else one["state"], moment(one["created_at"]))
    outcome = next((name for name in ("success", "failure") if name in first), "pending")
    return outcome, first.get("success"), first.get("failure")
