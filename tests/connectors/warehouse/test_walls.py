"""A table of hostile statements against real databases: refused by us, by the database, or cut by the clock."""

import time

import pytest

from connectors.warehouse import child, reader
from connectors.warehouse.reader import QueryFailed, ask
from connectors.warehouse.statements import NotASelect, single_select, wrapped
from tests.connectors.warehouse.conftest import ROLE

GOOD = "SELECT week, team, value FROM figures ORDER BY week, team"
ANSWER = [["2026-03-02", "checkout", 4.0], ["2026-03-02", "search", 7.0], ["2026-03-09", "checkout", 5.0]]
DATABASES = ["postgres", "duck", "lite"]


def address(name, request):
    return request.getfixturevalue(name)[0]


@pytest.mark.parametrize("name", DATABASES)
def test_a_good_query_is_answered(name, request):
    table = ask(address(name, request), GOOD, seconds=5)

    assert table.columns == ("week", "team", "value")
    assert table.rows == ANSWER
    assert table.warnings == ()


@pytest.mark.parametrize("name", DATABASES)
@pytest.mark.parametrize(
    "query",
    [
        "WITH w AS (SELECT * FROM figures) SELECT week, sum(value) AS value FROM w GROUP BY week;",
        "SELECT week, value FROM figures WHERE team = 'delete from figures'",
        "SELECT count(*) AS value FROM figures UNION ALL SELECT 2",
    ],
)
def test_other_good_queries_pass(name, query, request):
    assert ask(address(name, request), query, seconds=5).columns


EVERYWHERE = [
    "INSERT INTO figures VALUES ('2026-03-02', 'x', 1)",
    "UPDATE figures SET value = 0",
    "DELETE FROM figures",
    "DROP TABLE figures",
    "CREATE TABLE mine (x int)",
    "SELECT 1; DROP TABLE figures",
    "SELECT 1;; SELECT 2",
    "SELECT 1 -- ; DROP TABLE figures",
    "SELECT 1 /* ; */",
    "SELECT ';' AS value",
    "SELECT 1) AS q; DELETE FROM figures; SELECT * FROM (SELECT 1",
    "WITH gone AS (DELETE FROM figures RETURNING *) SELECT * FROM gone",
    "SELECT * FROM figures \x00",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "",
    "SELECT " + "1," * 20_000 + "1",
]
HOSTILE = {
    "postgres": [
        *EVERYWHERE,
        "COPY figures TO PROGRAM 'sh -c id'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "SELECT * INTO mine FROM figures",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_catalog.pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS t(x int)",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT set_config('statement_timeout', '0', false)",
        "SELECT pg_sleep(60)",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
        "SELECT query_to_xml('DELETE FROM figures', true, true, '')",
        'SELECT "pg_sleep"(60)',
        'SELECT U&"pg\\005fsleep"(60)',
        """SELECT 1 AS "a'", pg_sleep(60) AS "b'\"""",
        """SELECT U&"pg!005fsleep" UESCAPE '!' (60)""",
        "SELECT $$;$$",
        "SELECT * FROM people_user",
        "SELECT usename, passwd FROM pg_shadow",
        "SET statement_timeout = 0",
        "DO 'begin end'",
        "VALUES (1)",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT * FROM figures FOR UPDATE",
        "SELECT nextval('people_user_id_seq')",
    ],
    "duck": [
        *EVERYWHERE,
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM '/etc/hosts.csv'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "ATTACH '/tmp/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "COPY figures TO '/tmp/x.csv'",
        "EXPORT DATABASE '/tmp/x'",
        "PRAGMA database_list",
        "SET enable_external_access = true",
        "SELECT * FROM 'https://example.com/x.csv'",
        "SELECT getenv('HOME')",
        "SELECT * FROM sys",
        """SELECT 1 AS "a'", getenv('HOME') AS "b'\"""",
    ],
    "lite": [
        *EVERYWHERE,
        "ATTACH DATABASE '/etc/passwd' AS x",
        "PRAGMA writable_schema = 1",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT * FROM pragma_database_list",
        "SELECT readfile('/etc/passwd')",
        "VACUUM INTO '/tmp/x'",
        "SELECT 1 AS [a'], load_extension('/tmp/x.so') AS [b']",
        "SELECT 1 AS `a'`, load_extension('/tmp/x.so') AS `b'`",
    ],
}


