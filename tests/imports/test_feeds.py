"""Addresses that are read every night: where they may lead, and what becomes of what they send."""

import gzip
import threading
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from connectors import addresses, transport
from connectors.base import FailureClass, SourceFailed
from connectors.secrets import open_secret
from hub.imports import feeds
from hub.imports.models import Feed, ImportPlan
from hub.imports.tasks import read_due_feeds
from hub.jobs.models import Job
from hub.people.models import Role, User
from tests.people.factories import UserFactory
from tests.tooling.factories import ToolFactory
from tooling.models import Tool

CSV = b"name,summary\nMiro,Boards.\nSlack,Talk.\n"


class Canary:
    """A server on this machine that nobody outside may be made to speak to; counts who does."""

    def __init__(self):
        self.hits, self.seen = 0, {}
        self.answer = (200, {"Content-Type": "text/csv"}, CSV)
        canary = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                canary.hits += 1
                canary.seen = {name.lower(): value for name, value in self.headers.items()}
                status, headers, body = canary.answer
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(ConnectionError):  # who is sent too much hangs up
                    self.wfile.write(body)

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/tools.csv"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def canary():
    made = Canary()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def inside(canary, settings):
    """Let the hub read the canary, as an operator would."""
    settings.FEED_INSIDE_HOSTS = [f"127.0.0.1:{canary.port}"]
    return canary


# ---------------------------------------------------------------- where an address may lead

SPELLINGS = [
    "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost:{port}/", "https://LOCALHOST.:{port}/",
    "https://2130706433:{port}/", "https://0x7f000001:{port}/", "https://0x7f.1:{port}/", "https://017700000001:{port}/",
    "https://0177.0.0.1:{port}/", "https://127.1:{port}/", "https://127.0.1:{port}/", "https://0:{port}/",
    "https://0.0.0.0:{port}/", "https://[::1]:{port}/", "https://[::]:{port}/", "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/", "https://[0:0:0:0:0:ffff:127.0.0.1]:{port}/", "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::7f00:1]:{port}/", "https://[2002:7f00:1::]:{port}/", "https://[fe80::1%25lo]:{port}/",
    "https://user@127.0.0.1:{port}/", "https://public.example@127.0.0.1:{port}/", "https://127.0.0.1:{port}@public.example/",
    "https://public.example:pass@127.0.0.1:{port}/", "https://127。0。0。1:{port}/", "https://①②⑦.⓪.⓪.①:{port}/",
    "https://%31%32%37.0.0.1:{port}/", "https://127.0.0.1%2f@public.example/", "https://127.0.0.1\\@public.example/",
    "https://127.0.0.1 @public.example/", "https:///127.0.0.1:{port}/", "https://127.0.0.1#@public.example:{port}/",
    "ftp://127.0.0.1:{port}/", "file://localhost/etc/passwd", "gopher://127.0.0.1:{port}/", "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.0.1/", "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/", "https://100.100.100.200/", "https://168.63.129.16/", "https://192.0.0.192/",
    "https://0.0.0.1/", "https://255.255.255.255/", "https://224.0.0.1/", "https://[ff02::1]/", "https://[fc00::1]/",
    "https://[fe80::1]/", "https://198.18.0.1/", "https://[2001:0:7f00:1::]/", "https://public.example:22/",
    "https://public.example:99999/", "https://public.example:0/", "https://\t127.0.0.1:{port}/", "https://[::1/", "",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_leads_inside(canary, settings, spelling):
    settings.FEED_PORTS = [443, canary.port]  # the port alone would not keep them out

    with pytest.raises(SourceFailed) as failed:
        transport.fetch_file(spelling.format(port=canary.port))

    assert canary.hits == 0
    assert failed.value.kind in (FailureClass.QUERY_REJECTED, FailureClass.SOURCE_DOWN)


def test_a_name_whose_answer_changes_is_asked_once_and_the_checked_address_is_used(canary, settings, monkeypatch):
    settings.FEED_PORTS = [canary.port]
    asked = []

    def changing(host, port, **_options):
        asked.append(host)
        ip = "203.0.114.7" if len(asked) == 1 else "127.0.0.1"  # public first, inside when asked again
        return [(2, 1, 6, "", (ip, port))]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", changing)

    place = addresses.settle(f"https://rebind.example:{canary.port}/")

    assert (asked, str(place.ip), place.host) == (["rebind.example"], "203.0.114.7", "rebind.example")
    with pytest.raises(addresses.AddressRefused):
        addresses.settle(f"https://rebind.example:{canary.port}/")


def test_one_inner_answer_among_public_ones_is_enough_to_refuse(monkeypatch):
    both = [(2, 1, 6, "", (ip, 443)) for ip in ("93.184.215.14", "10.0.0.8")]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_args, **_options: both)

    with pytest.raises(addresses.AddressRefused):
        addresses.settle("https://mixed.example/")


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "8.8.8.8"])
def test_public_addresses_pass(text):
    addresses.check_ip(ip_address(text))


