"""What a user's type checker sees: the verbs with their types, and nothing that may be anything."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import grokviz as gv

ROOT = Path(__file__).parents[1]
STUB = ROOT / "grokviz" / "__init__.pyi"

SCRIPT = """
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import grokviz as gv

@dataclass(frozen=True)
class Mine(gv.Scene):
    name = "mine"
    needs = ("logged_test_loss",)
    side: int = gv.option(1, "of the square")

def work(folder: Path) -> None:
    with gv.record(folder / "run", task="modular-addition", p=5) as recorder:
        recorder.step(0, {"w": np.zeros(2)}, train_loss=1.0)
    run = gv.open_run(folder / "run")
    data = gv.analyze(run)
    files = gv.render("grokking-curve", data, folder / "a.png", quality="l", columns=1)
    outcome = gv.train("modular-addition", folder / "b", settings={"p": 5})
    members = gv.sweep("modular-addition", {"seed": [0, 1]}, folder / "c", jobs=2)
    reveal_type((recorder, run, data, files, outcome, members, Mine().side, gv.load()))
"""

WRONG = """
    gv.render("grokking-curve", colour="red")
    gv.train(3)
"""

SETTINGS = """
[mypy]
strict = true
follow_imports = silent
[mypy-torch.*,scipy.*,pandas.*,plotly.*,matplotlib.*,IPython.*]
follow_imports = skip
"""
"""Libraries whose types no verb gives are not read: that takes most of the time."""


def stub_imports() -> dict[str, str]:
    """The module of each name that the stub imports."""
    return {
        name.asname or name.name: str(node.module)
        for node in ast.parse(STUB.read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }


def test_the_stub_names_what_the_package_offers() -> None:
    imports = stub_imports()
    assert {*imports, "__version__"} == set(gv.__all__)
    for name, module in imports.items():
        typed, offered = getattr(importlib.import_module(module), name), getattr(gv, name)
        assert typed is offered
        if inspect.isfunction(offered):
            hints = inspect.signature(offered)
            untyped = [p.name for p in hints.parameters.values() if p.annotation is p.empty]
            assert untyped == [], name
            assert hints.return_annotation is not hints.empty, name


@pytest.mark.slow
def test_a_users_script_is_typed(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "mypy.ini").write_text(SETTINGS, "utf-8")
    (tmp_path / "script.py").write_text(SCRIPT + WRONG, "utf-8")
    (tmp_path / "grokviz").symlink_to(ROOT / "grokviz")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "script.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (revealed,) = re.findall(r'Revealed type is "(.*)"', done.stdout)
    assert [name.rpartition(".")[2] for name in revealed[len("tuple[") : -1].split(", ")] == [
        "Recorder", "Run", "Dataset", "FileList", "Outcome", "SweepResult", "int", "Dataset",
    ]  # fmt: skip
    assert "Any" not in revealed
    first_wrong = SCRIPT.count("\n") + 2
    errors = re.findall(r"script\.py:(\d+): error: .*\[(.*)\]", done.stdout)
    assert errors == [(str(first_wrong), "call-arg"), (str(first_wrong + 1), "arg-type")]
