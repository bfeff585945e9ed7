"""Frames drawn once for several writers: the same films, and no thread that waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokviz.errors import WorkError
from grokviz.media import Provenance, write_film
from grokviz.media.film.encode import Frame
from grokviz.media.film.together import write_together

COUNT = 24


class Source:
    """Frames that count how often they are drawn."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.drawn, self.fails_at = 0, fails_at

    def __call__(self) -> Iterator[Frame]:
        for n in range(COUNT):
            if n == self.fails_at:
                raise ValueError("no more")
            self.drawn += 1
            frame = np.full((32, 48, 4), 255, np.uint8)
            frame[n : n + 8, :, :3] = 10 * n
            yield frame


def to(path: Path) -> Callable[[Any], Path]:
    kind = None if path.suffix else "png-sequence"
    given = Provenance("a test")
    return lambda frames: write_film(path, frames, fps=20, provenance=given, fmt=kind).path


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("grokviz")]


def test_films_written_together_are_those_written_alone(tmp_path: Path) -> None:
    names = ["a.mp4", "a.webm", "a.gif", "a-frames"]
    source = Source()
    made = write_together(source, [to(tmp_path / name) for name in names])
    assert made == [tmp_path / name for name in names]
    # a GIF needs a second pass, and has it alone
    assert source.drawn == 2 * COUNT
    for name in names[:3]:
        alone = to(tmp_path / f"alone-{name}")(Source())
        assert alone.read_bytes() == (tmp_path / name).read_bytes()
    assert len([*(tmp_path / "a-frames").iterdir()]) == COUNT
    assert threads() == []


def test_a_writer_that_fails_leaves_the_others_their_films(tmp_path: Path) -> None:
    def broken(frames: Any) -> Path:
        next(iter(frames()))
        raise WorkError("the disk is full")

    def never(frames: Any) -> Path:
        raise WorkError("no frames wanted")

    for wrong in (broken, never):
        with pytest.raises(WorkError):
            write_together(Source(), [wrong, to(tmp_path / f"{wrong.__name__}.mp4")])
        assert (tmp_path / f"{wrong.__name__}.mp4").is_file()
    assert threads() == []


@pytest.mark.parametrize("at", [0, 1, COUNT - 1])
def test_frames_that_end_early_leave_no_film(tmp_path: Path, at: int) -> None:
    writers = [to(tmp_path / name) for name in ("a.mp4", "a.gif", "a-frames")]
    with pytest.raises(ValueError, match="no more"):
        write_together(Source(fails_at=at), writers)
    assert [*tmp_path.iterdir()] == []
    assert threads() == []


def test_who_reads_again_gets_all_frames_again() -> None:
    def twice(frames: Any) -> list[int]:
        started = iter(frames())
        next(started)
        return [sum(1 for _ in frames()), sum(1 for _ in frames())]

    source = Source()
    assert write_together(source, [twice, twice]) == [[COUNT, COUNT]] * 2
