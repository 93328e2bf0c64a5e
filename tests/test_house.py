"""Checks of the house itself. When a review says something twice, it becomes a check here."""

import ast
import hashlib
import re
import subprocess
import sys
import warnings
from functools import cache

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode

from tests.house import drawing
from tests.house.files import PACKAGES, ROOT, name_of, own_files, product_python, templates, text
from tests.house.messages import catalogue, messages, said_in, unreadable_calls

SHARED_CONTRACTS = ROOT.parent / "shared" / "contracts"


# --- The rooms -----------------------------------------------------------------------------------------------------


def floor_of(app_config):
    """Return how high an app stands, 0 for the roof; siblings share a floor."""
    contracts = [c for c in pyproject()["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    for height, layer in enumerate(contracts[0]["layers"]):
        if app_config.name in [name.strip() for name in layer.split("|")]:
            return height
    return None


@cache
def pyproject():
    import tomllib

    return tomllib.loads(text(ROOT / "pyproject.toml"))


def test_foreign_keys_point_down():
    upward = []
    for model in apps.get_models(include_auto_created=True):
        here = floor_of(apps.get_app_config(model._meta.app_label))
        for field in model._meta.get_fields(include_hidden=True):
            if here is None or not field.is_relation or field.auto_created or field.related_model is None:
                continue
            there = floor_of(apps.get_app_config(field.related_model._meta.app_label))
            sideways = there == here and field.related_model._meta.app_label != model._meta.app_label
            if there is not None and (there < here or sideways):
                upward.append(f"{model._meta.label}.{field.name} → {field.related_model._meta.label}")

    assert not upward


def test_every_app_of_ours_has_a_floor():
    ours = [config for config in apps.get_app_configs() if config.name.split(".")[0] in PACKAGES]

    assert [config.name for config in ours if floor_of(config) is None] == []


def test_models_and_migrations_agree(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_only_settings_reads_the_environment():
    """Entry points may name the settings module; the local servers hand the environment to what they start."""
    allowed = ("hub/settings.py", "hub/wsgi.py", "hub/celery.py", "hub/local/")
    readers = [
        name_of(path)
        for path in product_python()
        if re.search(r"\bos\.(environ|getenv)\b|\bgetenv\(", text(path)) and not name_of(path).startswith(allowed)
    ]

    assert readers == []


def test_every_setting_of_the_environment_is_explained():
    read = set(re.findall(r"""\benv(?:\.\w+)?\(\s*["']([A-Z][A-Z0-9_]*)["']""", text(ROOT / "hub" / "settings.py")))
    lines = text(ROOT / ".env.example").splitlines()
    named = {
        match[1]: number for number, line in enumerate(lines) if (match := re.match(r"#?\s?([A-Z][A-Z0-9_]*)=", line))
    }

    assert read - set(named) == set(), "not in .env.example"
    unexplained = [name for name in read & set(named) if not explained(lines, named[name])]
    assert unexplained == []


def explained(lines, number):
    """True where a sentence stands above the variable (or above the group of variables it is in)."""
    while number > 0 and re.match(r"#?\s?[A-Z][A-Z0-9_]*=", lines[number - 1]):
        number -= 1
    return number > 0 and lines[number - 1].startswith("# ")


def test_every_service_has_a_page():
    services = [
        path.name
        for path in (ROOT / "connectors" / "services").iterdir()
        if path.is_dir() and (path / "__init__.py").exists()
    ]

    assert services
    assert [name for name in services if not (ROOT / "docs" / "connectors" / f"{name}.md").exists()] == []


# --- Templates and scripts -----------------------------------------------------------------------------------------

# Names that Django or allauth look up by themselves
LOOKED_UP = re.compile(
    r"(4\d\d|5\d\d|403_csrf)\.html|(account|allauth|socialaccount|mfa|django/forms|registration|admin)/.*"
)


def test_every_template_is_used():
    sources = {path: text(path) for path in (*templates(), *product_python())}
    unused = []
    for path in templates():
        name = path.relative_to(ROOT / "templates").as_posix()
        mentioned = any(name in source for other, source in sources.items() if other != path)
        if not mentioned:  # named in two halves: f"emails/{name}.txt"
            stem, _, rest = path.stem.rpartition("_")
            mentioned = any(
                f"{path.parent.name}/{{" in source or (stem and f"{path.parent.name}/{stem}_{{" in source)
                for source in sources.values()
            ) and any(re.search(rf"[\"'](?:{path.stem}|{rest})[\"']", source) for source in sources.values())
        if not mentioned and not LOOKED_UP.fullmatch(name):
            unused.append(name)

    assert unused == []


INLINE = {
    "an inline script": r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")",
    "an inline style sheet": r"<style\b",
    "a style attribute": r"<[a-z][^<>]*\sstyle=",
    "an event attribute": r"<[a-z][^<>]*\son[a-z]+=",
    "hx-on": r"\bhx-on\b|\bdata-hx-on\b",
    "a javascript: address": r"""["']\s*javascript:""",
    "hx-vals or hx-headers that compute": r"""hx-(vals|headers)=["']js:""",
}


@pytest.mark.parametrize("what", INLINE)
def test_templates_hold_nothing_that_the_content_policy_refuses(what):
    sources = [*templates(), *product_python()]
    found = [
        f"{name_of(path)}:{text(path)[: match.start()].count(chr(10)) + 1}"
        for path in sources
        for match in re.finditer(INLINE[what], text(path))
    ]

    assert found == [], what


def test_scripts_make_no_code_and_no_inline_style():
    refused = re.compile(
        r"\beval\(|\bnew Function\b|document\.write|setAttribute\(\s*[\"'](style|on\w+)[\"']"
        r"|\.(inner|outer)HTML\s*=|insertAdjacentHTML"
    )
    scripts = [path for path in own_files() if path.suffix == ".js" and path.is_relative_to(ROOT / "static")]

    assert [name_of(path) for path in scripts if refused.search(text(path))] == []


def pages():
    """Return templates that extend another, with the nodes that do."""
    for path in templates():
        name = path.relative_to(ROOT / "templates").as_posix()
        if path.suffix == ".html" and "{% extends" in text(path):
            yield name, get_template(name).template


def block_names(template):
    return set(re.findall(r"\{%\s*block\s+(\w+)", template.source))


def test_a_page_fills_only_blocks_that_its_frame_has():
    lost = {}
    for name, template in pages():
        parents, current = set(), template
        while extends := current.nodelist.get_nodes_by_type(ExtendsNode):
            parent = str(extends[0].parent_name.var)
            current = get_template(parent).template
            parents |= block_names(current)
        own = {
            node.name
            for node in template.nodelist.get_nodes_by_type(ExtendsNode)[0].nodelist
            if isinstance(node, BlockNode)
        }
        if own - parents:
            lost[name] = own - parents

    assert lost == {}


def test_a_page_has_a_title_and_a_heading():
    nameless = []
    for name, template in pages():
        extends = template.nodelist.get_nodes_by_type(ExtendsNode)[0]
        filled = block_names(template)
        children = [other for other in templates() if f'{{% extends "{name}" %}}' in text(other)]
        if str(extends.parent_name.var) == "base.html" and not {"title", "heading"} <= filled and not children:
            nameless.append(name)

    assert nameless == []


# --- Languages -----------------------------------------------------------------------------------------------------

PLACEHOLDER = re.compile(r"%\([a-z_]\w*\)[sd]|%[sd]|(?<!\{)\{[a-z_]*\}(?!\})")


def test_every_message_is_said_in_french():
    known = catalogue()
    missing = {m.key: where[0] for m, where in messages().items() if m not in known or not all(said_in(known[m]))}

    assert missing == {}, "python -m tests.house.messages prints them"


def test_no_french_is_only_a_guess():
    assert [entry.msgid for entry in catalogue().values() if entry.fuzzy] == []


def test_no_french_is_left_over():
    assert sorted(m.text for m in set(catalogue()) - set(messages())) == []


def test_placeholders_are_the_same_on_both_sides():
    wrong = []
    for message, entry in catalogue().items():
        asked = set(PLACEHOLDER.findall(message.plural or message.text))
        for said in filter(None, said_in(entry)):
            got = set(PLACEHOLDER.findall(said))
            # French says "one" as a word where it likes: the singular may leave the count out
            if got - asked or (asked - got and not message.plural):
                wrong.append((message.text, said))

    assert wrong == []


FRENCH_RULES = {
    "a typographic apostrophe": re.compile(r"\w'\w"),
    "French quotation marks": re.compile(r"[\"“”](?=\w)|(?<=\w)[\"“”]"),
    "a no-break space before : ; ? ! % »": re.compile(
        r"(?<![\s\u00a0\u202f:/;?!(%])(?<!&\w)[?!;»](?!\w)|[^\S\u00a0\u202f][:;?!%»](?![\w(/])|\w[:%](?=\s|$)"
    ),
    "a no-break space after «": re.compile(r"«(?![\u00a0\u202f])"),
    "a real ellipsis": re.compile(r"\.\.\."),
}


def plain(said):
    """Return a French sentence without markup, addresses and placeholders, whose punctuation is not prose."""
    said = re.sub(r"<[^>]*>", "", said)
    said = re.sub(r"https?://\S*|&\w+;|`[^`]*`", "", said)
    return re.sub(PLACEHOLDER, "x", said).replace("%%", "%")


@pytest.mark.parametrize("rule", FRENCH_RULES)
def test_french_typography(rule):
    wrong = [
        said for entry in catalogue().values() for said in said_in(entry) if FRENCH_RULES[rule].search(plain(said))
    ]

    assert wrong == [], rule


FRENCH_WORDS = re.compile(
    r"[àâçèéêëîïôùûœ«»]|\b(le|la|les|des|une|est|pour|avec|dans|vous|aucun|aucune)\b", re.IGNORECASE
)


def test_english_source_has_no_french_in_it():
    assert sorted(m.text for m in messages() if FRENCH_WORDS.search(m.text)) == []


def test_sentences_are_not_put_together_before_they_are_translated():
    built = {name_of(path): lines for path in product_python() if (lines := unreadable_calls(path))}

    assert built == {}


NAMES = {
    "Linear",
    "Notion",
    "Productboard",
    "GitHub",
    "Slack",
    "CSV",
    "KPI",
    "KPIs",
    "EN",
    "FR",
    "Product Ops Hub",
    "Esc",
    "Ctrl",
    "Tab",
    "URL",
    "API",
    "n",
    "p85",
    "Français",
    "English",
}


def test_no_visible_word_escapes_translation():
    """Words between tags and in spoken attributes stand in a translate tag; names of products are no words."""
    bare = []
    for path in templates():
        if path.suffix != ".html":
            continue
        source = re.sub(r"\{#.*?#\}", "", text(path))
        source = re.sub(r"\{%\s*comment\b.*?\{%\s*endcomment\s*%\}", "", source, flags=re.DOTALL)
        source = re.sub(r"\{%\s*blocktrans(late)?\b.*?\{%\s*endblocktrans(late)?\s*%\}", "", source, flags=re.DOTALL)
        source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.DOTALL)
        source = re.sub(r"<!--.*?-->|<!doctype[^>]*>", "", source, flags=re.DOTALL)
        source = re.sub(r"<(code|kbd|script|style)\b.*?</\1>", "", source, flags=re.DOTALL)
        source = re.sub(
            r"<(\w+)\b[^>]*\slang=\"[^\"]*\"[^>]*>.*?</\1>", "", source, flags=re.DOTALL
        )  # said in its own tongue
        spoken = re.findall(r"""\b(?:aria-label|title|placeholder|alt)=["']([^"']*)["']""", source)
        between = re.sub(r"<[^>]*>", "\n", source).split("\n")
        for piece in (*spoken, *between):
            words = re.sub(r"&\w+;|&#\d+;|\s", " ", piece).strip(" \t·,.:;/()–—→←+×%#0123456789")
            if re.search(r"[^\W\d_]{2,}", words) and words not in NAMES:
                bare.append(f"{name_of(path)}: {words}")

    assert bare == []


# --- Documents -----------------------------------------------------------------------------------------------------


def test_map_of_the_readme_equals_the_folders():
    readme = text(ROOT / "README.md")
    section = readme.partition("## The map")[2].partition("\n## ")[0]
    mapped = set(re.findall(r"^\s*([a-z_]+(?:/[a-z_]+)*)/\s", section, flags=re.MULTILINE))
    packages = {
        name_of(path.parent)
        for package in PACKAGES
        for path in [ROOT / package / "__init__.py", *(ROOT / "hub").glob("*/__init__.py")]
    }

    assert packages - mapped == set(), "folders that the map leaves out"
    assert [name for name in sorted(mapped) if not (ROOT / name).is_dir()] == [], "folders that are not there"


def test_import_drawing_is_current():
    """`python -m tests.house.drawing` draws it anew. The graph is read apart: it needs a fresh interpreter."""
    drawn_now = subprocess.run(
        [sys.executable, "-c", "from tests.house.drawing import draw; print(draw())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert drawing.drawn() == drawn_now.stdout.strip()


def test_links_between_documents_lead_somewhere():
    broken = []
    for page in (path for path in own_files() if path.suffix == ".md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
            if not re.match(r"[a-z]+:|#", target) and not (page.parent / target.partition("#")[0]).exists():
                broken.append(f"{name_of(page)}: {target}")

    assert broken == []


# Written apart so that this file does not find itself
MACHINE = re.compile(r"(?<![\w.])/(?:home|Users|root|wor" r"k|mnt|media)/\w|[A-Z]:\\Users|file:///\w")
REGISTRY = re.compile(
    r"\b(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|ghcr\.io|quay\.io|docker\.io|gcr\.io)\b"
)


def test_no_file_names_a_machine_or_a_registry():
    """The lock file alone names the public index: it is where uv reads each package's hash and address."""
    found = [
        f"{name_of(path)}: {match[0]}"
        for path in own_files()
        if path.name != "uv.lock" and path != ROOT / "tests" / "test_house.py"
        for match in (MACHINE.search(text(path)), REGISTRY.search(text(path)))
        if match
    ]

    assert found == []


def test_lock_file_names_the_public_index_only():
    hosts = set(re.findall(r"https?://([^/\"]+)", text(ROOT / "uv.lock")))

    assert hosts <= {"pypi.org", "files.pythonhosted.org"}


def test_no_vendor_contract_is_copied():
    if not SHARED_CONTRACTS.is_dir():
        pytest.skip("The vendors' contract files are not beside the project, so copies of them can't be looked for.")
    contracts = [path for path in SHARED_CONTRACTS.rglob("*") if path.is_file() and path.name != "LICENSE"]
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest() for path in contracts}
    lines = {line.strip() for path in contracts for line in text(path).splitlines() if len(line.strip()) > 60}

    copied = [name_of(path) for path in own_files() if hashlib.sha256(path.read_bytes()).hexdigest() in hashes]
    alike = [
        name_of(path) for path in own_files() if sum(line.strip() in lines for line in text(path).splitlines()) > 5
    ]

    assert (copied, alike) == ([], [])


@pytest.mark.filterwarnings("default:files past 500 lines")
def test_large_files_are_talked_about():
    """A file past 500 lines often hides a second noun: it is named in the summary, and at 1,000 it fails."""
    sizes = {
        name_of(path): text(path).count("\n") for path in own_files() if path.suffix in {".py", ".html", ".css", ".js"}
    }
    large = {name: size for name, size in sizes.items() if size > 500}
    if large:
        warnings.warn(f"files past 500 lines: {large}", stacklevel=1)

    assert [name for name, size in large.items() if size > 1000] == []


def test_every_python_file_says_what_it_is_for():
    silent = [
        name_of(path)
        for path in product_python()
        if text(path).strip() and not ast.get_docstring(ast.parse(text(path)))
    ]

    assert silent == []


def test_settings_of_the_suite_are_those_of_the_product():
    from hub import settings as real

    assert settings.MIDDLEWARE == real.MIDDLEWARE
    assert settings.CONTENT_SECURITY_POLICY == real.CONTENT_SECURITY_POLICY
