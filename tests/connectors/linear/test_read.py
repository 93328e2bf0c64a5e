"""Saved replies become pages, and raw records become rows; the expected rows are written by hand."""

from copy import deepcopy
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors import records as r
from connectors.base import FailureClass, Mode, Slice, SourceFailed
from connectors.services.linear import connector

from .replies import STREAMS, saved

WHOLE = Slice()


def at(value):
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


OPENED = at("2026-01-05T08:00:00")
EXPECTED = {
    "users": [
        r.PersonAccount(
            external_id="u1", email="maelle.quere@ardoise.example", name="Maëlle Quéré", kind="admin",
            joined_at=OPENED, last_seen_at=at("2026-02-03T09:00:00"),
        ),
        r.PersonAccount(external_id="u2", email="bo@studio.example", name="Bo", kind="guest", joined_at=OPENED),
        r.PersonAccount(external_id="u3", email="relay@bots.example", name="Relay", kind="bot", joined_at=OPENED),
        r.PersonAccount(
            external_id="u4", email="ove@ardoise.example", name="Ove", is_active=False, joined_at=OPENED
        ),
    ],
    "teams": [
        r.WorkTeam(
            external_id="t1", key="CHK", name="Checkout", time_zone="Europe/Paris", has_cycles=True,
            estimation="fibonacci", parent_ref="t0",
        ),
        r.WorkTeam(
            external_id="t2", key="OLD", name="Old", time_zone="America/Los_Angeles", estimation="other",
            archived_at=at("2026-01-31T12:00:00"),
        ),
    ],
    "states": [
        r.WorkState(external_id="s1", name="In progress", type="started", team_ref="t1", position=3.5),
        r.WorkState(external_id="s2", name="Parked", type="other", team_ref="t1", position=4.0),
    ],
    "labels": [
        r.WorkLabel(external_id="l1", name="Bug", is_group=True),
        r.WorkLabel(external_id="l2", name="Crash", parent_ref="l1", team_ref="t1"),
    ],
    "memberships": [r.WorkTeamMember(external_id="m1", team_ref="t1", account_ref="u1")],
    "templates": [
        r.WorkTemplate(external_id="k1", name="Bug report", type="issue", last_applied_at=at("2026-02-01T07:00:00"))
    ],
    "initiatives": [
        r.WorkInitiative(
            external_id="i1", name="Open the Nordics", url="https://linear.app/ardoise/initiative/i1",
            status="Active", health="atRisk", owner_ref="u1", target_on=date(2026, 6, 30),
        )
    ],
    "initiative_projects": [r.InitiativeProject(external_id="ip1", initiative_ref="i1", project_ref="p1")],
    "projects": [
        r.WorkProject(
            external_id="p1", name="One-page basket", url="https://linear.app/ardoise/project/p1",
            status_type="started", health="offTrack", health_at=at("2026-02-02T09:00:00"), lead_ref="u1",
            team_refs=["t1", "t2"], initiative_refs=["i1"], start_on=date(2026, 1, 5), target_on=date(2026, 3, 1),
            started_at=at("2026-01-05T09:00:00"), last_update_at=at("2026-02-02T09:00:00"), progress=0.375,
        )
    ],
    "cycles": [
        r.WorkCycle(
            external_id="c1", team_ref="t1", number=7, starts_at=at("2026-01-19T08:00:00"),
            ends_at=at("2026-02-02T08:00:00"), completed_at=at("2026-02-02T08:00:00"),
            scope_history=[10.0, 14.5, -2.0], completed_scope_history=[0.0, 3.0, 9.0],
            item_count_history=[5.0, 6.0, 6.0], completed_item_count_history=[0.0, 1.0, 4.0], uncompleted_refs=["x2"],
        )
    ],
    "project_updates": [
        r.ProjectUpdate(
            external_id="pu1", project_ref="p1", author_ref="u1", health="offTrack",
            posted_at=at("2026-02-02T09:00:00"),
        )
    ],
}  # fmt: skip


def rows(name, payload=None):
    stream = STREAMS[name]
    page = connector.read(stream, WHOLE, payload or saved(name))
    for record in page.records:
        stream.shape.model_validate(record)
    return [row for record in page.records for row in connector.map(stream, record)]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_saved_reply_becomes_these_rows(name):
    assert rows(name) == EXPECTED[name]


def test_every_stream_has_a_saved_reply():
    assert {*EXPECTED, "issues"} == set(STREAMS)


