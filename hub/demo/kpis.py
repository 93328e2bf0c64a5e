# ruff: noqa: E501 (what people say, one a line)
"""Who answers for Ardoise's KPIs, what they aim at, and what was said about them."""

from datetime import date, timedelta
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.utils import timezone

from connectors.sandbox.company import address
from hub.people.models import Team, User
from kpis.actions import comment, set_target
from kpis.models import Metric, Target

NORA, INES, SAMUEL = "ops@ardoise.example", "leader@ardoise.example", address("Samuel Adeyemi")
ETIENNE, THOMAS = address("Étienne Vasseur"), "admin@ardoise.example"
OWNERS = {
    "cycle-time": SAMUEL, "cycle-time-p85": SAMUEL, "lead-time": INES, "throughput": SAMUEL, "wip": SAMUEL,
    "wip-age-p85": SAMUEL, "ageing-share": SAMUEL, "predictability": ETIENNE, "scope-change": ETIENNE,
    "bug-ratio": INES, "bug-ratio-done": INES, "seats-active": NORA, "seats-dormant": THOMAS,
    "feedback-volume": NORA, "feedback-processed": NORA, "feedback-archived": NORA, "feedback-customer": NORA,
    "feedback-linked": NORA, "feedback-backlog": NORA, "feedback-age": NORA, "feedback-age-p90": NORA,
    "time-to-process": NORA, "evidence": ETIENNE, "interviews": ETIENNE, "interview-cadence": ETIENNE,
    "insight-rate": ETIENNE, "experiment-results": ETIENNE, "features-hygiene": NORA, "features-owner": NORA,
    "features-team": NORA, "features-timeframe": NORA, "features-health": NORA, "timeframe-drift": INES,
    "idea-to-delivery": INES, "objective-alignment": INES, "effort-alignment": INES, "orphan-objectives": INES, "key-result-progress": INES,
    "key-result-pace": INES, "key-result-conflicts": INES, "strategy-coverage": INES, "decision-time": INES,
    "decision-ownership": NORA, "doc-freshness": NORA, "doc-ownership": NORA, "dead-docs": NORA, "completeness": NORA,
    "maker-adoption": THOMAS, "boards-opened": THOMAS, "note-changes": NORA, "spend-at-risk": THOMAS,
    "features-by-status": NORA, "feature-moves": NORA, "features-ageing": NORA, "releases-on-time": INES,
    "feedback-to-ship": NORA, "key-result-freshness": INES, "discovery-people": ETIENNE, "write-up-time": ETIENNE,
    "decisions": INES, "overdue-reviews": NORA, "doc-age": NORA,
}  # fmt: skip
OVERDUE = {"lead-time", "bug-ratio-done"}  # somebody has to look at these again
JANUARY, JULY = date(2026, 1, 5), date(2026, 7, 6)
# metric, team (empty: the company), value, upper end of a band, in force from, set by, why
TARGETS = (
    ("cycle-time", "", 6.0, None, JANUARY, SAMUEL, "Where we stood in December, less a day."),
    ("cycle-time", "", 5.0, None, JULY, SAMUEL, "January's target was met in every team but one."),
    ("cycle-time", "platform", 8.0, None, JULY, SAMUEL, "Platform's work is larger and comes in fewer pieces."),
    ("wip", "", 40.0, None, JULY, SAMUEL, "One thing at a time for everyone who builds."),
    ("ageing-share", "", 0.15, None, JANUARY, SAMUEL, "One in seven may be stuck; more is a habit."),
    ("predictability", "", 0.75, 0.95, JANUARY, ETIENNE, "Below, plans mean nothing; above, we plan too little."),
    ("scope-change", "", 0.20, None, JANUARY, ETIENNE, "A cycle that doubles is not a cycle."),
    ("bug-ratio", "", 0.20, None, JANUARY, INES, "One in five leaves time for what customers asked for."),
    ("seats-dormant", "", 5.0, None, JULY, THOMAS, "Each costs as much as one in use."),
    ("objective-alignment", "", 0.80, None, JULY, INES, "One feature in five may answer a customer instead."),
    ("interview-cadence", "", 0.90, None, JULY, ETIENNE, "Somebody talks to a customer every week, holidays aside."),
    ("releases-on-time", "", 0.80, None, JULY, INES, "Sales announces a release once we have named its month."),
    ("overdue-reviews", "", 10.0, None, JULY, NORA, "What nobody looks at again was not worth a date."),
)
EFFORTS = ["00000001-b00e-4000-8000-000000000002"]  # the board's second field of its own, “Effort, days”
PRICES = ["linear 12.00 EUR", "productboard 68.00 EUR"]  # what Thomas reads on the invoices
COMMENTS = (
    ("cycle-time", "", SAMUEL, "Reviews were waiting for two people in spring. Since each team reviews its own work, the tail is shorter."),
    ("predictability", "", ETIENNE, "Checkout takes in urgent work each cycle. From January it keeps a fifth of the cycle free for it."),
    ("bug-ratio", "", INES, "The autumn release brought the bugs forward. Worth watching, not worth a meeting."),
    ("seats-dormant", "", THOMAS, "Two of these left the company. Their seats go with the next invoice."),
)  # fmt: skip


@transaction.atomic
def seed_kpis() -> int:
    """Name owners, set targets and write comments where there are none; return how many metrics got an owner."""
    people = {person.email: person for person in User.objects.all()}
    teams = {team.slug: team for team in Team.objects.all()}
    metrics = {metric.key: metric for metric in Metric.objects.all()}
    owned = 0
    for key, email in OWNERS.items():
        verified = timezone.localdate() - timedelta(days=120 if key in OVERDUE else 40)
        owned += Metric.objects.filter(key=key, owner=None).update(owner=people[email], reviewed_on=verified)
    Metric.objects.filter(key="spend-at-risk", settings={"prices": []}).update(settings={"prices": PRICES})
    Metric.objects.filter(key="effort-alignment", settings={"efforts": []}).update(settings={"efforts": EFFORTS})
    if not Target.objects.exists():
        for key, slug, value, upper, since, email, why in TARGETS:
            set_target(
                metric=metrics[key], team=teams.get(slug), value=value, upper=upper, since=since,
                by=people[email], why=why,
            )  # fmt: skip
    for key, slug, email, text in COMMENTS:
        once = uuid5(NAMESPACE_URL, f"demo:{key}:{slug}:{text}")
        comment(metric=metrics[key], team=teams.get(slug), by=people[email], text=text, key=once)
    return owned
