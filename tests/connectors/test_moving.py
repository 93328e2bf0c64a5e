"""Another address for a connection: a token of its own, and nothing of the old place serves the new one."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import actions
from connectors.models import (
    Check,
    Connection,
    DueStream,
    RefusedRecord,
    State,
    StreamState,
    SyncRun,
    WorkItem,
    WorkTeam,
)
from connectors.secrets import open_secret
from connectors.tasks import remap_connection
from hub.activity.models import Event
from hub.jobs import worker
from hub.jobs.work import Lease, LeaseLost
from tests.connectors.company import finish
from tests.connectors.factories import SECRET, make_run
from tests.connectors.stand_in import StandIn, stamp
from tests.people.factories import TeamFactory

pytestmark = pytest.mark.django_db
OTHER = "toy_of_the_other_company_6789"


@pytest.fixture
def elsewhere(source, settings):
    """Serve a second place of the same service, with issues of the same ids."""
    with StandIn() as made:
        made.world.secret = OTHER
        settings.SANDBOX_URL = made.url
        yield made


def move(client, connection, address, token=""):
    return client.post(
        reverse("connectors:connection_edit", args=[connection.pk]),
        {"label": connection.label, "base_url": address, "token": token},
    )


def test_a_token_goes_to_no_other_place(connection, elsewhere, sign_in, admin):
    make_run(connection)
    before = Connection.objects.values().get()

    answer = move(sign_in(admin), connection, elsewhere.url)

    assert answer.status_code == 422
    assert "a token goes to no other place" in answer.content.decode()
    assert Connection.objects.values().get() == before
    assert elsewhere.world.requests == []
    assert SyncRun.objects.get().state == State.QUEUED


def test_the_form_says_what_moving_means_and_keeps_what_was_typed(connection, elsewhere, sign_in, admin):
    client = sign_in(admin)
    fresh = client.get(reverse("connectors:connection_edit", args=[connection.pk])).content.decode()
    answer = move(client, connection, elsewhere.url).content.decode()

    assert "everything is read from the start" in fresh
    assert elsewhere.url in answer


@pytest.mark.parametrize("address", ["{own}", "{own}/", "{own}/path", ""])
def test_another_spelling_of_the_same_place_asks_for_nothing(connection, source, sign_in, admin, address):
    Connection.objects.update(base_url=source.url)

    answer = move(sign_in(admin), connection, address.format(own=source.url))

    assert answer.status_code == 302
    assert open_secret(Connection.objects.get()) == SECRET
    assert not SyncRun.objects.exists()


def test_a_moved_connection_is_read_whole_and_holds_nothing_of_the_old_place(
    sync, connection, world, elsewhere, sign_in, admin
):
    now = timezone.now()
    world.issues["i3"] |= {"updatedAt": stamp(now)}
    world.issues["old"] = world.issues["i3"] | {"id": "old"}
    sync()
    DueStream.objects.create(connection=connection, stream="issues", announced_at=now)
    Connection.objects.update(workspace_name="Old", workspace_url="https://old.example")
    RefusedRecord.objects.create(
        connection=connection, stream="issues", external_id="x", raw={}, first_at=now, last_at=now
    )
    long_ago = stamp(now - timedelta(days=400))
    elsewhere.world.issues = {"i3": world.issues["i3"] | {"title": "Theirs", "updatedAt": long_ago}}

    assert move(sign_in(admin), connection, elsewhere.url, OTHER).status_code == 302

    assert not WorkItem.objects.live().exists()
    assert not StreamState.objects.exists() and not DueStream.objects.exists() and not RefusedRecord.objects.exists()
    moved = Connection.objects.get()
    assert (moved.base_url, moved.workspace_name, open_secret(moved)) == (elsewhere.url, "", OTHER)
    assert Check.objects.get().state == State.QUEUED
    assert finish(SyncRun.objects.open().get()).state == State.DONE
    assert list(WorkItem.objects.live().values_list("external_id", "title")) == [("i3", "Theirs")]
    assert "from" not in elsewhere.world.requests[-1][1] or elsewhere.world.requests[-1][1]["from"].startswith("2000")


def test_what_a_team_of_the_old_place_stood_for_is_not_said_of_one_of_the_new(connection, elsewhere, sign_in, admin):
    tied = WorkTeam.objects.create(connection=connection, external_id="1", name="Ours", team=TeamFactory())

    move(sign_in(admin), connection, elsewhere.url, OTHER)

    tied.refresh_from_db()
    assert tied.team is None
    changes = Event.objects.filter(kind="connectors.connection", verb="edited").get().changes
    assert changes == {"address": ["", elsewhere.url]}


def test_whoever_reads_or_maps_the_old_place_writes_nothing_more(sync, connection, elsewhere, sign_in, admin):
    sync()
    run = make_run(connection)
    jobs = [run.job, remap_connection.enqueue(connection_id=connection.pk).pk]
    held = [worker.claim(job) for job in jobs]

    move(sign_in(admin), connection, elsewhere.url, OTHER)

    for job in held:
        with pytest.raises(LeaseLost):
            Lease(job.pk, job.lease_epoch, 60).confirm()
    assert SyncRun.objects.get(pk=run.pk).state == State.PAUSED
    assert not WorkItem.objects.live().exists()
    assert SyncRun.objects.open().get().only == []


def test_of_two_who_move_it_the_later_one_sends_no_token_of_the_other(connection, elsewhere, admin, monkeypatch):
    kept = actions.renew_secret

    def slow(**asked):
        Connection.objects.update(base_url=elsewhere.url)  # somebody else was faster
        kept(**asked)

    monkeypatch.setattr(actions, "renew_secret", slow)

    with pytest.raises(actions.TokenNeeded):
        actions.edit(connection=connection, label="Toy", base_url="", secret=OTHER, by=admin)

    assert open_secret(Connection.objects.get()) == SECRET
