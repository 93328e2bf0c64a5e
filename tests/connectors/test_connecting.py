"""The page on which a source is connected: one service at a time, with its own rights and address."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("service", "says", "is_silent_of"),
    [("jira", "Browse projects", "notes:read"), ("productboard", "notes:read", "Browse projects")],
)
def test_the_page_that_connects_shows_the_rights_of_the_one_service(service, says, is_silent_of, sign_in, admin):
    text = sign_in(admin).get(f"/syncs/new/?service={service}").content.decode()

    assert says in text and is_silent_of not in text
    assert f'name="service" value="{service}"' in text
    assert ("https://your-company.atlassian.net" in text) == (service == "jira")


def test_an_unknown_service_shows_the_first_one(sign_in, admin):
    assert sign_in(admin).get("/syncs/new/?service=fax").context["service"].key == "github"
