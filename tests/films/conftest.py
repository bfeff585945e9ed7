"""A folder of one's own for what is kept, so that no test reads what another has drawn."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(autouse=True)
def kept_apart(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROKVIZ_CACHE", str(cache))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with films of one's own in ./scenes."""
    monkeypatch.chdir(Path(__file__).parent)
