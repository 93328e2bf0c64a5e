"""The pages: who sees what, how many queries, empty and full."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.models import Connection, WorkTeam
from hub.activity.models import Event
from kpis.models import Comment, Metric, Target
from kpis.queries import leadership_tiles, monday, team_tiles
from kpis.sync import listed
from tests.kpis.factories import MetricFactory, ObservationFactory, TargetFactory
from tests.people.factories import TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def metric():
    return MetricFactory(
        key="cycle-time", name="Cycle time, median", name_fr="Temps de cycle, médiane", is_headline=True
    )


def weeks(metric, values, *, team=None, n=20):
    last = monday(timezone.localdate()) - timedelta(weeks=1)
    for back, value in enumerate(reversed(values)):
        if value is not None:
            ObservationFactory(metric=metric, team=team, week=last - timedelta(weeks=back), value=value, n=n)


def page(client, url, status=200):
    answer = client.get(url)
    assert answer.status_code == status
    return answer.content.decode()


def test_the_empty_room_says_what_will_be_here(member, sign_in):
    assert "No metrics yet" in page(sign_in(member), "/kpis/")


def test_overview_queries_do_not_grow_with_the_rows(member, sign_in, django_assert_max_num_queries):
    for n in range(15):
        weeks(MetricFactory(key=f"m{n}"), [3.0, 4.0])

    client = sign_in(member)

    with django_assert_max_num_queries(9):
        html = page(client, "/kpis/")

    assert "15 KPIs" in html


def test_overview_can_be_narrowed_by_state(member, sign_in, metric):
    weeks(metric, [4.0])
    TargetFactory(metric=metric, value=3)
    MetricFactory(key="quiet")

    html = page(sign_in(member), "/kpis/?state=off_track")

    assert "Cycle time, median" in html
    assert "Quiet" not in html


def test_a_row_of_the_overview_says_value_state_and_owner_as_text(member, sign_in):
    owner = UserFactory(name="Ana <b>Ruiz</b>")
    told = MetricFactory(key="told", name="<i>Told</i>", owner=owner, summary="<u>short</u>", status="proposed")
    weeks(told, [4.0, 5.0])
    TargetFactory(metric=told, value=3)
    MetricFactory(key="quiet", name="Quiet")

    html = page(sign_in(member), "/kpis/?state=off_track")
    quiet = page(sign_in(member), "/kpis/?state=not_measured")

    assert '<span class="table__sub">Proposed · &lt;u&gt;short&lt;/u&gt;</span>' in html
    assert "&lt;i&gt;Told&lt;/i&gt;" in html
    assert "Ana &lt;b&gt;Ruiz&lt;/b&gt;</span>" in html
    assert 'badge--bad badge--bare">Off target</span></td><td class="opt-2 muted">at most 3' in html
    assert "Told" not in quiet
    assert '<td class="small muted" colspan="2" data-label="State">' in quiet
    assert "Nobody yet</span>" in quiet


def test_filters_that_fit_nothing_offer_the_way_back(member, sign_in, metric):
    assert "No KPI fits these filters" in page(sign_in(member), "/kpis/?q=zzz")


def test_passport_shows_value_target_and_contract(member, sign_in, metric, django_assert_max_num_queries):
    weeks(metric, [5.0, 4.0, None, 4.5, 6.2])
    TargetFactory(metric=metric, value=3)

    client = sign_in(member)

    page(client, "/kpis/")  # the day's first visit is noted once
    with django_assert_max_num_queries(10):
        html = page(client, "/kpis/cycle-time/")

    assert "6.2<small>\xa0days</small>" in html
    assert "Off target" in html
    assert "Target 3\xa0days" in html
    assert "What it says." in html
    assert "Set a target" not in html


def test_passport_speaks_french(member, sign_in, metric):
    member.language = "fr"
    member.save()
    weeks(metric, [6.2])

    html = page(sign_in(member), "/kpis/cycle-time/")

    assert "Temps de cycle, médiane" in html
    assert "6,2<small>" in html


def test_without_a_value_it_is_not_measured_never_zero(member, sign_in, metric):
    html = page(sign_in(member), "/kpis/cycle-time/")

    assert "Not measured" in html
    assert "0.0<small>" not in html


def test_what_was_never_measured_draws_no_empty_chart(member, sign_in, metric):
    client = sign_in(member)

    assert "data-drawing" not in page(client, "/kpis/cycle-time/")
    weeks(metric, [4.0])

    assert "data-drawing" in page(client, "/kpis/cycle-time/")


def test_too_few_cases_are_not_shown(member, sign_in, metric):
    weeks(metric, [6.2], n=4)

    html = page(sign_in(member), "/kpis/cycle-time/")

    assert "Too few" in html
    assert "6.2" not in html
    assert "6.2" not in sign_in(member).get("/kpis/cycle-time/csv/").content.decode()


def test_figures_about_fewer_than_five_people_of_a_team_stay_hidden(member, sign_in):
    team = TeamFactory()
    seats = MetricFactory(
        key="seats-active", kind="stock", unit="seats", decimals=0, direction="up", least=1, is_about_people=True
    )
    weeks(seats, [3.0], team=team, n=4)
    weeks(seats, [3.0], n=4)

    assert next(tile for tile in team_tiles(team)).value == "Too few"
    assert "<b>3</b>" in page(sign_in(member), "/kpis/")


def test_an_old_value_is_stale_and_keeps_its_date(member, sign_in, metric):
    weeks(metric, [6.2, 6.2, 6.2])
    Metric.objects.update(read_at=timezone.now() - timedelta(days=3))

    html = page(sign_in(member), "/kpis/cycle-time/")

    assert "Stale" in html
    assert "6.2" in html


def test_leadership_shows_at_most_nine_the_worst_first(leader, sign_in, django_assert_max_num_queries):
    for n in range(11):
        made = MetricFactory(key=f"m{n}", is_headline=True, position=n)
        weeks(made, [4.0])
        TargetFactory(metric=made, value=3 if n == 8 else 5)

    client = sign_in(leader)

    with django_assert_max_num_queries(10):
        page(client, "/kpis/leadership/")
    tiles = leadership_tiles(leader)

    assert len(tiles) == 9
    assert tiles[0].key == "m8"


@pytest.mark.parametrize(
    ("direction", "upper", "words"),
    [("down", None, "at most 3\u00a0d"), ("up", None, "at least 3\u00a0d"), ("band", 5, "between 3 and 5\u00a0d")],
)
def test_a_target_says_which_side_is_the_good_one(member, sign_in, direction, upper, words):
    metric = MetricFactory(key="m1", direction=direction)
    weeks(metric, [4.0])
    TargetFactory(metric=metric, value=3, upper=upper)
    client = sign_in(member)

    assert words in page(client, "/kpis/")
    assert words in page(client, "/kpis/m1/")


def test_a_change_for_the_better_is_not_marked_though_the_figure_is_off_target(leader, sign_in, metric):
    weeks(metric, [6.0, 5.0, 5.0, 5.0, 4.0])
    TargetFactory(metric=metric, value=3)

    better = page(sign_in(leader), "/kpis/leadership/")
    weeks(MetricFactory(key="worse", is_headline=True), [4.0, 5.0, 5.0, 5.0, 6.0])

    assert "Off target" in better
    assert "change--worse" not in better
    assert page(sign_in(leader), "/kpis/leadership/").count("change--worse") == 1


def test_the_line_under_a_chart_ends_in_one_full_stop_in_french(member, sign_in, metric):
    weeks(metric, [4.0])
    member.language = "fr"
    member.save()

    html = page(sign_in(member), "/kpis/cycle-time/")

    assert "Par semaine, jusqu’au" in html
    assert ".." not in html.split("Par semaine, jusqu’au")[1].split("</span>")[0]


def test_a_value_alone_draws_no_trend(leader, sign_in, metric):
    weeks(metric, [4.0])
    client = sign_in(leader)

    assert 'class="spark' not in page(client, "/kpis/leadership/")
    weeks(metric, [5.0, None])

    assert 'class="spark' in page(client, "/kpis/leadership/")


def test_a_tile_names_who_speaks_unless_it_is_the_owner(leader, member, sign_in, metric):
    metric.owner = leader
    metric.save()
    weeks(metric, [4.0])
    for author, text in ((leader, "All planned."), (member, "Really?")):
        Comment.objects.create(metric=metric, author=author, text=text, key=uuid.uuid4())
        notes = [tile.note for tile in leadership_tiles(leader)]
        assert notes == [text if author == leader else f"{member.name}: {text}"]


def test_leadership_without_targets_does_not_claim_that_all_is_well(leader, sign_in):
    made = MetricFactory(key="m1", is_headline=True)
    weeks(made, [4.0])
    client = sign_in(leader)

    assert "No figure has a target yet." in page(client, "/kpis/leadership/")
    TargetFactory(metric=made, value=5)

    assert "No figure is off its target." in page(client, "/kpis/leadership/")


def test_a_member_may_not_see_the_leadership_page(member, sign_in):
    page(sign_in(member), "/kpis/leadership/", status=403)


def test_team_dashboard(member, sign_in, metric, django_assert_max_num_queries):
    team = TeamFactory(name="Checkout", slug="checkout")
    weeks(metric, [5.0, 4.0, 6.2], team=team)

    client = sign_in(member)

    with django_assert_max_num_queries(10):
        html = page(client, "/kpis/teams/checkout/?weeks=13")

    assert html.count('class="chart__wide"') == 1
    assert "/kpis/teams/checkout/" in page(client, "/people/teams/checkout/")


def test_a_team_without_values_is_told_what_to_do(member, sign_in):
    TeamFactory(name="New", slug="new")

    assert "Nothing measured yet" in page(sign_in(member), "/kpis/teams/new/")


def test_another_definition_needs_a_reason(ops, sign_in, metric):
    client, url = sign_in(ops), "/kpis/cycle-time/edit/"
    fields = form_of(client.get(url), definition="Another one.")

    assert client.post(url, fields).status_code == 422
    assert client.post(url, fields | {"why": "The old one said nothing."}).status_code == 302
    event = Event.objects.get(kind="kpis.metric", verb="redefined")
    assert event.changes["definition"] == ["What it says.", "Another one."]
    assert event.why == "The old one said nothing."
    assert "Another one." in page(client, "/kpis/cycle-time/")


def test_a_form_names_its_owner_and_lists_nobody_else(ops, sign_in, metric):
    owner = UserFactory(name="Ana Ruiz", email="ana@ardoise.example")
    UserFactory.create_batch(3, name="Somebody Else")
    client, url = sign_in(ops), "/kpis/cycle-time/edit/"

    saved = client.post(url, form_of(client.get(url), owner="Ana Ruiz"))
    html = client.get(url).content.decode()

    assert saved.status_code == 302
    assert Metric.objects.get().owner == owner
    assert 'value="ana@ardoise.example"' in html and "Somebody Else" not in html


def test_the_statuses_that_count_are_chosen_with_a_reason(ops, sign_in):
    hygiene = MetricFactory(key="features-hygiene", settings={"statuses": ["planned", "in progress"]})
    client, url = sign_in(ops), "/kpis/features-hygiene/edit/"
    fields = form_of(client.get(url), chosen="Building\r\n\r\n Testing ")

    assert client.post(url, fields).status_code == 422
    assert client.post(url, fields | {"chosen": " "}).status_code == 422
    assert client.post(url, fields | {"why": "We renamed our statuses."}).status_code == 302
    hygiene.refresh_from_db()
    assert hygiene.settings == {"statuses": ["Building", "Testing"]}
    assert Event.objects.get(verb="redefined").changes["settings"][1] == {"statuses": ["Building", "Testing"]}


def test_a_second_editor_is_told(ops, sign_in, metric):
    client, url = sign_in(ops), "/kpis/cycle-time/edit/"
    mine = form_of(client.get(url), name="Mine")
    Metric.objects.update(name="Theirs", version=2)

    answer = client.post(url, mine)

    assert answer.status_code == 422
    assert "Theirs" in answer.content.decode()
    assert Metric.objects.get().name == "Theirs"


def form_of(answer, **changes):
    form = answer.context["form"]
    fields = {}
    for bound in form:
        value = bound.value()
        fields[bound.html_name] = "" if value is None or value is False else value
        fields[bound.html_initial_name] = fields[bound.html_name]
    return {**fields, **changes}


def test_a_target_can_be_set_and_taken_back(ops, sign_in, metric):
    client = sign_in(ops)
    weeks(metric, [6.2])

    client.post("/kpis/cycle-time/target/", {"value": "3.5", "since": "2026-01-01", "why": "Agreed at the offsite"})
    target = Target.objects.get()
    assert "Off target" in page(client, "/kpis/cycle-time/")
    client.post(f"/kpis/cycle-time/target/{target.pk}/withdraw/")

    assert "Off target" not in page(client, "/kpis/cycle-time/")
    assert list(Event.objects.order_by("pk").values_list("verb", flat=True)) == ["aimed", "withdrew"]


@pytest.mark.parametrize("value", ["", "nan", "inf", "-3", "abc"])
def test_a_target_must_be_a_figure(ops, sign_in, metric, value):
    answer = sign_in(ops).post("/kpis/cycle-time/target/", {"value": value, "since": "2026-01-01", "why": "x" * 20})

    assert answer.status_code == 422
    assert not Target.objects.exists()


def test_a_comment_sent_twice_is_one(member, sign_in, metric):
    fields = {"text": "Two large items.", "key": str(uuid.uuid4())}
    for _time in range(2):
        assert sign_in(member).post("/kpis/cycle-time/comments/", fields).status_code == 302

    assert Comment.objects.count() == 1


def test_a_comment_is_taken_back_by_who_wrote_it_and_by_nobody_else(member, leader, sign_in, metric):
    team = TeamFactory(slug="checkout")
    mine = Comment.objects.create(metric=metric, team=team, author=member, text="A slip.", key=uuid.uuid4())
    address = f"/kpis/cycle-time/comments/{mine.pk}/remove/"

    assert address not in page(sign_in(leader), "/kpis/cycle-time/?team=checkout")
    assert sign_in(leader).post(address).status_code == 404
    client = sign_in(member)
    assert address in page(client, "/kpis/cycle-time/?team=checkout")
    assert client.post(address).url == "/kpis/cycle-time/?team=checkout#comments"

    assert not Comment.objects.exists()
    assert not Event.objects.filter(verb="comment_taken_back").exists()


def test_product_ops_takes_back_anothers_comment_and_it_is_recorded_without_the_words(member, ops, sign_in, metric):
    said = Comment.objects.create(metric=metric, author=member, text="A slip.", key=uuid.uuid4())

    sign_in(ops).post(f"/kpis/cycle-time/comments/{said.pk}/remove/")

    event = Event.objects.get(verb="comment_taken_back")
    assert (event.by, event.object_id, event.changes) == (ops, str(metric.pk), {})


def test_an_empty_comment_comes_back_with_the_page(member, sign_in, metric):
    answer = sign_in(member).post("/kpis/cycle-time/comments/", {"text": "", "key": str(uuid.uuid4())})

    assert answer.status_code == 422
    assert "field__error" in answer.content.decode()


def test_the_palette_finds_kpis_in_both_languages(member, metric):
    from kpis.search import find_metrics

    assert [hit.title for hit in find_metrics("cycle", member, 5)] == ["Cycle time, median"]
    assert [hit.title for hit in find_metrics("temps", member, 5)] == ["Cycle time, median"]


def test_each_filter_in_force_can_be_taken_off_alone(member, sign_in, metric):
    html = page(sign_in(member), "/kpis/?q=cycle&state=not_measured")

    assert "<b>1</b> of 1 KPIs" in html
    assert 'href="?state=not_measured"' in html
    assert 'href="?q=cycle"' in html


def test_a_value_that_only_a_cycles_end_brings_stands_between_two_ends(member, sign_in):
    said = MetricFactory(key="predictability", streams=["issues", "cycles"], unit="percent", kind="ratio", decimals=0)
    weeks(said, [0.7, None, 0.8, None, None, None, None, None])

    html = page(sign_in(member), "/kpis/predictability/")

    assert "80%" in html
    assert "no cycle ended" in html
    assert "c-gap" not in html


@pytest.mark.parametrize(("zone", "is_told"), [("", True), ("Mars/Olympus", True), ("Europe/Paris", False)])
def test_a_team_without_a_known_time_zone_is_told(member, sign_in, metric, zone, is_told):
    team = TeamFactory(name="Checkout", slug="checkout")
    wire = Connection.objects.create(service="linear", label="Linear")
    WorkTeam.objects.create(connection=wire, external_id="t", name="Checkout", team=team, time_zone=zone)

    for url in ("/kpis/teams/checkout/", "/kpis/cycle-time/?team=checkout", "/kpis/"):
        assert ("no known time zone" in page(sign_in(member), url)) == is_told


@pytest.mark.parametrize("key", sorted(listed.STATEMENTS))
def test_a_passport_with_a_list_asks_two_questions_more_at_most(key, member, sign_in, django_assert_max_num_queries):
    weeks(MetricFactory(key=key), [5.0, 4.0])
    client = sign_in(member)
    page(client, "/kpis/")  # the day's first visit is noted once

    with django_assert_max_num_queries(12):
        page(client, f"/kpis/{key}/")
