"""A modular addition run small enough to train in a blink."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grokviz.training import loop

SMALL = {
    "p": 13, "d-model": 16, "d-mlp": 32, "heads": 2, "train-fraction": 0.5,
    "epochs": 60, "checkpoint-every": "20",
}  # fmt: skip


def contents(path: Path) -> dict[str, bytes]:
    """Every file of a run but its lock."""
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != ".lock"
    }


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., loop.Outcome]:
    """``small(folder, epochs=..., report=...)`` trains the small run in a folder of this test."""

    def train(folder: str, **options: Any) -> loop.Outcome:
        others = {key: options.pop(key) for key in ("report", "exact_path") if key in options}
        given = {key.replace("_", "-"): value for key, value in options.items()}
        settings = {**SMALL, **given}
        return loop.train("modular-addition", tmp_path / folder, settings=settings, **others)

    return train


@pytest.fixture
def read() -> Callable[[Path], dict[str, bytes]]:
    return contents


@pytest.fixture(scope="session")
def through(trained: Callable[..., Path]) -> dict[str, bytes]:
    """The files of the small run, trained without a stop."""
    return contents(trained("modular-addition", SMALL))
