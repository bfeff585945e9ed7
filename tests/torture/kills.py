"""Every command that writes, killed at its renames and at other changes of the disk."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.torture.common import (
    TRAIN,
    Torture,
    Workshop,
    command,
    contents,
    kill_after,
    kill_at,
    operations,
    require,
    strays,
)

SMALL = ["--quality", "l", "--duration", "0.2", "--hold", "0.1"]
CURVE = ["render", "grokking-curve", "--run", "run", "-o"]
WRITERS: dict[str, tuple[list[str], str]] = {
    "import": (["import", "state.pth", "--out", "out"], "out"),
    "png-sequence": ([*CURVE, "frames", "--format", "png-sequence", *SMALL], "frames"),
    "png": ([*CURVE, "out.png"], "out.png"),
    "film": ([*CURVE, "out.mp4", *SMALL], "out.mp4"),
    "svg": ([*CURVE, "out.svg"], "out.svg"),
    "pdf": ([*CURVE, "out.pdf"], "out.pdf"),
    "gif": ([*CURVE, "out.gif", *SMALL], "out.gif"),
    "page": ([*CURVE, "out.html"], "out.html"),
    "csv": (["data", "grokking-curve", "--run", "run", "-o", "out.csv"], "out.csv"),
    "nc": (["data", "grokking-curve", "--run", "run", "-o", "out.nc"], "out.nc"),
    "explore": (["explore", "run", "-o", "out.html"], "out.html"),
    "slides html": (["slides", "a.png", "-o", "out.html"], "out.html"),
    "slides pptx": (["slides", "a.png", "-o", "out.pptx"], "out.pptx"),
    "slides films": (
        ["slides", "grokking-curve", "--run", "run", "--quality", "l", "-o", "out.html"],
        "out.html",
    ),
    "bundle": (["bundle", "run", "--out", "out"], "out"),
    "measures": (["measures", "run"], "run"),
    "train": ([*TRAIN, "--out", "out"], "out"),
    "figures": (["figures", "--run", "run", "--no-films", "-j", "1", "--out", "out"], "out"),
}

STEPWISE = frozenset({"train", "bundle", "figures", "measures"})
"""What goes on from where it was killed, so that what is there in between is neither."""


def run(torture: Torture, workshop: Workshop) -> None:
    names = ["import", "png-sequence"] if torture.scale < 0.01 else list(WRITERS)
    for name in names:
        words, out = WRITERS[name]
        kill_command(torture, workshop, name, [*words, "-q"], out, torture.count(4, 40))


def kill_command(
    torture: Torture, workshop: Workshop, name: str, words: list[str], out: str, kills: int
) -> None:
    """Kill a command at every rename and at other changes, half of them over an older output."""
    tally = torture.tally(f"kills of {name}")
    clean = torture.place()
    workshop.copy_to(clean)
    begun = time.monotonic()
    result, steps = operations(clean, words)
    seconds = time.monotonic() - begun
    with torture.trial(name, "the clean run"):
        require(result.status == 0, f"the clean run failed: {result.err}")
    whole = contents(clean / "work" / out)
    renames = [n for n, step in enumerate(steps, 1) if step == "rename"]
    # before each rename, and right after it
    first = [*dict.fromkeys(m for n in renames for m in (n, n + 1) if m <= len(steps))]
    others = [n for n in range(1, len(steps) + 1) if n not in first]
    torture.random.shuffle(first)
    torture.random.shuffle(others)
    points: list[int | float] = [*first[:kills], *others][:kills]
    # a command that changes the disk seldom is killed in between, too
    points += [torture.random.uniform(0, seconds) for _ in range(kills - len(points))]
    place = torture.place()
    for trial, point in enumerate(points):
        at = f"change {point}, {steps[point - 1]}" if isinstance(point, int) else f"{point:.4f} s"
        with torture.trial(name, at):
            if trial % 4 == 0:  # several kills before the next success
                shutil.rmtree(place)
                place = torture.place()
                workshop.copy_to(place)
            target = place / "work" / out
            old = _older(target, trial, name)
            kill = kill_at(place, point) if isinstance(point, int) else kill_after(point)
            killed = command(place, words, before=kill)
            outcome = _outcome(killed.killed, name, contents(target), old, whole)
            tally.add((name, at), outcome)
            if trial % 4 == 3 or trial + 1 == len(points):
                _check_success(place, words, target, whole, name)
    shutil.rmtree(place)
    shutil.rmtree(clean)


def _older(target: Path, trial: int, name: str) -> dict[str, str] | None:
    """An older output for every other trial of a command that replaces one."""
    if name in ("import", "bundle") and target.exists():
        shutil.rmtree(target)  # they never replace one
    if name not in STEPWISE and name != "import" and trial % 2:
        if name == "png-sequence":
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            (target / "00000.png").write_bytes(b"old")
        else:
            target.write_bytes(b"old")
    return contents(target)


def _outcome(
    killed: bool,
    name: str,
    now: dict[str, str] | None,
    old: dict[str, str] | None,
    whole: dict[str, str] | None,
) -> str:
    if not killed:
        return "came to its end"
    if name in STEPWISE:
        return "goes on"
    require(now in (None, old, whole), f"it is neither old nor new nor absent: {now}")
    require(now is not None or old is None, "the old output is gone")
    return "whole" if now == whole else "old" if now is not None else "absent"


def _check_success(
    place: Path, words: list[str], target: Path, whole: dict[str, str] | None, name: str
) -> None:
    """The next success gives the whole, and leaves nothing else behind."""
    if name == "import" and target.exists():
        shutil.rmtree(target)  # an import never replaces a run
    if name == "bundle" and (target / "core.nc").exists():
        require(contents(target) == whole, "a part that is there is not complete")
        return
    result = command(place, words)
    require(result.status == 0, f"after kills it fails: {result.err}")
    require(contents(target) == whole, "after kills its output is another one")
    require(not strays(place), f"strays after the next success: {strays(place)}")
