"""Limits on what a small file may ask for."""

from __future__ import annotations

from pathlib import Path

from grokviz.errors import InputError

ARRAYS, BYTES = 10_000, 256
"""Arrays that any file may hold, and bytes of numbers for each further one."""


def check_count(path: Path, arrays: int, size: int) -> None:
    """Raise InputError if a file of ``size`` bytes of numbers splits them into too many arrays.

    Each array takes time however small it is; those of real models are large.
    """
    if arrays > ARRAYS + size // BYTES:
        raise InputError(
            f"{path} holds {arrays:,} arrays with {size:,} bytes of numbers in all, which is no "
            f"trained model; give a file with at least {BYTES} bytes an array"
        )
