"""Run inside `unshare --net`: starts the hub where there is no network but loopback, and opens every page it links.

    unshare --net python -m tests.local.offline FOLDER

Prints one line of JSON: the pages with their status, whether the outside was reached, what the first sync brought.
"""

import fcntl
import json
import re
import socket
import struct
import sys
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
NOT_A_PAGE = re.compile(r"logout|export|\.csv|/static/|/admin/|#|\?")


def raise_loopback():
    """Switch on `lo`, which is all that a new network has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(probe, SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def is_outside_reachable():
    try:
        socket.create_connection(("192.0.2.1", 443), timeout=2).close()
    except OSError:
        return False
    return True


def walk(hub, cookie, *, most):
    """Follow the links of each page; return the status of every one."""
    from .test_under_fire import ask

    found, seen = ["/"], {}
    while found and len(seen) < most:
        path = found.pop(0)
        if path in seen:
            continue
        status, _headers, text = ask(hub.port, path, cookie=cookie)
        seen[path] = status
        links = re.findall(r'<a\b[^>]*?href="(/[^"]*)"', text)
        found += [link for link in links if not NOT_A_PAGE.search(link)]
    return seen


def main(home):
    from .test_run import Hub
    from .test_under_fire import sign_in

    raise_loopback()
    hub = Hub(home)
    hub.start()
    try:
        hub.wait_for(lambda: hub.ask("SELECT count(*) FROM connectors_workitem") > 0, 200)
        pages = {}
        for role in ("admin", "ops", "leader", "member"):
            pages |= walk(hub, sign_in(hub.port, role), most=12)
        synced = hub.ask("SELECT count(*) FROM connectors_workitem")
    finally:
        hub.end()
    print(json.dumps({"pages": pages, "outside": is_outside_reachable(), "synced": synced}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
