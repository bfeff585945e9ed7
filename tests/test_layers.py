"""No file imports itself, over however many others: lazy and TYPE_CHECKING imports count.

Which package may import which is for import-linter (``make lint``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def modules(folder: Path, package: str) -> Iterator[tuple[str, Path]]:
    """Every module of a folder by its full name; a package is its ``__init__``."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        yield ".".join((package, *parts)).removesuffix(".__init__"), path


def imports(name: str, path: Path, known: Mapping[str, Path]) -> set[str]:
    """The known modules that a file imports anywhere in it, but itself.

    ``from package import name`` is an import of ``package.name`` where that is a module.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import, which nothing of ours has"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {one if one in known else str(node.module) for one in inner}
    return {one for one in found if one in known and one != name}


def circles(graph: Mapping[str, set[str]]) -> set[tuple[str, ...]]:
    """The strongly connected components of more than one module, each in alphabetical order."""
    reached = {name: _reached(name, graph) for name in graph}
    return {
        tuple(sorted({name, *(other for other in reached[name] if name in reached[other])}))
        for name in graph
        if name in reached[name]
    }


def _reached(name: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [*graph[name]]
    while waiting:
        other = waiting.pop()
        if other not in seen:
            seen.add(other)
            waiting += graph[other]
    return seen


def graph_of(known: Mapping[str, Path]) -> dict[str, set[str]]:
    return {name: imports(name, path, known) for name, path in known.items()}


def test_every_import_of_ours_is_there() -> None:
    known = dict(modules(ROOT / "grokviz", "grokviz"))
    known |= dict(modules(ROOT / "scenes", "grokviz.scenes"))
    for path in known.values():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("grokviz"):
                assert node.module in known, f"{path} imports from {node.module}"


def test_no_file_of_the_package_or_the_scenes_is_in_a_circle() -> None:
    known = dict(modules(ROOT / "grokviz", "grokviz"))
    known |= dict(modules(ROOT / "scenes", "grokviz.scenes"))
    assert len(known) > 200
    assert circles(graph_of(known)) == set()


CIRCLES = {
    "plain": "import p.a\n",
    "lazy": "def f():\n    from p import a\n",
    "for types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import X\n",
    "none": "from p.c import a\n",
}


@pytest.mark.parametrize("kind", CIRCLES)
def test_every_kind_of_import_counts(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from p import b\nX = 1\n")
    (tmp_path / "b.py").write_text("import p.c\n")
    (tmp_path / "c.py").write_text(CIRCLES[kind] + "a = 1\n")
    (tmp_path / "__init__.py").write_text("from p.a import X\n")
    found = circles(graph_of(dict(modules(tmp_path, "p"))))
    assert found == (set() if kind == "none" else {("p.a", "p.b", "p.c")})
