"""Feedback, plans and joins: the product's SQL against plain Python, on generated worlds made to be awkward."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from connectors.models import (
    AccountDay,
    Connection,
    DailySnapshot,
    Feedback,
    FeedbackLink,
    PersonAccount,
    ProductItem,
    ProductLink,
    WorkItem,
    WorkProject,
    WorkTeam,
)
from hub.people.models import Membership, Team, User
from kpis.management.commands.load_metrics import Command
from kpis.models import Metric, ObservationHistory, ProjectLink
from kpis.sync.recompute import recompute
from tests.kpis import reference_tools as reference
from tests.kpis.reference import week_of
from tests.kpis.test_against_reference import agree, stored

pytestmark = pytest.mark.django_db
ZONE = settings.COMPANY_TIME_ZONE
NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)  # a Sunday
FIRST = date(2026, 8, 3)
SEEDS = range(6)


@pytest.fixture
def board(db):
    Command().handle()
    return Connection.objects.create(service="productboard", label="Productboard")


@pytest.fixture
def teams(db):
    return [Team.objects.create(name=name, slug=name.lower()) for name in ("Checkout", "Search")]


class Dice(random.Random):
    """Seeded chance, and the awkward choices made with it."""

    def moment(self):
        return datetime(2026, 8, 10, tzinfo=UTC) + timedelta(minutes=self.randrange(104 * 24 * 60))

    def day(self):
        return self.moment().date()

    def seldom(self, value):
        return value if self.random() < 0.15 else None

    def some(self, things):
        return [thing for thing in things if self.random() < 0.4]


def members(board, teams):
    """Four accounts: one moved from a team to the other, one is nobody's. Return ref → memberships."""
    homes = {}
    for n, spans in enumerate(
        ([(teams[0], date(2026, 1, 1), date(2026, 10, 14)), (teams[1], date(2026, 10, 14), None)],
         [(teams[0], date(2026, 1, 1), None)], [])
    ):  # fmt: skip
        person = User.objects.create(email=f"p{n}@ardoise.example", name=f"Person {n}")
        for team, start, end in spans:
            Membership.objects.create(person=person, team=team, starts_on=start, ends_on=end)
        PersonAccount.objects.create(connection=board, external_id=f"m{n}", person=person, kind="member")
        homes[f"m{n}"] = [(team.pk, start, end) for team, start, end in spans]
    PersonAccount.objects.create(connection=board, external_id="m3", kind="admin")
    return homes


def notes_of(dice, items=()):
    notes = []
    for n in range(dice.randrange(5, 60)):
        opened = dice.moment()
        first = opened.date() + timedelta(days=dice.choice([0, 1, 1, 2, 30]))
        first = min(first, NOW.date())
        over = min(first + timedelta(days=dice.randrange(0, 40)), NOW.date())
        processed = dice.random() < 0.5
        seen = [(first, False), (over, True)] if over > first else [(first, True)]
        notes.append({
            "ref": f"n{n}", "owner": dice.choice(["m0", "m0", "m1", "m2", "m3", ""]), "processed": processed,
            "archived": dice.random() < 0.2, "customer": dice.random() < 0.5, "opened_at": opened,
            "edited_at": opened + timedelta(hours=dice.choice([0, 20, 70, 900])),
            "deleted_at": dice.seldom(dice.moment()),
            "seen": dice.choice([seen, seen, []]) if processed else [(first, False)],
            "links": [(ref, dice.seldom(NOW)) for ref in dice.some(items)],
        })  # fmt: skip
    return notes


