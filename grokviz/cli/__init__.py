"""The command line: one module for each command, a thin layer over the public API.

A command's module is imported when the command is called, so that ``grokviz --help`` and typing
errors are answered at once.
"""

from __future__ import annotations

import importlib
import io
import keyword
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from grokviz.cli import startup
from grokviz.errors import GrokvizError, InputError, nearest

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "scenes": "List what can be drawn, from which run, with which options.",
    "render": "Draw SCENE: a still, or a film through training.",
    "figures": "Draw every still (PDF, PNG) and data film (MP4 720p30).",
    "explore": "Write RUN as one offline page with a slider through its training.",
    "slides": "Make a talk: a slide for each SCENE, its film embedded.",
    "data": "Write what SCENE draws as numbers.",
    "recipes": "List what can be trained, its source and its expected cost.",
    "train": "Train RECIPE and keep its whole trajectory.",
    "sweep": "Train RECIPE once for every combination of values.",
    "import": "Make a run directory of FILE.",
    "bundle": "Make a reference of RUN.",
    "measures": "Measure what a run has learned.",
    "info": "Say what a run directory, a bundled reference or a sweep's folder holds.",
    "doctor": "Say what is installed, what is missing, and the command that mends it.",
    "completion": "Print a script that makes SHELL complete commands, options and names on Tab.",
}
"""A description of each command, with which its own help begins."""


class CommandGroup(click.Group):
    """A group of commands that are found by name and imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in the order of a first session."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command; raises :class:`InputError` if there is none of this name."""
        if ctx.resilient_parsing and name not in COMMANDS:
            return None  # a shell that completes a command line expects no error
        if name not in COMMANDS:
            raise InputError(f"there is no command {name}: {nearest(name, list(COMMANDS))}")
        module_name = f"{name}_" if keyword.iskeyword(name) else name
        module = importlib.import_module(f"grokviz.cli.{module_name}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Completions for commands, which are not imported, and for options."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=text)
            for name, text in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="grokviz", prog_name="grokviz")
def cli() -> None:
    """A training run goes in; a figure, a film and a page to scrub come out."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with 0, 1 (failure), 2 (invalid input) or 130 (Ctrl-C)."""
    _make_streams_tolerant()
    if arguments is None:
        startup.begin()
    assert logging.lastResort is not None
    logging.lastResort.setFormatter(_LineFormatter())
    sys.exit(run(arguments))


class _LineFormatter(logging.Formatter):
    """Warnings of the package, each as one line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        from grokviz.media.plain import clean_line

        return clean_line(super().formatMessage(record))


def _make_streams_tolerant() -> None:
    """Let a console of few characters show the others as ``?`` and ``\\u03c0``."""
    for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def run(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status; an error is one sentence on standard error."""
    # for matrices as small as ours, several threads take three to eight times as long as one
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    words = sys.argv[1:] if arguments is None else arguments
    try:
        # a shell that completes gives its words in the environment
        if not words and "_GROKVIZ_COMPLETE" not in os.environ:
            click.echo(cli.get_help(click.Context(cli, info_name="grokviz")), err=True)
            return _print_error("give one of these commands, such as grokviz scenes", 2)
        _check_characters(words)
        # obj is for common.command_line(), so that nothing else reads sys.argv
        result: Any = cli.main(list(words), "grokviz", standalone_mode=False, obj=tuple(words))
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except GrokvizError as error:
        return _print_error(str(error), error.exit_status)
    except click.ClickException as error:
        return _print_error(_error_text(error), 2)
    except (click.Abort, KeyboardInterrupt):
        return _print_error("stopped", 130)
    except BrokenPipeError:
        # the reader of the pipe has exited, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _print_error("the memory is full: ask for a lower --quality or fewer --epochs", 1)
    except OSError as error:
        if error.filename is None:
            raise
        # a name that is too long, a loop of links, a disk that is gone
        name = str(error.filename)
        short = name if len(name) <= 100 else f"{name[:60]}..."
        return _print_error(f"{short}: {(error.strerror or str(error)).lower()}; give another", 2)
    except Exception as error:
        from grokviz import plugins

        # an error in a user's own file is shown with its line; one of ours as a traceback
        if not (line := plugins.line_of(error)):
            raise
        return _print_error(f"{type(error).__name__}: {error} ({line})", 2)


def _check_characters(words: Sequence[str]) -> None:
    """Raise InputError for what no file can be called, which the system would not be asked for."""
    for word in words:
        if "\0" in word:
            raise InputError("no name can hold a NUL character; leave it out")
        try:
            os.fsencode(word)
        except UnicodeEncodeError as error:
            raise InputError(f"no name can hold {word[error.start]!a}; leave it out") from error


def _print_error(text: str, status: int) -> int:
    from grokviz.cli.output import echo

    echo(f"grokviz: {text}", err=True)
    return status


def _error_text(error: click.ClickException) -> str:
    text = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    if context is not None and context.command_path:
        return f"{text} (see {context.command_path} --help)"
    return text