def test_a_finished_issue_becomes_an_item_its_spans_and_its_transitions():
    found = [row for row in rows("issues") if getattr(row, "item_ref", row.external_id) == "x1"]

    item, *rest = found
    assert item == r.WorkItem(
        external_id="x1", identifier="CHK-41", title="Show the basket total ✓",
        url="https://linear.app/ardoise/issue/CHK-1", team_ref="t1", state_ref="s5", state_type="completed",
        assignee_ref="u1", creator_ref="u2", project_ref="p1", cycle_ref="c1", parent_ref="x0",
        label_refs=["l2", "l3"], priority=2, estimate=3.0, due_on=date(2026, 2, 10), opened_at=OPENED,
        started_at=at("2026-01-20T09:00:00"), completed_at=at("2026-01-23T15:30:00.250"),
        triage_started_at=OPENED, triaged_at=at("2026-01-06T08:00:00"), cycle_entered_at=at("2026-01-19T08:30:00"),
    )  # fmt: skip
    spans = [row for row in rest if isinstance(row, r.StateSpan)]
    assert spans == [
        r.StateSpan(
            external_id="span:sp1", item_ref="x1", state_ref="s1", started_at=at("2026-01-20T09:00:00"),
            ended_at=at("2026-01-23T15:30:00.250"),
        ),
        r.StateSpan(external_id="span:sp2", item_ref="x1", state_ref="s5", started_at=at("2026-01-23T15:30:00.250")),
    ]  # fmt: skip
    changes = {row.external_id: (row.field, row.before, row.after, row.actor_ref) for row in rest[2:]}
    assert changes == {
        "history:h3:state": ("state", "s1", "s5", "u1"),
        "history:h3:label:l3:added": ("label", "", "l3", "u1"),
        "history:h3:label:l4:removed": ("label", "l4", "", "u1"),
        "history:h2:state": ("state", "s2", "s1", "u1"),
        "history:h2:estimate": ("estimate", "5", "3", "u1"),
        "history:h2:priority": ("priority", "0", "2", "u1"),
        "history:h2:assignee": ("assignee", "", "u1", "u1"),
        "history:h1:cycle": ("cycle", "", "c1", ""),
        "history:h1:project": ("project", "", "p1", ""),
        "history:h1:team": ("team", "t2", "t1", ""),
        "history:h1:archived": ("archived", "", "false", ""),
        "history:h1:trashed": ("trashed", "", "true", ""),
    }


def test_an_unknown_state_type_is_other_and_is_said():
    page = connector.read(STREAMS["issues"], WHOLE, saved("issues"))

    (item,) = connector.map(STREAMS["issues"], page.records[1])
    assert item.state_type == "other"
    assert item.is_trashed and item.archived_at == at("2026-02-01T00:00:00")
    assert [str(one) for one in page.notices] == ["state.type: unknown value “snoozed”, kept as “other”"]


def test_a_long_history_is_completed_by_a_follow_up():
    page = connector.read(STREAMS["issues"], WHOLE, saved("issues"))

    (more,) = page.more
    assert more.request.json["operationName"] == "IssueHistoryMore"
    assert more.request.json["variables"] == {"id": "x1", "first": 100, "after": "aDE="}
    assert more.merge(saved("issue_history_more")) is None
    # h1 came on both pages: once is enough
    assert [change["id"] for change in page.records[0]["history"]["nodes"]] == ["h3", "h2", "h1", "h0"]


def test_a_follow_up_leads_to_the_next_one_while_there_is_more():
    page = connector.read(STREAMS["issues"], WHOLE, saved("issues"))
    answer = saved("issue_history_more")
    answer["data"]["issue"]["history"]["pageInfo"]["hasNextPage"] = True

    following = page.more[0].merge(answer)

    assert following.request.json["variables"]["after"] == "aDA="


def test_a_follow_up_that_turns_in_circles_is_stopped():
    page = connector.read(STREAMS["issues"], WHOLE, saved("issues"))
    answer = saved("issue_history_more")
    answer["data"]["issue"]["history"]["pageInfo"] = {"hasNextPage": True, "endCursor": "aDE="}

    with pytest.raises(SourceFailed) as failed:
        page.more[0].merge(answer)

    assert failed.value.kind == FailureClass.SOURCE_MISBEHAVES


