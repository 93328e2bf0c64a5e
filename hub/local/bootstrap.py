"""Make the environment from the lock file. Runs on the machine's own Python, before anything is installed."""

import os
import pathlib
import shutil
import ssl
import subprocess
import sys

OLDEST = (3, 11)
UV = "uv>=0.13,<1"
PROJECT = pathlib.Path(__file__).resolve().parents[2]
BOOT = PROJECT / ".hub" / "boot"


def main(kind: str) -> str:
    """Make or mend `.venv` for `kind` ("run" or "dev"); return what stands in the way, or nothing."""
    if sys.version_info < OLDEST:
        wanted, found = ".".join(map(str, OLDEST)), ".".join(map(str, sys.version_info[:2]))
        return f"Python {wanted} or newer is needed, this is {found}; name another one: make run PYTHON=python{wanted}"
    uv = shutil.which("uv") or _own_uv()
    if not uv:
        return "Python's venv module is missing here; on Debian and Ubuntu: apt-get install python3-venv"
    command = [uv, "sync", "--frozen", "--inexact", "--python", sys.executable, "--no-python-downloads"]
    command += [] if kind == "dev" else ["--no-dev"]
    print("Installing what uv.lock names into .venv …", flush=True)
    if subprocess.run(command, cwd=PROJECT, env=_environment(), check=False).returncode:
        return "The environment could not be made; the lines above say why. Is the package index within reach?"
    for stamp in ("run", kind):
        (PROJECT / ".venv" / f".{stamp}").touch()
    return ""


def _environment() -> "dict[str, str]":
    """Return the environment for uv: trust who this machine trusts, such as a company's proxy, if it says whom."""
    if not ssl.get_default_verify_paths().cafile:
        return dict(os.environ)
    return {"UV_SYSTEM_CERTS": "1", **os.environ}


def _own_uv() -> str:
    """Return uv from a small environment of its own, installed there the first time; "" where that can't be."""
    own = BOOT / "bin" / "uv"
    if not own.exists():
        print("Installing uv into .hub/boot …", flush=True)
        BOOT.parent.mkdir(mode=0o700, exist_ok=True)
        make = [sys.executable, "-m", "venv", "--clear", str(BOOT)]
        if subprocess.run(make, check=False).returncode:
            return ""
        pip = [str(BOOT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV]
        if subprocess.run(pip, check=False).returncode:
            return ""
    return str(own)


if __name__ == "__main__":
    problem = main(sys.argv[1])
    if problem:
        sys.exit(problem)
