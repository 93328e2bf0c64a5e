"""Who may let a tool announce its changes, and who may announce them."""

from tests.access import ROLES, Rule

EDIT = frozenset({"admin"})


def an_endpoint(service="linear"):
    from connectors import registry
    from connectors.webhooks import actions
    from tests.connectors.factories import make_connection
    from tests.people.factories import UserFactory

    connection = make_connection(service, label=service.capitalize())
    hook = registry.announcing(service).hook
    return actions.turn_on(connection=connection, hook=hook, by=UserFactory(email=f"{service}@hooks.example"))


def the_address():
    return {"service": "linear", "address": an_endpoint().address}


def a_connection():
    return {"pk": an_endpoint().connection_id}


def switched():
    return {**a_connection(), "on": 0}


def one_that_sends_our_value():
    return {"pk": an_endpoint("productboard").connection_id}


ACCESS = {
    "webhooks:receive": Rule(
        who=frozenset(ROLES), methods=("POST",), make=the_address, ok=(401,), for_programs=True
    ),  # nothing was signed here
    "webhooks:switch": Rule(who=EDIT, methods=("POST",), make=switched),
    "webhooks:secret_edit": Rule(
        who=EDIT, methods=("GET", "POST"), make=a_connection, data={"secret": "lin_wh_for_the_access_test"}
    ),
    "webhooks:secret_renew": Rule(who=EDIT, methods=("POST",), make=one_that_sends_our_value),
    "webhooks:move": Rule(who=EDIT, methods=("POST",), make=a_connection),
}
