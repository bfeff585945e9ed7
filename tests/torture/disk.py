"""A small disk, filled page by page: a command succeeds or says so, and runs when there is room."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.torture.common import (
    TRAIN,
    Torture,
    Workshop,
    check_words,
    command,
    contents,
    require,
    strays,
)
from tests.torture.kills import WRITERS

PAGE = 4096
NAMES = ("import", "film", "png-sequence", "explore", "slides html", "svg")


def run(torture: Torture, workshop: Workshop) -> None:
    names = NAMES[:1] if torture.scale < 0.01 else NAMES
    sizes = torture.count(2, 20)
    for name in names:
        words, out = WRITERS[name]
        fill(torture, workshop, name, [*words, "-q"], out, sizes)
    fill(torture, workshop, "train", [*TRAIN, "--out", "out", "-q"], "out", sizes)


def fill(
    torture: Torture, workshop: Workshop, name: str, words: list[str], out: str, sizes: int
) -> None:
    """Run a command where its output finds ever more pages, from none to as many as it takes."""
    tally = torture.tally(f"small disks under {name}")
    clean = torture.place()
    workshop.copy_to(clean)
    result = command(clean, words)
    with torture.trial(name, "the clean run"):
        require(result.status == 0, f"the clean run failed: {result.err}")
    whole = contents(clean / "work" / out)
    empty = torture.place()
    workshop.copy_to(empty)
    pages = range(_pages(empty / "work"), _pages(clean / "work") + 4)
    shutil.rmtree(empty)
    chosen = sorted(torture.random.sample(pages, min(sizes, len(pages))))
    for count in chosen:
        place = torture.place()
        with torture.trial(name, f"a disk of {count} pages"):
            unmount = _mount(place / "work", count)
            try:
                before = None
                if unmount is None:
                    before = _small_files(count)
                try:
                    workshop.copy_to(place)
                except OSError:
                    continue
                target = place / "work" / out
                failed = command(place, words, before=before)
                check_words(failed)
                if failed.status == 0:
                    require(contents(target) == whole, "it says success, and its output is another")
                elif name != "train":
                    require(contents(target) in (None, whole), "it left half an output")
                require(not strays(place), f"strays: {strays(place)}")
                if unmount is not None:
                    subprocess.run(
                        ["mount", "-o", "remount,size=256m", str(place / "work")], check=True
                    )
                if not (name == "import" and target.exists()):
                    again = command(place, words)
                    require(again.status == 0, f"with room it fails: {again.err}")
                require(contents(target) == whole, "with room the output is another")
                tally.add((name, count), "one sentence" if failed.status else "fitted")
            finally:
                if unmount is not None:
                    unmount()
        shutil.rmtree(place)
    shutil.rmtree(clean)


def _pages(folder: Path) -> int:
    """Pages that the files of a folder take."""
    return sum(-(-f.stat().st_size // PAGE) for f in folder.rglob("*") if f.is_file())


def _mount(folder: Path, pages: int) -> Callable[[], None] | None:
    """A file system of so many pages on a folder, and what unmounts it; None if not allowed."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return None
    size = f"size={max(1, pages) * PAGE}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        return None
    return lambda: subprocess.run(["umount", "-l", str(folder)], check=True) and None


def _small_files(pages: int) -> Callable[[], None]:
    """Elsewhere: no file may grow beyond so many pages, and a write beyond fails."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (pages * PAGE, pages * PAGE))

    return limit
