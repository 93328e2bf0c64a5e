# ruff: noqa: E501 (a table of opinions, one a line)
"""What Ardoise thinks of its tools: which are in use, who keeps them, and where each stands."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from connectors.sandbox.company import address
from hub.people.models import Team, User
from tooling.actions.tools import decide, edit_tool, hand_over, move
from tooling.models import Capability, Tool

L = Tool.Lifecycle
R = Tool.Ring


@dataclass(frozen=True)
class Standing:
    """Where a tool stands for one job; `months` until somebody looks at it again, `team` a slug where it is local."""

    job: str
    ring: Tool.Ring
    why: str
    months: int = 12
    team: str = ""


@dataclass(frozen=True)
class Opinion:
    """One tool of the estate."""

    slug: str
    owner: str  # a person's e-mail, or a team's slug
    path: tuple[Tool.Lifecycle, ...]  # the states it went through, the last one is today's
    standings: tuple[Standing, ...] = ()
    how_to_en: str = ""
    how_to_fr: str = ""
    why: str = ""  # of a move that needs a reason
    successor: str = ""


NORA, SOLENE, THOMAS = "ops@ardoise.example", address("Solène Kervella"), "admin@ardoise.example"
CLAIRE, SALOME, CAMILLE = address("Claire Dubois"), "member@ardoise.example", address("Camille Østergaard")

OPINIONS = (
    Opinion(
        "linear", NORA, (L.ACTIVE,),
        (Standing("issue-tracking", R.ADOPT, "Every product team plans here; cycles and history feed our KPIs."),),
        "## Start here\n\n1. Join your team and turn on *My issues*.\n2. Every issue has one owner and one state.\n"
        "3. Cycles start on Monday and last two weeks.\n\n## House rules\n\n- A bug carries the label **Bug**.\n"
        "- What is started and waits for somebody goes back to *Todo*.\n- Post a project update every Friday.",
        "## Pour commencer\n\n1. Rejoindre son équipe et activer *My issues*.\n2. Une tâche a un responsable et un état.\n"
        "3. Les cycles commencent le lundi et durent deux semaines.\n\n## Règles de la maison\n\n"
        "- Un bug porte l’étiquette **Bug**.\n- Ce qui est commencé et attend quelqu’un retourne en *Todo*.\n"
        "- Publier un point projet chaque vendredi.",
    ),
    Opinion(
        "notion", SOLENE, (L.ACTIVE,),
        (
            Standing("docs", R.ADOPT, "One wiki for product, design and engineering since 2023."),
            Standing("research-repository", R.HOLD, "Notes can't be found again here; take Dovetail for research.", 6),
        ),
        "Write in your team's space. A page that others rely on names its owner in the first line.",
        "Écrire dans l’espace de son équipe. Une page qui sert aux autres nomme son responsable en première ligne.",
    ),
    Opinion(
        "productboard", CAMILLE, (L.ACTIVE,),
        (
            Standing("feedback", R.ADOPT, "Sales and support send what customers say here, and we answer from here."),
            Standing("roadmapping", R.ADOPT, "The only roadmap that leaves the building."),
        ),
        "Link a note to a feature within a week. What can't be linked is an insight: keep it, say why.",
        "Relier chaque note à une fonctionnalité sous une semaine. Le reste est un enseignement : le garder, dire pourquoi.",
    ),
    Opinion("figma", address("Margot Keller"), (L.ACTIVE,),
            (Standing("ui-design", R.ADOPT, "Design and hand-over in one place; the library lives here."),)),
    Opinion("figjam", address("Margot Keller"), (L.ACTIVE,),
            (Standing("whiteboard", R.ADOPT, "Comes with Figma seats; enough for nine workshops in ten."),)),
    Opinion(
        "miro", address("Jeanne Morel"), (L.ACTIVE, L.RETIRING),
        (Standing("whiteboard", R.HOLD, "Two whiteboards cost twice; boards move to FigJam until the renewal.", 6),),
        "Open for reading. New boards go to FigJam.", "Consultation seulement. Les nouveaux tableaux vont dans FigJam.",
        why="The contract ends in spring and FigJam covers what teams use.", successor="figjam",
    ),
    Opinion("dovetail", address("Jeanne Morel"), (L.IN_REVIEW, L.PILOT),
            (Standing("research-repository", R.TRIAL, "Search and Checkout try it until they have reused ten insights.", 4),)),
    Opinion("maze", address("Zoé Lefèvre"), (L.ACTIVE,),
            (Standing("usability-testing", R.ADOPT, "Unmoderated tests in a day, with our own panel."),)),
    Opinion("github", address("Samuel Adeyemi"), (L.ACTIVE,),
            (Standing("code", R.ADOPT, "All code and reviews; sign-in through the company account only."),)),
    Opinion("sentry", "platform", (L.ACTIVE,), (Standing("incidents", R.ADOPT, "Errors of every service land here."),)),
    Opinion("unleash", "platform", (L.ACTIVE,),
            (Standing("feature-flags", R.ADOPT, "Self-hosted, so flags stay up when the network does not."),)),
    Opinion("posthog", "growth", (L.ACTIVE,),
            (
                Standing("product-analytics", R.ADOPT, "Events are hosted in the EU and defined in one tracking plan."),
                Standing("session-replay", R.TRIAL, "Masked by default; privacy review due before it becomes standard.", 3),
            )),
    Opinion("amplitude", "growth", (L.ACTIVE, L.RETIRING),
            (Standing("product-analytics", R.HOLD, "Left for PostHog; funnels are read-only until year end.", 3),),
            why="Replaced by PostHog; the contract is not renewed.", successor="posthog"),
    Opinion("growthbook", "growth", (L.IN_REVIEW, L.PILOT),
            (Standing("experimentation", R.TRIAL, "Growth runs three experiments with it before we decide.", 4, "growth"),)),
    Opinion("metabase", address("Yann Le Goff"), (L.ACTIVE,), (Standing("bi", R.ADOPT, "Questions on the warehouse, no SQL needed."),)),
    Opinion("slack", THOMAS, (L.ACTIVE,), (Standing("communication", R.ADOPT, "Decisions don't live here: write them down."),)),
    Opinion("intercom", CLAIRE, (L.ACTIVE,), (Standing("support", R.ADOPT, "Support's inbox; product reads its tags."),)),
    Opinion("hubspot", "product-ops", (L.ACTIVE,), (Standing("crm", R.ADOPT, "Accounts and deals; product has viewer seats."),)),
    Opinion("typeform", SALOME, (L.ACTIVE,), (Standing("surveys", R.ADOPT, "Surveys to customers go out from here, in our words."),)),
    Opinion("launchnotes", CAMILLE, (L.IN_REVIEW,),
            (Standing("release-communication", R.ASSESS, "Compared with a page of our own; decision in January.", 3),)),
    Opinion("claude", THOMAS, (L.IN_REVIEW, L.PILOT),
            (Standing("assistants", R.TRIAL, "No customer data; prompts that work are shared in the library.", 3),)),
)  # fmt: skip


@transaction.atomic
def seed_tools() -> int:
    """Take the tools above into the estate, in Nora's name; one that somebody has touched stays as it is."""
    nora = User.objects.get(email=NORA)
    people = {person.email: person for person in User.objects.filter(is_active=True)}
    teams = {team.slug: team for team in Team.objects.all()}
    jobs = {job.slug: job for job in Capability.objects.jobs()}
    made = 0
    for opinion in OPINIONS:
        tool = Tool.objects.select_related("vendor").filter(slug=opinion.slug, is_starter=True).first()
        if tool is None:
            continue
        made += 1
        for state in opinion.path:
            successor = Tool.objects.filter(slug=opinion.successor).first() if state == L.RETIRING else None
            move(tool=tool, to=state, by=nora, why=opinion.why, successor=successor)
            tool.refresh_from_db()
        hand_over(tool=tool, to=people.get(opinion.owner) or teams[opinion.owner], by=nora)
        if opinion.how_to_en:
            links = tool.capability_links.select_related("capability").order_by("-is_primary", "capability__sort", "pk")
            edit_tool(
                tool=tool,
                fields={"how_to_en": opinion.how_to_en, "how_to_fr": opinion.how_to_fr},
                by=nora,
                vendor=tool.vendor.name if tool.vendor else "",
                capabilities=[link.capability for link in links],
                aliases=[alias.text for alias in tool.aliases.all()],
            )
        for standing in opinion.standings:
            decide(
                tool=tool,
                capability=jobs[standing.job],
                ring=standing.ring,
                why=standing.why,
                review_on=timezone.localdate() + timedelta(days=30 * standing.months),
                by=nora,
                team=teams[standing.team] if standing.team else None,
            )
    return made
