"""The field that holds the effort: chosen on the metric's page, missed where nobody chose, named when it is gone."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from connectors.models import Connection, ProductField, ProductItem, ProductLink, StreamState
from hub.jobs.models import Job
from kpis.models import Metric
from kpis.sync.families import PLAN
from kpis.tasks import compute
from tests.kpis.test_against_reference import stored

pytestmark = pytest.mark.django_db
NOW = timezone.now()
URL = "/kpis/effort-alignment/"


@pytest.fixture
def board(db):
    """Two features under way: the large one leads to an objective, the small one to none."""
    call_command("load_metrics", verbosity=0)
    board = Connection.objects.create(service="productboard", label="Productboard")
    for stream in PLAN:
        StreamState.objects.create(connection=board, stream=stream, last_success_at=NOW)
    for ref, name in (("e", "Effort"), ("s", "Score"), ("u", "Link")):
        ProductField.objects.create(connection=board, external_id=f"feature:{ref}", kind="feature", ref=ref, name=name)
    ProductField.objects.create(connection=board, external_id="objective:o", kind="objective", ref="o", name="Budget")
    things = {"large": ("feature", {"e": 30, "s": 1}), "small": ("feature", {"e": 10}), "goal": ("objective", {"o": 5})}
    for ref, (kind, numbers) in things.items():
        made = {"status": "Planned", "opened_at": NOW, "edited_at": NOW}
        ProductItem.objects.create(connection=board, external_id=ref, kind=kind, numbers=numbers, **made)
    ProductLink.objects.create(connection=board, external_id="l", item_ref="large", target_ref="goal", kind="link")
    return board


def page(client, url=URL):
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def sent(client, **fields):
    """Return what a browser sends of the metric's form, with `fields` in place of what it held."""
    form = client.get(f"{URL}edit/").context["form"]
    data = {}
    for one in form:
        value = "" if one.value() in (None, False) else one.value()
        data[one.html_name] = data[one.html_initial_name] = value
    return client.post(f"{URL}edit/", data | {"why": "Weeks of work, by the teams' own guess."} | fields)


def test_nobody_chose_a_field_and_the_page_says_so_to_all_and_where_to_those_who_may(board, member, ops, sign_in):
    said = "nobody has chosen the field that holds the effort"

    assert said in page(sign_in(member)) and f'href="{URL}edit/"' not in page(sign_in(member))
    assert said in page(sign_in(ops)) and f'<a href="{URL}edit/">See what is missing' in page(sign_in(ops))


def test_fields_in_which_a_feature_holds_a_number_can_be_chosen(board, ops, sign_in):
    form = page(sign_in(ops), f"{URL}edit/")

    assert "Effort (Productboard)" in form and "Score (Productboard)" in form
    assert "Link (Productboard)" not in form and "Budget (Productboard)" not in form


def test_the_chosen_field_weighs_the_share_without_waiting_for_a_night(board, ops, member, sign_in):
    answer = sent(sign_in(ops), chosen=["e"])
    assert answer.status_code == 302
    compute(**Job.objects.get(kind="kpis.tasks.compute").payload)

    (held,) = stored("effort-alignment").values()
    assert (held.value, held.num, held.den, held.n, held.coverage) == (0.75, 30, 40, 2, 1)  # by number: one in two
    html = page(sign_in(member))
    assert "75" in html and "<dt>Fields that hold the effort</dt><dd>Effort (Productboard)</dd>" in html
    assert "'efforts'" not in html  # the history says it in words, too


def test_a_field_that_is_none_is_refused_and_what_was_typed_stays(board, ops, sign_in):
    answer = sent(sign_in(ops), chosen=["u"], name="Weighted")

    assert answer.status_code == 422
    assert 'value="Weighted"' in answer.content.decode()
    assert Metric.objects.get(key="effort-alignment").settings == {"efforts": []}


def test_a_chosen_field_that_is_gone_is_named_and_can_be_unticked(board, ops, sign_in):
    Metric.objects.filter(key="effort-alignment").update(settings={"efforts": ["s"]})
    ProductField.objects.filter(ref="s").update(deleted_at=NOW)
    client = sign_in(ops)

    assert "the field that held the effort is gone: Score." in page(client)
    assert "Score (Productboard), no longer there" in page(client, f"{URL}edit/")
    assert sent(client, chosen=[]).status_code == 302
    assert Metric.objects.get(key="effort-alignment").settings == {"efforts": []}


def test_a_chosen_field_that_was_never_read_is_waited_for(board, member, sign_in):
    Metric.objects.filter(key="effort-alignment").update(settings={"efforts": ["00000001-b00e"]})

    html = page(sign_in(member))

    assert "the field that is to hold the effort was not read yet" in html


def test_a_second_editor_of_the_choice_is_noticed(board, ops, sign_in):
    client = sign_in(ops)
    Metric.objects.filter(key="effort-alignment").update(settings={"efforts": ["s"]}, version=7)

    answer = sent(client, chosen=["e"], **{"version": "6", "initial-chosen": []})

    assert answer.status_code == 422
    html = answer.content.decode()
    assert "Score (Productboard)" in html and "Saved meanwhile:" in html
