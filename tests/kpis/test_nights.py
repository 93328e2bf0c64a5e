"""What only nightly readings tell, and what unused seats cost: the SQL against plain Python, on awkward worlds."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.conf import settings

from connectors.models import AccountDay, Connection, DailySnapshot, PersonAccount, ProductItem
from hub.people.models import Membership, Team, User
from kpis.formulas import NotAPrice, seat_prices
from kpis.models import Metric, Observation
from kpis.sync.recompute import recompute
from tests.kpis import reference_nights as reference
from tests.kpis.reference import week_of
from tests.kpis.reference_tools import Feedback, local_day
from tests.kpis.test_against_reference import agree, stored
from tests.kpis.test_tools import FIRST, NOW, SEEDS, Dice, board, members, notes_of, store_notes, store_plan, teams, tie

__all__ = ["board", "teams"]  # fixtures
pytestmark = pytest.mark.django_db
ZONE = settings.COMPANY_TIME_ZONE
TODAY = local_day(NOW, ZONE)
DAY = timedelta(days=1)
STREAMS = {"feature": "features", "key_result": "key_results", "release": "releases"}
PATHS = {"key_result": "fields.progress.currentValue"}


def world_of(dice, teams):
    """Features, releases and key results, and what each night since the first one showed of them."""
    items, nights, start = [], {}, dice.day() if dice.random() < 0.8 else TODAY
    tied = {"A": teams[0].pk, "B": teams[1].pk}
    for n in range(dice.randrange(6, 60)):
        kind = dice.choice(["feature", "feature", "feature", "key_result", "release"])
        said = [1.0, 2.0, 3.0] if kind == "key_result" else ["Idea", "planned", "In progress", "Delivered", "Done"]
        opened, refs, ref = dice.moment(), dice.some(["A", "B", "lost", "loose"]), f"{kind}{n}"
        first = max(start, opened.date() + dice.choice([0, 0, 1, 2]) * DAY)
        past = {}
        while first <= TODAY:
            past[first] = dice.choice(said)
            first += dice.choice([1, 2, 5, 9, 30]) * DAY
        nights[ref] = sorted(past.items())
        now = nights[ref][-1][1] if past else dice.choice(said)
        end = dice.day()
        items.append({
            "external_id": ref, "kind": kind, "team_refs": refs, "teams": [tied[one] for one in refs if one in tied],
            "status": "" if kind == "key_result" else now, "metric_current": now if kind == "key_result" else None,
            "is_archived": dice.random() < 0.15, "deleted_at": dice.seldom(dice.moment()), "opened_at": opened,
            "edited_at": datetime.combine(end, time(12), UTC) if dice.random() < 0.3 else dice.moment(),
            "ends_on": dice.choice([None, end, end]),
        })  # fmt: skip
    return items, nights


def store_nights(board, items, nights):
    DailySnapshot.objects.bulk_create(
        DailySnapshot(
            connection=board, stream=STREAMS[one["kind"]], external_id=one["external_id"], day=day,
            values={PATHS.get(one["kind"], "fields.status.name"): said, "fields.other": n},
        )
        for one in items
        for n, (day, said) in enumerate(nights[one["external_id"]])
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(16))
def test_nights(board, teams, seed):
    dice = Dice(seed)
    tie(board, teams)
    items, nights = world_of(dice, teams)
    store_plan(board, [{key: value for key, value in item.items() if key != "edited_at"} for item in items], [])
    for item in items:
        ProductItem.objects.filter(external_id=item["external_id"]).update(edited_at=item["edited_at"])
    store_nights(board, items, nights)
    homes = members(board, teams)
    notes = notes_of(dice, [item["external_id"] for item in items if item["kind"] == "feature"][:9])
    store_notes(board, notes)
    truth = reference.Board(items, nights, ZONE, NOW)
    of_features = {item["external_id"]: nights[item["external_id"]] for item in items if item["kind"] == "feature"}

    recompute(first=FIRST, now=NOW)

    expected = (
        reference.Board(items, of_features, ZONE, NOW).moves() | truth.statuses() | truth.ageing() | truth.freshness()
        | truth.releases(FIRST) | truth.shipped(notes, Feedback(notes, homes, ZONE, NOW).teams)
    )  # fmt: skip
    keys = (
        "feature-moves", "features-by-status", "features-ageing", "key-result-freshness", "releases-on-time",
        "feedback-to-ship",
    )  # fmt: skip
    agree(stored(*keys), {key: row for key, row in expected.items() if key[2] >= FIRST})


def feature(board, ref, past, **fields):
    made = ProductItem.objects.create(
        connection=board, external_id=ref, kind="feature", status=past[-1][1], edited_at=NOW,
        **{"opened_at": datetime(2026, 1, 5, tzinfo=UTC), **fields},
    )  # fmt: skip
    DailySnapshot.objects.bulk_create(
        DailySnapshot(
            connection=board, stream="features", external_id=ref, day=day, values={"fields.status.name": said}
        )
        for day, said in past
    )
    return made


def test_the_first_night_is_no_zero_and_the_second_one_is(board):
    feature(board, "f", [(TODAY, "Planned")])

    recompute(now=NOW)
    first = stored("feature-moves")
    recompute(now=NOW + DAY)

    assert not first
    assert [row.value for row in stored("feature-moves").values()] == [0]


def test_a_status_that_was_there_on_the_first_night_has_no_age(board):
    """Five stayed in Planned for 1 to 5 days: the 85th percentile is 4.4. One has been there for 5, one is old."""
    start = date(2026, 11, 1)
    for n in range(1, 6):
        feature(board, f"f{n}", [(start, "Idea"), (start + DAY, "Planned"), (start + (n + 1) * DAY, "Delivered")])
    feature(board, "five", [(start, "Idea"), (TODAY - 5 * DAY, "Planned")])
    feature(board, "four", [(start, "Idea"), (TODAY - 4 * DAY, "Planned")])
    feature(board, "old", [(start, "Planned")])

    recompute(now=NOW)

    week = week_of(NOW, ZONE)
    agree(stored("features-ageing"), {("features-ageing", None, week): (0.5, 2, 2 / 3)})


def key_result(board, ref, past):
    ProductItem.objects.create(
        connection=board, external_id=ref, kind="key_result", metric_current=past[-1][1], edited_at=NOW,
        opened_at=datetime(2026, 1, 5, tzinfo=UTC),
    )  # fmt: skip
    DailySnapshot.objects.bulk_create(
        DailySnapshot(
            connection=board, stream="key_results", external_id=ref, day=day, values={"fields.progress.currentValue": x}
        )
        for day, x in past
    )


@pytest.mark.parametrize(("still", "told"), [(0, 2.5), (1, 3.0), (2, None), (3, None)])
def test_key_results_that_nobody_saw_move_are_older_than_all_others(board, still, told):
    """Two that moved, 2 and 3 days ago: with two or more that did not, the median is beyond what is known."""
    start = date(2026, 11, 1)
    for n in (2, 3):
        key_result(board, f"k{n}", [(start, 1), (TODAY - n * DAY, 2)])
    for n in range(still):
        key_result(board, f"s{n}", [(start, 1)])

    recompute(now=NOW)

    rows = {key: row.value for (key, _scope, _week), row in stored("key-result-freshness").items()}
    assert rows == ({} if told is None else {"key-result-freshness": told})


@pytest.mark.parametrize("seed", SEEDS)
def test_what_unused_seats_cost(board, seed):
    dice, teams = Dice(seed), [Team.objects.create(name=name, slug=name) for name in ("one", "two")]
    tools = {"productboard": board} | {
        name: Connection.objects.create(service=name, label=name) for name in ("linear", "notion")
    }
    Metric.objects.filter(key="spend-at-risk").update(
        settings={"prices": ["linear 12 EUR", "productboard: 68,50 EUR", "notion 9 EUR"]}
    )
    if dice.random() < 0.7:
        Metric.objects.filter(key="spend-at-risk").update(
            settings={"prices": ["linear 12 EUR", "productboard 68.5 EUR"]}
        )
    prices, _currency = seat_prices(Metric.objects.get(key="spend-at-risk").settings["prices"])
    accounts, days = [], []
    for n in range(30):
        team, tool = dice.choice([None, *teams]), dice.choice([*tools])
        person = User.objects.create(email=f"p{n}@ardoise.example", name=f"Person {n}")
        if team:
            Membership.objects.create(person=person, team=team, starts_on=date(2026, 1, 1))
        seen, joined = (dice.choice([None, NOW - n * 2 * DAY]) if tool == "linear" else None for n in (n, n + 3))
        kind, is_open = dice.choice(["member", "member", "admin", "guest", "bot"]), dice.random() < 0.9
        PersonAccount.objects.create(
            connection=tools[tool], external_id=f"a{n}", person=person, kind=kind, is_active=is_open,
            last_seen_at=seen, joined_at=joined,
        )  # fmt: skip
        accounts.append({
            "tool": tool, "ref": f"a{n}", "kind": kind, "teams": [team.pk] if team else [], "seen": seen,
            "joined": joined, "is_open": is_open,
        })  # fmt: skip
        if tool == "productboard":
            days += [(tool, f"a{n}", TODAY - back * DAY, dice.random() < 0.5) for back in {dice.randrange(70), 1}]
    AccountDay.objects.bulk_create(
        AccountDay(connection=tools[tool], external_id=f"{ref}:{day}", account_ref=ref, day=day, is_active=active)
        for tool, ref, day, active in days
    )

    recompute(now=NOW)

    light = ("productboard", "notion")  # no trackers
    agree(stored("spend-at-risk"), reference.spend(accounts, days, prices, TODAY, NOW, week_of(NOW, ZONE), light=light))


def test_without_a_price_nothing_is_said_of_money(board):
    linear = Connection.objects.create(service="linear", label="Linear")
    PersonAccount.objects.create(connection=linear, external_id="a", joined_at=NOW - 90 * DAY)

    recompute(now=NOW)

    assert not Observation.objects.filter(metric__key="spend-at-risk").exists()


@pytest.mark.parametrize("lines", [["linear twelve EUR"], ["linear 12"], ["linear 12 EUR", "notion 9 USD"], ["12 EUR"]])
def test_a_price_names_its_tool_and_one_currency(lines):
    with pytest.raises(NotAPrice):
        seat_prices(lines)