def store_notes(board, notes):
    Feedback.objects.bulk_create(
        Feedback(
            connection=board, external_id=n["ref"], is_processed=n["processed"], is_archived=n["archived"],
            owner_ref=n["owner"], customer_ref="c" if n["customer"] else "", opened_at=n["opened_at"],
            edited_at=n.get("edited_at", n["opened_at"]), deleted_at=n["deleted_at"],
        )
        for n in notes
    )  # fmt: skip
    FeedbackLink.objects.bulk_create(
        FeedbackLink(
            connection=board, external_id=f"{n['ref']}:{ref}", feedback_ref=n["ref"], item_ref=ref, deleted_at=gone
        )
        for n in notes
        for ref, gone in n["links"]
    )  # fmt: skip
    DailySnapshot.objects.bulk_create(
        DailySnapshot(
            connection=board, stream="notes", external_id=n["ref"], day=day,
            values={"fields.processed": is_processed or None, "fields.archived": None},
        )
        for n in notes
        for day, is_processed in n["seen"]
    )  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_feedback(board, teams, seed):
    homes = members(board, teams)
    notes = notes_of(Dice(seed), ["f1", "f2"])
    store_notes(board, notes)
    world = reference.Feedback(notes, homes, ZONE, NOW)

    recompute(first=FIRST, now=NOW)

    expected = world.by_week() | world.linked() | world.waiting()
    keys = (
        "feedback-volume", "feedback-processed", "feedback-archived", "feedback-customer", "feedback-linked",
        "feedback-backlog", "feedback-age", "feedback-age-p90", "time-to-process",
    )  # fmt: skip
    agree(stored(*keys), expected)


def test_archived_notes_are_told_apart_and_never_count_as_waiting(board):
    notes = [
        {"ref": f"n{n}", "owner": "", "processed": n == 0, "archived": n > 1, "customer": False, "links": [],
         "seen": [], "opened_at": NOW - timedelta(days=3), "deleted_at": None}
        for n in range(5)
    ]  # fmt: skip
    store_notes(board, notes)

    recompute(first=FIRST, now=NOW)

    week = week_of(NOW, ZONE)
    rows = stored("feedback-volume", "feedback-processed", "feedback-archived", "feedback-backlog")
    told = {key: (row.value, row.n, row.coverage) for (key, _scope, at), row in rows.items() if at == week}
    assert told == {
        "feedback-volume": (2, 2, None),
        "feedback-processed": (0.5, 2, 0.4),
        "feedback-archived": (0.6, 5, None),
        "feedback-backlog": (1, 1, None),
    }


def test_notes_that_still_wait_make_the_median_longer_and_are_not_dropped(board):
    """Days 1, 2, 3 and 4, and two that have waited for ten: the median of the finished ones alone would be 2.5."""
    opened = NOW - timedelta(days=10)
    notes = [
        {"ref": f"n{n}", "owner": "", "processed": days is not None, "archived": False, "customer": False, "links": [],
         "opened_at": opened, "deleted_at": None,
         "seen": [(opened.date(), False)] + ([(opened.date() + timedelta(days=days), True)] if days else [])}
        for n, days in enumerate((1, 2, 3, 4, None, None))
    ]  # fmt: skip
    store_notes(board, notes)

    recompute(first=FIRST, now=NOW)

    agree(stored("time-to-process"), {("time-to-process", None, week_of(NOW, ZONE)): (3, 6, 1.0)})


