"""Processes are started in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("grokviz", "scenes", "website")
MODULES = {"subprocess", "multiprocessing", "loky", "distributed", "dask", "joblib"}
NAMES = {"ProcessPoolExecutor", "fork", "forkpty", "posix_spawn", "popen"}


def files() -> Iterator[Path]:
    for place in PLACES:
        for file in (ROOT / place).rglob("*.py"):
            if (ROOT / "grokviz" / "parallel") not in file.parents:
                yield file


def used(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module).split(".")[0], *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def test_no_other_module_starts_or_hands_out_processes() -> None:
    found = {str(file.relative_to(ROOT)): used(file) & (MODULES | NAMES) for file in files()}
    assert len(found) > 150
    assert {name: words for name, words in found.items() if words} == {}
