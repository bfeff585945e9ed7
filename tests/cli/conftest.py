"""The command line as a user has it: a process, or a call where a process would add nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Ran = subprocess.CompletedProcess[str]


def environment(**more: str) -> dict[str, str]:
    """Without colours or a terminal's width, and on one thread."""
    kept = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "COLUMNS")}
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, *filter(None, [kept.get("PYTHONPATH")])])
    return {**kept, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "TERM": "dumb", **more}


@pytest.fixture
def grokviz(tmp_path: Path) -> Callable[..., Ran]:
    """``grokviz("train", ...)`` in a process of its own, in an empty folder."""

    def run(*arguments: object, **more: str) -> Ran:
        return subprocess.run(
            [sys.executable, "-m", "grokviz", *map(str, arguments)],
            cwd=tmp_path, env=environment(**more), capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip

    return run


@pytest.fixture
def called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """The same in this process, in the same empty folder: a second instead of five."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Ran:
        from grokviz import cli

        words = [str(word) for word in arguments]
        status = cli.run(words)
        return subprocess.CompletedProcess(words, status, *capsys.readouterr())

    return run
