"""`python -m hub.local run|reset|browser|…`: what the Makefile calls."""

import argparse
import io
import os
import sys
from pathlib import Path

from .errors import CannotStart


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments ask; a reason not to is one sentence and code 1."""
    parser = argparse.ArgumentParser(prog="python -m hub.local", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True)
    run = acts.add_parser("run", help="start the whole hub and stay until Ctrl-C")
    run.add_argument("--port", default=os.environ.get("PORT") or "8000")
    reset = acts.add_parser("reset", help="remove this hub's data")
    for act in (run, reset):
        act.add_argument("--home", type=Path, help="the folder of the data, .hub/ in the project unless said")
    acts.add_parser("browser", help="find the browser that tests use, or install one")
    acts.add_parser("check", help="format, lint, types, imports, migrations, templates, French")
    acts.add_parser("sizes", help="what the hub weighs")
    prepare = acts.add_parser("prepare", help="bring the database up to date (called by `run`)")
    prepare.add_argument("--home", type=Path, required=True)
    asked = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # in order with what the children print, in a file, too
    try:
        return _act(asked)
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1


def _act(asked: argparse.Namespace) -> int:
    match asked.act:
        case "run":
            from .place import HOME, Hold

            home, port = asked.home or HOME, _port(asked.port)
            hold = Hold(home)
            hold.take()  # before anything heavy is loaded: a second starter is told at once
            from .run import run

            run(port=port, home=home, hold=hold)
        case "reset":
            from .place import HOME
            from .run import reset

            reset(home=asked.home or HOME)
        case "browser":
            from .browser import find_or_install

            print(find_or_install())
        case "prepare":
            from .prepare import prepare

            prepare(asked.home)
        case "check":
            from .check import check

            return 1 if check() else 0
        case "sizes":
            from .sizes import sizes

            sizes()
    return 0


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise CannotStart(f"“{text}” is no port; run `make run PORT=8000` with a number from 1 to 65535.")


if __name__ == "__main__":
    raise SystemExit(main())
