"""The one place for files: empty, with plans of every kind, and within its queries."""

import csv
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from hub.imports.actions import undo_plan
from hub.imports.kinds import kind_named
from hub.imports.models import Feed, ImportPlan
from hub.imports.sheet import suggest_mapping
from hub.imports.tasks import forget_old_plans
from tests.imports.ways import applied, planned

pytestmark = pytest.mark.django_db
KINDS = ("tools", "people", "seats", "observations")


def test_an_empty_list_says_what_will_be_here(ops, sign_in):
    html = sign_in(ops).get(reverse("imports:plan_list")).content.decode()

    assert "No file yet" in html and "No address yet" in html
    for kind in KINDS:
        assert reverse("imports:plan_create", args=[kind]) in html


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_template_reads_back_in_its_language(ops, sign_in, kind, language):
    sort = kind_named(kind)
    client = sign_in(ops)
    ops.language = language
    ops.save()

    with translation.override(language):
        header = [str(label) for label, _words in sort.columns.values()]
    answer = client.get(reverse("imports:plan_template", args=[kind]))

    assert next(csv.reader(answer.content.decode("utf-8-sig").splitlines())) == header
    assert set(suggest_mapping(header, sort.columns)) == set(sort.columns)


def test_the_list_keeps_its_queries(ops, sign_in, django_assert_max_num_queries):
    for n in range(30):
        planned("tools", f"name\nTool {n}\n", ops)
        Feed.objects.create(kind="tools", label=f"Feed {n}", url=f"https://files.example.com/{n}.csv")
    client = sign_in(ops)
    client.get(reverse("imports:plan_list"))

    with django_assert_max_num_queries(9):
        html = client.get(reverse("imports:plan_list")).content.decode()

    assert html.count("table.csv") == 30


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_upload_page_and_keeps_what_it_refuses_out(ops, sign_in, kind):
    page = reverse("imports:plan_create", args=[kind])
    client = sign_in(ops)

    assert str(kind_named(kind).lede)[:20] in client.get(page).content.decode().replace("&#x27;", "'")
    assert client.post(page, {}).status_code == 422


def test_an_unknown_kind_is_not_found(ops, sign_in):
    assert sign_in(ops).get(reverse("imports:plan_create", args=["cats"])).status_code == 404


@pytest.mark.parametrize("odd", ["9" * 5000, "9" * 25, "²", "-1"])
def test_a_tick_that_is_no_row_is_passed_over(ops, sign_in, odd):
    plan = planned("tools", "name,summary\nMiro,Boards.\n", ops)

    sign_in(ops).post(reverse("imports:plan_apply", args=[plan.pk]), {"shown": [odd], "row": [odd], "apply": "1"})

    plan.refresh_from_db()
    assert plan.state == ImportPlan.State.APPLIED


def test_a_file_is_kept_only_while_it_is_to_be_decided(ops):
    plan = planned("tools", "name,summary\nMiro,Boards.\n", ops)

    applied(plan, ops)

    plan.refresh_from_db()
    assert bytes(plan.content) == b""
    assert undo_plan(plan=plan, by=ops) == (1, 0)


@pytest.mark.parametrize(("state", "days", "is_kept"), [
    ("ready", 29, True), ("ready", 31, False), ("refused", 31, False), ("applying", 31, False),
    ("applied", 31, True), ("applied", 366, False), ("undone", 366, False),
])  # fmt: skip
def test_a_plan_is_forgotten_when_nobody_needs_it(ops, state, days, is_kept):
    planned("tools", "name,summary\nMiro,Boards.\n", ops)
    ImportPlan.objects.update(state=state, updated_at=timezone.now() - timedelta(days=days))

    forget_old_plans()

    assert ImportPlan.objects.exists() == is_kept


@pytest.mark.parametrize(("state", "minutes", "is_kept"), [
    ("waiting", 1, False), ("applying", 1, True), ("applying", 61, False), ("applied", 61, True),
])  # fmt: skip
def test_a_file_whose_work_was_given_up_can_be_forgotten(ops, sign_in, state, minutes, is_kept):
    plan = planned("tools", "name,summary\nMiro,Boards.\n", ops)
    ImportPlan.objects.update(state=state, updated_at=timezone.now() - timedelta(minutes=minutes))
    address = reverse("imports:plan_discard", args=[plan.pk])
    client = sign_in(ops)

    offered = address in client.get(plan.get_absolute_url()).content.decode()
    client.post(address)

    assert (not offered, ImportPlan.objects.exists()) == (is_kept, is_kept)


def test_a_file_without_the_column_it_needs_says_which(ops, sign_in):
    plan = planned("tools", "vendor,summary\nMiro,Boards\n", ops)

    html = sign_in(ops).get(plan.get_absolute_url()).content.decode()

    assert "A column is missing." in html
    assert str(kind_named("tools").key_missing) in html


def test_what_is_said_of_a_file_under_way_leaves_with_it(ops, sign_in):
    plan = planned("tools", "name,summary\nMiro,Boards\n", ops)
    ImportPlan.objects.update(state=ImportPlan.State.APPLYING)
    client, url = sign_in(ops), plan.get_absolute_url()
    assert "This takes a moment" in client.get(url).content.decode().split('id="import-plan"')[1]
    ImportPlan.objects.update(state=ImportPlan.State.APPLIED, applied_count=20_000)

    piece = client.get(url, headers={"HX-Request": "true", "HX-Target": "import-plan"}).content.decode()

    assert "This file was applied." in piece
    assert "<b>20,000</b> rows were written." in piece


def test_an_upload_without_a_file_asks_for_one(ops, sign_in):
    answer = sign_in(ops).post(reverse("imports:plan_create", args=["people"]), {"is_whole": ""})

    assert answer.status_code == 422
    assert "Choose a file first." in answer.content.decode()
