"""Names by likeness: the database and Python agree, and no look-up reads everybody."""

from datetime import date

import pytest
from django.db import connection
from django.db.models import Q

from hub.people.models import User
from hub.people.names import InitialAndLast, MailName, PlainName, plain
from tests.people.factories import UserFactory


@pytest.mark.parametrize(
    ("name", "whole", "short"),
    [
        ("Marie-Ève Côté", "marie eve cote", "m cote"),
        ("Élodie Faure", "elodie faure", "e faure"),
        ("Cher", "cher", "c cher"),
    ],
)
def test_the_database_writes_a_name_as_python_does(db, name, whole, short):
    person = UserFactory(name=name, email="some.body@ardoise.example")

    stored = User.objects.filter(pk=person.pk).values_list(PlainName("name"), InitialAndLast("name"), MailName("email"))

    assert stored.get() == (whole, short, "some.body")
    assert plain(name) == whole


def test_people_are_found_by_likeness_without_reading_them_all(db):
    User.objects.bulk_create(
        User(name=f"Person {rank}", email=f"person{rank}@ardoise.example", started_on=date(2020, 1, 6))
        for rank in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE people_user")
    wanted = [f"person {rank}" for rank in range(100)]

    plan = (
        User.objects.annotate(whole=PlainName("name"), short=InitialAndLast("name"), mail=MailName("email"))
        .filter(Q(whole__in=wanted) | Q(short__in=["p 7", "p 8"]) | Q(mail__in=["person9"]))
        .explain()
    )

    assert "Seq Scan" not in plan
    for index in ("people_user_plain_name", "people_user_initial_and_last", "people_user_mail_name"):
        assert index in plan