def test_an_allowed_host_may_be_private_but_never_the_metadata_service():
    addresses.check_ip(ip_address("10.0.0.8"), is_inside=True)

    for text in ("169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "168.63.129.16", "0.0.0.0"):
        with pytest.raises(addresses.AddressRefused):
            addresses.check_ip(ip_address(text), is_inside=True)


# ---------------------------------------------------------------- what comes back


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((302, {"Location": "https://elsewhere.example/"}, b""), FailureClass.SOURCE_MISBEHAVES),
        ((401, {}, b""), FailureClass.AUTH_INVALID),
        ((403, {}, b""), FailureClass.SCOPE_MISSING),
        ((404, {}, b""), FailureClass.QUERY_REJECTED),
        ((503, {}, b""), FailureClass.SOURCE_DOWN),
        ((204, {}, b""), FailureClass.BAD_PAYLOAD),
        ((200, {"Content-Encoding": "br"}, CSV), FailureClass.BAD_PAYLOAD),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * (21 << 20))), FailureClass.BAD_PAYLOAD),
        ((200, {}, b"0" * (21 << 20)), FailureClass.BAD_PAYLOAD),
    ],
)
def test_every_failure_has_its_class(inside, answer, kind):
    inside.answer = answer

    with pytest.raises(SourceFailed) as failed:
        transport.fetch_file(inside.url)

    assert failed.value.kind == kind


def test_the_content_type_does_not_matter(inside):
    inside.answer = (200, {"Content-Type": "application/octet-stream"}, CSV)

    assert transport.fetch_file(inside.url).body == CSV


def feed_of(canary, by, kind="tools", secret=None, **fields):
    options = {"label": "Nightly", "url": canary.url, "is_whole": False, "is_active": True} | fields
    return feeds.save_feed(feed=Feed(kind=kind), secret=secret, by=by, **options)


@pytest.mark.django_db
def test_a_good_file_is_applied_by_itself_once(inside, ops):
    feed = feed_of(inside, ops, secret="a-token-of-theirs")

    plan = feeds.read_feed(feed_id=feed.pk)
    again = feeds.read_feed(feed_id=feed.pk)

    feed.refresh_from_db()
    assert (plan.state, plan.by, again) == ("applied", ops, None)
    assert inside.seen["authorization"] == "Bearer a-token-of-theirs"
    assert inside.seen["host"] == f"127.0.0.1:{inside.port}"
    assert set(Tool.objects.values_list("name", flat=True)) == {"Miro", "Slack"}
    assert feed.last_success_at is not None and not feed.failure


def meanwhile(monkeypatch, act):
    """Have `act` happen once, after a file was fetched and before it is brought in."""
    left, fetch = [act], feeds.fetch_file

    def fetched(*args, **options):
        answer = fetch(*args, **options)
        if left:
            left.pop()()
        return answer

    monkeypatch.setattr(feeds, "fetch_file", fetched)