def test_the_next_page_is_named_and_the_last_has_none():
    assert connector.read(STREAMS["users"], WHOLE, saved("users")).next_token == "Y3Vyc29y"
    assert connector.read(STREAMS["teams"], WHOLE, saved("teams")).next_token is None


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda answer: answer.update(data=None), FailureClass.BAD_PAYLOAD),
        (lambda answer: answer["data"].pop("users"), FailureClass.BAD_PAYLOAD),
        (lambda answer: answer["data"].update(users=[None]), FailureClass.BAD_PAYLOAD),
        (lambda answer: answer["data"]["users"].update(nodes=None), FailureClass.BAD_PAYLOAD),
        (lambda answer: answer["data"]["users"].pop("pageInfo"), FailureClass.SCHEMA_DRIFT),
        (lambda answer: answer["data"]["users"]["pageInfo"].update(endCursor=None), FailureClass.SOURCE_MISBEHAVES),
        (lambda answer: answer.update(errors=[{"message": "half"}]), FailureClass.SOURCE_DOWN),
    ],
)
def test_a_damaged_page_is_refused_whole(damage, kind):
    answer = saved("users")
    damage(answer)

    with pytest.raises(SourceFailed) as failed:
        connector.read(STREAMS["users"], WHOLE, answer)

    assert failed.value.kind == kind


@pytest.mark.parametrize(
    ("stream", "path", "value"),
    [
        ("issues", "priority", "2"),
        ("issues", "createdAt", 1_700_000_000),
        ("issues", "createdAt", "yesterday"),
        ("issues", "labelIds", None),
        ("issues", "state", None),
        ("issues", "history", {"nodes": [{"id": "h"}]}),
        ("users", "email", None),
        ("users", "active", "yes"),
        ("cycles", "scopeHistory", ["1"]),
        ("projects", "progress", None),
        ("teams", "key", 7),
    ],
)
def test_a_field_of_another_type_is_refused_by_name(stream, path, value):
    record = deepcopy(connector.read(STREAMS[stream], WHOLE, saved(stream)).records[0])
    record[path] = value

    with pytest.raises(ValidationError) as refused:
        STREAMS[stream].shape.model_validate(record)

    assert refused.value.errors()[0]["loc"][0] == path


def test_a_missing_field_is_refused_and_an_extra_one_is_not():
    record = connector.read(STREAMS["labels"], WHOLE, saved("labels")).records[0]
    shape = STREAMS["labels"].shape

    shape.model_validate({**record, "shade": "teal"})
    record.pop("isGroup")
    with pytest.raises(ValidationError):
        shape.model_validate(record)


def test_text_is_cut_to_its_column_and_loses_what_postgresql_refuses():
    record = saved("issues")["data"]["issues"]["nodes"][0]
    record["title"] = "a\x00b" + "x" * 1_000_000
    record["url"] = "javascript:alert(1)"

    item = next(iter(connector.map(STREAMS["issues"], record)))

    assert item.title == "ab" + "x" * 498
    assert item.url == ""


# --- requests


def test_a_window_is_asked_from_and_to_in_milliseconds():
    start = datetime(2026, 2, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    part = Slice(start, start + timedelta(hours=1))

    request = connector.request(STREAMS["issues"], part, "Y3Vy")

    assert request.json["variables"] == {
        "first": 100,
        "after": "Y3Vy",
        "from": "2026-02-01T12:00:00.123Z",
        "to": "2026-02-01T13:00:00.123Z",
    }
    assert request.path == "/graphql" and request.method == "POST"


def test_a_sweep_asks_for_ids_alone():
    request = connector.request(STREAMS["issues"], Slice(sweep=True), None)

    assert request.json["operationName"] == "IssueIdSweep"
    assert request.json["variables"] == {"first": 250}


@pytest.mark.parametrize("stream", [stream for stream in STREAMS.values() if stream.mode is Mode.FULL])
def test_a_stream_that_is_read_whole_is_swept_by_its_ordinary_pages(stream):
    swept = connector.request(stream, Slice(sweep=True), None)

    assert swept == connector.request(stream, WHOLE, None)
    assert connector.read(stream, Slice(sweep=True), saved(stream.name)).records


def test_streams_come_after_what_they_need():
    seen = set()
    for stream in connector.streams:
        assert set(stream.needs) <= seen, stream.name
        seen.add(stream.name)


def test_a_personal_key_goes_bare_and_a_token_behind_bearer():
    assert connector.headers("lin_api_abc") == {"Authorization": "lin_api_abc"}
    assert connector.headers("lin_oauth_abc") == {"Authorization": "Bearer lin_oauth_abc"}


def test_the_check_says_who_and_where():
    found = connector.checked(
        {
            "data": {
                "viewer": {"id": "u1", "name": "Maëlle Quéré", "email": "m@ardoise.example", "admin": True},
                "organization": {"id": "o", "name": "Ardoise", "urlKey": "ardoise", "userCount": 70},
            }
        }
    )

    assert (found.account, found.workspace) == ("Maëlle Quéré", "Ardoise")
    assert found.workspace_url == "https://linear.app/ardoise"
