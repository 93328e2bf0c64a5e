"""The starter content: complete in both languages, loaded once, never over an edit."""

import pytest

from tests.tooling.factories import ToolFactory, named
from tooling.models import Capability, Tool
from tooling.starter import load_tools, read

pytestmark = pytest.mark.django_db


def test_twenty_six_jobs_and_each_has_a_tool():
    load_tools()

    assert Capability.objects.jobs().count() == 26
    assert not Capability.objects.jobs().filter(tools=None).exists()
    assert Tool.objects.filter(is_starter=True, lifecycle="discovered", ring="").count() == len(read("tools")) > 55


def test_everything_is_said_in_both_languages():
    jobs = [job for family in read("capabilities") for job in family["jobs"]]

    assert all(job[key] for job in jobs for key in ("en", "fr", "intent_en", "intent_fr"))
    assert all(tool[key] for tool in read("tools") for key in ("summary_en", "summary_fr", "vendor", "website"))
    assert not [tool for tool in read("tools") if "'" in tool["summary_fr"]]  # typographic apostrophes


def test_loading_again_adds_nothing_and_keeps_edits():
    load_tools()
    Tool.objects.filter(slug="miro").update(name="Miro of ours", summary_en="Our words.", is_starter=False)
    Capability.objects.filter(slug="whiteboard").update(name_fr="Le tableau")

    again = load_tools()

    assert (again.capabilities, again.tools) == (0, 0)
    assert Tool.objects.get(slug="miro").summary_en == "Our words."
    assert Capability.objects.get(slug="whiteboard").name_fr == "Le tableau"


def test_a_tool_the_company_has_under_another_name_is_left_out():
    named(ToolFactory(name="Our boards", slug="boards"), "MIRO")

    load_tools()

    assert not Tool.objects.filter(slug="miro").exists()
