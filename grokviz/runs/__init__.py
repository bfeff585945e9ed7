"""The run directory: crash-safe writing, verification of every byte, lazy reading."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grokviz.runs.describe import info
    from grokviz.runs.reader import Run, open_run
    from grokviz.runs.verify import Finding, verify_run
    from grokviz.runs.writer import RunWriter

_HOME = {
    "Finding": "verify",
    "Run": "reader",
    "RunWriter": "writer",
    "info": "describe",
    "open_run": "reader",
    "verify_run": "verify",
}

__all__ = [
    "Finding",
    "Run",
    "RunWriter",
    "info",
    "open_run",
    "verify_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