@pytest.mark.django_db
def test_a_file_that_is_read_twice_at_once_is_brought_in_once(inside, ops, monkeypatch):
    feed = feed_of(inside, ops)
    meanwhile(monkeypatch, lambda: feeds.read_feed(feed_id=feed.pk))

    assert feeds.read_feed(feed_id=feed.pk) is None

    assert ImportPlan.objects.get().applied_count == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "act",
    [
        lambda feed, by: feeds.remove_feed(feed=feed, by=by),
        lambda feed, by: feeds.save_feed(
            feed=feed, label="x", url="https://other.example/", is_whole=False, is_active=True, secret=None, by=by
        ),
    ],
    ids=["removed", "led elsewhere"],
)
def test_what_an_address_sent_before_it_was_changed_is_not_brought_in(inside, ops, monkeypatch, act):
    feed = feed_of(inside, ops)
    meanwhile(monkeypatch, lambda: act(Feed.objects.get(pk=feed.pk), ops))

    assert feeds.read_feed(feed_id=feed.pk) is None

    assert not ImportPlan.objects.exists()
    assert not Feed.objects.exclude(last_read_at=None).exists()


@pytest.mark.django_db
def test_a_file_does_not_apply_by_itself_for_somebody_who_may_no_longer_keep_addresses(inside, ops):
    feed = feed_of(inside, ops)
    User.objects.filter(pk=ops.pk).update(role=Role.MEMBER)

    assert feeds.read_feed(feed_id=feed.pk).state == "ready"


@pytest.mark.django_db
def test_an_error_makes_the_whole_file_wait(inside, ops):
    inside.answer = (200, {}, CSV + b",nameless\n")

    plan = feeds.read_feed(feed_id=feed_of(inside, ops).pk)

    assert plan.state == "ready" and not Tool.objects.exists()


@pytest.mark.django_db
def test_many_changes_make_the_whole_file_wait(inside, ops):
    for n in range(60):
        ToolFactory(name=f"T{n}", slug=f"t{n}", summary_en="Before.")
    text = "name,summary\n" + "\n".join(f"T{n},{'After.' if n < 13 else 'Before.'}" for n in range(60))
    inside.answer = (200, {}, text.encode())

    plan = feeds.read_feed(feed_id=feed_of(inside, ops).pk)

    assert plan.state == "ready"  # 13 of 60: over a fifth, over ten
    inside.answer = (200, {}, text.replace("T12,After.", "T12,Before.").encode())
    assert feeds.read_feed(feed_id=Feed.objects.get().pk).state == "applied"
    assert ImportPlan.objects.count() == 1  # the one that waited gave way


@pytest.mark.django_db
def test_a_role_never_changes_by_itself_and_an_admin_never_at_all(inside, ops, admin):
    UserFactory(email="ana@x.example", name="Ana")
    feed = feed_of(inside, ops, kind="people")
    inside.answer = (200, {}, b"email,name,role\nana@x.example,Ana,ops\n")

    assert feeds.read_feed(feed_id=feed.pk).state == "ready"
    inside.answer = (200, {}, f"email,name\n{admin.email},Renamed\n".encode())
    assert feeds.read_feed(feed_id=feed.pk).state == "ready"

    assert User.objects.get(email="ana@x.example").role == Role.MEMBER
    assert User.objects.get(pk=admin.pk).name != "Renamed"


@pytest.mark.django_db
def test_a_failure_keeps_the_last_good_values_and_says_why(inside, ops, sign_in):
    feed = feed_of(inside, ops)
    feeds.read_feed(feed_id=feed.pk)
    inside.answer = (401, {}, b"")

    feeds.read_feed(feed_id=feed.pk)

    feed.refresh_from_db()
    assert (feed.failure, feed.failures, Tool.objects.count()) == ("auth_invalid", 1, 2)
    assert feed.last_success_at is not None
    html = sign_in(ops).get(reverse("imports:plan_list")).content.decode()
    assert "Nightly refuses our token" in html and "Failed" in html


