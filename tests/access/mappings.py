"""Who says what the databases of a documents tool hold."""

from uuid import uuid4

from tests.access import Rule

SEE = frozenset({"ops", "admin"})
DAY = [{"id": "d%3Ay", "name": "Day", "type": "date", "options": []}]


def a_connection():
    from tests.connectors.factories import make_connection

    return {"pk": make_connection("notion", label="Notion").pk}


def a_source():
    from connectors.models import DocumentSource

    made = a_connection()
    ref = uuid4()
    DocumentSource.objects.create(connection_id=made["pk"], external_id=str(ref), name="Interviews", properties=DAY)
    return {**made, "ref": ref}


def a_mapping():
    from connectors.models import SourceMapping

    made = a_source()
    SourceMapping.objects.create(
        connection_id=made["pk"], source_ref=str(made["ref"]), meaning="interviews", fields={"date": "d%3Ay"}
    )
    return made


ACCESS = {
    "mappings:source_list": Rule(who=SEE, make=a_connection),
    "mappings:source_look": Rule(who=SEE, methods=("POST",), make=a_connection),
    "mappings:mapping_edit": Rule(who=SEE, methods=("GET", "POST"), make=a_mapping, data={"date": "d%3Ay"}),
    "mappings:mapping_remove": Rule(who=SEE, methods=("POST",), make=a_mapping),
    "mappings:mapping_undo": Rule(who=SEE, methods=("POST",), make=lambda: {**a_connection(), "batch": uuid4()}),
}
