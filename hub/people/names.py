"""What two spellings of a name have in common, said alike in Python and in the database.

Each form below is an index of `User`, so that a look-up by likeness reads a few rows however many people there are.
`people_plain` is ours (migration 0003): PostgreSQL has it in an extension only, which not every server brings along.
"""

import re
import unicodedata

from django.db.models import CharField, Func


def plain(text: str) -> str:
    """Return `text` in lower case without accents, words split by one space."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.split(r"[^a-z0-9]+", kept)).strip()


class PlainName(Func):
    """A name in lower case, without accents, hyphens as spaces: "jeanne morel"."""

    function = "people_plain"
    output_field = CharField()


class InitialAndLast(Func):
    """The first letter and the last word of a plain name: "j morel"."""

    template = "(left(people_plain(%(expressions)s), 1) || ' ' || split_part(people_plain(%(expressions)s), ' ', -1))"
    output_field = CharField()


class MailName(Func):
    """What stands before the @ of an e-mail: "jeanne.morel"."""

    template = "split_part(%(expressions)s, '@', 1)"
    output_field = CharField()
