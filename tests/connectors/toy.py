"""A service of our own making, as small as a connector can be: people (full) and issues (by window)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from connectors import records
from connectors.base import Budget, Checked, Limits, Mode, More, Page, Request, SourceFailed, Stream
from connectors.base import FailureClass as Why


class PersonShape(BaseModel):
    id: str
    name: str
    email: str
    active: bool = True
    updatedAt: datetime


class SpanShape(BaseModel):
    id: str
    state: str
    start: datetime
    end: datetime | None = None


class IssueShape(BaseModel):
    id: str
    title: str
    state: str
    createdAt: datetime
    updatedAt: datetime
    spans: list[SpanShape] = []


PEOPLE = Stream(
    name="people",
    label="People",
    feeds="seats",
    mode=Mode.FULL,
    shape=PersonShape,
    page_size=10,
    personal=("name", "email"),
    snapshot=("lastSeen",),
)
ISSUES = Stream(
    name="issues",
    label="Issues",
    feeds="cycle time",
    mode=Mode.WINDOW,
    shape=IssueShape,
    page_size=10,
    sweep_every=timedelta(days=7),
    needs=("people",),
)


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class Toy:
    key = "toy"
    name = "Toy"
    hosts = ("toy.example",)
    streams = (PEOPLE, ISSUES)
    scopes = [("read", "to read")]
    map_version = 1
    budgets: tuple[Budget, ...] = ()

    def __init__(self, base_url: str = "https://toy.example") -> None:
        self.base_url = base_url

    def headers(self, secret: str) -> dict[str, str]:
        return {"Authorization": secret}

    def check_request(self) -> Request:
        return Request("/me", method="GET")

    def checked(self, payload: dict[str, Any]) -> Checked:
        return Checked(account=payload["name"], workspace=payload["workspace"])

    def request(self, stream: Stream, part: Any, token: str | None) -> Request:
        params = {"size": str(stream.page_size)}
        if token:
            params["token"] = token
        if part.start is not None:
            params["from"], params["to"] = part.start.isoformat(), part.end.isoformat()
        if part.sweep:
            params["ids"] = "1"
        return Request(f"/{stream.name}", method="GET", params=params)

    def read(self, stream: Stream, part: Any, payload: dict[str, Any]) -> Page:
        if "rows" not in payload:
            raise SourceFailed(Why.BAD_PAYLOAD, "no rows", is_final=False)
        more = []
        for row in payload["rows"]:
            if isinstance(row, dict) and row.get("moreSpans"):
                more.append(self.follow(row, row.pop("moreSpans")))
        return Page(payload["rows"], payload.get("next"), more)

    def follow(self, row: dict[str, Any], token: str) -> More:
        def merge(answer: dict[str, Any]) -> More | None:
            row["spans"] += answer["spans"]
            return self.follow(row, answer["more"]) if answer.get("more") else None

        return More(Request(f"/spans/{row['id']}", method="GET", params={"token": token}), merge)

    def map(self, stream: Stream, record: dict[str, Any]) -> list[records.Record]:
        if stream.name == "people":
            return [
                records.PersonAccount(
                    external_id=record["id"],
                    email=record["email"].lower(),
                    name=record["name"],
                    is_active=record.get("active", True),
                    last_seen_at=moment(record.get("lastSeen")),
                )
            ]
        item = records.WorkItem(
            external_id=record["id"],
            identifier=record["id"].upper(),
            title=record["title"],
            state_type=record["state"],
            opened_at=datetime.fromisoformat(record["createdAt"]),
            priority=record.get("priority", 0),
        )
        spans = [
            records.StateSpan(
                external_id=span["id"],
                item_ref=record["id"],
                state_ref=span["state"],
                started_at=datetime.fromisoformat(span["start"]),
                ended_at=moment(span.get("end")),
            )
            for span in record.get("spans", [])
        ]
        return [item, *spans]

    def classify(self, answer: Any, now: datetime) -> SourceFailed | None:
        if answer.status == 400:
            payload = answer.json()
            code = payload.get("code")
            if code == "RATELIMITED":
                return SourceFailed(
                    Why.RATE_LIMITED, "limit", retry_at=now + timedelta(seconds=payload["wait"]), is_final=False
                )
            return SourceFailed(Why.QUERY_REJECTED, code or "400")
        return None

    def limits(self, answer: Any) -> Limits:
        left = answer.headers.get("x-left")
        reset = answer.headers.get("x-reset")
        return Limits(
            remaining_share=float(left) if left else None,
            resets_at=datetime.fromtimestamp(float(reset), UTC) if reset else None,
        )
