"""Who is who across tools."""

from uuid import uuid4

from tests.access import Rule
from tests.access.people import OPS, a_person

ACCESS = {
    "accounts:account_list": Rule(who=OPS),
    "accounts:account_match": Rule(who=OPS, methods=("POST",)),
    "accounts:account_ignore": Rule(who=OPS, methods=("POST",)),
    "accounts:account_undo": Rule(who=OPS, methods=("POST",), make=lambda: {"batch": uuid4()}, missing=302),
    "accounts:suggest": Rule(who=OPS),
    "accounts:team_list": Rule(who=OPS),
    "accounts:team_match": Rule(who=OPS, methods=("POST",)),
    "accounts:leaver_list": Rule(who=OPS),
    "accounts:of_person": Rule(who=OPS, make=a_person),
}
