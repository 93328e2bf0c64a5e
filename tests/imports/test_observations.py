"""A table of values: only metrics that come as files, the past kept, taken back to what was."""

import pytest
from django.utils import timezone

from hub.imports.actions import apply_plan, undo_plan
from hub.imports.sheet import monday
from kpis.models import Metric, Observation, ObservationHistory
from tests.imports.ways import applied, planned, problems, verdicts
from tests.people.factories import TeamFactory

pytestmark = pytest.mark.django_db


def metric(key, kind="count", source="uploaded", **more):
    return Metric.objects.create(
        key=key, name=key, definition="d", formula="f", kind=kind, unit=more.pop("unit", "items"), direction="up",
        source_kind=source, **more,
    )  # fmt: skip


def values():
    rows = Observation.objects.order_by("metric__key", "team__slug", "week")
    return list(rows.values_list("metric__key", "team__slug", "week", "value", "num", "den", "n", "coverage"))


@pytest.fixture
def tickets(db):
    TeamFactory(name="Équipe Croissance", slug="growth")
    return metric("tickets")


def test_values_are_read_as_either_language_writes_them(ops, tickets):
    metric("rate", kind="ratio", unit="percent")
    text = (
        "Indicateur;Semaine;Équipe;Valeur;Numérateur;Dénominateur;n;Couverture\n"
        "tickets;2026-W10;;1 234,5;;;1200;80 %\n"
        "tickets;04/03/2026;equipe croissance;12;;;;\n"
        "tickets;25/02/2026;Growth;7;;;;\n"
        "rate;2026-03-02;;;3;4;;\n"
    )

    applied(planned("observations", text, ops), ops)

    week, before = timezone.datetime(2026, 3, 2).date(), timezone.datetime(2026, 2, 23).date()
    assert values() == [
        ("rate", None, week, 0.75, 3, 4, 4, None),
        ("tickets", "growth", before, 7, None, None, 7, None),
        ("tickets", "growth", week, 12, None, None, 12, None),
        ("tickets", None, week, 1234.5, None, None, 1200, 0.8),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",2026-03-02,,1,", "missing"),
        ("nothing,2026-03-02,,1,", "no metric"),
        ("computed,2026-03-02,,1,", "another way"),
        ("tickets,,,1,", "missing"),
        ("tickets,soon,,1,", "one way only"),
        ("tickets,2999-01-07,,1,", "not begun"),
        ("tickets,2026-03-02,Growht,1,", "Nearest: growth"),
        ('tickets,2026-03-02,,"1,234",', "one way only"),
        ("tickets,2026-03-02,,inf,", "one way only"),
        ("tickets,2026-03-02,,-3,", "-3"),
        ("tickets,2026-03-02,,,", "missing"),
        ("tickets,2026-03-02,,3,140 %", "1.4"),
        ("tickets,2026-03-11,,3,", "row 2"),
    ],
)
def test_each_error_says_what_to_do(ops, tickets, row, said):
    metric("computed", source="computed")

    plan = planned("observations", f"metric,week,team,value,coverage\ntickets,2026-03-09,,1,\n{row}\n", ops)

    assert verdicts(plan) == {2: "create", 3: "error"}
    assert said in " ".join(problems(plan, 3))


def test_applying_twice_changes_nothing_and_a_change_keeps_the_past(ops, tickets):
    text = "metric,week,value\ntickets,2026-03-02,5\n"
    plan = applied(planned("observations", text, ops), ops)

    apply_plan(plan_id=plan.pk, by_id=ops.pk)
    assert set(verdicts(planned("observations", text, ops)).values()) == {"unchanged"}
    assert not ObservationHistory.objects.exists()
    applied(planned("observations", text.replace(",5", ",6"), ops), ops)

    assert [row[3] for row in values()] == [6]
    assert ObservationHistory.objects.get().value == 5


def test_undo_gives_the_values_of_before(ops, tickets):
    applied(planned("observations", "metric,week,value,n\ntickets,2026-03-02,5,9\n", ops), ops)
    before = values()
    text = "metric,week,value,n\ntickets,2026-03-02,6,6\ntickets,2026-03-09,7,7\ntickets,2026-03-16,8,8\n"
    plan = applied(planned("observations", text, ops), ops)
    applied(planned("observations", "metric,week,value,n\ntickets,2026-03-16,1,1\n", ops), ops)

    assert undo_plan(plan=plan, by=ops) == (2, 1)

    assert values()[:1] == before
    assert [row[3] for row in values()] == [5, 1]
    assert ObservationHistory.objects.filter(reason="gone", value=7).exists()


def test_a_week_is_named_by_its_monday():
    assert monday(timezone.datetime(2026, 3, 8).date()).isoformat() == "2026-03-02"
