"""Ardoise, the company of the demo: who works there, in which team, and who holds a Linear seat besides.

Nobody here is real. The demo makes people and teams from it, the sandbox makes Linear accounts from it,
so that the two agree, except where a real company would disagree, too.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

DOMAIN = "ardoise.example"


@dataclass(frozen=True)
class Person:
    """Somebody of the company. `team` is a team's key, `role` one of the hub's: member, ops, leader."""

    email: str
    name: str
    job_title: str
    team: str
    role: str
    started_on: date
    left_on: date | None = None
    is_admin: bool = False  # the technical admin: connections and tokens
    craft: str = "engineering"  # product, design, engineering, ops, leadership


@dataclass(frozen=True)
class Team:
    """A team; `parent` is a team's key or empty, `lead` a person's e-mail. Parents come before their children."""

    key: str
    slug: str
    name: str
    parent: str
    lead: str


@dataclass(frozen=True)
class Seat:
    """A Linear account that no e-mail ties to a person. `stands_for` is whose it really is, empty if nobody's."""

    email: str
    name: str
    kind: str  # guest, member, bot
    stands_for: str = ""
    is_dormant: bool = False


@dataclass(frozen=True)
class Company:
    """All of it. `people` work here today; `leavers` are gone, though Linear may not know."""

    name: str
    teams: tuple[Team, ...]
    people: tuple[Person, ...]
    leavers: tuple[Person, ...]
    seats: tuple[Seat, ...]

    def person(self, email: str) -> Person:
        """Return the person with this e-mail. Raises KeyError."""
        for person in (*self.people, *self.leavers):
            if person.email == email:
                return person
        raise KeyError(email)

    @property
    def product_teams(self) -> tuple[Team, ...]:
        """Teams that build: those that Linear knows."""
        return tuple(team for team in self.teams if team.parent in {"SHP", "FND"})


def address(name: str) -> str:
    """Return the company e-mail of a name: "Salomé Petit" is salome.petit@…"""
    name = name.translate({ord("Ø"): "O", ord("ø"): "o", ord("ı"): "i"})  # letters that don't decompose
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().replace("'", "")
    first, *rest = plain.split()
    return f"{first}.{'-'.join(rest)}@{DOMAIN}"


# People one signs in as; the short addresses are easier to type than the rule above
_SHORT = {
    "Salomé Petit": f"member@{DOMAIN}",
    "Nora Haddad": f"ops@{DOMAIN}",
    "Inès Carpentier": f"leader@{DOMAIN}",
    "Thomas Weil": f"admin@{DOMAIN}",
}

_PRODUCT = {
    "CHK": ["Claire Dubois", "Salomé Petit", "Karim Benali"],
    "SRC": ["Jeanne Morel", "Hiroshi Tanaka"],
    "MOB": ["Hugo Lambert", "Anaïs Rossi"],
    "GRW": ["Camille Østergaard", "Rafael Moreira"],
    "ONB": ["Paul Nguyen", "Léa Fournier"],
    "PLT": ["Yann Le Goff", "Amara Diallo", "Maëlle Guérin"],
}
_DESIGN = {
    "CHK": ["Zoé Lefèvre", "Tomáš Dvořák"],
    "SRC": ["Priya Raghavan"],
    "MOB": ["Élodie Garnier", "Mateus Carvalho"],
    "GRW": ["Freja Lindqvist"],
    "ONB": ["Noémie Barbier"],
    "PLT": ["Siân Hughes"],
}
_ENGINEERING = {
    "CHK": ["Antoine Mercier", "Fatou Ndiaye", "Bjørn Haugen", "Clémence Roy", "Omar El Idrissi", "Julia Kowalska",
            "Rémi Chevalier"],
    "SRC": ["Wei Zhang", "Agnès Bonnet", "Diego Fernández", "Chloé Marchand", "Sven Bergström", "Meriem Saïdi",
            "Baptiste Leroy"],
    "MOB": ["Ngọc Trần", "Lucas Girard", "Aoife Byrne", "Thibault Renard", "Ayşe Yılmaz", "Pauline Masson",
            "Kwame Mensah"],
    "GRW": ["Inés Ortega", "Maxime Perrin", "Lena Schäfer", "Sofiane Amrani", "Gaëlle Picard", "Daniel Novák"],
    "ONB": ["Margaux Colin", "Arjun Mehta", "Loïc Tanguy", "Beatriz Gonçalves", "Adrien Faure", "Hanna Virtanen"],
    "PLT": ["Cédric Blanchard", "Oksana Melnyk", "François Delattre", "Ji-woo Park", "Mélanie Aubert",
            "Stefan Ilić", "Aurélien Brunet"],
}  # fmt: skip
_ENGINEER_TITLES = ("Engineering manager", "Staff engineer", "Senior engineer", "Engineer")


