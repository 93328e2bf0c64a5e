"""Fixed words and addresses are drawn once, and for the reader who asks."""

import pytest
from django.template import engines
from django.urls import reverse, set_script_prefix
from django.utils.translation import override


def kinds(source):
    template = engines["django"].from_string("{% load i18n %}" + source).template
    return [type(node).__name__ for node in template.nodelist[1:]]


@pytest.fixture
def under_a_folder():
    set_script_prefix("/hub/")
    yield
    set_script_prefix("/")


def test_a_word_is_said_in_the_language_of_each_reader():
    template = engines["django"].from_string('{% load i18n %}{% translate "Tools" %}')

    said = []
    for language in ("en", "fr", "en"):
        with override(language):
            said.append(template.render())

    assert said == ["Tools", "Outils", "Tools"]


def test_two_meanings_of_a_word_stay_apart():
    with override("fr"):
        one = engines["django"].from_string('{% load i18n %}{% translate "open" context "open the result" %}').render()

    assert one == "ouvrir"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ('{% translate "Tools" %}', "Fixed"),
        ("{% translate word %}", "TranslateNode"),
        ('{% translate "Tools" as word %}', "TranslateNode"),
        ('{% translate "Tools"|lower %}', "TranslateNode"),
        ('{% translate "open" context meaning %}', "TranslateNode"),
        ("{% url 'home:home' %}", "Fixed"),
        ("{% url name %}", "URLNode"),
        ("{% url 'home:home' as home %}", "URLNode"),
        ("{% url 'people:person_detail' 1 %}", "URLNode"),
        ("{% url 'people:person_detail' pk=1 %}", "URLNode"),
    ],
)
def test_only_what_can_never_differ_is_kept(source, kind):
    assert kinds(source) == [kind]


def test_a_variable_word_is_looked_up_each_time():
    template = engines["django"].from_string("{% load i18n %}{% translate word %}")

    with override("fr"):
        assert [template.render({"word": word}) for word in ("Tools", "Home")] == ["Outils", "Accueil"]


def test_an_address_follows_the_folder_that_the_hub_is_served_under(under_a_folder):
    template = engines["django"].from_string("{% url 'tooling:tool_list' %}")
    inside = template.render()

    set_script_prefix("/")

    assert (inside, template.render()) == ("/hub/tools/", reverse("tooling:tool_list"))