@pytest.mark.parametrize(("name", "query"), [(name, query) for name, queries in HOSTILE.items() for query in queries])
def test_a_hostile_statement_is_refused(name, query, request):
    where = address(name, request)

    with pytest.raises(QueryFailed) as caught:
        ask(where, query, seconds=3)

    assert caught.value.kind in {"query_rejected", "scope_missing"}


WORST = {
    "postgres": [
        "DELETE FROM figures",
        "SELECT 1) AS q; DELETE FROM figures; SELECT * FROM (SELECT 1",
        "SELECT pg_read_file('/etc/passwd')",
    ],
    "duck": ["SELECT 1) AS q; DROP TABLE figures; SELECT * FROM (SELECT 1", "SELECT * FROM read_text('/etc/passwd')"],
    "lite": ["SELECT load_extension('/tmp/x.so')"],
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "query"), [(name, query) for name, queries in WORST.items() for query in queries])
def test_the_databases_walls_hold_alone(name, query, request, monkeypatch):
    """Our own reading of the statement and the wrapping switched off."""
    where = address(name, request)

    with monkeypatch.context() as without:
        without.setattr(reader, "single_select", lambda query, kind: query)
        without.setattr(reader, "wrapped", lambda query, most: query)
        with pytest.raises(QueryFailed):
            ask(where, query, seconds=2)

    assert ask(where, GOOD, seconds=5).rows == ANSWER


ENDLESS = {
    "postgres": "SELECT count(*) AS value FROM generate_series(1, 10000000000) a, generate_series(1, 100000) b",
    "duck": "SELECT count(*) AS value FROM range(10000000000) a, range(100000) b WHERE hash(a.range + b.range) = 1",
    "lite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS value FROM n",
}


@pytest.mark.parametrize("name", DATABASES)
def test_an_endless_query_is_cut(name, request):
    where = address(name, request)
    began = time.monotonic()

    with pytest.raises(QueryFailed) as caught:
        ask(where, ENDLESS[name], seconds=1)

    assert caught.value.kind == "source_slow"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", DATABASES)
def test_more_rows_than_allowed_are_no_answer(name, request):
    with pytest.raises(QueryFailed) as caught:
        ask(address(name, request), GOOD, seconds=5, most=2)

    assert caught.value.code == "rows"


def test_a_role_that_may_write_is_told(postgres):
    where, owner = postgres
    owner.execute(f"GRANT INSERT ON public.figures TO {ROLE}")

    assert ask(where, GOOD, seconds=5).warnings == ("may_write",)


@pytest.mark.parametrize("power", ["SUPERUSER", "CREATEROLE", "pg_read_server_files"])
def test_a_role_with_too_much_power_is_refused(power, postgres):
    where, owner = postgres
    owner.execute(f"GRANT {power} TO {ROLE}" if power.islower() else f"ALTER ROLE {ROLE} {power}")
    try:
        with pytest.raises(QueryFailed) as caught:
            ask(where, GOOD, seconds=5)
    finally:
        owner.execute(f"ALTER ROLE {ROLE} NOSUPERUSER NOCREATEROLE")

    assert caught.value.kind == "scope_missing"


def test_a_wrong_password_is_told_without_saying_it(postgres):
    where = postgres[0].replace("canary-of-the-role", "canary-wrong")

    try:
        ask(where, GOOD, seconds=5)
    except QueryFailed as failed:
        assert failed.kind == "auth_invalid"
        assert "canary" not in failed.detail
    else:
        pytest.skip("this server trusts whoever comes through its socket")


def test_a_missing_table_is_the_queries_fault(duck):
    with pytest.raises(QueryFailed) as caught:
        ask(duck[0], "SELECT * FROM nowhere", seconds=5)

    assert caught.value.kind == "query_rejected"
    assert "nowhere" in caught.value.detail


