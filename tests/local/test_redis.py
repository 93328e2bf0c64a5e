import stat
import time

import pytest
import redis


@pytest.fixture
def client(redis_server):
    with redis.Redis.from_url(redis_server.server.url()) as made:
        yield made


def test_server_is_private_durable_and_never_forgets(redis_server, client):
    found = client.config_get("*")

    assert (found["port"], found["appendonly"], found["appendfsync"]) == ("0", "yes", "everysec")
    assert found["maxmemory-policy"] == "noeviction"
    assert stat.S_IMODE(redis_server.server.socket.stat().st_mode) == 0o700


@pytest.mark.slow
def test_queue_survives_a_kill(redis_server, client):
    client.rpush("default", *range(3000))
    time.sleep(1.2)  # "everysec"

    redis_server.kill()
    redis_server.start()

    assert client.llen("default") == 3000


def test_orphan_is_stopped_before_the_next_start(redis_server, client):
    orphan = redis_server.child

    redis_server.start()

    assert orphan.wait(5) == 0
    assert redis_server.told == ["Stopped the Redis server that an earlier run had left behind."]
    assert client.ping()
