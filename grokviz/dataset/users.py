"""Errors in measures: one of a user's or a plug-in's becomes a sentence with file and line."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from grokviz import plugins
from grokviz.dataset.contract import Dimension, Measure
from grokviz.errors import GrokvizError, InputError


class MeasureError(InputError):
    """A measure or a dimension of a user's that cannot be had of a run, by its name."""

    name = ""


@contextlib.contextmanager
def users_errors(one: Measure | Dimension) -> Iterator[None]:
    """Say where an error is in a measure of a user's or a plug-in's; one of ours stays as it is."""
    try:
        yield
    except GrokvizError:
        raise
    except Exception as error:
        file = plugins.file_of(one.module) or _plug_in(one.module)
        if file is None:
            raise
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename) == file]
        where = f"{file}, line {lines[-1]}" if lines else str(file)
        reason = f"{type(error).__name__}: {error} ({where})"
        sentence = MeasureError(f"{one.name} cannot be measured in this run: {reason}")
        sentence.name = one.name
        raise sentence from error


def _plug_in(module: str) -> Path | None:
    """The file of a module that is not of grokviz, such as an installed plug-in's."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return None if file is None or module.partition(".")[0] == "grokviz" else Path(file)
