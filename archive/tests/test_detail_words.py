import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.utils import translation

from archive.rules import detail_words


def test_details_are_said_in_the_readers_words():
    with translation.override("vi"):
        assert detail_words.shown({"page": 4, "form": "thumb"}) == [("trang", "4"), ("dạng", "ảnh nhỏ")]
        assert detail_words.shown({"home": True, "shown": 0}) == [("trên bàn làm việc", "có"), ("số dòng hiện", "0")]


def test_levels_and_posts_are_said_as_everywhere_else():
    with translation.override("vi"):
        said = detail_words.shown({"role": "staff", "level": "toi-mat"})
    assert said == [("chia sẻ với", "Trợ lý, nhân viên"), ("độ mật", "Tối mật")]


def test_an_empty_detail_says_nothing_and_an_unknown_one_is_shown_as_it_is():
    assert detail_words.shown({"filters": {}, "reason": "", "odd_name": [1, 2]}) == [("odd_name", "1, 2")]


def test_details_within_details_are_told():
    with translation.override("en"):
        assert detail_words.shown({"filters": {"since": "01/01/2026"}}) == [("filters", "From: 01/01/2026")]


def test_steps_that_were_given_are_said_in_words():
    given = [
        {"step": 2, "kind": "lead", "to": "unit 6", "due": "2026-11-30"},
        {"step": 3, "kind": "inform", "to": "person 2", "due": ""},
    ]
    with translation.override("vi"):
        assert detail_words.shown({"given": given}) == [
            (
                "giao",
                "bước: 2, loại: chủ trì, cho ai: đơn vị số 6, hạn: 30/11/2026; bước: 3, loại: để biết, cho ai: người số 2",
            )
        ]
        assert detail_words.shown({"given": 4}) == [("lần mở riêng số", "4")]


APART = {"tests", "bench", "gates", "migrations", "sample", ".venv"}


def _put_together(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """Return what a function puts into each of its names: whole dictionaries, and one key at a time."""
    kept: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and isinstance(getattr(node, "value", None), ast.Dict):
            kept.setdefault(target.id, []).append(node.value)
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            kept.setdefault(target.value.id, []).append(ast.Dict([target.slice], [target.slice]))
    return kept


def _names(given: ast.expr, kept: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Yield the names in what is given as details."""
    parts = [given]
    for part in parts:
        if isinstance(part, ast.Name):
            parts += kept.get(part.id, [])
        elif isinstance(part, ast.BinOp):
            parts += [part.left, part.right]
        elif isinstance(part, ast.Dict):
            yield from (key.value for key in part.keys if isinstance(key, ast.Constant))


def _written(function: ast.FunctionDef) -> Iterator[str]:
    """Yield the names of the details that a function gives to entries of the log, as far as they stand in its words."""
    kept = _put_together(function)
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    for call in [one for one in calls if ast.unparse(one.func) in {"audit.write", "audit.read"}]:
        for given in call.keywords:
            if given.arg == "details":
                yield from _names(given.value, kept)
            elif ast.unparse(call.func) == "audit.read" and given.arg not in {None, "actor", "subject"}:
                yield given.arg


def test_every_detail_that_an_act_keeps_has_a_word():
    root = Path(settings.BASE_DIR)
    missing = set()
    for path in root.rglob("*.py"):
        if APART.isdisjoint(path.relative_to(root).parts):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
            missing |= {(name, path.name) for one in functions for name in _written(one)} - {
                (name, path.name) for name in detail_words.WORDS
            }
    assert missing == set()
