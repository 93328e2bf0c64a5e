import gettext

from django.core.management import call_command

CATALOGUE = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"

msgid "%(n)s tool"
msgid_plural "%(n)s tools"
msgstr[0] "%(n)s outil"
msgstr[1] "%(n)s outils"

#, fuzzy
msgid "Owner"
msgstr "Peut-être"
"""


def test_catalogue_is_compiled_without_gettext_tools(tmp_path, settings):
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(CATALOGUE)
    settings.LOCALE_PATHS = [tmp_path]

    call_command("compile_locale", verbosity=0)

    with (folder / "django.mo").open("rb") as file:
        french = gettext.GNUTranslations(file)
    assert french.ngettext("%(n)s tool", "%(n)s tools", 2) == "%(n)s outils"
    assert french.gettext("Owner") == "Owner"