def test_the_child_inherits_no_secret(monkeypatch, lite):
    seen = {}
    started = reader.subprocess.Popen

    def watched(args, **options):
        seen.update(options)
        return started(args, **options)

    monkeypatch.setattr(reader.subprocess, "Popen", watched)
    ask(lite[0], GOOD, seconds=5)

    assert seen["env"] == {}


def test_a_query_keeps_its_words_when_wrapped():
    assert wrapped(single_select(" select 1 ; ", "sqlite"), 5) == "SELECT * FROM (\nselect 1\n) AS q LIMIT 5"


@pytest.mark.parametrize(
    ("query", "code"), [("select 1 -- x", "comment"), ("select '\\'", "character"), ("select 1; select 2", "several")]
)
def test_a_refusal_says_why(query, code):
    with pytest.raises(NotASelect) as caught:
        single_select(query, "postgresql")

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("""SELECT 1 AS "a'", pg_sleep(9) AS "b'\"""", "postgresql"),
        ("""SELECT U&"pg!005fsleep" UESCAPE '!' (9)""", "postgresql"),
        ("SELECT 1 AS `a'`, sleep(9) AS `b'`", "mysql"),
        ("""SELECT "a'", load_file('/etc/passwd'), "b'\"""", "mysql"),
        ("SELECT 1 AS [a'], load_extension('x') AS [b']", "sqlite"),
    ],
)
def test_a_word_does_not_hide_between_the_quotes_of_two_names(query, kind):
    with pytest.raises(NotASelect) as caught:
        single_select(query, kind)

    assert caught.value.code == "word"


def test_a_forbidden_word_may_stand_in_a_text():
    query = "SELECT week, value FROM figures WHERE team = 'load'"

    assert single_select(query, "duckdb") == query


def test_an_answer_that_would_fill_the_memory_is_refused_while_it_is_read():
    class Endless:
        description = [(f"c{number}",) for number in range(60)]

        def execute(self, query):
            self.left = 10_000

        def fetchmany(self, most):
            taken, self.left = min(most, self.left), max(0, self.left - most)
            return [("x" * 400,) * 60] * taken

    endless = Endless()
    with pytest.raises(child.Refused) as caught:
        child.rows_of(endless, {"query": "", "most": 10_001})

    assert caught.value.kind == "bad_payload"
    assert endless.left > 5_000


def test_a_cell_that_json_can_not_hold_is_made_to_fit(lite):
    assert ask(lite[0], "SELECT char(97, 0) AS week, 1 AS value", seconds=5).rows == [["a\ufffd", 1]]


@pytest.mark.parametrize(
    ("grants", "mighty", "may_write"),
    [
        (["GRANT USAGE ON *.* TO `ro`@`%`", "GRANT SELECT ON `shop`.* TO `ro`@`%`"], [], False),
        (["GRANT SELECT (`week`, `update`) ON `shop`.`figures` TO `ro`@`%`"], [], False),
        (["GRANT `reporting`@`%` TO `ro`@`%`", "GRANT PROXY ON ``@`%` TO `ro`@`%`"], [], False),
        (["GRANT SELECT (`week`), INSERT (`value`) ON `shop`.`figures` TO `ro`@`%`"], [], True),
        (["GRANT ALL PRIVILEGES ON `shop`.* TO `ro`@`%`"], [], True),
        (["GRANT SELECT, PROCESS, FILE ON *.* TO `ro`@`%`"], ["FILE"], False),
        (["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"], ["ALL PRIVILEGES"], True),
    ],
)  # fmt: skip
def test_what_a_role_of_mysql_may_is_read_from_its_grants(grants, mighty, may_write):
    assert child.powers_of(grants) == (mighty, may_write)


class FromMySQL(Exception):
    """As its driver raises it: a number and a text, and a state that says less."""

    sqlstate = "42000"


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1142, "scope_missing"), (1045, "auth_invalid"), (1969, "source_slow"), (3024, "source_slow"),
     (2003, "source_down"), (1146, "query_rejected"), (1792, "query_rejected")],
)  # fmt: skip
def test_what_mysql_refuses_has_its_class(code, kind):
    assert child.failure_of(FromMySQL(code, "as the server says")) == kind
