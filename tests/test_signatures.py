"""A function takes at most seven parameters; what would need more takes an options object."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST = 7
PUBLIC = {
    "importers/importing.py:import_run": "gv.import_run: a keyword API that users' scripts have",
    "render/render.py:render": "gv.render: a keyword API that users' scripts have",
    "training/sweep.py:sweep": "gv.sweep: a keyword API that users' scripts have",
}
"""Verbs that take more, and why."""


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is a command of click, which passes a parameter for each option."""
    return any("click.command(" in ast.unparse(decorator) for decorator in function.decorator_list)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many it takes beside the object itself; ``*args`` and ``**kwargs`` are one each."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    own = [parameter for parameter in named if parameter.arg not in ("self", "cls")]
    return len(own) + (given.vararg is not None) + (given.kwarg is not None)


def too_many(folder: Path) -> set[str]:
    return {
        f"{file.relative_to(folder).as_posix()}:{function.name}"
        for file in sorted(folder.rglob("*.py"))
        for function in functions(file)
        if parameters(function) > MOST and not is_command(function)
    }


def test_no_function_takes_more_than_seven_parameters() -> None:
    assert too_many(ROOT / "grokviz") == set(PUBLIC)
    assert [too_many(ROOT / name) for name in ("scenes", "website", "benchmarks")] == [set()] * 3


@pytest.mark.parametrize(
    ("signature", "count"),
    [("a, b=1", 2), ("self, a, /, b, *, c", 3), ("cls, *a, b, **c", 3), ("", 0)],
)
def test_parameters_are_counted(signature: str, count: int) -> None:
    (function,) = ast.parse(f"def f({signature}): ...").body
    assert isinstance(function, ast.FunctionDef)
    assert parameters(function) == count
