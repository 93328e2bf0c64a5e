"""Which metrics are computed together, by which statement, from which streams."""

from dataclasses import dataclass

from connectors import registry
from connectors.models import Connection, StreamState

from .statements import joins, linear, nights, notion, productboard


@dataclass(frozen=True)
class Reads:
    """Streams of one kind of tool: of every service that has the stream `anchor`."""

    anchor: str
    streams: tuple[str, ...]

    @property
    def services(self) -> tuple[str, ...]:
        return registry.reading(self.anchor)


@dataclass(frozen=True)
class Family:
    """Metrics of one statement. `is_of_now`: it holds at a moment, so only the present week can be computed.

    `nights` is the stream without whose nightly snapshots there is no value: the tool keeps no history of it.
    """

    keys: tuple[str, ...]
    statement: str
    reads: tuple[Reads, ...]
    is_of_now: bool = False
    nights: str = ""

    def follows(self, connection: Connection) -> bool:
        """Tell whether a sync of this connection can have changed it."""
        return any(connection.service in read.services for read in self.reads)


def tracker(*streams: str) -> Reads:
    return Reads("issues", streams)


def board(*streams: str) -> Reads:
    return Reads("features", streams)


def documents(*streams: str) -> Reads:
    return Reads("pages", ("data_sources", "pages", *streams))


PLAN = ("products", "components", "features", "subfeatures", "initiatives", "objectives")

FAMILIES = (
    Family(
        ("cycle-time", "cycle-time-p85", "lead-time", "throughput"),
        linear.FLOW, (tracker("issues"),),
    ),
    Family(("bug-ratio", "bug-ratio-done"), linear.BUGS, (tracker("issues", "labels"),)),
    Family(("wip", "wip-age-p85", "ageing-share"), linear.STOCK, (tracker("issues", "states"),)),
    Family(("predictability", "scope-change"), linear.CYCLES, (tracker("issues", "cycles"),)),
    Family(("seats-active", "seats-dormant"), linear.SEATS, (tracker("users"),), is_of_now=True),
    Family(
        ("feedback-volume", "feedback-processed", "feedback-archived", "feedback-customer"),
        productboard.FEEDBACK, (board("notes"),),
    ),
    Family(("feedback-linked",), productboard.LINKED, (board("notes"),)),
    Family(("time-to-process",), productboard.WAITING, (board("notes"),), is_of_now=True),
    Family(
        ("feedback-backlog", "feedback-age", "feedback-age-p90"), productboard.BACKLOG, (board("notes"),), is_of_now=True
    ),
    Family(
        ("features-hygiene", "features-owner", "features-team", "features-timeframe", "features-health"),
        productboard.HYGIENE, (board("features"),), is_of_now=True,
    ),
    Family(("evidence",), productboard.EVIDENCE, (board("features", "notes"),), is_of_now=True),
    Family(
        ("objective-alignment", "effort-alignment", "orphan-objectives"),
        productboard.STRATEGY, (board(*PLAN),), is_of_now=True,
    ),
    Family(
        ("key-result-progress", "key-result-pace", "key-result-conflicts"),
        productboard.KEY_RESULTS, (board("key_results"),), is_of_now=True,
    ),
    Family(("timeframe-drift",), productboard.DRIFT, (board("features"),), is_of_now=True),
    Family(("features-by-status",), nights.STATUSES, (board("features"),), is_of_now=True),
    Family(("feature-moves",), nights.MOVES, (board("features"),), nights="features"),
    Family(("features-ageing",), nights.AGEING, (board("features"),), is_of_now=True, nights="features"),
    Family(("key-result-freshness",), nights.FRESHNESS, (board("key_results"),), is_of_now=True, nights="key_results"),
    Family(("releases-on-time",), nights.RELEASES, (board("releases"),)),
    Family(("feedback-to-ship",), nights.SHIPPED, (board("notes", "features", "subfeatures"),), nights="features"),
    Family(
        ("maker-adoption", "boards-opened", "note-changes"), productboard.MAKERS, (board("members", "member_activities"),)
    ),
    Family(("interviews", "interview-cadence", "insight-rate", "write-up-time"), notion.INTERVIEWS, (documents(),)),
    Family(("discovery-people",), notion.PEOPLE, (documents("users"),)),
    Family(("decisions", "decision-time", "decision-ownership"), notion.DECISIONS, (documents(),)),
    Family(("overdue-reviews",), notion.REVIEWS, (documents(),), is_of_now=True),
    Family(("experiment-results",), notion.EXPERIMENTS, (documents(),), is_of_now=True),
    Family(
        ("doc-freshness", "doc-age", "dead-docs", "doc-ownership"), notion.DOCUMENTS, (documents("users"),), is_of_now=True
    ),
    Family(("completeness",), notion.COMPLETENESS, (documents(),), is_of_now=True),
    Family(("idea-to-delivery",), joins.DELIVERY, (tracker("projects"), board("features"))),
    Family(("strategy-coverage",), joins.COVERAGE, (tracker("projects", "issues"), board(*PLAN))),
    Family(("spend-at-risk",), joins.SPEND, (tracker("users"),), is_of_now=True),
)  # fmt: skip


def states_of(reads: Reads) -> list[StreamState]:
    """Return where the streams stand, of the connections that are on."""
    rows = StreamState.objects.filter(
        connection__is_active=True, connection__service__in=reads.services, stream__in=reads.streams
    )
    return list(rows.select_related("connection").order_by("connection__label", "pk"))


def family_of(key: str) -> Family | None:
    """Return the family that a metric is of; None for one that nothing here computes."""
    return next((family for family in FAMILIES if key in family.keys), None)
