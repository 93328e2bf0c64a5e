"""Why a database gave no answer, in words: a sentence and one thing to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connectors.base import FailureClass as Why

Words = tuple[str | Promise, str | Promise]

# Where a wall of ours refused: by its code. `%(word)s` is the word it is about.
BY_CODE: dict[str, Words] = {
    "kind": (_("This is no address of a database that the hub can read."), _("Begin it as one of the examples does.")),
    "spelling": (_("The address can’t be read."), _("Write it as the example does, with host, port and name.")),
    "option": (
        _("The address holds an option that is not allowed."),
        _("Leave out what comes after the question mark."),
    ),
    "host": (_("The name of the host is not known."), _("Check the address.")),
    "private": (
        _("The address leads inside the hub’s own network."),
        _("Whoever runs the hub can allow it with SQL_HOSTS."),
    ),
    "folder": (
        _("The file is outside the folders that may be read."),
        _("Whoever runs the hub can allow its folder with SQL_FOLDERS."),
    ),
    "file": (_("There is no such file."), _("Check the address.")),
    "forbidden": (
        _("Reading databases is off."),
        _("A technical admin can allow it, on the page where values come from."),
    ),
    "driver": (
        _("The driver of this kind of database is not installed."),
        _("Install the hub with the extra “%(word)s” of pyproject.toml."),
    ),
    "length": (_("A query has 1 to 20,000 characters."), _("Make it shorter, or let a view in the database do it.")),
    "character": (
        _("Backslashes and dollar quotes are not taken."),
        _("Write texts in plain single quotes."),
    ),
    "several": (
        _("A semicolon stands in the query: one statement is read, and only one."),
        _("Leave it out, in texts, too."),
    ),
    "comment": (_("Comments are not taken: they can hide a second statement."), _("Leave them out.")),
    "beginning": (_("A query begins with SELECT or WITH."), _("Ask for rows; nothing else is sent.")),
    "word": (
        _("“%(word)s” is not taken: it writes, waits or leaves the database."),
        _("Let a view in the database do it."),
    ),
    "rows": (_("The answer has more rows than can be values of one metric."), _("Ask for weeks, not for events.")),
    "columns": (
        _("The answer lacks a column, or has one that is not known: “%(word)s”."),
        _("Name the columns week, team, value, num, den, n, coverage; week and value, or num and den, are needed."),
    ),
    "twice": (
        _("Row %(word)s says a week and team that an earlier row says already."),
        _("Group the query by week and team."),
    ),
    "refused": (_("No row keeps the contract of the metric."), _("Look at what was refused, and change the query.")),
    "empty": (_("The answer has no row."), _("Check the query; the values stay as they were last good.")),
}  # fmt: skip
BY_KIND: dict[str, Words] = {
    Why.AUTH_INVALID: (_("The database refuses our password."), _("Enter the address again, with the new password.")),
    Why.SCOPE_MISSING: (
        _("The role may not read this, or it may far more than read."),
        _("Give it SELECT on what is asked, and no right of a superuser, role maker or file reader."),
    ),
    Why.SOURCE_DOWN: (_("The database can’t be reached."), _("Nothing to do: the hub tries again by itself.")),
    Why.SOURCE_SLOW: (
        _("The query took too long and was cut."),
        _("Make it cheaper, or let the database prepare a table; the hub tries again by itself."),
    ),
    Why.BAD_PAYLOAD: (_("The answer can’t be read."), _("Ask for fewer rows and smaller cells.")),
    Why.QUERY_REJECTED: (_("The database refuses the query."), _("Read what it says, and change the query.")),
    Why.BUG: (_("The hub made a mistake."), _("Tell the maintainers of the hub.")),
}


def explained(kind: str, code: str = "", word: str = "") -> tuple[str, str]:
    """Return what happened and what to do."""
    sentence, action = BY_CODE.get(code) or BY_KIND.get(kind) or BY_KIND[Why.BUG]
    return str(sentence) % {"word": word}, str(action) % {"word": word}
