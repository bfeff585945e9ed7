"""The run directory: written so that no kill spoils it, verified to the byte, read lazily."""

from __future__ import annotations

from grokviz.runs.describe import info
from grokviz.runs.reader import Run, open_run
from grokviz.runs.record import Recorder, record
from grokviz.runs.verify import Problem, verify_run
from grokviz.runs.writer import RunWriter

__all__ = [
    "Problem",
    "Recorder",
    "Run",
    "RunWriter",
    "info",
    "open_run",
    "record",
    "verify_run",
]
