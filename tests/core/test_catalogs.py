"""The catalogs of all apps in one: the same words as before, looked for in fewer places."""

import gettext as stdlib
from copy import deepcopy

import pytest
from django.conf import settings
from django.utils.translation import trans_real

from hub.core.catalogs import join_catalogs, joined


def from_the_files(language):
    """Return Django's own catalog, read anew from the files."""
    stdlib._translations.clear()
    return trans_real.DjangoTranslation(language)._catalog


@pytest.mark.parametrize("language", [language for language, _name in settings.LANGUAGES])
def test_every_word_and_plural_is_what_it_was(language):
    before = from_the_files(language)
    after = deepcopy(before)
    joined(after)

    assert len(after._catalogs) < len(before._catalogs)
    assert {key: after[key] for key, _text in before.items()} == {key: before[key] for key, _text in before.items()}
    for key in {key[0] for key, _text in before.items() if isinstance(key, tuple)}:
        assert [after.plural(key, n) for n in (0, 1, 2, 7, 10**6)] == [
            before.plural(key, n) for n in (0, 1, 2, 7, 10**6)
        ]


def test_both_languages_are_joined():
    alone = len(from_the_files("en")._catalogs)
    trans_real._translations.clear()

    join_catalogs()

    assert all(len(trans_real.translation(code)._catalog._catalogs) < alone for code in ("en", "fr"))
