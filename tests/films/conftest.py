"""A folder of the tests' own for what is kept, so that no test reads what others have drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache(shared: Callable[..., Path]) -> Path:
    """One for all workers: a film that several tests look at is drawn once."""
    return shared("films", lambda folder: None)


@pytest.fixture(autouse=True)
def kept_apart(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROKVIZ_CACHE", str(cache))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with films of one's own in ./scenes."""
    monkeypatch.chdir(Path(__file__).parent)