@pytest.mark.parametrize(
    ("at", "week"), [("2026-11-08T22:59:00", date(2026, 11, 2)), ("2026-11-08T23:00:00", date(2026, 11, 9))]
)
def test_a_note_is_of_the_week_by_the_companys_clock(board, settings, at, week):
    settings.COMPANY_TIME_ZONE = "Europe/Paris"
    opened = datetime.fromisoformat(at).replace(tzinfo=UTC)
    Feedback.objects.create(connection=board, external_id="n", opened_at=opened, edited_at=opened)

    recompute(first=FIRST, now=NOW)

    assert min(at for _key, _scope, at in stored("feedback-volume")) == week


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=25))
def test_kaplan_and_meiers_median_lies_between_ignoring_the_waiting_and_never_ending_them(lives):
    over = sorted(days for days, is_over in lives if is_over)
    median = reference.kaplan_meier_median(lives)

    if median is not None:
        assert median in over
        assert median >= over[(len(over) - 1) // 2]
    never = sorted(days if is_over else 99 for days, is_over in lives)[(len(lives) - 1) // 2]
    assert median is None or median <= never


# ---------------------------------------------------------------- plans


def plan_of(dice, teams):
    items, links = [], []

    def add(kind, parents=(), **fields):
        team_refs = dice.choice([[], ["A"], ["B"], ["A", "B"], ["lost"], ["A", "loose"]])
        tied = {"A": teams[0].pk, "B": teams[1].pk}
        start = dice.day()
        item = {
            "external_id": f"{kind}{len(items)}", "kind": kind,
            "status": dice.choice(["Planned", "In progress", "Idea"]),
            "parent_ref": dice.choice(["", *parents, *parents]), "team_refs": team_refs,
            "teams": [tied[ref] for ref in team_refs if ref in tied],
            "owner_ref": dice.choice(["", "m1"]), "owner_email": dice.choice(["", "", "a@b.example"]),
            "is_archived": dice.random() < 0.1, "deleted_at": dice.seldom(NOW),
            "granularity": dice.choice(["", "day", "month", "quarter", "year"]),
            "starts_on": dice.choice([None, start]), "ends_on": dice.choice([None, start, start + timedelta(days=40)]),
            "health": dice.choice(["", "notSet", "onTrack", "onTrack", "offTrack"]),
            "health_at": dice.choice([None, dice.moment()]),
            "metric_start": None, "metric_target": None, "metric_current": None, "outside_urls": [],
            "numbers": {name: dice.choice([-2, 0, 0.5, 3, 13]) for name in dice.some(["backend", "design", "value"])},
            "opened_at": dice.moment(), **fields,
        }  # fmt: skip
        items.append(item)
        return item["external_id"]

    goals = [add("objective") for _ in range(dice.randrange(1, 5))]
    initiatives = [add("initiative", goals) for _ in range(dice.randrange(4))]
    products = [add("product") for _ in range(2)]
    components = [add("component", products) for _ in range(3)]
    features = [add("feature", components + initiatives) for _ in range(dice.randrange(1, 15))]
    for _ in range(8):
        number = lambda: dice.choice([None, 0.0, 10.0, 25.0, 40.0])  # noqa: E731
        add("key_result", goals, metric_start=number(), metric_target=number(), metric_current=number())
    everything = goals + initiatives + products + components + features
    for _ in range(dice.randrange(12)):
        links.append((dice.choice(everything), dice.choice(everything), dice.seldom(NOW)))
    items[len(goals) + len(initiatives)]["parent_ref"] = components[0]  # a circle, which no tool should have
    return items, list({(a, b): (a, b, gone) for a, b, gone in links}.values()), features


def store_plan(board, items, links):
    columns = [field.name for field in ProductItem._meta.fields]
    ProductItem.objects.bulk_create(
        ProductItem(connection=board, edited_at=NOW, **{k: v for k, v in item.items() if k in columns})
        for item in items
    )
    ProductLink.objects.bulk_create(
        ProductLink(
            connection=board, external_id=f"{a}:link:{b}", item_ref=a, target_ref=b, kind="link", deleted_at=gone
        )
        for a, b, gone in links
    )


def tie(board, teams):
    for ref, team in (("A", teams[0]), ("B", teams[1]), ("loose", None)):
        WorkTeam.objects.create(connection=board, external_id=ref, name=ref, team=team)


@pytest.mark.parametrize("seed", range(12))
def test_plans(board, teams, seed):
    dice = Dice(seed)
    tie(board, teams)
    items, links, features = plan_of(dice, teams)
    notes = notes_of(dice, features)
    store_plan(board, items, links)
    store_notes(board, notes)
    ends = {ref: [(dice.day(), dice.choice([None, dice.day()])) for _ in range(dice.randrange(3))] for ref in features}
    ends = {ref: list({day: (day, end) for day, end in seen}.values()) for ref, seen in ends.items()}
    DailySnapshot.objects.bulk_create(
        DailySnapshot(connection=board, stream="features", external_id=ref, day=day,
                      values={"fields.timeframe.endDate": end and end.isoformat()})
        for ref, seen in ends.items() for day, end in seen
    )  # fmt: skip
    efforts = dice.choice([[], ["backend"], ["backend", "design"], ["backend", "unused"]])
    Metric.objects.filter(key="effort-alignment").update(settings={"efforts": efforts})
    world = reference.Plan(items, links, notes, ZONE, NOW, efforts=efforts)

    recompute(first=FIRST, now=NOW)

    expected = world.shares() | world.weighed() | world.orphans() | world.key_results() | world.drift(ends)
    keys = (
        "features-hygiene", "features-owner", "features-team", "features-timeframe", "features-health", "evidence",
        "objective-alignment", "effort-alignment", "orphan-objectives", "key-result-progress", "key-result-pace",
        "key-result-conflicts", "timeframe-drift",
    )  # fmt: skip
    agree(stored(*keys), expected)


def test_the_statuses_that_count_are_chosen_in_the_metric(board):
    ProductItem.objects.create(
        connection=board, external_id="f", kind="feature", status="Building", opened_at=NOW, edited_at=NOW
    )

    recompute(now=NOW)
    before = len(stored("features-owner"))
    Metric.objects.filter(key="features-hygiene").update(settings={"statuses": ["building"]})
    recompute(now=NOW)

    assert (before, len(stored("features-owner"))) == (0, 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_makers(board, teams, seed):
    dice = Dice(seed)
    homes = members(board, teams)
    PersonAccount.objects.create(connection=board, external_id="guest", kind="guest")
    PersonAccount.objects.filter(external_id="m1").update(deleted_at=dice.seldom(dice.moment()))
    PersonAccount.objects.filter(external_id="m2").update(is_active=dice.random() < 0.5)
    days = {(f"m{dice.randrange(4)}", dice.day()): dice.random() < 0.7 for _ in range(dice.randrange(60))}
    names = dice.some(["boardsOpened", "noteStatesChanged", "boardsOpened"])
    days = [
        (ref, day, is_active, {name: dice.randrange(9) for name in names if dice.random() < 0.8})
        for (ref, day), is_active in days.items()
    ]
    days.append(("guest", dice.day(), True, {}))
    AccountDay.objects.bulk_create(
        AccountDay(
            connection=board, external_id=f"{ref}:{day}", account_ref=ref, day=day, is_active=is_active, counts=counts
        )
        for ref, day, is_active, counts in days
    )
    accounts = [
        {"ref": a.external_id, "kind": a.kind, "is_active": a.is_active, "deleted_at": a.deleted_at}
        for a in PersonAccount.objects.all()
    ]

    recompute(first=FIRST, now=NOW)

    agree(
        stored("maker-adoption", "boards-opened", "note-changes"),
        reference.makers(accounts, days, homes, ZONE, NOW, FIRST),
    )


# ---------------------------------------------------------------- across


@pytest.mark.parametrize("seed", SEEDS)
def test_from_idea_to_delivery(board, teams, seed):
    dice = Dice(seed)
    linear = Connection.objects.create(service="linear", label="Linear")
    for ref, team in (("T1", teams[0]), ("T2", teams[1])):
        WorkTeam.objects.create(connection=linear, external_id=ref, name=ref, team=team, time_zone=ZONE)
    projects, by_hand = [], set()
    for n in range(12):
        refs = dice.some(["T1", "T2", "elsewhere"])
        tied = {"T1": teams[0].pk, "T2": teams[1].pk}
        projects.append({
            "ref": f"p{n}", "url": f"https://linear.example/acme/project/pay-{n}",
            "teams": [tied[r] for r in refs if r in tied],
            "completed_at": dice.choice([None, dice.moment(), dice.moment()]), "is_trashed": dice.random() < 0.1,
            "deleted_at": dice.seldom(dice.moment()), "refs": refs,
        })  # fmt: skip
    items, _links, features = plan_of(dice, teams)
    for item in items:
        if item["kind"] == "feature":
            n = dice.randrange(12)
            item["outside_urls"] = dice.choice([
                [], [f"https://linear.example/acme/project/pay-{n}"],
                [f"https://Linear.example/acme/project/Pay-{n}/overview?x=1#y"],
                ["https://linear.example/acme/project/pay-", "https://elsewhere.example/"],
            ])  # fmt: skip
    store_plan(board, items, [])
    kept = {
        p["ref"]: WorkProject.objects.create(
            connection=linear, external_id=p["ref"], name=p["ref"], url=p["url"], team_refs=p["refs"],
            completed_at=p["completed_at"], is_trashed=p["is_trashed"], deleted_at=p["deleted_at"],
        )
        for p in projects
    }  # fmt: skip
    for ref, removed_at in ((features[0], None), (features[-1], NOW)):
        project = dice.choice(list(kept))
        item = ProductItem.objects.get(external_id=ref)
        ProjectLink.objects.create(project=kept[project], item=item, removed_at=removed_at)
        if removed_at is None:
            by_hand.add((project, ref))
    alive = [item for item in items if item["deleted_at"] is None]

    recompute(first=FIRST, now=NOW)

    expected = reference.deliveries(projects, alive, by_hand, ZONE)
    agree(stored("idea-to-delivery"), {key: row for key, row in expected.items() if key[2] <= week_of(NOW, ZONE)})


def test_work_serves_an_objective_by_way_of_its_projects_feature(board, teams):
    linear = Connection.objects.create(service="linear", label="Linear")
    WorkTeam.objects.create(connection=linear, external_id="T", team=teams[0], time_zone="Asia/Kathmandu")
    plan = {"opened_at": NOW, "edited_at": NOW, "connection": board}
    ProductItem.objects.create(external_id="o", kind="objective", **plan)
    ProductItem.objects.create(external_id="c", kind="component", **plan)
    url = "https://linear.example/acme/project/pay-1"
    ProductItem.objects.create(
        external_id="f", kind="feature", parent_ref="c", outside_urls=[url], is_archived=True, **plan
    )
    ProductLink.objects.create(connection=board, external_id="l", item_ref="o", target_ref="c", kind="link")
    WorkProject.objects.create(connection=linear, external_id="p", name="Pay", url=url)
    WorkProject.objects.create(connection=linear, external_id="q", name="Other", url=url + "0")
    done = datetime(2026, 11, 12, tzinfo=UTC)
    for ref, project, days in (("a", "p", 3), ("b", "q", 5), ("c", "", 1), ("d", "p", None)):
        WorkItem.objects.create(
            connection=linear, external_id=ref, identifier=ref, team_ref="T", state_type="completed",
            project_ref=project,             opened_at=done - timedelta(days=9),
            started_at=done - timedelta(days=days) if days else None, completed_at=done,
        )  # fmt: skip

    recompute(first=FIRST, now=NOW)

    week = date(2026, 11, 9)
    expected = {("strategy-coverage", scope, week): (3 / 9, 3, 0.75) for scope in (None, teams[0].pk)}
    agree(stored("strategy-coverage"), expected)


# ---------------------------------------------------------------- all of them


def test_what_holds_now_is_kept_as_it_was_and_never_computed_backwards(board):
    Feedback.objects.create(connection=board, external_id="n", opened_at=NOW - timedelta(days=30), edited_at=NOW)

    recompute(now=NOW)
    recompute(now=NOW + timedelta(days=7))
    Feedback.objects.update(is_processed=True)
    recompute(now=NOW + timedelta(days=7))

    kept = {week: row.value for (_key, _scope, week), row in stored("feedback-backlog").items()}
    assert kept == {date(2026, 11, 16): 1, date(2026, 11, 23): 0}
    assert ObservationHistory.objects.filter(metric__key="feedback-backlog").count() == 1


def test_a_board_that_is_connected_changes_nothing_of_the_trackers_points(board, teams):
    """Productboard's teams have no estimates and no clock: they must not speak for the tracker's."""
    from kpis.queries import trackers
    from kpis.sync.recompute import parameters

    linear = Connection.objects.create(service="linear", label="Linear")
    WorkTeam.objects.create(connection=linear, external_id="T", team=teams[0], time_zone=ZONE, estimation="linear")
    tie(board, teams)

    assert parameters(first=FIRST, past=FIRST, now=NOW)["pointed"] == [True]
    assert trackers().zoneless == ()
