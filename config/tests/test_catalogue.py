"""The Vietnamese catalogue is complete: what a person reads is Vietnamese, what a programmer reads is English."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
APPS = ("archive", "ingest", "search", "config")
KEYWORDS = (
    "gettext_noop", "gettext_lazy", "ngettext_lazy:1,2", "pgettext:1c,2", "npgettext:1c,2,3",
    "pgettext_lazy:1c,2", "npgettext_lazy:1c,2,3",
)  # fmt: skip
PLACE = re.compile(r"%(?:\((\w+)\))?[sdif]")
MARKED = re.compile("[À-ÃÈ-ÊÌÍÒ-ÕÙÚÝà-ãè-êìíò-õùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ]")
SYMBOL = re.compile(r"\d+[-/][\w/-]+")  # number and symbol of a dispatch, given as an example
NAMES = ("Văn Khố", "Tiếng Việt", "chuyển sang tiếng Việt")  # the product, and a language by its own name
SCREENS = (
    "archive/views",
    "archive/forms",
    "archive/templatetags",
    "ingest/views.py",
    "search/views",
    "config/status.py",
)


def is_ours(path: Path) -> bool:
    return not {"tests", "migrations", "static", "locale", "bench", "sample", "cell"} & set(
        path.relative_to(ROOT).parts
    )


def templates(app: str) -> list[Path]:
    return [path for path in (ROOT / app).rglob("*.html") if is_ours(path)]


def extracted(app: str, folder: Path) -> polib.POFile:
    """Return every message of an app, taken out as `makemessages` does."""
    names = []
    for path in [path for path in (ROOT / app).rglob("*.py") if is_ours(path)] + templates(app):
        text = path.read_text(encoding="utf-8")
        copy = folder / "__".join(path.relative_to(ROOT).parts)
        copy.write_text(templatize(text, origin=str(path)) if path.suffix == ".html" else text, encoding="utf-8")
        names.append(copy.name)
    listed = folder / "files"
    listed.write_text("\n".join(names), encoding="utf-8")
    words = [f"--keyword={keyword}" for keyword in KEYWORDS]
    drawn = subprocess.run(
        ["xgettext", "--language=Python", "--from-code=UTF-8", "--output=-", f"--files-from={listed}", *words],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return polib.pofile(drawn.stdout)


def unmarked(text: str) -> str:
    """Return a text without what may be Vietnamese in it: our name, examples of symbols."""
    for name in NAMES:
        text = text.replace(name, "")
    return SYMBOL.sub("", text)


@pytest.fixture(scope="module", params=APPS)
def messages(request, tmp_path_factory):
    if shutil.which("xgettext") is None:
        pytest.skip("xgettext (package gettext) is not installed")
    return request.param, extracted(request.param, tmp_path_factory.mktemp(request.param))


def catalogue(app: str) -> dict[tuple[str | None, str], polib.POEntry]:
    kept = polib.pofile(str(ROOT / app / "locale/vi/LC_MESSAGES/django.po"))
    return {(entry.msgctxt, entry.msgid): entry for entry in kept}


def said(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def places(text: str) -> set[str]:
    return {found.group(0) for found in PLACE.finditer(text.replace("%%", ""))}


def test_every_sentence_is_said_in_vietnamese(messages):
    app, found = messages
    known = catalogue(app)
    silent = [
        f"{entry.occurrences[0][0]}: {entry.msgid}"
        for entry in found
        if (kept := known.get((entry.msgctxt, entry.msgid))) is None or kept.fuzzy or not all(said(kept))
    ]
    assert silent == []


def test_a_plural_is_kept_as_a_plural(messages):
    app, found = messages
    known = catalogue(app)
    lost = [
        entry.msgid
        for entry in found
        if (kept := known.get((entry.msgctxt, entry.msgid))) and bool(entry.msgid_plural) != bool(kept.msgid_plural)
    ]
    assert lost == []


@pytest.mark.parametrize("app", APPS)
def test_a_sentence_keeps_its_places(app):
    wrong = []
    for entry in catalogue(app).values():
        wanted = places(entry.msgid_plural or entry.msgid) | places(entry.msgid)
        wrong += [entry.msgid for words in said(entry) if places(words) != wanted and words]
    assert wrong == []


@pytest.mark.parametrize("app", APPS)
def test_a_catalogue_has_no_doubtful_and_no_dead_line(app):
    kept = polib.pofile(str(ROOT / app / "locale/vi/LC_MESSAGES/django.po"))
    assert [entry.msgid for entry in kept if entry.fuzzy or entry.obsolete] == []


def test_nothing_is_kept_that_nobody_says(messages):
    app, found = messages
    asked = {(entry.msgctxt, entry.msgid) for entry in found}
    assert [msgid for (context, msgid) in catalogue(app) if (context, msgid) not in asked] == []


def test_source_sentences_are_english(messages):
    _app, found = messages
    assert [text for entry in found if MARKED.search(text := unmarked(entry.msgid))] == []


@pytest.mark.parametrize("app", APPS)
def test_templates_say_nothing_in_vietnamese_themselves(app):
    guilty = []
    for path in templates(app):
        text = re.sub(r"{%\s*comment.*?endcomment\s*%}|{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r'placeholder="[^"]*"', "", unmarked(text))
        guilty += [
            (path.relative_to(ROOT).as_posix(), line.strip()[:80]) for line in text.splitlines() if MARKED.search(line)
        ]
    assert guilty == []


def constants(path: Path) -> list[str]:
    """Return the string constants of a module that are not docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in words
    ]


@pytest.mark.parametrize("place", SCREENS)
def test_screens_say_nothing_in_vietnamese_themselves(place):
    files = [ROOT / place] if place.endswith(".py") else list((ROOT / place).rglob("*.py"))
    assert files
    guilty = [(path.name, text) for path in files for text in constants(path) if MARKED.search(unmarked(text))]
    assert guilty == []


def test_one_word_has_one_meaning_in_all_rooms():
    """Django merges the catalogues of all apps: the first app's sentence wins everywhere."""
    said_by: dict[tuple[str | None, str], set[str]] = {}
    for app in APPS:
        for key, entry in catalogue(app).items():
            said_by.setdefault(key, set()).add("|".join(said(entry)))
    assert {key[1]: words for key, words in said_by.items() if len(words) > 1} == {}
