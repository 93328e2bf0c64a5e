"""Every page of the hub, read from the access tables: a page with a rule is looked at without being listed again."""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache

from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

import tests.access
from tests.access import Rule

# Whose eyes see most of a page
RICHEST_FIRST = ("ops", "admin", "leader", "member", "anonymous")


@dataclass(frozen=True)
class PageCase:
    """A page: its URL name, its rule, and the role it is looked at with."""

    name: str
    rule: Rule
    role: str

    def address(self) -> str:
        """Make the rows it needs and return its address."""
        return reverse(self.name, kwargs=self.rule.make())

    def __str__(self) -> str:
        return f"{self.name} as {self.role}"


@cache
def rules() -> dict[str, Rule]:
    """Return the rules of all rooms by URL name."""
    found: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(tests.access.__path__):
        found |= getattr(importlib.import_module(f"tests.access.{module.name}"), "ACCESS", {})
    return found


@cache
def known_names() -> frozenset[str]:
    """Return the URL names that the hub has now."""

    def walk(resolver: URLResolver, prefix: str) -> set[str]:
        names = set()
        for entry in resolver.url_patterns:
            if isinstance(entry, URLPattern) and entry.name:
                names.add(f"{prefix}{entry.name}")
            elif isinstance(entry, URLResolver):
                names |= walk(entry, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)
        return names

    return frozenset(walk(get_resolver(), ""))


# Answers that are no page of ours: files, redirects that act, and Django's own admin
NOT_A_PAGE = ("export", "csv", "plan_template", "livez", "readyz", "account_logout", "account_confirm", "admin:")


def page_cases() -> list[PageCase]:
    """Return each page once, seen by the role that sees most, and the front page by every role."""
    cases = []
    for name, rule in sorted(rules().items()):
        if "GET" not in rule.methods or name not in known_names() or any(part in name for part in NOT_A_PAGE):
            continue
        is_for_strangers = "anonymous" in rule.who
        seen_by = "anonymous" if is_for_strangers else next(role for role in RICHEST_FIRST if role in rule.who)
        cases.append(PageCase(name, rule, seen_by))
    home = rules().get("home:home")
    cases += [PageCase("home:home", home, role) for role in ("member", "leader", "admin") if home and role in home.who]
    return cases
