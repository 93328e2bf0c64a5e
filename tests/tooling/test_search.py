"""What the palette finds."""

import pytest

from tests.tooling.factories import CapabilityFactory, ToolFactory, does, named
from tooling.search import find_capabilities, find_tools

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def registry():
    miro = ToolFactory(name="Miro", summary_en="Think together.", summary_fr="Réfléchir ensemble.")
    named(miro, "RealtimeBoard")
    job = CapabilityFactory(
        slug="recruiting", name_en="Research recruiting", intent_en="Find people to interview",
        name_fr="Recrutement de panel", intent_fr="Trouver des personnes à interroger",
    )  # fmt: skip
    does(ToolFactory(name="Linear"), job)
    ToolFactory(name="Linear Bot", starter=True)


def titles(hits):
    return [hit.title for hit in hits]


@pytest.mark.parametrize(
    "words", ["miro", "MIRO", "mir", "realtime board", "réfléchir", "think together", "miroo", "mrio", "nimo"]
)
def test_a_tool_is_found_by_name_alias_purpose_and_near_miss(words, member):
    found = titles(find_tools(words, member, 5))

    assert ("Miro" in found) == (words != "nimo")


@pytest.mark.parametrize("words", ["linaer", "liner", "linnear", "lineer"])
def test_one_letter_off_still_finds(words, member):
    assert titles(find_tools(words, member, 5))[0] == "Linear"


def test_an_intent_finds_the_tool_and_the_job_in_both_languages(member):
    assert "Linear" in titles(find_tools("user interviews", member, 5)) or titles(
        find_capabilities("interview", member, 5)
    )
    assert titles(find_capabilities("interviews", member, 5)) == ["Research recruiting"]
    assert titles(find_capabilities("interroger", member, 5)) == ["Research recruiting"]


def test_ours_come_before_suggestions(member):
    assert titles(find_tools("linear", member, 5)) == ["Linear", "Linear Bot"]


@pytest.mark.parametrize("words", ["", "  ", "%", "_", "\\", "((((", "a" * 500, "'; drop table", "日本"])
def test_odd_words_find_nothing_and_break_nothing(words, member):
    assert titles(find_tools(words, member, 5)) == []


def test_one_query_each(member, django_assert_num_queries):
    with django_assert_num_queries(1):
        find_tools("linear", member, 5)
    with django_assert_num_queries(1):
        find_capabilities("people", member, 5)
