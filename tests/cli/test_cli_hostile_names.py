"""Names that others chose are printed as one line each, and never command the terminal."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grokviz import cli
from grokviz.runs import RunWriter

Ran = subprocess.CompletedProcess[str]

NAME = "w\n\x1b[2Jgrokviz: all is well\r\x07\x9b\u2028\x85.W"
"""A name that clears the screen and speaks in our place."""

CONTROLS = re.compile(r"[^\n -~\xa0-\ufffd]|\u2028|\u2029")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    facts = {"recipe": NAME, "task": NAME, "device": NAME, "settings": {NAME: NAME}}
    with RunWriter.create(tmp_path / "run", facts) as writer:
        for epoch in range(2):
            writer.checkpoint(epoch, {NAME: np.full((4, 6), epoch, np.float32)})
            writer.log(epoch, train_loss=1.0, **{NAME: 2.0})
        writer.close(finished=True)
    return tmp_path / "run"


def check(done: Ran) -> None:
    """Nothing of the name begins a line or is a control character."""
    assert "Traceback" not in done.stderr
    for text in (done.stdout, done.stderr):
        assert not CONTROLS.search(text), repr(text)
        assert not re.search(r"^(\ufffd|grokviz: all is well)", text, re.M), repr(text)


def test_what_is_printed_of_a_run(called: Callable[..., Ran], run: Path) -> None:
    done = called("info", "run")
    check(done)
    assert done.returncode == 0
    assert "all is well" in done.stdout
    (run / "metrics").rename(run / "metric")
    done = called("info", "run", "--verify")
    check(done)
    assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("words", [["measures"], ["render", "weight-norms", "--run"]])
def test_measures_and_refusals(called: Callable[..., Ran], run: Path, words: list[str]) -> None:
    check(called(*words, "run", *(["--epoch", NAME] if words == ["measures"] else [])))
    check(called(*words, NAME))
    check(called(*words, "run", "--set", NAME))


def test_import_prints_a_line_for_each_belief(called: Callable[..., Ran], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="it is saved by torch")
    torch.save({"model": {NAME: torch.zeros(3, 4)}, "config": {NAME: NAME}}, tmp_path / "model.pth")
    (tmp_path / "model.pth").rename(tmp_path / NAME)
    done = called("import", NAME)
    check(done)
    assert done.returncode == 0
    assert "all is well" in done.stdout
    torch.save({"model": {NAME: torch.zeros(3) / 0}}, tmp_path / "nan.pth")
    done = called("import", "nan.pth")
    check(done)
    assert done.returncode == 0
    assert "diverged by 0" in done.stderr


def test_warnings_of_the_package_are_lines_too(grokviz: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "own.py").write_text(f"raise ValueError({NAME!r})")
    done = grokviz("recipes")
    check(done)
    assert "all is well" in done.stderr


def test_a_console_of_few_characters_shows_the_others_as_marks(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.parent)
    for words, status in (
        (["info", "run"], 0), (["measures", "run"], 0), (["scenes"], 0), (["doctor"], 0),
        (["recipes"], 0), (["info", "πρ"], 2), (["train", "πρ"], 2), (["render", "πρ"], 2),
    ):  # fmt: skip
        console = io.TextIOWrapper(io.BytesIO(), "cp1252")
        for stream in ("stdout", "stderr"):
            monkeypatch.setattr(sys, stream, console)
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == status, words
