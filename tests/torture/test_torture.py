"""The short form of ``make torture``: every part of it, at a few points each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="its runs are trained with the [train] extra")
pytest.importorskip("pptx", reason="slides need the [slides] extra")

ROOT = Path(__file__).parents[2]
PARTS = ("kills of import", "failing calls in train", "damage of a run", "mutants: pickles")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")
def test_a_few_points_of_every_part() -> None:
    seed = 2026  # make torture takes another each time, and prints it
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", "--scale", "0", "--seed", str(seed)], cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"0 losses with seed {seed}" in done.stdout
    counts = dict(re.findall(r"^(.+): ([\d,]+) distinct points", done.stdout, re.M))
    assert len(counts) >= 20
    for part in PARTS:
        assert int(counts[part].replace(",", "")) > 1, done.stdout
