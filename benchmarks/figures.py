"""Measure ``grokviz figures`` of the scenes of 0.1.0 against the version before it was sped up.

    python -m benchmarks.figures [--before REVISION] [--scene NAME ...]

Both draw the scenes that 0.1.0 had and both still have, stills and films, with as many processes
as there are cores, by the same Python and libraries, one version after the other. The revision is
taken from this checkout's history; without a history nothing is measured.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.rows import Row, at_least

SCRIPT = "benchmarks/figures.py"
ROOT = Path(__file__).resolve().parents[1]
BEFORE = "2cc5bdb6ce7541243c7c551282f69acdc8dd1472"
"""The last commit before the first picture, films and training were sped up."""

GOAL = 2.0
SCENES = (
    "ablation", "algorithm", "attention-drift", "attention-map", "attention-patterns",
    "circuit-development", "digit-grokking", "digit-phase-changes", "embedding-waves",
    "excluded-loss", "fraction-sweep", "grokking-curve", "induction-grokking", "induction-heads",
    "induction-phase-change", "log-softmax-rounding", "logit-spectrum", "logit-waves",
    "memorise-then-generalise", "neuron-activations", "neuron-clusters", "neuron-logit-map",
    "neuron-spectra", "progress-measures", "quadratic-share", "seeds", "skip-trigram",
    "slingshots", "smooth-from-many", "straight-path", "trig-share", "wave-circles",
    "weight-norms", "weight-spectra",
)  # fmt: skip
"""Those of 0.1.0 that the version before has too."""

DRAW = """
import importlib, sys
module = importlib.import_module("grokviz.render.figures")
every, names = module.scenes(), set(sys.argv[2:])
module.scenes = lambda: {name: kind for name, kind in every.items() if name in names}
if __name__ == "__main__":
    written = module.figures(out=sys.argv[1], user=False)
    print(len([path for path in written if path.suffix in {".png", ".pdf", ".mp4"}]))
"""
NAMES = "from grokviz.scene.registry import scenes; print(*scenes(user=False))"


def export(revision: str, folder: Path) -> bool:
    """Put a revision of this checkout into a folder; False where it is in no history here."""
    archive = subprocess.run(
        ["git", "archive", revision], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        return False
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return True


def of(version: Path, code: str, *arguments: str) -> str:
    """What a version prints in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, cwd=version, text=True,
        env={**kept, "PYTHONPATH": str(version)}, stdout=subprocess.PIPE,
    )  # fmt: skip
    return done.stdout


def rows(scenes: Sequence[str] = SCENES, before: str = BEFORE) -> list[Row]:
    """One row, or none where the version before is not at hand."""
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder, "before")
        if not export(before, old):
            return []
        names = sorted(set(scenes) & set(of(ROOT, NAMES).split()) & set(of(old, NAMES).split()))
        taken, files = {}, {}
        for version in (old, ROOT):
            began = time.perf_counter()
            said = of(version, DRAW, str(Path(folder, "drawn")), *names)
            taken[version], files[version] = time.perf_counter() - began, int(said.split()[-1])
    ratio = taken[old] / taken[ROOT]
    return [
        Row(
            f"`grokviz figures` of the {len(names)} scenes of 0.1.0: {files[ROOT]} files, "
            f"{taken[ROOT]:.0f} s",
            f"the version before: {files[old]} files, {taken[old]:.0f} s",
            ratio, *at_least(ratio, GOAL), SCRIPT,
        )
    ]  # fmt: skip


def main() -> None:
    """Print the line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", default=BEFORE, metavar="REVISION")
    parser.add_argument("--scene", action="append", dest="scenes", help="only this; repeatable")
    given = parser.parse_args()
    for row in rows(given.scenes or SCENES, given.before):
        print(f"{row.what}; {row.against}; {row.ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
