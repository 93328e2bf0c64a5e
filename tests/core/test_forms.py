"""The form that notices a second editor, on a real model."""

import pytest
from django import forms
from django.http import QueryDict

from hub.core.forms import VersionedForm
from tests.tooling.factories import ToolFactory
from tooling.models import Tool

pytestmark = pytest.mark.django_db


class SmallForm(VersionedForm):
    class Meta:
        model = Tool
        fields = ("summary_en", "summary_fr", "kind")
        widgets = {"summary_en": forms.Textarea}


def posted(base, **changed):
    """What a browser sends that loaded the form when it held `base`."""
    data = {"version": "1"}
    for name, value in base.items():
        data |= {name: value, f"initial-{name}": value}
    query = QueryDict(mutable=True)
    query.update(data | changed)
    return query


class GrowingForm(SmallForm):
    """A form with a field that depends on the row, and may hold several values."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.add_field(
            "jobs",
            forms.MultipleChoiceField(choices=[("a", "Ask"), ("b", "Build"), ("c", "Close")], initial=["b", "a"]),
        )


BASE = {"summary_en": "Old.", "summary_fr": "Vieux.", "kind": "saas"}


def test_the_first_editor_saves():
    tool = ToolFactory(**BASE)

    assert SmallForm(posted(BASE, summary_en="New."), instance=tool).is_valid()


def test_both_changed_the_same_field_and_both_texts_are_shown():
    tool = ToolFactory(**BASE | {"summary_en": "Theirs.", "kind": "desktop"}, version=2)

    form = SmallForm(posted(BASE, summary_en="Mine.", kind="internal"), instance=tool)

    assert not form.is_valid() and form.is_stale
    assert [(c.name, c.theirs, c.yours) for c in form.conflicts] == [
        ("summary_en", "Theirs.", "Mine."),
        ("kind", "Desktop application", "Made in house"),
    ]
    assert form["summary_en"].value() == "Mine."
    assert form["version"].value() == "2"


def test_what_only_the_other_changed_is_taken_over():
    tool = ToolFactory(**BASE | {"summary_fr": "Le leur."}, version=2)

    form = SmallForm(posted(BASE, summary_en="Mine."), instance=tool)

    assert form.is_stale
    assert form["summary_fr"].value() == "Le leur."
    assert [c.name for c in form.conflicts] == ["summary_en"]


def grown(mine, when_read, **changed):
    """What a browser sends of a GrowingForm: the boxes ticked, and those that were when it was loaded."""
    query = posted(BASE, **changed)
    query.setlist("jobs", mine)
    query.setlist("initial-jobs", when_read)
    return query


def test_several_values_that_only_the_other_changed_are_taken_over():
    tool = ToolFactory(**BASE, version=2)

    form = GrowingForm(grown(["c"], ["c"], summary_en="Mine."), instance=tool)

    assert not form.is_valid() and [c.name for c in form.conflicts] == ["summary_en"]
    assert form["jobs"].value() == ["b", "a"]
    again = GrowingForm(form.data, instance=tool)
    assert again.is_valid() and again.cleaned_data["jobs"] == ["b", "a"]


def test_several_values_that_both_changed_are_shown_by_their_labels():
    tool = ToolFactory(**BASE, version=2)

    form = GrowingForm(grown(["c"], []), instance=tool)

    assert not form.is_valid()
    assert [(c.name, c.theirs, c.yours) for c in form.conflicts] == [("jobs", "Ask, Build", "Close")]


def test_the_same_values_in_another_order_are_no_conflict():
    tool = ToolFactory(**BASE, version=2)

    form = GrowingForm(grown(["a", "b"], ["c"]), instance=tool)

    assert form.is_stale and not form.conflicts


@pytest.mark.parametrize("version", ["", "0", "2", "99999999999", "x", None])
def test_no_or_a_strange_version_never_overwrites(version):
    tool = ToolFactory(**BASE)
    data = posted(BASE, summary_en="Mine.")
    if version is None:
        del data["version"]
    else:
        data["version"] = version

    assert not SmallForm(data, instance=tool).is_valid()


def test_a_new_row_needs_no_version():
    assert SmallForm(posted(BASE)).is_valid()
