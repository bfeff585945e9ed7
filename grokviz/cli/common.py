"""Options and manners that several commands share."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from grokviz import plugins
from grokviz.cli.completion import complete_run
from grokviz.errors import InputError
from grokviz.files import cache_home
from grokviz.media.plain import clean_text
from grokviz.progress import ProgressCallback

F = TypeVar("F", bound=Callable[..., Any])

SECONDS = 10.0
"""Between two lines of progress."""


def quiet_option(function: F) -> F:
    """``--quiet`` of every command."""
    return click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")(function)


def json_option(function: F) -> F:
    """``--json`` of the commands that list or measure."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def set_option(function: F) -> F:
    """``--set key=value``, any number of times."""
    return click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="KEY=VALUE",
        help="Another value for a key; may be given several times.",
    )(function)


def run_option(function: F) -> F:
    """``--run`` of the commands that draw: one run, or several for what draws many."""
    return click.option(
        "--run",
        multiple=True,
        shell_complete=complete_run,
        help="Run directory, .nc file or bundled reference [the scene's own]; a sweep's folder, "
        "or several times, for what draws many runs.",
    )(function)


def user_code_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--no-user-code`` of the commands that can use what users add; they have ``--quiet``, too.

    What such a command looks up is then ours alone. Else the first one in a folder says which
    of the user's files it runs.
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
        announce = None if quiet else _announce
        with plugins.user_code(not no_user_code), plugins.announcing(announce):
            return function(*arguments, quiet=quiet, **parameters)

    return command


def without_user_code(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command that has no use for what users add, and never runs it."""

    @functools.wraps(function)
    def command(*arguments: Any, **parameters: Any) -> Any:
        with plugins.user_code(False):
            return function(*arguments, **parameters)

    return command


def _announce(files: list[Path]) -> None:
    """Say which of the user's files are run, the first time in their folder."""
    folder = files[0].resolve().parent
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]
    mark = cache_home() / "user-code" / name
    try:
        if mark.exists():
            return
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError:  # it is said again the next time
        pass
    names = ", ".join(map(str, files))
    click.echo(f"running your own {names} (--no-user-code leaves such files out)", err=True)


def command_line() -> str:
    """The command that is running, as it can be typed again."""
    return shlex.join(["grokviz", *(click.get_current_context().obj or ())])


def assigned(assignments: tuple[str, ...]) -> dict[str, str]:
    """``("a=1", "b=2")`` as a mapping; a word without ``=`` is refused."""
    given: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {text} has no value; write --set KEY=VALUE")
        given[key.strip()] = value.strip()
    return given


def on_terminal() -> bool:
    """Whether a person watches: only then progress may overwrite itself."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def frame_progress(quiet: bool, doing: str) -> Iterator[ProgressCallback | None]:
    """A bar on a terminal, a line every ten seconds elsewhere, nothing with ``--quiet``."""
    if quiet:
        yield None
    elif on_terminal():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(doing, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        lines = Lines(at_once=False)  # nothing is said of what is done sooner
        yield lambda done, total: lines.tell(lambda: f"{doing} {done}/{total}")


class Lines:
    """A line of progress at most every ten seconds, for logs; the first at once or after ten."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.last = float("-inf") if at_once else time.monotonic()

    def tell(self, line: Callable[[], str], *, anyhow: bool = False) -> None:
        """Print ``line()`` where it is time for one, or ``anyhow``."""
        now = time.monotonic()
        if anyhow or now - self.last >= SECONDS:
            self.last = now
            click.echo(line(), err=True)


def progress_line(name: str, done: int, total: int) -> None:
    """Print one line of progress to standard error: which of how many files, and its name."""
    click.echo(clean_text(f"[{done}/{total}] {name}"), err=True)


def skip_notice(quiet: bool) -> Callable[[str, str], None]:
    """What to call with the name and the reason of everything that is left out."""

    def notice(name: str, reason: str) -> None:
        if not quiet:
            click.echo(clean_text(f"skipped {name}: {reason}"), err=True)

    return notice
