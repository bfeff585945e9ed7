"""One film drawn by several processes: the same bytes, whatever happens to them."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import xarray as xr
from stage_scenes import Dot

from grokviz.media.film.encode import Frame
from grokviz.render import frame_workers
from grokviz.render.frame_workers import Costs, FrameWorkers, worth
from grokviz.render.render import render

CHEAP_START = Costs(drawing=0.03, encoding=0.05, copying=0.006, start=2.0)
DEAR = Costs(drawing=0.4, encoding=0.02, copying=0.003, start=3.0)


@pytest.mark.parametrize(
    ("costs", "pictures", "available", "count"),
    [
        (CHEAP_START, 10_000, 2, 0),  # the encoder holds the film up
        (CHEAP_START, 10_000, 8, 3),
        (DEAR, 400, 2, 2),
        (DEAR, 400, 1, 0),
        (DEAR, 10, 2, 0),  # over before they have started
        (DEAR, 400, 64, 16),
        (Costs(0.0, 0.0, 0.0, 1.0), 400, 8, 0),
    ],
)
def test_workers_are_started_where_they_save_more_than_their_start(
    costs: Costs, pictures: int, available: int, count: int
) -> None:
    assert worth(costs, pictures, pictures, available) == count


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[int]]:
    """Two workers from the first frames on; the list tells how many frames they draw.

    Their files, and themselves, are gone at the end.
    """
    drawn: list[int] = []
    frames = FrameWorkers.frames

    def counted(self: FrameWorkers, first: int) -> Iterator[Frame]:
        for frame in frames(self, first):
            drawn.append(len(drawn))
            yield frame

    def waits(self: FrameWorkers) -> bool:
        return self._pool is not None and all(one.exception() is None for one in self._warm)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(frame_workers, "EVERY", 2)
    monkeypatch.setattr(frame_workers, "worth", lambda *_: 2)
    monkeypatch.setattr(FrameWorkers, "frames", counted)
    monkeypatch.setattr(FrameWorkers, "ready", property(waits))
    before = _children()
    yield drawn
    assert not [one for one in _children() - before if "loky.backend.popen" in _words(one)]
    assert not list(tmp_path.glob("grokviz-frames-*"))


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _bytes(film: Path) -> dict[str, bytes]:
    """A film's bytes; those of each picture where it is a folder."""
    files = sorted(film.iterdir()) if film.is_dir() else [film]
    return {file.name: file.read_bytes() for file in files}


FILM: dict[str, Any] = {"quality": "l", "fps": 12, "duration": 2.0, "hold": 0.25}


@pytest.mark.parametrize(
    "name",
    [
        "a.gif",  # two passes
        pytest.param("a.mp4", marks=pytest.mark.slow),
        pytest.param("a.webm", marks=pytest.mark.slow),
        pytest.param("a.webp", marks=pytest.mark.slow),
        pytest.param("a/", marks=pytest.mark.slow),  # a folder of PNG files
    ],
)
def test_the_bytes_are_those_of_one_process(
    dot: type[Dot], data: xr.Dataset, tmp_path: Path, eager: list[int], name: str
) -> None:
    more = FILM | ({"transparent": True} if name == "a.webm" else {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_workers, "worth", lambda *_: 0)
        (alone,) = render(dot(), data, f"{tmp_path}/{name}", **more)
    expected = _bytes(alone)
    assert not eager
    (together,) = render(dot(), data, f"{tmp_path}/{name}", **more)
    assert _bytes(together) == expected
    assert len(eager) >= 18


@pytest.mark.slow
def test_a_worker_that_dies_leaves_the_film_to_this_process(
    dot: type[Dot], data: xr.Dataset, tmp_path: Path, eager: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (whole,) = render(dot(), data, tmp_path / "a.mp4", **FILM)
    expected, drawn = whole.read_bytes(), len(eager)
    submit = FrameWorkers._submit

    def kills(self: FrameWorkers, pictures: range, slot: int) -> None:
        if 12 in pictures and self._pool is not None:
            for process in self._pool._processes:
                os.kill(process._pid.result(), signal.SIGKILL)
        submit(self, pictures, slot)

    monkeypatch.setattr(FrameWorkers, "_submit", kills)
    monkeypatch.setattr(frame_workers, "MOST_FRAMES", 1)
    (rest,) = render(dot(), data, tmp_path / "a.mp4", **FILM)
    assert rest.read_bytes() == expected
    assert len(eager) < 2 * drawn


@pytest.mark.slow
def test_ctrl_c_leaves_no_process_and_no_part_of_a_film(
    dot: type[Dot], data: xr.Dataset, tmp_path: Path, eager: list[int]
) -> None:
    def interrupt(done: int, total: int) -> None:
        if eager and done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(dot(), data, tmp_path / "a.mp4", report=interrupt, **FILM)
    assert eager
    assert not list(tmp_path.iterdir())
