"""What a database of pages can hold, which of its properties the hub must know for that, and for which metrics.

The one table on which the form, the findings and the metrics agree. `Field.key` is the key in `SourceMapping.fields`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from connectors.models import SourceMapping

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Meaning = SourceMapping.Meaning

DATES = ("date", "created_time", "formula", "rollup")
PEOPLE = ("people", "created_by", "last_edited_by")
TEAMS = ("select", "status", "multi_select", "relation", "people", "formula")
STATES = ("status", "select", "checkbox")


METRICS: "Mapping[str, StrOrPromise]" = {
    "doc-freshness": _("freshness of documents"),
    "doc-ownership": _("documents with an owner"),
    "doc-age": _("age of documents"),
    "dead-docs": _("dead documents"),
    "interviews": _("interviews"),
    "interview-cadence": _("weeks with an interview"),
    "insight-rate": _("interviews with an insight"),
    "write-up-time": _("time to write up"),
    "discovery-people": _("people doing discovery"),
    "decisions": _("decisions"),
    "decision-time": _("time to a decision"),
    "decision-ownership": _("decisions with owner and review"),
    "overdue-reviews": _("overdue reviews"),
    "experiment-results": _("experiments with a result"),
    "completeness": _("completeness of pages"),
}


@dataclass(frozen=True)
class Field:
    """A property that a metric needs. `types` are those that can hold it."""

    key: str
    label: "StrOrPromise"
    types: tuple[str, ...]
    metrics: tuple[str, ...]  # keys of the metrics that stop without it
    is_required: bool = False
    help: "StrOrPromise" = ""


@dataclass(frozen=True)
class Holding:
    """What a database with this meaning needs. `held`: how the form asks for the values of `status` that count."""

    fields: tuple[Field, ...]
    held: "StrOrPromise" = ""
    whole: tuple[str, ...] = ()  # metrics that need the pages alone

    @cached_property
    def metrics(self) -> list[str]:
        """Every metric that such a database feeds."""
        every = [*self.whole, *(name for one in self.fields for name in one.metrics)]
        return list(dict.fromkeys(every))


def _team(*metrics: str) -> Field:
    return Field("team", _("Team"), TEAMS, metrics, help=_("A select with the teams’ names, a relation, or a person."))


_DOCUMENT = (
    Field("person", _("Owner"), PEOPLE, ("doc-ownership", "completeness")),
    _team("completeness"),
    Field(
        "verification", _("Verification"), ("verification",), ("doc-freshness",),
        help=_("A verified page counts as fresh until its verification ends."),
    ),
    Field("review", _("Review date"), DATES, ("completeness",)),
)  # fmt: skip

_INTERVIEWS = ("interviews", "interview-cadence", "insight-rate", "write-up-time", "discovery-people")
_DECISIONS = ("decisions", "decision-time", "decision-ownership", "overdue-reviews")

HOLDINGS: Mapping[str, Holding] = {
    Meaning.INTERVIEWS: Holding(
        (
            Field("date", _("Day of the interview"), DATES, _INTERVIEWS, True),
            _team("interviews", "interview-cadence"),
            Field("person", _("Interviewer"), PEOPLE, ("discovery-people",)),
            Field("status", _("Status"), STATES, _INTERVIEWS),
            Field("insights", _("Insights"), ("relation",), ("insight-rate",)),
            Field(
                "written", _("Day it was written up"), DATES, ("write-up-time",),
                help=_("Without it, the day the page was made counts, where that is not before the interview."),
            ),
        ),
        _("Which values mean that the interview took place?"),
        ("completeness",),
    ),
    Meaning.INSIGHTS: Holding(
        (
            Field("date", _("Day it was found"), DATES, ("completeness",)),
            _team("completeness"),
            Field("person", _("Author"), PEOPLE, ("completeness",)),
        ),
    ),
    Meaning.DECISIONS: Holding(
        (
            Field("date", _("Day of the decision"), DATES, _DECISIONS, True),
            Field("proposed", _("Day of the proposal"), DATES, ("decision-time",)),
            Field("person", _("Owner"), PEOPLE, ("decision-ownership",)),
            Field("review", _("Review date"), DATES, ("decision-ownership", "overdue-reviews")),
            Field("status", _("Status"), STATES, _DECISIONS),
            _team(*_DECISIONS),
        ),
        _("Which values mean that it is decided?"),
        ("completeness",),
    ),
    Meaning.EXPERIMENTS: Holding(
        (
            Field(
                "date", _("When it runs"), DATES, ("experiment-results",), True,
                help=_("If the property holds a start and an end, the end counts."),
            ),
            Field("status", _("Result"), STATES, ("experiment-results",)),
            Field("person", _("Owner"), PEOPLE, ("completeness",)),
            _team("experiment-results"),
        ),
        _("Which values are a result?"),
        ("completeness",),
    ),
    Meaning.DOCUMENTS: Holding(_DOCUMENT, whole=("doc-freshness", "doc-age", "dead-docs")),
    Meaning.POLICIES: Holding(_DOCUMENT, whole=("doc-freshness", "doc-age", "dead-docs")),
}  # fmt: skip


def named(metrics: Iterable[str]) -> str:
    """Write metrics as a person calls them, one after the other."""
    return ", ".join(str(METRICS[key]) for key in metrics)


def fitting(field: Field, properties: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Return the properties of a schema that can hold a field."""
    return [one for one in properties if one["type"] in field.types]


def broken_without(meaning: str, field_key: str) -> tuple[str, ...]:
    """Return the metrics that stop when the property behind a field is gone."""
    holding = HOLDINGS.get(meaning)
    fields = holding.fields if holding else ()
    return next((one.metrics for one in fields if one.key == field_key), ())
