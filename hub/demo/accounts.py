"""The accounts one signs in with to look around the demo, one for each kind of person."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connectors.sandbox.company import DOMAIN

PASSWORD = "ardoise-demo"  # noqa: S105 (shown on purpose; exists only where DEMO is on)


@dataclass(frozen=True)
class Account:
    """Someone of the demo company, and what they would do first."""

    email: str
    label: "str | Promise"
    first_job: "str | Promise"


ACCOUNTS = (
    Account(f"member@{DOMAIN}", _("Product manager"), _("find a tool, read a KPI")),
    Account(f"ops@{DOMAIN}", _("Product Ops"), _("match accounts, import tools")),
    Account(f"leader@{DOMAIN}", _("Leader"), _("see what is off target")),
    Account(f"admin@{DOMAIN}", _("Technical admin"), _("connect a service")),
)
