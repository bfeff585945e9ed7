"""Nothing outside a task's own package and scenes names the task; names say what a thing is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grokviz.task import tasks

PACKAGE = Path(__file__).parents[1] / "grokviz"
SUFFIXES = (".py", ".pyi", ".js", ".html", ".css")

ALLOWED = {
    # the one constant that says what is drawn by default
    "dataset/references/reference.py": {'DEFAULT = "modular-addition"'},
    # examples in help texts and docstrings
    "cli/explore.py": {"[modular-addition] without one."},
    "task.py": {"name: what runs, recipes and users call it, such as ``modular-addition``."},
    "training/record.py": {
        'with gv.record("runs/mine", task="modular-addition", p=113) as run:',
        "task: what is learned, such as ``modular-addition``; analyses ask for it.",
    },
}


def pattern(name: str) -> re.Pattern[str]:
    """A task's name in any spelling: with dashes, underscores, spaces, or in camel case."""
    words = name.split("-")
    return re.compile("|".join(("[-_ ]?".join(words), "".join(w.title() for w in words))), re.I)


@pytest.mark.parametrize("name", list(tasks()))
def test_only_a_task_itself_is_named_after_it(name: str) -> None:
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*")):
        place = path.relative_to(PACKAGE).as_posix()
        if path.suffix in SUFFIXES and not place.startswith(f"tasks/{name.replace('-', '_')}/"):
            lines = {line.strip() for line in path.read_text("utf-8").splitlines()}
            hits = {line for line in lines if pattern(name).search(line)}
            if hits - ALLOWED.get(place, set()):
                found[place] = hits - ALLOWED.get(place, set())
    assert found == {}


def test_every_exception_is_still_there() -> None:
    for place, lines in ALLOWED.items():
        known = {line.strip() for line in (PACKAGE / place).read_text("utf-8").splitlines()}
        assert lines <= known, place


BARE = {"found", "said", "made", "chosen", "kept"}
"""Participles say what was done to a thing, not what it is."""


def bound(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that a module gives to anything, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name


def test_no_name_is_a_bare_participle() -> None:
    files = [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "scenes").rglob("*.py")]
    names = [(f, *name) for f in files for name in bound(ast.parse(f.read_text("utf-8")))]
    assert len(names) > 5000
    assert [f"{f}:{line} {name}" for f, line, name in names if name.strip("_") in BARE] == []
