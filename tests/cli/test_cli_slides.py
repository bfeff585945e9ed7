"""``grokviz slides`` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grokviz.media.provenance import find

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_dry_run_lists_the_story(called: Run, tmp_path: Path) -> None:
    done = called("slides", "--dry-run", "--no-user-scenes")
    assert done.returncode == 0
    names = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert names.index("grokking-curve") < names.index("algorithm") < names.index("straight-path")
    assert "film, from modular-addition" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_both_targets_from_one_command(grokviz: Run, tmp_path: Path) -> None:
    pytest.importorskip("pptx", reason="python-pptx is not installed")
    outputs = ["out/talk.html", "out/talk.pptx"]
    asked = ["slides", "algorithm", "ablation", "--theme", "dark", "--title", "A talk"]
    done = grokviz(*asked, *(word for file in outputs for word in ("-o", file)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == outputs
    assert done.stderr.splitlines() == ["[1/2] algorithm", "[2/2] ablation"]
    # films that are not kept leave nothing behind
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["out", "talk.html", "talk.pptx"]
    page = (tmp_path / outputs[0]).read_text("utf-8")
    said = find(page)
    assert said is not None
    assert said.title == "A talk"
    assert said.command.startswith("grokviz slides algorithm ablation --theme dark")
    with zipfile.ZipFile(tmp_path / outputs[1]) as package:
        core = package.read("docProps/core.xml").decode()
    assert json.dumps(said.command)[1:-1] in core


def test_without_python_pptx_the_command_is_one_sentence(grokviz: Run, tmp_path: Path) -> None:
    (tmp_path / "pptx.py").write_text("raise ImportError('not here')")
    done = grokviz("slides", "algorithm", "-o", "talk.pptx", PYTHONPATH=f"{tmp_path}:{_root()}")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "grokviz: a .pptx file needs the [slides] extra: pip install 'grokviz[slides]'\n"
    )


def _root() -> Path:
    return Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such-scene"], "no-such-scene cannot be put on a slide"),
        (["algorithm", "-o", "talk.odp"], "written as .pptx or .html"),
        (["algorithm", "--run", "missing/"], "missing"),
        (["algorithm", "--theme", "blue"], "blue"),
        (["algorithm", "--quality", "x"], "--quality"),
        (["algorithm", "-o", "/proc/talk.html"], "/proc/talk.html"),
    ],
)
def test_a_wrong_word_is_one_sentence(
    called: Run, tmp_path: Path, words: list[str], said: str
) -> None:
    done = called("slides", "--quiet", *words)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
