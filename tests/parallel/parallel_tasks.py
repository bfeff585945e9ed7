"""What the tests beside this file have worker processes do."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from grokviz.files import replacing

begun: list[int] = []


def begin(number: int) -> None:
    begun.append(number)


def told() -> list[int]:
    return begun


def square(number: int) -> tuple[int, int]:
    return number**2, os.getpid()


def leave(how: int) -> None:
    """End the process: by this signal, or with this status if it is negative."""
    if how < 0:
        os._exit(-how)
    os.kill(os.getpid(), how)


class Odd(Exception):
    """An error that cannot be made from its words."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def fail() -> None:
    raise Odd(1, 2)


def surroundings() -> tuple[list[str], str | None]:
    return sys.path, os.environ.get("OMP_NUM_THREADS")


def slow(file: Path) -> None:
    """Say who is at work, and take very long to write a file."""
    with replacing(file) as part:
        part.write_text("half")
        file.with_suffix(".pid").write_text(str(os.getpid()))
        time.sleep(600)