def _person(
    name: str, job_title: str, team: str, craft: str, *, role: str = "member", is_admin: bool = False
) -> Person:
    email = _SHORT.get(name, address(name))
    # Spread first days over seven years, by the name, so that adding a person moves nobody else
    days = sum((place + 1) * ord(letter) for place, letter in enumerate(email)) % 2500
    started_on = date(2026, 10, 5) - timedelta(days=days)
    started_on -= timedelta(days=started_on.weekday())
    return Person(email, name, job_title, team, role, started_on, is_admin=is_admin, craft=craft)


def _people() -> tuple[Person, ...]:
    people = [
        _person("Mathieu Roussel", "Chief product officer", "PRD", "leadership", role="leader"),
        _person("Inès Carpentier", "VP Product, Shopping", "SHP", "leadership", role="leader"),
        _person("Étienne Vasseur", "VP Product, Foundations", "FND", "leadership", role="leader"),
        _person("Margot Keller", "Head of design", "PRD", "leadership", role="leader"),
        _person("Samuel Adeyemi", "VP Engineering", "PRD", "leadership", role="leader"),
        _person("Nora Haddad", "Head of Product Ops", "POP", "ops", role="ops"),
        _person("Solène Kervella", "Product Ops manager", "POP", "ops", role="ops"),
        _person("Thomas Weil", "IT and security engineer", "POP", "engineering", is_admin=True),
    ]
    for team, names in _PRODUCT.items():
        for place, name in enumerate(names):
            people.append(_person(name, "Product manager" if place else "Senior product manager", team, "product"))
    for team, names in _DESIGN.items():
        people += [_person(name, "Product designer", team, "design") for name in names]
    for team, names in _ENGINEERING.items():
        for place, name in enumerate(names):
            people.append(_person(name, _ENGINEER_TITLES[min(place, 3)], team, "engineering"))
    return tuple(people)


COMPANY = Company(
    name="Ardoise",
    teams=(
        Team("PRD", "product", "Product", "", address("Mathieu Roussel")),
        Team("SHP", "shopping", "Shopping", "PRD", _SHORT["Inès Carpentier"]),
        Team("FND", "foundations", "Foundations", "PRD", address("Étienne Vasseur")),
        Team("POP", "product-ops", "Product Ops", "PRD", _SHORT["Nora Haddad"]),
        Team("CHK", "checkout", "Checkout", "SHP", address("Claire Dubois")),
        Team("SRC", "search", "Search", "SHP", address("Jeanne Morel")),
        Team("MOB", "mobile", "Mobile", "SHP", address("Hugo Lambert")),
        Team("GRW", "growth", "Growth", "FND", address("Camille Østergaard")),
        Team("ONB", "onboarding", "Onboarding", "FND", address("Paul Nguyen")),
        Team("PLT", "platform", "Platform", "FND", address("Yann Le Goff")),
    ),
    people=_people(),
    leavers=(
        Person(
            address("Raphaël Collet"), "Raphaël Collet", "Product manager", "GRW", "member",
            date(2022, 3, 7), date(2026, 8, 28), craft="product",
        ),
        Person(
            address("Ivana Petrović"), "Ivana Petrović", "Engineer", "MOB", "member",
            date(2021, 9, 6), date(2026, 5, 29),
        ),
    ),
    seats=(
        Seat("leo@atelier-fontaine.example", "Léo Fontaine", "guest"),
        Seat("nadia.osman@northbank.example", "Nadia Osman", "guest"),
        Seat("dev3@kelvin-studio.example", "dev3", "guest", is_dormant=True),
        # Seats of people of ours, under an address that the hub has never seen
        Seat("arjun@mehta.example", "Arjun M.", "member", stands_for=address("Arjun Mehta")),
        Seat("gaelle.picard@lutrin.example", "Gaëlle P.", "member", stands_for=address("Gaëlle Picard")),
        Seat("github@linear-app.example", "GitHub", "bot"),
        Seat("alerts@linear-app.example", "Alert bot", "bot"),
    ),
)  # fmt: skip
