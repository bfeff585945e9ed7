"""Options and progress reports that several commands share."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from grokviz import plugins
from grokviz.cli.completion import complete_run
from grokviz.cli.output import echo
from grokviz.errors import InputError
from grokviz.files import cache_home
from grokviz.progress import ProgressCallback

if TYPE_CHECKING:
    from rich.progress import Progress

F = TypeVar("F", bound=Callable[..., Any])

_JOBS = "-j"
"""The option for the number of workers, of the commands that have one."""

OF_A_TASK = " is of runs of "
"""What is in the reason why a run of one task has not what runs of others have."""

PROGRESS_SECONDS = 10.0
"""Seconds between two lines of progress."""


def quiet_option(function: F) -> F:
    """Add ``--quiet``, which every command has."""
    return click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")(function)


def json_option(function: F) -> F:
    """Add ``--json``, for commands that list or measure."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def set_option(function: F) -> F:
    """Add ``--set KEY=VALUE``, which may be repeated."""
    return click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="KEY=VALUE",
        help="Another value for a key; may be given several times.",
    )(function)


def run_option(function: F) -> F:
    """Add ``--run``, for commands that draw: one run, or several for scenes of many runs."""
    return click.option(
        "--run",
        multiple=True,
        shell_complete=complete_run,
        help="Run directory, .nc file or bundled reference [the scene's own]; a sweep's folder, "
        "or several times, for what draws many runs.",
    )(function)


def user_code_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--no-user-code``, for commands that can use plug-ins and files of the user's.

    The command must also have ``--quiet``. Without either option, the first such command in a
    folder prints which of the user's files it runs.
    """

    @click.option(
        "--no-user-code",
        "--no-user-scenes",
        "no_user_code",
        is_flag=True,
        help="Leave out ./scenes/*.py and plug-ins.",
    )
    @functools.wraps(function)
    def command(*arguments: Any, no_user_code: bool, quiet: bool, **parameters: Any) -> Any:
        announce = None if quiet else functools.partial(_print_user_files, printed=set())
        with plugins.user_code(not no_user_code), plugins.announcing(announce):
            return function(*arguments, quiet=quiet, **parameters)

    return command


def without_user_code(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a command ignore plug-ins and files of the user's."""

    @functools.wraps(function)
    def command(*arguments: Any, **parameters: Any) -> Any:
        with plugins.user_code(False):
            return function(*arguments, **parameters)

    return command


def _print_user_files(files: list[Path], printed: set[Path]) -> None:
    """Print which of the user's files are run, the first time in their folder.

    ``printed`` are the folders of which this command has said it.
    """
    folder = files[0].resolve().parent
    if folder in printed:
        return
    printed.add(folder)
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]
    marker = cache_home() / "user-code" / name
    try:
        if marker.exists():
            return
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError:  # printed again the next time
        pass
    names = ", ".join(map(str, files))
    echo(f"running your own {names} (--no-user-code leaves such files out)", err=True)


def command_line() -> str:
    """The current command, quoted for a shell, without the number of workers.

    That number changes no result, and so no byte of a file that holds its command.
    """
    context = click.get_current_context()
    options = {
        name: option
        for option in context.command.params
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }
    words: list[str] = []
    given = iter(context.obj or ())
    for word in given:
        if word == "--":
            words += [word, *given]
            break
        rest, waits = _without_jobs(word, options)
        words += rest
        if waits is not None:  # the next word is its value, whatever it looks like
            value = next(given, "")
            words += [] if _JOBS in waits.opts else [value]
    return shlex.join(["grokviz", *words])


def _without_jobs(
    word: str, options: Mapping[str, click.Option]
) -> tuple[list[str], click.Option | None]:
    """What stays of a word, and the option in it whose value is the next word."""
    name, equals, _ = word.partition("=")
    if name in options:
        option = options[name]
        waits = None if equals or option.is_flag else option
        return ([] if _JOBS in option.opts else [word]), waits
    if not word.startswith("-") or word.startswith("--"):
        return [word], None
    for at, letter in enumerate(word[1:], 1):
        one = options.get(f"-{letter}")
        if one is not None and not one.is_flag:
            waits = None if word[at + 1 :] else one
            rest = word[:at] if _JOBS in one.opts else word
            return ([] if rest == "-" else [rest]), waits
    return [word], None


def parse_assignments(assignments: tuple[str, ...]) -> dict[str, str]:
    """``("a=1", "b=2")`` as a mapping; raises :class:`InputError` for a text without ``=``."""
    settings: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {text} has no value; write --set KEY=VALUE")
        settings[key.strip()] = value.strip()
    return settings


def is_terminal() -> bool:
    """Whether standard error is a terminal, on which progress may overwrite itself."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def progress_bar(quiet: bool, label: str) -> Iterator[ProgressCallback | None]:
    """Show progress: a bar on a terminal, a line every ten seconds elsewhere.

    Yields the callback, or None if ``quiet``.
    """
    if quiet:
        yield None
    elif is_terminal():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(label, total=None)
            shown = _BAR.set(bar)
            try:
                yield lambda done, total: bar.update(task, completed=done, total=total)
            finally:
                _BAR.reset(shown)
    else:
        log = ProgressLog(immediately=False)  # short work prints nothing
        yield lambda done, total: log.report(lambda: f"{label} {done}/{total}")


_BAR: ContextVar[Progress | None] = ContextVar("bar", default=None)
"""The bar that a terminal shows at the moment."""


def echo_path(path: Path) -> None:
    """Print a finished file on a line of its own, which a bar is taken away for."""
    bar = _BAR.get()
    if bar is not None:
        bar.stop()
    echo(path)
    if bar is not None:
        bar.start()


class ProgressLog:
    """Progress on standard error, a line at most every ten seconds.

    The first one is printed at once with ``immediately``, or else after ten seconds.
    """

    def __init__(self, *, immediately: bool = True) -> None:
        self.last = float("-inf") if immediately else time.monotonic()

    def report(self, line: Callable[[], str], *, force: bool = False) -> None:
        """Print ``line()`` if ten seconds have passed since the last one, or with ``force``."""
        now = time.monotonic()
        if force or now - self.last >= PROGRESS_SECONDS:
            self.last = now
            echo(line(), err=True)


def print_progress(name: str, done: int, total: int) -> None:
    """Print a file's number, the number of files and its name to standard error."""
    echo(f"[{done}/{total}] {name}", err=True)


@contextlib.contextmanager
def skipping_other_tasks(quiet: bool) -> Iterator[Callable[[str, str], None]]:
    """:func:`skip_callback`, which names what is of other tasks together, at the end."""
    notice, others = skip_callback(quiet), list[str]()

    def collect(name: str, reason: str) -> None:
        if OF_A_TASK in reason:
            others.append(name)
        else:
            notice(name, reason)

    try:
        yield collect
    finally:
        if others:
            notice(f"{len(others)} scenes of other tasks, or of several runs", ", ".join(others))


def skip_callback(quiet: bool) -> Callable[[str, str], None]:
    """A callback that prints the name of a skipped item and the reason, unless ``quiet``."""

    def notice(name: str, reason: str) -> None:
        if not quiet:
            echo(f"skipped {name}: {reason}", err=True)

    return notice
