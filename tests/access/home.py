"""Front pages and the shell's own acts."""

from tests.access import ROLES, Rule

ANYONE = frozenset(ROLES)

ACCESS = {
    "home:home": Rule(),
    "home:styleguide": Rule(who=frozenset({"ops", "admin"})),
    "home:set_language": Rule(who=ANYONE, methods=("POST",), data={"language": "fr"}),
    "home:set_theme": Rule(methods=("POST",), data={"theme": "dark"}),
}
