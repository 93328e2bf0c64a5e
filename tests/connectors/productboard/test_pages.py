"""What people see of Productboard: hidden accounts that can be matched all the same, and what the plan leaves out."""

import pytest
from django.urls import reverse

from connectors.models import PersonAccount

pytestmark = pytest.mark.django_db


def test_a_hidden_account_is_offered_and_matched_by_hand(company, ops, sign_in):
    company.wire.tokens["pb_sandbox_token"] = frozenset({"entities:read", "notes:read", "analytics:read"})
    company.sync(only=["members"])
    account = PersonAccount.objects.order_by("pk").first()
    client = sign_in(ops)

    shown = client.get(reverse("accounts:account_list")).content.decode()
    typed = {"only": account.pk, f"person-{account.pk}": ops.email}
    client.post(reverse("accounts:account_match"), typed)

    assert shown.count("The tool hides name and e-mail") == 3 and account.external_id in shown
    account.refresh_from_db()
    assert (account.person, account.match) == (ops, PersonAccount.Match.MANUAL)
    company.sync(only=["members"])
    account.refresh_from_db()
    assert account.person == ops


def test_what_the_plan_leaves_out_is_no_failure_of_the_source(open_company, ops, sign_in):
    company = open_company(not_in_plan={"member-activities"})
    company.sync()

    answer = sign_in(ops).get(reverse("connectors:connection_detail", args=[company.connection.pk]))

    assert answer.status_code == 200
    assert "Not available" in answer.content.decode()
