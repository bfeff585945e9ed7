"""What the parts share: a workshop of small runs, children that die or fail, and the tally."""

from __future__ import annotations

import builtins
import hashlib
import io
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from grokviz import cli
from grokviz.runs import RunWriter

LIMIT = 120
"""Seconds of the processor after which a command counts as hanging, and a tenth of those that it
may wait, since others work on the same machine."""

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = frozenset({
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree",
})  # fmt: skip
EXCHANGES = frozenset({"renameat2", "renamex_np"})
"""Functions of the system that let two names change places, which Python has none for."""

STRAY = re.compile(r"\..*\.(part|old)(\..*)?|grokviz-.*", re.DOTALL)
UNSTABLE = frozenset({".lock", "run.json"})
"""Files of a run whose bytes hold the time or the command."""


class Loss(Exception):
    """A promise that was not kept."""


class OutOfTime(BaseException):
    """The minutes that were given are over."""


class Result(NamedTuple):
    """How a command ended: its exit status, or minus the signal that killed it, and its words."""

    status: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


@dataclass
class Tally:
    """The counts of one part: distinct points of injection, and what came of them."""

    points: set[Any] = field(default_factory=set)
    trials: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, point: Any, outcome: str) -> None:
        self.points.add(point)
        self.trials += 1
        self.outcomes[outcome] += 1

    def __str__(self) -> str:
        outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(self.outcomes.items()))
        return f"{len(self.points):,} distinct points in {self.trials:,} trials: {outcomes}"


@dataclass
class Torture:
    """One call of the program: its seed, its sizes, a folder of its own and the tallies."""

    seed: int
    scale: float
    folder: Path
    end: float = float("inf")
    only: str = ""
    tallies: dict[str, Tally] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._made = 0

    def count(self, short: int, long: int) -> int:
        """A number of trials: ``short`` of the short form, up to ``long`` of the long one."""
        return max(short, round(short + (long - short) * self.scale))

    def tally(self, name: str) -> Tally:
        return self.tallies.setdefault(name, Tally())

    def place(self) -> Path:
        """A new folder with a working, a temporary and a cache folder in it."""
        self._made += 1
        place = self.folder / f"{self._made:06d}"
        for name in ("work", "tmp", "cache"):
            (place / name).mkdir(parents=True)
        return place

    @contextmanager
    def trial(self, name: str, point: Any) -> Iterator[None]:
        """Note a loss with all that repeats it, and go on; raises OutOfTime when that is so."""
        if time.monotonic() > self.end:
            raise OutOfTime
        try:
            yield
        except Exception as error:
            text = str(error) if isinstance(error, Loss) else traceback.format_exc()
            self.losses.append(f"{name} at {point} (seed {self.seed}): {text}")
            print(f"LOSS {self.losses[-1]}", flush=True)


def require(condition: object, text: object) -> None:
    """Raise Loss with the text unless the condition holds."""
    if not condition:
        raise Loss(str(text))


def in_child(place: Path, work: Callable[[], int], *, limit: int = LIMIT) -> Result:
    """Call ``work`` in a fork, in ``place/work``, and wait for its end."""
    out, err = place / "out.txt", place / "err.txt"
    child = os.fork()
    if child == 0:
        status = 70
        try:
            signal.alarm(10 * limit)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _enter(place, out, err)
            status = work()
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError):
                    stream.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    texts = [file.read_text("utf-8", "replace") if file.exists() else "" for file in (out, err)]
    return Result(os.waitstatus_to_exitcode(status), *texts)


def _enter(place: Path, out: Path, err: Path) -> None:
    os.chdir(place / "work")
    os.environ |= {"TMPDIR": str(place / "tmp"), "GROKVIZ_CACHE": str(place / "cache")}
    tempfile.tempdir = None
    os.fsync = lambda handle: None  # a kill, unlike a power cut, spares what is not synced
    for number, file in ((1, out), (2, err)):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def command(
    place: Path, words: list[str], *, before: Callable[[], object] | None = None, limit: int = LIMIT
) -> Result:
    """A command of the program in a child, after ``before`` was called there."""

    def work() -> int:
        if before is not None:
            before()
        return cli.run(words)

    return in_child(place, work, limit=limit)


def _absolute(path: str | bytes | os.PathLike[str]) -> str:
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100


def _is_in(file: Any, prefix: str) -> bool:
    return isinstance(file, (str, bytes, os.PathLike)) and _absolute(file).startswith(prefix)


def watch_disk(base: Path, act: Callable[[int, str, str], None]) -> None:
    """Call ``act(number, operation, file)`` before every change under ``base``, in this process.

    Operations are the audit events of renames, removals, new folders and cut files, ``open`` for
    writing, calls of ``os.write`` and ``os.fsync``, and writes and cuts of Python's files.
    """
    count, prefix = [0], str(base)

    def step(operation: str, file: str) -> None:
        count[0] += 1
        act(count[0], operation, file)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            file, _, flags = arguments
            if isinstance(flags, int) and flags & WRITES and _is_in(file, prefix):
                step("open", _absolute(file))
        elif event in CHANGES and _is_in(arguments[0], prefix):
            step(event.partition(".")[2], _absolute(arguments[0]))
        elif event == "ctypes.dlsym" and arguments[1] in EXCHANGES:
            step("rename", "")

    def counted(name: str) -> None:
        real = getattr(os, name)

        def call(handle: int, *rest: Any) -> Any:
            step(name, "")
            return real(handle, *rest)

        setattr(os, name, call)

    for name in ("write", "fsync"):
        counted(name)
    _watch_files(prefix, step)
    sys.addaudithook(hook)


