"""Health addresses: open to whoever watches."""

from tests.access import ROLES, Rule

ACCESS = {
    "livez": Rule(who=frozenset(ROLES)),
    "readyz": Rule(who=frozenset(ROLES)),
}
