"""What long lists are drawn with: the same as a template would write, at less cost."""

import pytest
from django import forms
from django.template import Context, Template
from django.urls import reverse
from django.utils import translation
from django.utils.translation import trans_real

from hub.core.http import address_of
from hub.core.templatetags import ui
from hub.people.models import Team


def draw(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


def test_choices_are_escaped_and_the_chosen_one_is_marked():
    html = draw("{% options rows chosen %}", rows=[("a", "A & B"), (2, "<b>")], chosen="2")

    assert html == '<option value="a">A &amp; B</option><option value="2" selected>&lt;b&gt;</option>'


def test_several_choices_may_be_chosen():
    html = draw("{% options rows chosen %}", rows=[("a", "A"), ("b", "B"), ("c", "C")], chosen=["a", "c"])

    assert html.count(" selected") == 2


def test_a_select_marks_its_value_and_keeps_what_people_wrote_harmless():
    class Form(forms.Form):
        team = forms.ChoiceField(choices=[("", "None"), ('"x"', "<i>"), ("y", "Why")], initial="y")

    html = str(Form()["team"])

    assert '<option value="&quot;x&quot;">&lt;i&gt;</option>' in html
    assert '<option value="y" selected>Why</option>' in html
    assert html.count("<option") == 3


def test_a_select_keeps_an_options_own_attributes():
    class Choice(forms.Select):
        def create_option(self, name, value, *args, **kwargs):
            option = super().create_option(name, value, *args, **kwargs)
            option["attrs"] |= {"disabled": value == "y", "data-note": 'a "b"'}
            return option

    class Form(forms.Form):
        team = forms.ChoiceField(choices=[("x", "X"), ("y", "Y")], widget=Choice)

    html = str(Form()["team"])

    assert '<option value="x" data-note="a &quot;b&quot;">X</option>' in html
    assert '<option value="y" disabled data-note="a &quot;b&quot;">Y</option>' in html


def test_a_part_drawn_once_speaks_each_readers_language(monkeypatch):
    ui._part.cache_clear()
    monkeypatch.setattr(trans_real.translation("fr"), "gettext", lambda words: f"fr {words}")
    source = '{% part "people/access.html" access="left" %}'
    with translation.override("en"):
        english = draw(source)
    with translation.override("fr"):
        french = draw(source)
    ui._part.cache_clear()

    assert ">Left<" in english
    assert ">fr Left<" in french


@pytest.mark.django_db
def test_an_address_of_a_row_is_the_one_that_reverse_gives():
    team = Team(slug="core-0", name="Core")

    assert address_of("people:team_detail")(team.slug) == team.get_absolute_url()
    assert address_of("people:person_detail")(10) == reverse("people:person_detail", args=[10])
