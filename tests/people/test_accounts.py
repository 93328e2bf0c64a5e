"""Who is who across tools."""

import pytest

from connectors.accounts import actions, queries
from connectors.models import Connection, PersonAccount, WorkTeam
from hub.activity.models import Event
from tests.people.factories import TeamFactory, UserFactory

CEILING = 10
Match = PersonAccount.Match


@pytest.fixture
def linear(db):
    return Connection.objects.create(service="linear", label="Linear")


@pytest.fixture
def account(linear):
    """Return a maker of accounts, unmatched unless told otherwise."""

    def make(name, email="", **fields):
        return PersonAccount.objects.create(
            connection=linear, external_id=f"{name}/{email}", name=name, email=email, **fields
        )

    return make


def test_only_what_waits_is_listed(sign_in, ops, account):
    ana = UserFactory(name="Ana Ruiz")
    account("Ana", person=ana, match=Match.EMAIL)
    account("Robot", match=Match.IGNORED)
    account("Closed", is_active=False)
    waits = account("marc.d")

    rows = sign_in(ops).get("/people/accounts/").context["rows"]

    assert [row.account for row in rows] == [waits]


@pytest.mark.parametrize(
    ("name", "email", "person", "reason"),
    [
        ("Jeanne Morel", "", "Jeanne Morel", "same_name"),
        ("MOREL Jeanne", "", "Jeanne Morel", "same_name"),
        ("elodie faure", "", "Élodie Faure", "same_name"),
        ("jm", "jeanne.morel@gmail.example", "Jeanne Morel", "same_name"),
        ("?", "karim@gmail.example", "Karim Benali", "same_address"),
        ("kbenali", "kbenali@gmail.example", "Karim Benali", "initial"),
        ("K. Benali", "", "Karim Benali", "initial"),
        ("Marie-Ève Côté", "", "Marie-Ève Côté", "same_name"),
    ],
)
def test_similar_people_are_suggested(db, account, name, email, person, reason):
    for known in ("Jeanne Morel", "Élodie Faure", "Marie-Ève Côté"):
        UserFactory(name=known, email=f"{known.split()[0].lower()}@ardoise.example")
    UserFactory(name="Karim Benali", email="karim@ardoise.example")
    held = account(name, email)

    found = queries.suggestions_for([held])[held.pk]

    assert [(one.name, one.reason) for one in found] == [(person, reason)]


def test_nobody_similar_suggests_nobody(db, account):
    UserFactory(name="Jeanne Morel")

    assert queries.suggestions_for([account("GitHub"), account("")]) == {}


def test_names_from_the_tool_are_drawn_as_text(sign_in, ops, account):
    UserFactory(name="<i>Ana</i> Ruiz", email="ana@ardoise.example", is_active=False)
    account("<i>Ana</i> Ruiz", "ana@elsewhere.example")

    page = sign_in(ops).get("/people/accounts/").content.decode()

    assert "<i>" not in page
    assert "&lt;i&gt;Ana&lt;/i&gt; Ruiz (left)<span" in page  # the button of the person it may belong to


def test_what_was_decided_is_shown_with_whose_it_is(sign_in, ops, account):
    ana = UserFactory(name="Ana Ruiz")
    account("ana.r", person=ana, match=Match.MANUAL)
    account("Robot", match=Match.IGNORED)

    page = sign_in(ops).get("/people/accounts/?state=decided").content.decode()

    assert f'<a href="{ana.get_absolute_url()}">Ana Ruiz</a>' in page
    assert '<span class="badge badge--neutral">Not a person</span>' in page
    assert "Not people" in page  # an act on the ticked rows …
    assert 'formaction="/people/accounts/ignore/?state=decided" name="only"' not in page  # … not on one set aside


@pytest.mark.parametrize(("query", "found"), [("", 2), ("?q=marc", 1), ("?kind=guest", 0)])
def test_the_pages_are_of_what_was_found(sign_in, ops, account, query, found):
    account("marc.d")
    account("ana.r")
    account("Robot", match=Match.IGNORED)

    answer = sign_in(ops).get(f"/people/accounts/{query}")

    assert answer.context["page"].paginator.count == found
    assert len(answer.context["rows"]) == found


def test_a_suggestion_ties_nothing_by_itself(sign_in, ops, account):
    UserFactory(name="Jeanne Morel")
    held = account("Jeanne Morel")

    sign_in(ops).get("/people/accounts/")

    held.refresh_from_db()
    assert (held.person, held.match) == (None, Match.UNMATCHED)


