"""The whole hub while people use it: its database restarts, its supervisor is killed, its network is gone."""

import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from urllib.parse import urlencode

import pytest

from hub.demo.accounts import PASSWORD
from hub.local.place import settle
from hub.local.processes import working_in
from tests.numbers import times

from .test_run import PATIENCE_SECONDS, PROJECT, Hub, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.faults]

PEOPLE, ANSWERS_AFTER = 50, 3
KILLS = times(1, 20)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def hub():
    folder = Path(tempfile.mkdtemp(prefix="hub à ")).resolve()
    folder.chmod(0o755)
    made = Hub(folder / ".hub")
    made.start()
    yield made
    made.end()
    shutil.rmtree(folder)


def ask(port, path, *, cookie="", body=None):
    """Send one request on a connection of its own; return (status, headers, text)."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        headers = {"Cookie": cookie, **(FORM if body else {})}
        connection.request("POST" if body else "GET", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def cookies(headers):
    return dict(re.match(r"([^=]+)=([^;]*)", line).groups() for line in headers.get_all("Set-Cookie") or ())


def sign_in(port, role):
    """Sign in as a person of the demo company; return the Cookie header of the session."""
    _status, headers, page = ask(port, "/account/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    form = {"csrfmiddlewaretoken": token, "login": f"{role}@ardoise.example", "password": PASSWORD}
    held = cookies(headers)
    cookie = "; ".join(f"{name}={value}" for name, value in held.items())
    status, headers, _text = ask(port, "/account/login/", cookie=cookie, body=urlencode(form))
    assert status == 302
    return "; ".join(f"{name}={value}" for name, value in (held | cookies(headers)).items())


def test_fifty_people_see_a_plain_503_while_postgresql_restarts_and_then_their_pages(hub):
    sessions = [sign_in(hub.port, role) for role in ("member", "ops", "leader", "admin")]
    is_back = Event()

    def use(number):
        """Open page after page; return (moment, status, whether a 503 says when to come back) of each."""
        seen, after = [], 0
        while after < ANSWERS_AFTER:
            is_after = is_back.is_set()
            status, headers, text = ask(hub.port, ("/", "/tools/", "/kpis/")[number % 3], cookie=sessions[number % 4])
            is_plain = status != 503 or (headers["Retry-After"] == "5" and "Traceback" not in text)
            seen.append((time.monotonic(), status, is_plain))
            after += is_after and status == 200
            if status == 503:
                time.sleep(0.2)
        return seen

    with ThreadPoolExecutor(PEOPLE) as crowd:
        using = [crowd.submit(use, number) for number in range(PEOPLE)]
        time.sleep(1)
        before = hub.member("postgres -D")
        before.send_signal(signal.SIGINT)  # as `pg_ctl restart` does: at once, in good order
        begun = time.monotonic()
        hub.wait_for(lambda: (now := hub.member("postgres -D")) and now.pid != before.pid and hub.is_up())
        is_back.set()
        seen = [answer for person in using for answer in person.result(timeout=240)]

    away = [at - begun for at, status, _plain in seen if status == 503]
    print(
        f"answers: {dict(Counter(status for _at, status, _plain in seen))}; last 503 after {max(away, default=0):.1f} s"
    )
    assert {status for _at, status, _plain in seen} <= {200, 503}  # no 500, and nobody was sent to sign in again
    assert all(plain for _at, _status, plain in seen)
    assert max(away, default=0) < PATIENCE_SECONDS


def test_supervisor_killed_again_and_again_is_followed_by_one_that_takes_everything_over(hub):
    people = hub.ask("SELECT count(*) FROM people_user")
    data = settle(hub.home).data / "postgres"
    took = []

    for _ in range(KILLS):
        hub.process.kill()
        hub.process.wait()
        hub.start()
        took.append(hub.servers_up_after())
        servers = working_in(data, "postgres")
        assert len([one for one in servers if one.parent() not in servers]) == 1
        assert hub.ask("SELECT count(*) FROM people_user") == people > 0

    print(f"servers up after {max(took):.1f} s at most, {sorted(took)[len(took) // 2]:.1f} s in the middle")
    assert max(took) < PATIENCE_SECONDS


def test_without_any_network_the_hub_starts_and_every_page_opens():
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "--net", "true"], check=False, capture_output=True).returncode:
        pytest.skip("Taking the network away needs `unshare --net`, which this machine or account does not allow.")
    folder = Path(tempfile.mkdtemp(prefix="hub à ")).resolve()
    folder.chmod(0o755)
    try:
        done = subprocess.run(
            [unshare, "--net", sys.executable, "-m", "tests.local.offline", folder / ".hub"],
            cwd=PROJECT, env=clean_environment(), check=False, capture_output=True, text=True, timeout=400,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        seen = json.loads(done.stdout.splitlines()[-1])
    finally:
        shutil.rmtree(folder)

    assert seen["outside"] is False
    assert len(seen["pages"]) >= 15
    assert {path: status for path, status in seen["pages"].items() if status != 200} == {}
    assert seen["synced"] > 0
