"""What the tests of the stage share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import slide_decks
import xarray as xr
from stage_scenes import Dot, Poster, small_data


@pytest.fixture
def data() -> xr.Dataset:
    return small_data()


@pytest.fixture
def make_data() -> Callable[..., xr.Dataset]:
    return small_data


@pytest.fixture
def dot() -> type[Dot]:
    return Dot


@pytest.fixture
def poster() -> type[Poster]:
    return Poster


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def kept_films(shared: Callable[..., Path]) -> Path:
    """The light films of the small deck, drawn once: a deck beside a copy of them takes these."""

    def make(place: Path) -> None:
        slide_decks.prepare(place)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(place)
            slide_decks.make("deck.html", films="films")

    return shared("deck", make) / "films"
