"""Paths of finished files, on a terminal that shows a bar at the same time."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from grokviz.cli import common

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_a_finished_file_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        monkeypatch.setattr("sys.stderr", terminal)
        with common.progress_bar(quiet=False, label="drawing") as report:
            assert report is not None
            for name in ("a.png", "b.mp4"):
                report(1, 2)
                common.echo_path(Path(name))
        terminal.flush()
        shown = os.read(ours, 100_000).decode("utf-8")
    os.close(ours)
    assert "drawing" in shown
    # what is left of a line after it was cleared for the last time
    lines = [CONTROL.sub("", line.rpartition("\x1b[2K")[2]).strip() for line in shown.split("\n")]
    assert [line for line in lines if "a.png" in line or "b.mp4" in line] == ["a.png", "b.mp4"]
