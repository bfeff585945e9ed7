"""A small disk, filled page by page: a command succeeds or says so, and runs when there is room."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.torture.common import Torture, Workshop, command, require, strays
from tests.torture.failures import check_failure
from tests.torture.kills import WRITERS, Clean, check_success, furnished

PAGE = 4096
NAMES = ("train", "import", "film", "png-sequence", "explore", "slides html", "svg")


def run(torture: Torture, workshop: Workshop) -> None:
    names = ("import", "train") if torture.scale < 0.01 else NAMES
    for name in [torture.only] if torture.only else names:
        words, out = WRITERS[name]
        with torture.trial(name, "the clean run"):
            fill(torture, workshop, name, [*words, "-q"], out)


def fill(torture: Torture, workshop: Workshop, name: str, words: list[str], out: str) -> None:
    """Run a command where its output finds ever more pages, from none to as many as it takes."""
    tally = torture.tally(f"small disks under {name}")
    clean = Clean.of(torture, workshop, name, words, out)
    empty = furnished(torture, workshop, name)
    pages = range(_pages(empty / "work"), _pages(clean.place / "work") + 4)
    shutil.rmtree(empty)
    for count in sorted(torture.random.sample(pages, torture.count(2, len(pages)))):
        place = torture.place()
        with torture.trial(name, f"a disk of {count} pages"), _small(place / "work", count) as disk:
            try:
                workshop.copy_to(place)
            except OSError:
                continue
            target = place / "work" / out
            failed = command(place, words, before=disk.limit)
            check_failure(failed, target, clean.whole, name)
            require(not strays(place), f"strays: {strays(place)}")
            disk.enlarge()
            check_success(place, words, target, clean.whole, name)
            tally.add((name, count), "one sentence" if failed.status else "fitted")
        shutil.rmtree(place)
    shutil.rmtree(clean.place)


def _pages(folder: Path) -> int:
    """Pages that the files of a folder take."""
    return sum(-(-f.stat().st_size // PAGE) for f in folder.rglob("*") if f.is_file())


@dataclass(frozen=True)
class _Disk:
    """What limits a command to so many pages: a file system of its own, or the size of a file."""

    folder: Path
    pages: int
    mounted: bool

    def limit(self) -> None:
        """Where nothing may be mounted, no file grows beyond the pages: a write beyond fails."""
        if not self.mounted:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.pages * PAGE, self.pages * PAGE))

    def enlarge(self) -> None:
        """Make room on it."""
        if self.mounted:
            words = ["mount", "-o", "remount,size=256m", str(self.folder)]
            subprocess.run(words, check=True)


@contextmanager
def _small(folder: Path, pages: int) -> Iterator[_Disk]:
    """A file system of so many pages on a folder, where that is allowed."""
    mounted = False
    if os.geteuid() == 0 and shutil.which("mount") is not None:
        size = f"size={max(1, pages) * PAGE}"
        words = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
        mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield _Disk(folder, pages, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
