"""A table of values: judged and stored by the one way in that `observations` is, taken back from the history."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.core.csv import Line
from hub.core.text import normalized
from hub.imports.kinds import Kind, Left
from hub.imports.models import ImportRow
from hub.imports.sheet import Columns, Judged, cells_of, day_first, monday, nearest, read_day, read_number
from hub.people.models import Team, User
from kpis.models import Metric, Observation
from kpis.sync.judging import REASONS
from kpis.sync.statements.merge import COLUMNS as KEPT

from .observations import plan, record

SOURCE = Metric.SourceKind.UPLOADED
NUMBERS = ("value", "num", "den", "n", "coverage")
TAKE_BACK = f"""
WITH gone AS (DELETE FROM kpis_observation WHERE id = ANY(%s) RETURNING *)
INSERT INTO kpis_observationhistory ({KEPT}, superseded_at, reason) SELECT {KEPT}, %s, 'gone' FROM gone"""  # noqa: S608

COLUMNS: Columns = {
    "metric": (_("metric’s key"), "metric key indicateur cle kpi metrickey"),
    "week": (_("week"), "semaine date day jour period periode weekof"),
    "team": (_("team’s name"), "team equipe squad"),
    "value": (_("value"), "valeur result resultat figure"),
    "num": (_("numerator"), "numerateur num"),
    "den": (_("denominator"), "denominateur den total"),
    "n": (_("number of cases"), "n cases cas count nombre effectif"),
    "coverage": (_("coverage"), "couverture share"),
}


class Observations(Kind):
    """Weekly values of metrics that come as files, one a line."""

    key = "observations"
    title = _("Observations")
    lede = _("Weekly values of the metrics whose source is an uploaded file. What a value was before is kept.")
    noun = _("Value")
    right = "kpis.edit_metric"
    columns = COLUMNS
    keys = ("metric",)
    key_missing = _("Say which column holds the metric’s key: without it no value can be told from another.")
    problems = {**REASONS, "team_nearest": _("There is no team “%(team)s”. Nearest: %(nearest)s.")}

    def known(self, by: User | None) -> Mapping[str, str]:
        teams: dict[str, str] = {}
        for slug, name in Team.objects.order_by("pk").values_list("slug", "name"):
            teams[normalized(slug)] = slug
            teams.setdefault(normalized(name), slug)
        return teams

    def judge(self, lines: Sequence[Line], mapping: Mapping[str, int], known: Mapping[str, str]) -> list[Judged]:
        return judge(lines, mapping, known)

    def write(self, rows: Sequence[Judged], *, by: User, batch: UUID) -> dict[int, Left]:
        return write(rows, by=by)

    def undo(self, rows: Sequence[ImportRow], *, by: User, batch: UUID) -> int:
        return undo(rows, by=by)

    def examples(self) -> Sequence[Mapping[str, str]]:
        metric = Metric.objects.shown().filter(source_kind=SOURCE).order_by("key").first()
        week = monday(timezone.localdate()).isoformat()
        return [{"metric": metric.key if metric else "support-tickets", "week": week, "value": "42", "n": "42"}]


def judge(lines: Sequence[Line], mapping: Mapping[str, int], teams: Mapping[str, str]) -> list[Judged]:
    """Say of every line what it would do. Nothing is written."""
    at = mapping.get("week", -1)
    is_day_first = day_first(line.cells[at] for line in lines if at >= 0)
    rows = [_read(line, mapping, teams, is_day_first) for line in lines]
    fit = [row for row in rows if not row.problems]
    outcomes = plan([row.values for row in fit], source=SOURCE)
    judged = [outcome.judged for outcome in outcomes if outcome.judged]
    weeks = [one.week for one in judged]
    stored = {
        (one.metric_id, one.team_id, one.week): one
        for one in (
            Observation.objects.filter(
                metric__in={one.metric.pk for one in judged}, week__gte=min(weeks), week__lte=max(weeks)
            )
            if judged
            else ()
        )
    }
    for row, outcome in zip(fit, outcomes, strict=True):
        if outcome.refusal or outcome.judged is None:
            said = {name: str(value) for name, value in outcome.refusal.values.items()} if outcome.refusal else {}
            if "row" in said:
                said["row"] = str(fit[int(said["row"])].line)
            row.refuse(outcome.refusal.code if outcome.refusal else "missing", **said)
            continue
        one = outcome.judged
        row.title = f"{one.metric.key} · {one.week.isoformat()}" + (f" · {one.team.name}" if one.team else "")
        row.values = {name: getattr(one, name) for name in NUMBERS}
        held = stored.get(one.place)
        row.target_id = held.pk if held else None
        row.settle({name: getattr(held, name) for name in NUMBERS} if held else None)
        if outcome.status == "unchanged":  # the ninth place after the point is no change
            row.verdict, row.changes = "unchanged", {}
        row.values |= {
            "metric": one.metric.key,
            "team": one.team.slug if one.team else "",
            "week": one.week.isoformat(),
        }
    return rows


def _read(line: Line, mapping: Mapping[str, int], teams: Mapping[str, str], is_day_first: bool | None) -> Judged:
    """Read the cells of a line as what `plan` takes."""
    cells = cells_of(line.cells, mapping)
    row = Judged(
        line=line.number, title=" · ".join(cells[name] for name in ("metric", "week", "team") if name in cells)
    )
    row.title = row.title[:200] or "…"
    if line.problem:
        row.refuse(line.problem.code, **line.problem.values)
        return row
    row.values["metric"] = cells.get("metric", "").strip().lower()
    if "week" in cells:
        day = read_day(cells["week"], is_day_first=is_day_first)
        if day is None:
            row.refuse("not_a_date", value=cells["week"][:40])
        else:
            row.values["week"] = monday(day).isoformat()
    if "team" in cells:
        slug = teams.get(normalized(cells["team"]))
        if slug is None:
            row.refuse("team_nearest", team=cells["team"][:60], nearest=nearest(normalized(cells["team"]), teams))
        row.values["team"] = slug
    for name in NUMBERS:
        if name in cells:
            number = read_number(cells[name])
            if number is None:
                row.refuse("not_a_number", value=cells[name][:40])
            row.values[name] = number
    return row


def write(rows: Sequence[Judged], *, by: User) -> dict[int, Left]:
    """Store the rows; return the observation of each line."""
    given = [{name: value for name, value in row.values.items() if name in COLUMNS} for row in rows]
    if not given:
        return {}
    record(given, source=SOURCE, by=by, through=str(_("a file")))
    places = _places(rows)
    return {row.line: (places[_place(row.values)], 1) for row in rows}


def _place(values: Mapping[str, Any]) -> tuple[str, str, str]:
    return values["metric"], values["team"], values["week"]


def _places(rows: Sequence[Judged]) -> dict[tuple[str, str, str], int]:
    found = Observation.objects.filter(
        metric__key__in={row.values["metric"] for row in rows}, week__in={row.values["week"] for row in rows}
    )
    kept = found.values_list("pk", "metric__key", "team__slug", "week")
    return {(key, slug or "", week.isoformat()): pk for pk, key, slug, week in kept}


def undo(rows: Sequence[ImportRow], *, by: User) -> int:
    """Take values back that still are as the file left them; what they were goes into the history."""
    held = Observation.objects.select_for_update().in_bulk([row.target_id for row in rows if row.target_id])
    intact = [
        row
        for row in rows
        if row.target_id in held
        and all(getattr(held[row.target_id], name) == row.changes[name][1] for name in row.changes)
    ]
    made = [row.target_id for row in intact if row.verdict == "create"]
    back = [
        {name: value for name, value in row.values.items() if name in COLUMNS}
        | {name: before for name, (before, _after) in row.changes.items()}
        for row in intact
        if row.verdict != "create"
    ]
    if back:
        record(back, source=SOURCE, by=by, through=str(_("a file taken back")))
    with connection.cursor() as cursor:
        cursor.execute(TAKE_BACK, [made, timezone.now()])
    return len(intact)