def _watch_files(prefix: str, step: Callable[[str, str], None]) -> None:
    """Call ``step`` before what Python's own files write reaches the disk."""
    real = io.open

    class Watched(io.FileIO):
        def write(self, data: Any) -> int:
            step("write", str(self.name))
            return super().write(data)

        def truncate(self, size: int | None = None) -> int:
            step("truncate", str(self.name))
            return super().truncate(size)

    def open_watched(
        file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None,
        errors: str | None = None, newline: str | None = None, closefd: bool = True,
        opener: Any = None,
    ) -> Any:  # fmt: skip
        file = file if isinstance(file, int) else os.fspath(file)  # as the event of opening has it
        if not _is_in(file, prefix) or buffering == 0 or not set(mode) & set("wax+"):
            return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = Watched(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        handle = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return handle
        text = io.TextIOWrapper(handle, encoding, errors, newline)
        text.mode = mode  # type: ignore[misc]
        return text

    io.open = builtins.open = open_watched  # type: ignore[assignment]


def operations(place: Path, words: list[str]) -> tuple[Result, list[str]]:
    """A command's result and the changes it makes to the disk, in order."""
    log = place / "operations.txt"

    def before() -> None:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        write = os.write
        watch_disk(place, lambda number, operation, file: write(handle, f"{operation}\n".encode()))

    result = command(place, words, before=before)
    return result, log.read_text().split() if log.exists() else []


def kill_at(place: Path, number: int) -> Callable[[], None]:
    """What makes a child kill itself before its ``number``-th change of the disk."""

    def act(at: int, operation: str, file: str) -> None:
        if at == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: watch_disk(place, act)


def kill_after(seconds: float) -> Callable[[], None]:
    """What makes a child kill itself after some time."""

    def start() -> None:
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()

    return start


def fail_at(place: Path, number: int, code: int, *, always: bool) -> Callable[[], None]:
    """What makes a child's ``number``-th change of the disk fail, or all from there on."""

    def act(at: int, operation: str, file: str) -> None:
        # its own words must come through
        if at == number or (always and at > number):
            raise OSError(code, os.strerror(code), file)

    return lambda: watch_disk(place, act)


def contents(path: Path) -> dict[str, str] | None:
    """Checksums of a file or of a folder's files, without what differs anyway; None if absent."""
    if path.is_dir():
        files = {
            str(file.relative_to(path)): file
            for file in sorted(path.rglob("*"))
            if file.is_file() and file.name not in UNSTABLE and "cache" not in file.parts
        }
    elif path.exists():
        files = {"": path}
    else:
        return None
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def strays(place: Path) -> list[str]:
    """Temporary files and folders of ours that are still there."""
    return [str(f.relative_to(place)) for f in place.rglob("*") if STRAY.fullmatch(f.name)]


def sentences(result: Result) -> str:
    """The lines on standard error that are not progress."""
    skipped = re.compile(r"\[\d+/\d+\] |drawing |analysing |importing |epoch \d|skipped |running ")
    return "\n".join(line for line in result.err.splitlines() if not skipped.match(line))


def check_words(result: Result) -> None:
    """Raise Loss for a traceback, a hang, a crash, or an error that is not one sentence."""
    tail = result.err[-1500:]
    require(result.status not in (-signal.SIGALRM, -signal.SIGXCPU), "it hangs")
    require("Traceback" not in result.err, f"a traceback: {tail}")
    require(result.status in (0, 1, 2), f"ended with status {result.status}: {tail}")
    if result.status:
        require(sentences(result).strip(), "it failed without a word")


TRAIN = [
    "train", "modular-addition", "--set", "p=5", "--set", "d-model=4", "--set", "d-mlp=4",
    "--set", "heads=1", "--set", "train-fraction=0.5", "--epochs", "8", "--checkpoint-every", "2",
]  # fmt: skip


@dataclass
class Workshop:
    """Small sources that commands write from: a run, a picture, a film, a file to import."""

    folder: Path

    @classmethod
    def make(cls, torture: Torture) -> Workshop:
        """Make all of them in this process, so that its children have everything imported."""
        import torch

        torch.set_num_threads(1)
        folder = torture.folder / "workshop"
        folder.mkdir()
        before = Path.cwd()
        os.environ["GROKVIZ_CACHE"] = str(folder / "cache")
        os.chdir(folder)
        try:
            state = {f"layer{i}.weight": torch.full((3, 4), float(i)) for i in range(4)}
            torch.save(state, "state.pth")
            for words in (
                [*TRAIN, "--out", "run", "-q"],
                ["render", "grokking-curve", "--run", "run", "-o", "a.png", "-q"],
                ["explore", "run", "-o", "a.html", "-q"],
            ):
                require(cli.run(words) == 0, f"cannot make the sources: {words}")
            with RunWriter.create("curves", {}) as writer:  # of which few figures can be drawn
                for epoch in range(9):
                    writer.log(epoch, train_loss=1 / (epoch + 1), test_loss=2 / (epoch + 1))
                writer.close(finished=True)
            shutil.rmtree("run/cache", ignore_errors=True)
            Path("a.html").unlink()
        finally:
            os.chdir(before)
        return cls(folder)

    def copy_to(self, place: Path) -> None:
        """Copy the sources into a place's working folder."""
        for source in self.folder.iterdir():
            target = place / "work" / source.name
            if source.is_dir() and source.name != "cache":
                shutil.copytree(source, target)
            elif source.is_file():
                shutil.copy(source, target)


def within(seconds: float) -> Callable[[], bool]:
    """Whether there is time left, from now on."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end
