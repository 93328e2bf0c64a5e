"""Where a database may be: nothing inside, unless it is named."""

import socket

import pytest

from connectors.warehouse.addresses import NotAllowed, check, may_reach

INSIDE = [
    "127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.9", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1", "fe80::1",
    "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "224.0.0.1", "255.255.255.255", "::", "2002:7f00:1::",
    "168.63.129.16", "192.88.99.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2001:0:7f00:1::", "fec0::1", "::127.0.0.1",
]  # fmt: skip


@pytest.fixture(autouse=True)
def walls(settings, tmp_path):
    settings.SQL_HOSTS = []
    settings.SQL_FOLDERS = [str(tmp_path / "open")]
    (tmp_path / "open").mkdir()


@pytest.mark.parametrize("number", INSIDE)
def test_an_address_inside_is_refused(number):
    assert not may_reach(number, "db.example.com", 5432)


@pytest.mark.parametrize("number", ["93.184.215.14", "2606:2800:21f::1"])
def test_a_public_address_is_allowed(number):
    assert may_reach(number, "db.example.com", 5432)


@pytest.mark.parametrize("entry", ["10.1.0.0/16", "db.internal", "db.internal:5432", "10.1.2.3"])
def test_whoever_runs_the_hub_may_name_one(entry, settings):
    settings.SQL_HOSTS = [entry]

    assert may_reach("10.1.2.3", "db.internal", 5432)
    assert not may_reach("10.9.2.3", "other.internal", 5432)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0"])
def test_other_spellings_of_this_machine_are_refused(host):
    with pytest.raises(NotAllowed):
        check(f"postgresql://ro:x@{host}:5432/shop")


def test_one_address_inside_among_public_ones_is_refused(monkeypatch):
    def both(host, port, **_):
        return [(2, 1, 6, "", (number, port)) for number in ("93.184.215.14", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)

    with pytest.raises(NotAllowed) as caught:
        check("postgresql://ro:x@db.example.com/shop")

    assert caught.value.code == "private"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("oracle://x@y/z", "kind"),
        ("http://example.com", "kind"),
        ("postgresql://ro@db.example.com:22/shop", "spelling"),
        ("postgresql://ro@db.example.com:99999/shop", "spelling"),
        ("postgresql:///shop", "spelling"),
        ("postgresql://ro@93.184.215.14/shop?host=10.0.0.1", "option"),
        ("postgresql://ro@93.184.215.14/shop?hostaddr=10.0.0.1", "option"),
        ("postgresql://ro@93.184.215.14/shop?service=x", "option"),
        ("postgresql://ro@93.184.215.14/shop?sslkey=/etc/passwd", "option"),
        ("mysql://ro@93.184.215.14/shop?unix_socket=/run/x", "option"),
        ("mysql://ro@93.184.215.14/shop?read_default_file=/etc/passwd", "option"),
        ("snowflake://ro@account/shop?host=10.0.0.1", "option"),
        ("bigquery://p/d?credentials_path=/etc/passwd", "option"),
        ("duckdb:////etc/passwd", "folder"),
        ("duckdb:///:memory:", "folder"),
        ("sqlite:///../../etc/passwd", "folder"),
        ("sqlite:////etc/passwd?mode=rw", "option"),
        ("duckdb://host/file", "spelling"),
    ],
)
def test_an_address_that_leads_elsewhere_is_refused(address, code):
    with pytest.raises(NotAllowed) as caught:
        check(address)

    assert caught.value.code == code


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.sqlite3").write_bytes(b"")
    (tmp_path / "open" / "link.sqlite3").symlink_to(tmp_path / "secret.sqlite3")

    with pytest.raises(NotAllowed) as caught:
        check(f"sqlite:///{tmp_path}/open/link.sqlite3")

    assert caught.value.code == "folder"


def test_what_is_shown_holds_no_secret():
    place = check("postgresql://ro:canary@93.184.215.14/shop")

    assert "canary" not in place.shown
    assert place.numbers == ("93.184.215.14",)
