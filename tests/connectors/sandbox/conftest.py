"""A small world on a real socket, and a client as plain as can be."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from connectors.sandbox.history import small_world
from connectors.sandbox.linear import KEY
from connectors.sandbox.server import serve


class Client:
    """Asks a sandbox; returns (status, headers in lower case, body)."""

    def __init__(self, url):
        self.address = urlsplit(url)

    def send(self, path, body, headers=(), method="POST"):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=10)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def ask(self, query, key=KEY, operation=None, **variables):
        body = json.dumps({"query": query, "variables": variables, "operationName": operation})
        return self.send("/graphql", body, {"Authorization": key, "Content-Type": "application/json"})

    def data(self, query, **variables):
        status, _headers, body = self.ask(query, **variables)
        answer = json.loads(body)
        assert status == 200 and "errors" not in answer, answer
        return answer["data"]

    def code(self, *args, **kwargs):
        status, _headers, body = self.ask(*args, **kwargs)
        return status, json.loads(body)["errors"][0]["extensions"]["code"]

    def control(self, path, **asked):
        status, _headers, body = self.send(f"/_control/{path}", json.dumps(asked))
        return status, json.loads(body)


@pytest.fixture
def world():
    return small_world()


@pytest.fixture
def team(world):
    return next(iter(world.rows("Team").values()))


@pytest.fixture
def sandbox(world):
    with serve(world) as served:
        yield served


@pytest.fixture
def client(sandbox):
    return Client(sandbox.url)