@pytest.mark.django_db
def test_a_column_that_is_gone_stops_the_read(inside, ops):
    plan = feeds.read_feed(feed_id=feed_of(inside, ops).pk)
    feed = Feed.objects.get()
    Feed.objects.filter(pk=feed.pk).update(columns=feeds.columns_of(plan))
    inside.answer = (200, {}, b"summary,title\nBoards.,Maze\n")

    assert feeds.read_feed(feed_id=feed.pk) is None

    feed.refresh_from_db()
    assert (feed.failure, Tool.objects.count()) == ("schema_drift", 2)
    inside.answer = (200, {}, b"summary,name\nTests.,Maze\n")  # in another order
    assert feeds.read_feed(feed_id=feed.pk).state == "applied"
    assert Tool.objects.get(name="Maze").summary_en == "Tests."


@pytest.mark.django_db
def test_what_waits_stands_in_the_queue_of_product_ops(inside, ops, sign_in):
    inside.answer = (200, {}, CSV + b",nameless\n")
    feed = feed_of(inside, ops)
    feeds.read_feed(feed_id=feed.pk)
    client = sign_in(ops)

    assert "A file from Nightly waits" in client.get(reverse("home:home")).content.decode()
    Feed.objects.filter(pk=feed.pk).update(failure="auth_invalid")
    assert "Nightly: Token refused" in client.get(reverse("home:home")).content.decode()


@pytest.mark.django_db
def test_each_night_is_read_once_and_failures_are_tried_again(inside, ops):
    feed = feed_of(inside, ops)
    long_ago = timezone.now() - timedelta(days=3)
    Feed.objects.filter(pk=feed.pk).update(created_at=long_ago, last_read_at=long_ago)

    read_due_feeds()
    read_due_feeds()
    assert Job.objects.filter(kind="hub.imports.tasks.read_feed").count() == 1
    just_now = timezone.now()
    Feed.objects.filter(pk=feed.pk).update(last_read_at=just_now, failure="source_down", failures=1)
    assert feeds.due_feeds(just_now + timedelta(minutes=14)) == []
    assert len(feeds.due_feeds(just_now + timedelta(minutes=16))) == 1
    Feed.objects.filter(pk=feed.pk).update(failure="auth_invalid")
    assert feeds.due_feeds(just_now + timedelta(minutes=16)) == []


# ---------------------------------------------------------------- the token


@pytest.mark.django_db
def test_a_token_goes_to_no_other_host_and_is_never_shown(inside, ops, admin, sign_in):
    feed = feed_of(inside, ops, secret="a-token-of-theirs")
    assert open_secret(feed) == "a-token-of-theirs" and b"theirs" not in bytes(feed.secret)
    page = reverse("imports:feed_edit", args=[feed.pk])
    html = sign_in(admin).get(page).content.decode()
    assert "a-token-of-theirs" not in html and "ending in eirs" in html
    assert 'name="secret"' not in sign_in(ops).get(page).content.decode()

    data = {"label": "Nightly", "url": "https://files.example.com/x.csv", "is_active": "on"}
    assert sign_in(ops).post(page, data | {"secret": "smuggled"}).status_code == 302

    feed.refresh_from_db()
    assert not feed.has_secret


@pytest.mark.django_db
def test_tokens_turn_with_the_keys(inside, ops, settings):
    feed = feed_of(inside, ops, secret="a-token-of-theirs")
    new = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LTAwMDE="
    settings.SECRET_KEYS = [new, *settings.SECRET_KEYS]

    call_command("rotate_secrets")

    settings.SECRET_KEYS = [new]
    feed.refresh_from_db()
    assert open_secret(feed) == "a-token-of-theirs"


@pytest.mark.django_db
def test_an_address_inside_is_refused_in_words_and_nothing_typed_is_lost(ops, sign_in):
    page = reverse("imports:feed_create", args=["tools"])

    answer = sign_in(ops).post(page, {"label": "Inner list", "url": "http://127.0.0.1/x.csv"})

    html = answer.content.decode()
    assert answer.status_code == 422 and "only public https addresses" in html and "Inner list" in html
    assert not Feed.objects.exists()
