"""The run directory: crash-safe writing, verification of every byte, lazy reading."""

from __future__ import annotations

from grokviz.runs.describe import info
from grokviz.runs.reader import Run, open_run
from grokviz.runs.verify import Finding, verify_run
from grokviz.runs.writer import RunWriter

__all__ = [
    "Finding",
    "Run",
    "RunWriter",
    "info",
    "open_run",
    "verify_run",
]