@pytest.mark.parametrize(
    "form",
    [
        lambda held, ana: {"pick": f"{held.pk}:{ana.pk}"},
        lambda held, ana: {f"person-{held.pk}": "ANA@ardoise.example "},
        lambda held, ana: {f"person-{held.pk}": "ana ruiz"},
        lambda held, ana: {f"person-{held.pk}": ana.email, "only": held.pk},
        lambda held, ana: {f"person-{held.pk}": ana.email, "row": [held.pk]},
    ],
)
def test_an_account_is_matched_by_hand(sign_in, ops, account, form):
    ana = UserFactory(name="Ana Ruiz", email="ana@ardoise.example")
    held = account("a.r")

    sign_in(ops).post("/people/accounts/match/", form(held, ana))

    held.refresh_from_db()
    assert (held.person, held.match) == (ana, Match.MANUAL)
    assert Event.objects.get().changes == {"person": [None, "Ana Ruiz"], "match": ["unmatched", "manual"]}


def test_one_row_is_matched_whatever_is_typed_beside_the_others(sign_in, ops, account):
    ana = UserFactory(email="ana@ardoise.example")
    first, second = account("one"), account("two")

    sign_in(ops).post(
        "/people/accounts/match/",
        {f"person-{first.pk}": ana.email, f"person-{second.pk}": ana.email, "only": second.pk},
    )

    assert list(PersonAccount.objects.filter(person=ana)) == [second]


def test_a_name_that_two_people_bear_ties_nothing(sign_in, ops, account):
    UserFactory(name="Ana Ruiz", email="ana1@ardoise.example")
    UserFactory(name="Ana Ruiz", email="ana2@ardoise.example")
    held = account("ana")

    answer = sign_in(ops).post("/people/accounts/match/", {f"person-{held.pk}": "Ana Ruiz"}, follow=True)

    held.refresh_from_db()
    assert held.person is None
    assert "Ana Ruiz" in answer.content.decode()


@pytest.mark.parametrize("data", [{}, {"pick": "x:y"}, {"pick": "1:999999"}, {"only": "9" * 30}, {"person-zz": "a"}])
def test_nonsense_changes_nothing(sign_in, ops, account, data):
    held = account("ana")

    answer = sign_in(ops).post("/people/accounts/match/", data)

    held.refresh_from_db()
    assert (answer.status_code, held.person) == (302, None)


def test_what_was_typed_and_ties_nothing_is_there_once_more(sign_in, ops, account):
    UserFactory(name="Arjun Mehta", email="arjun.mehta@ardoise.example")
    matched, unknown, other = account("arjun"), account("marc.d"), account("nadia")
    client = sign_in(ops)

    page = client.post(
        "/people/accounts/match/",
        {
            f"person-{matched.pk}": "Arjun Mehta",
            f"person-{unknown.pk}": 'Nobody "here"',
            f"person-{other.pk}": " ",
        },
        follow=True,
    ).content.decode()

    assert f'name="person-{unknown.pk}" value="Nobody &quot;here&quot;"' in page
    assert page.count('value="Nobody') == 1 and "Arjun Mehta" not in page
    assert "Nobody" not in client.get("/people/accounts/").content.decode()


def test_what_was_typed_beside_a_tool_team_is_there_once_more(sign_in, ops, linear):
    team = WorkTeam.objects.create(connection=linear, external_id="t1", name="Guild", key="GLD")

    page = sign_in(ops).post("/people/accounts/teams/match/", {f"team-{team.pk}": "No such team"}, follow=True)

    assert f'name="team-{team.pk}" value="No such team"' in page.content.decode()


def test_robots_are_set_aside_together(sign_in, ops, account):
    robots = [account(f"bot {number}", kind="bot") for number in range(3)]
    person = account("marc.d")

    sign_in(ops).post("/people/accounts/ignore/", {"row": [robot.pk for robot in robots]})

    assert list(queries.unmatched()) == [person]
    assert len(set(Event.objects.values_list("batch", flat=True))) == 1


def test_what_was_decided_together_is_undone_together(sign_in, ops, account):
    ana = UserFactory(email="ana@ardoise.example")
    robots = [account(f"bot {number}") for number in range(3)]
    client = sign_in(ops)
    client.post("/people/accounts/ignore/", {"row": [robot.pk for robot in robots]})
    batch = Event.objects.first().batch

    client.post(f"/people/accounts/undo/{batch}/")

    assert queries.unmatched().count() == 3
    assert ana.accounts.count() == 0


def test_an_undone_match_goes_back_to_what_the_e_mail_says(ops, account):
    ana, other = UserFactory(email="ana@ardoise.example"), UserFactory()
    held = account("Ana", "ana@ardoise.example", person=ana, match=Match.EMAIL)

    decided = actions.match_accounts(pairs={held.pk: other}, by=ops)
    actions.undo(batch=decided.batch, by=ops)

    held.refresh_from_db()
    assert (held.person, held.match) == (ana, Match.EMAIL)


