"""Every command that writes, killed at its renames and at other changes of the disk."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from grokviz.render.films.needs import lacking
from tests.torture.common import (
    STRAY,
    TRAIN,
    Result,
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
    "figures": (["figures", "--run", "curves", "--no-films", "-j", "1", "--out", "out"], "out"),
    "sweep": (
        ["sweep", *TRAIN[1:-4], "--epochs", "2", "--seeds", "2", "-j", "1", "--out", "out"],
        "out",
    ),
    "manim": (["render", "blink", "--run", "run", "-o", "out.mp4", "--quality", "l"], "out.mp4"),
}

STEPWISE = frozenset({"train", "bundle", "figures", "measures", "sweep"})
"""What goes on from where it was killed, so that what is there in between is neither."""

KILLS = 20
"""Of every command, or as many as it has renames."""

MOST = 5
"""Trials for each kill, of which some come too late."""

SCENES = Path(__file__).parent / "blink"
"""A film of four tenths of a second, drawn with manim."""


@dataclass(frozen=True)
class Clean:
    """A command that was let run: what it wrote, and the changes of the disk that it took."""

    place: Path
    whole: dict[str, str] | None
    steps: list[str]
    seconds: float

    @classmethod
    def of(
        cls, torture: Torture, workshop: Workshop, name: str, words: list[str], out: str
    ) -> Clean:
        """Run the command ``name`` in a place of its own; raises Loss if it fails."""
        place, begun = furnished(torture, workshop, name), time.monotonic()
        result, steps = operations(place, words)
        require(result.status == 0, f"the clean run of {name} failed: {result.err}")
        return cls(place, contents(place / "work" / out), steps, time.monotonic() - begun)


def furnished(torture: Torture, workshop: Workshop, name: str) -> Path:
    """A place with all that the command ``name`` writes from."""
    place = torture.place()
    furnish(workshop, place, name)
    return place


def furnish(workshop: Workshop, place: Path, name: str) -> None:
    """Copy what the command ``name`` writes from into a place."""
    workshop.copy_to(place)
    if name == "manim":
        shutil.copytree(SCENES, place / "work" / "scenes")


def run(torture: Torture, workshop: Workshop) -> None:
    names = ["import", "png-sequence"] if torture.scale < 0.01 else list(WRITERS)
    if lacking() is not None:
        print("manim is not installed: no film of it is killed", flush=True)
        names = [name for name in names if name != "manim"]
    for name in [torture.only] if torture.only else names:
        words, out = WRITERS[name]
        with torture.trial(name, "the clean run"):
            kill_command(torture, workshop, name, [*words, "-q"], out)


def kill_command(
    torture: Torture, workshop: Workshop, name: str, words: list[str], out: str
) -> None:
    """Kill a command at every rename and at other changes, half of them over an older output.

    One that comes to its end before it is killed counts for nothing, and is killed again.
    """
    tally = torture.tally(f"kills of {name}")
    clean = Clean.of(torture, workshop, name, words, out)
    points = _points(torture, clean)
    place, wanted = torture.place(), len(points)
    for trial, point in enumerate(points):
        at = f"change {point}, {clean.steps[point - 1]}" if isinstance(point, int) else ""
        at = at or f"{point:.4f} s"
        with torture.trial(name, at):
            if trial % 4 == 0:  # several kills before the next success
                shutil.rmtree(place)
                place = furnished(torture, workshop, name)
            target = place / "work" / out
            old = _older(target, trial, name)
            kill = kill_at(place, point) if isinstance(point, int) else kill_after(point)
            killed = command(place, words, before=kill)
            outcome = _outcome(killed, name, contents(target), old, clean.whole)
            if killed.killed:
                tally.add((name, at), outcome)
            elif trial < MOST * wanted:  # it came to its end first
                points.append(torture.random.uniform(0, clean.seconds / 2))
            if trial % 4 == 3 or trial + 1 == len(points):
                check_success(place, words, target, clean.whole, name)
    shutil.rmtree(place)
    shutil.rmtree(clean.place)


def _points(torture: Torture, clean: Clean) -> list[int | float]:
    """Changes to be killed at: before and after every rename, then others, then moments."""
    steps = clean.steps
    renames = [n for n, step in enumerate(steps, 1) if step == "rename"]
    first = [*dict.fromkeys(m for n in renames for m in (n, n + 1) if m <= len(steps))]
    others = [n for n in range(1, len(steps) + 1) if n not in first]
    torture.random.shuffle(first)
    torture.random.shuffle(others)
    kills = torture.count(4, max(KILLS, len(first)))
    points: list[int | float] = [*first, *others][:kills]
    # a command that changes the disk seldom is killed in between, too
    return points + [torture.random.uniform(0, clean.seconds) for _ in range(kills - len(points))]


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
    killed: Result,
    name: str,
    now: dict[str, str] | None,
    old: dict[str, str] | None,
    whole: dict[str, str] | None,
) -> str:
    if not killed.killed:
        require(killed.status == 0, f"it failed: {killed.err}")
        return ""
    if name == "figures":
        drawn = {file: digest for file, digest in (now or {}).items() if not STRAY.fullmatch(file)}
        require(drawn.items() <= (whole or {}).items(), f"a figure is neither: {drawn}")
    if name in STEPWISE:
        return "goes on"
    require(now in (None, old, whole), f"it is neither old nor new nor absent: {now}")
    require(now is not None or old is None, "the old output is gone")
    return "whole" if now == whole else "old" if now is not None else "absent"


def check_success(
    place: Path, words: list[str], target: Path, whole: dict[str, str] | None, name: str
) -> None:
    """Raise Loss unless the next call gives the whole, and leaves nothing else behind."""
    if name == "import" and target.exists():
        shutil.rmtree(target)  # an import never replaces a run
    if not (name == "bundle" and (target / "core.nc").exists()):  # nor a bundle a part
        result = command(place, words)
        require(result.status == 0, f"after it the command fails: {result.err}")
        require(not strays(place), f"strays after the next success: {strays(place)}")
    require(contents(target) == whole, "after it the output is another")
