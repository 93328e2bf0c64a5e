# ruff: noqa: E501 (an SQL expression reads better on one line)
"""A company large enough to hurt: 2,000 tools, 5,000 people, 300 teams, 1 M activity days, 100,000 work items."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from connectors import models as wires
from connectors import registry
from connectors.models import Connection
from hub.activity.models import Event
from hub.jobs.models import Job
from hub.people.models import Membership, Team, User
from kpis.sync.recompute import recompute
from tooling import models as tools

from .bulk import fill, fill_from
from .report import say


@dataclass(frozen=True)
class Size:
    """How many rows of each; `scale` shrinks all of it for a try."""

    scale: float = 1.0

    def of(self, count: int) -> int:
        return max(int(count * self.scale), 20)


def seed(size: Size) -> None:
    """Fill the empty database. The four people of `tests.bench.people` come on top."""
    ContentType.objects.clear_cache()
    call_command("load_starter", verbosity=0)
    people, teams, tool_count = size.of(5000), size.of(300), size.of(2000)
    say(f"seeding {people} people, {teams} teams, {tool_count} tools")
    fill(User, people, email="'person' || i || '@bench.example'", name="'Person ' || i", password="'!'",
         is_active="true", started_on="date '2020-01-06' + (i % 2000)", job_title="'Product manager'")  # fmt: skip
    first_person = User.objects.order_by("pk").values_list("pk", flat=True)[0]
    fill(Team, teams, slug="'team-' || i", name="'Team ' || i", is_active="true", lead=f"{first_person} + i")
    first_team = Team.objects.order_by("pk").values_list("pk", flat=True)[0]
    with connection.cursor() as cursor:  # 12 departments above
        cursor.execute(
            f"UPDATE people_team SET parent_id = {first_team} + (id %% 12) WHERE id >= {first_team} + 12", []
        )
    fill(Membership, people, person=f"{first_person} + i - 1", team=f"{first_team} + (i % {teams})",
         is_primary="true", starts_on="date '2024-01-01'")  # fmt: skip
    _seed_wires(size, people, teams, first_person, first_team)
    _seed_tools(size, tool_count, first_person, first_team)
    say("seeding the record and old work")
    fill(Event, size.of(20_000), at="now() - i * interval '7 minutes'", by=f"{first_person} + (i % {people})",
         verb="'edited'", kind="'tooling.tool'", object_id=f"(1 + i % {tool_count})::text", title="'Tool ' || i",
         changes="""'{"summary_en": ["before", "after"]}'::jsonb""")  # fmt: skip
    fill(Job, size.of(20_000), kind="'connectors.tasks.sync_connection'", state="'done'",
         created_at="now() - i * interval '5 minutes'", finished_at="now() - i * interval '5 minutes'")  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    say("computing a year of KPIs for everyone")
    recompute(first=timezone.localdate() - timedelta(days=365), now=timezone.now())


def _seed_wires(size: Size, people: int, teams: int, first_person: int, first_team: int) -> None:
    items, days = size.of(100_000), size.of(1_000_000)
    say(f"seeding {items} work items and {days} activity days")
    wire = Connection.objects.create(service="linear", label="Linear", workspace_name="Bench")
    own = str(wire.pk)
    read = [stream.name for stream in registry.connector("linear").streams]
    wires.StreamState.objects.bulk_create(
        wires.StreamState(connection=wire, stream=name, last_success_at=timezone.now()) for name in read
    )
    fill(wires.PersonAccount, people, connection=own, external_id="'user-' || i", email="'person' || i || '@bench.example'",
         name="'Person ' || i", is_active="i % 50 <> 0", person=f"{first_person} + i - 1", match="'email'",
         last_seen_at="now() - (i % 120) * interval '1 day'", joined_at="now() - interval '900 days'")  # fmt: skip
    fill(wires.PersonAccount, size.of(3000), connection=own, external_id="'stranger-' || i",
         email="'stranger' || i || '@elsewhere.example'", name="'Stranger ' || i", match="'unmatched'")  # fmt: skip
    accounts = wires.PersonAccount.objects.order_by("pk").values_list("pk", flat=True)[0]
    fill(wires.ActivityDay, days, account=f"{accounts} + (i % {people})", day=f"current_date - (i / {people})",
         signal="'activity'", count="1")  # fmt: skip
    fill(wires.WorkTeam, teams, connection=own, external_id="'team-' || i", key="'T' || i", name="'Team ' || i",
         time_zone="'Europe/Paris'", has_cycles="true", team=f"{first_team} + i - 1")  # fmt: skip
    for place, kind in enumerate(("backlog", "unstarted", "started", "completed", "canceled")):
        fill(wires.WorkState, teams, connection=own, external_id=f"'state-' || i || '-{kind}'", name=f"'{kind}'",
             type=f"'{kind}'", team_ref="'team-' || i", position=str(place))  # fmt: skip
    fill(
        wires.WorkLabel,
        2,
        connection=own,
        external_id="'label-' || i",
        name="CASE i WHEN 1 THEN 'Bug' ELSE 'Other' END",
    )
    per_team = max(items // teams, 1)
    fill_from(
        wires.WorkCycle,
        f"generate_series(1, {teams}) AS t, generate_series(0, 25) AS c",
        connection=own, external_id="'cycle-' || t || '-' || c", team_ref="'team-' || t", number="26 - c",
        starts_at="date_trunc('week', now()) - (c * 2) * interval '7 days'",
        ends_at="date_trunc('week', now()) - (c * 2 - 2) * interval '7 days'",
        completed_at="CASE WHEN c > 1 THEN date_trunc('week', now()) - (c * 2 - 2) * interval '7 days' END",
        scope_history="array[20, 21, 22, 23, 24]", completed_scope_history="array[0, 5, 10, 15, 18]",
        item_count_history="array[10, 11, 11, 12, 12]", completed_item_count_history="array[0, 3, 6, 8, 10]",
    )  # fmt: skip
    opened = "now() - ((i * 7919) % 365) * interval '1 day' - (i % 24) * interval '1 hour'"
    fill(
        wires.WorkItem, items, connection=own, external_id="'item-' || i", identifier=f"'T' || (i % {teams}) + 1 || '-' || i",
        title="'Work item ' || i", team_ref=f"'team-' || (i % {teams}) + 1",
        state_ref=f"'state-' || (i % {teams}) + 1 || CASE (i / {teams}) % 10 WHEN 0 THEN '-started' WHEN 1 THEN '-backlog' ELSE '-completed' END",
        state_type=f"CASE (i / {teams}) % 10 WHEN 0 THEN 'started' WHEN 1 THEN 'backlog' ELSE 'completed' END",
        assignee_ref=f"'user-' || (i % {people}) + 1", creator_ref="'user-' || (i % 97) + 1",
        cycle_ref=f"'cycle-' || (i % {teams}) + 1 || '-' || ((i / {teams}) % 26)",
        label_refs=f"CASE WHEN (i / {teams}) % 6 = 0 THEN array['label-1'] ELSE array['label-2'] END", estimate="i % 5",
        opened_at=opened, started_at=f"CASE WHEN (i / {teams}) % 10 <> 1 THEN {opened} + (i % 9) * interval '1 day' END",
        completed_at=f"CASE WHEN (i / {teams}) % 10 > 1 THEN {opened} + (i % 9 + i % 17) * interval '1 day' END",
    )  # fmt: skip
    say(f"about {per_team} items a team")
    fill_from(
        wires.StateSpan, f"generate_series(1, {items}) AS i", connection=own, external_id="'span-' || i || '-1'",
        item_ref="'item-' || i", state_ref=f"'state-' || (i % {teams}) + 1 || '-unstarted'", started_at=opened,
        ended_at=f"CASE WHEN (i / {teams}) % 10 <> 1 THEN {opened} + (i % 9) * interval '1 day' END",
    )  # fmt: skip
    fill_from(
        wires.StateSpan, f"generate_series(1, {items}) AS i WHERE (i / {teams}) % 10 <> 1", connection=own,
        external_id="'span-' || i || '-2'", item_ref="'item-' || i",
        state_ref=f"'state-' || (i % {teams}) + 1 || '-started'",
        started_at=f"{opened} + (i % 9) * interval '1 day'",
        ended_at=f"CASE WHEN (i / {teams}) % 10 > 1 THEN {opened} + (i % 9 + i % 17) * interval '1 day' END",
    )  # fmt: skip
    fill(wires.Transition, items, connection=own, external_id="'history:' || i || ':state'", item_ref="'item-' || i",
         field="'state'", before="'unstarted'", after="'started'", at=f"{opened} + (i % 9) * interval '1 day'")  # fmt: skip


def _seed_tools(size: Size, count: int, first_person: int, first_team: int) -> None:
    say(f"seeding {count} tools with owners, decisions, adoption")
    fill(tools.Vendor, size.of(400), slug="'vendor-' || i", name="'Vendor ' || i")
    vendor = tools.Vendor.objects.filter(slug="vendor-1").values_list("pk", flat=True)[0]
    jobs = list(tools.Capability.objects.jobs().order_by("pk").values_list("pk", flat=True))
    job = f"(array{jobs})[1 + i % {len(jobs)}]"
    fill(tools.Tool, count, slug="'tool-' || i", name="'Tool ' || i", vendor=f"{vendor} + (i % 20)",
         summary_en="'What tool ' || i || ' is for, in one line of ordinary length.'",
         summary_fr="'À quoi sert l’outil ' || i || ', en une ligne de longueur ordinaire.'",
         lifecycle="CASE WHEN i % 9 = 0 THEN 'pilot' ELSE 'active' END", lifecycle_since="current_date - 90",
         ring="CASE WHEN i % 3 = 0 THEN 'adopt' ELSE '' END", ring_since="CASE WHEN i % 3 = 0 THEN current_date - 60 END",
         how_to_en="repeat('Open it, look at it, close it. ', 40)")  # fmt: skip
    first = tools.Tool.objects.filter(slug="tool-1").values_list("pk", flat=True)[0]
    fill(tools.ToolCapability, count, tool=f"{first} + i - 1", capability=job, is_primary="true")
    fill(
        tools.ToolOwner,
        count,
        tool=f"{first} + i - 1",
        person=f"{first_person} + i",
        role="'business'",
        is_primary="true",
    )
    fill_from(
        tools.AdoptionRollup,
        f"generate_series(0, {count} - 1) AS i, unnest(array[7, 30, 90]) AS days",
        tool=f"{first} + i", window="days", as_of="current_date", is_current="true", eligible="5000", holders="1200",
        active="900", accounts="1300", accounts_active="950", unmatched="12", signal="'activity'",
    )  # fmt: skip
    fill_from(
        tools.AdoptionRollup,
        f"generate_series(0, {min(count, 100)} - 1) AS i, generate_series(0, {size.of(300)} - 1) AS t",
        tool=f"{first} + i", team=f"{first_team} + t", window="30", as_of="current_date", is_current="true", eligible="16",
        holders="12", active="t % 13", accounts="12", accounts_active="t % 13", unmatched="0", signal="'activity'",
    )  # fmt: skip
    fill_from(
        tools.AdoptionWeek, f"generate_series(0, {count} - 1) AS i, generate_series(1, 26) AS w",
        tool=f"{first} + i", week="date_trunc('week', now())::date - w * 7", active="300 + (i * w) % 400",
    )  # fmt: skip