def test_an_undo_takes_back_nothing_that_somebody_decided_since(ops, account, linear):
    held, team = account("Marc"), WorkTeam.objects.create(connection=linear, external_id="t", name="T")
    one, other = UserFactory(), UserFactory()
    early = actions.match_accounts(pairs={held.pk: one}, by=ops)
    early_team = actions.match_teams(pairs={team.pk: TeamFactory()}, by=ops)
    actions.match_accounts(pairs={held.pk: other}, by=ops)
    actions.match_teams(pairs={team.pk: (later := TeamFactory())}, by=ops)

    undone = [actions.undo(batch=decided.batch, by=ops) for decided in (early, early_team)]

    held.refresh_from_db()
    team.refresh_from_db()
    assert (undone, held.person, team.team) == ([0, 0], other, later)


def test_a_sync_never_overrules_a_person(ops, account, linear):
    from connectors.store import match_people

    ana, other = UserFactory(email="ana@ardoise.example"), UserFactory(email="other@ardoise.example")
    tied, robot = account("Ana", ana.email), account("Bot", other.email)
    free = account("Other", other.email)
    actions.match_accounts(pairs={tied.pk: other}, by=ops)
    actions.ignore_accounts(ids=[robot.pk], by=ops)

    match_people(linear)

    found = {held.pk: (held.person, held.match) for held in PersonAccount.objects.all()}
    assert found == {
        tied.pk: (other, Match.MANUAL), robot.pk: (None, Match.IGNORED), free.pk: (other, Match.EMAIL),
    }  # fmt: skip


def test_seats_of_people_who_left_are_found(sign_in, ops, account):
    gone = UserFactory(name="Gone Girl", is_active=False)
    seat = account("Gone", person=gone, match=Match.EMAIL)
    account("Gone too", person=gone, match=Match.EMAIL, is_active=False)

    page = sign_in(ops).get("/people/accounts/leavers/").context["page"]

    assert list(page) == [seat]


def test_a_tool_team_is_tied_and_untied(sign_in, ops, linear):
    checkout = TeamFactory(name="Checkout")
    squad = WorkTeam.objects.create(connection=linear, external_id="t", name="Checkout squad")
    client = sign_in(ops)

    client.post("/people/accounts/teams/match/", {f"team-{squad.pk}": "checkout"})
    squad.refresh_from_db()
    tied = squad.team
    client.post(f"/people/accounts/undo/{Event.objects.first().batch}/")
    squad.refresh_from_db()

    assert (tied, squad.team) == (checkout, None)


@pytest.mark.parametrize("address", ["", "teams/", "leavers/", "?state=decided"])
def test_thousands_of_rows_cost_few_queries(sign_in, ops, linear, address, django_assert_max_num_queries):
    people = [UserFactory(name=f"Ana Ruiz {number}", is_active=False) for number in range(5)]
    PersonAccount.objects.bulk_create(
        PersonAccount(
            connection=linear,
            external_id=str(number),
            name=f"Ana Ruiz {number}",
            person=people[number % 5] if number % 3 else None,
            match=["unmatched", "email", "manual"][number % 3],
        )
        for number in range(3000)
    )
    WorkTeam.objects.bulk_create(
        WorkTeam(connection=linear, external_id=str(number), name=f"Squad {number}") for number in range(300)
    )
    client = sign_in(ops)
    client.get(f"/people/accounts/{address}")

    with django_assert_max_num_queries(CEILING):
        answer = client.get(f"/people/accounts/{address}")

    assert answer.status_code == 200
    assert len(list(answer.context["page"])) == 50


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "No account was read yet"),
        ("?q=zz", "No account fits"),
        ("?state=decided", "Nothing decided by hand yet"),
        ("teams/", "Every tool team has its team"),
        ("teams/?state=decided", "No tool team is tied yet"),
        ("leavers/", "No seat is left behind"),
    ],
)
def test_empty_lists_say_why(sign_in, ops, address, words):
    assert words in sign_in(ops).get(f"/people/accounts/{address}").content.decode()


def test_where_a_tool_is_read_nobody_waits(sign_in, ops, linear):
    assert "Every account has its person" in sign_in(ops).get("/people/accounts/").content.decode()


def test_typing_finds_people(sign_in, ops):
    UserFactory(name="Ana <Ruiz>", email="ana@ardoise.example")

    text = sign_in(ops).get("/people/accounts/suggest/?person-12=ruiz").content.decode()

    assert text.strip() == '<option value="ana@ardoise.example">Ana &lt;Ruiz&gt;</option>'


def test_the_accounts_of_a_person_come_as_a_piece_of_their_page(sign_in, ops, account):
    ana = UserFactory(name="Ana Ruiz")
    account("Ana", "ana@ardoise.example", person=ana, match=Match.EMAIL)

    headers = {"HX-Request": "true", "HX-Target": "person-accounts"}
    piece = sign_in(ops).get(f"/people/accounts/of/{ana.pk}/", headers=headers).content.decode()

    assert piece.strip().startswith('<div id="person-accounts">')
    assert "Linear" in piece
