"""The words of all apps, put together as Django means to."""

from typing import Any

from django.conf import settings
from django.utils.translation.trans_real import TranslationCatalog, translation


def join_catalogs() -> None:
    """Join the words of all apps into as few catalogs as their rules for plurals allow.

    Django wants to, but compares a rule with the code of another (`TranslationCatalog.update`), so each app keeps a
    catalog of its own: an English word, which stands in none, is looked for in eight of them, hundreds of times a page.
    """
    for language, _name in settings.LANGUAGES:
        joined(translation(language)._catalog)  # type: ignore[attr-defined]


def joined(catalog: TranslationCatalog) -> None:
    """Join neighbours that count alike; what came first still goes first."""
    found: list[Any] = catalog._catalogs
    counting: list[Any] = catalog._plurals  # type: ignore[attr-defined]
    words, rules = [dict(found[-1])], [counting[-1]]
    for more, rule in zip(found[-2::-1], counting[-2::-1], strict=True):
        if rule.__code__ == rules[0].__code__:
            words[0].update(more)
        else:
            words.insert(0, dict(more))
            rules.insert(0, rule)
    found[:], counting[:] = words, rules
