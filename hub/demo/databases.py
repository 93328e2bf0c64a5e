"""What the demo's Notion databases hold, as its Product Ops has said: with that, the first sync reads their pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.models import Connection, SourceMapping

Meaning = SourceMapping.Meaning
SOURCE = "00000001-0003-4a00-9000-{number:012x}"  # the sandbox numbers its data sources in the order it makes them


@dataclass(frozen=True)
class Database:
    """A database of the sandbox: its name there, what it holds, and which property (id, name) means what."""

    number: int
    name: str
    meaning: Meaning
    fields: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    held: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        return SOURCE.format(number=self.number)


DATABASES = (
    Database(
        1, "Insights", Meaning.INSIGHTS,
        {"date": ("i%3Ad", "Found on"), "team": ("i%3At", "Team"), "person": ("i%3Aa", "Author")},
    ),
    Database(
        2, "Customer interviews", Meaning.INTERVIEWS,
        {"date": ("v%3Ad", "Date"), "team": ("v%3At", "Team"), "person": ("v%3Ap", "Interviewer"),
         "status": ("v%3As", "Status"), "insights": ("v%3Ai", "Insights"), "written": ("v%3Aw", "Written up on")},
        held=("v%3As-2",),
    ),
    Database(
        3, "Decision log", Meaning.DECISIONS,
        {"date": ("d%3Ad", "Decided on"), "proposed": ("d%3Ap", "Proposed on"), "person": ("d%3Ao", "Owner"),
         "review": ("d%3Ar", "Review on"), "status": ("d%3As", "Status"), "team": ("d%3At", "Team")},
        held=("d%3As-2",),
    ),
    Database(
        4, "Experiments", Meaning.EXPERIMENTS,
        {"date": ("x%3Ad", "Runs"), "status": ("x%3Ar", "Result"), "person": ("x%3Ao", "Owner"),
         "team": ("x%3At", "Team")},
        held=("x%3Ar-0", "x%3Ar-1", "x%3Ar-2"),
    ),
    Database(
        5, "Product documents", Meaning.DOCUMENTS,
        {"person": ("o%3Ao", "Owner"), "team": ("o%3At", "Teams"), "verification": ("o%3Av", "Verification")},
    ),
    Database(
        6, "Policies", Meaning.POLICIES,
        {"person": ("p%3Ao", "Owner"), "verification": ("p%3Av", "Verification"), "review": ("p%3Ar", "Review on")},
    ),
)  # fmt: skip


def map_databases() -> int:
    """Map the demo's databases where nothing is mapped yet; return how many."""
    connection = Connection.objects.filter(service="notion").order_by("pk").first()
    if connection is None or SourceMapping.objects.filter(connection=connection).exists():
        return 0
    for one in DATABASES:
        SourceMapping.objects.create(
            connection=connection,
            source_ref=one.ref,
            meaning=one.meaning,
            fields={key: ref for key, (ref, _name) in one.fields.items()},
            names=dict(one.fields.values()),
            held=list(one.held),
        )
    return len(DATABASES)
