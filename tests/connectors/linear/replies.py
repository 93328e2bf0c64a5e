"""Saved replies of Linear, with made-up names, and answers as the connector sees them."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from connectors.services.linear import connector

FOLDER = Path(__file__).parent / "data"
STREAMS = {stream.name: stream for stream in connector.streams}


def saved(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


@dataclass
class Got:
    """An HTTP answer, made by hand."""

    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b"{}"

    def json(self):
        return json.loads(self.body)


def said(payload, status=200, **headers):
    names = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Got(status, names, json.dumps(payload).encode())


def refused(code, status=400, kind="", **headers):
    error = {"message": "No.", "extensions": {"code": code, "type": kind}}
    return said({"errors": [error]}, status, **headers)
