"""Films kept without loss, their keys, and chapters joined: no manim is needed for these."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import platformdirs
import pytest
import xarray as xr

from grokviz import sources, strays
from grokviz.errors import InputError, WorkError
from grokviz.media import FORMATS, Provenance, read_provenance, write_film
from grokviz.media.film.captions import Caption
from grokviz.media.pixels import read_picture
from grokviz.render.films import cache as film_cache
from grokviz.render.films import joined
from grokviz.render.films.cache import FilmFrames, FrameWriter
from grokviz.render.films.joined import Segment, join
from grokviz.slides.poster import last_frame

MADE = Provenance(title="joined", alt="two chapters")


def pictures(count: int, seed: int = 0, shape: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (*shape, 4), dtype=np.uint8) for _ in range(count)]


def kept_film(folder: Path, frames: list[np.ndarray], repeats: list[int]) -> FilmFrames:
    folder.mkdir()
    writer = FrameWriter(folder, frames[0].shape[1], frames[0].shape[0], Fraction(10))
    for frame, repeat in zip(frames, repeats, strict=True):
        writer.add(frame, repeat)
    writer.done([("one", 0), ("two", 3)], [Caption(0, 4, "said")])
    found = FilmFrames.read(folder)
    assert found is not None
    return found


def test_films_are_kept_where_caches_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GROKVIZ_CACHE", str(tmp_path / "own"))
    assert film_cache.cache_folder() == tmp_path / "own" / "films"
    monkeypatch.setenv("GROKVIZ_CACHE", "")
    caches = Path(platformdirs.user_cache_dir("grokviz", appauthor=False))
    assert film_cache.cache_folder() == caches / "films"
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert film_cache.cache_folder() == tmp_path / "grokviz" / "films"


def test_a_kept_film_that_is_used_again_clears_what_a_killed_process_left(tmp_path: Path) -> None:
    kept_film(tmp_path / "film", pictures(2), [1, 2])
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    machine, _, start = strays.owner().split("-")
    stray = tmp_path / f".film.{machine}-{ended.pid}-{start}.01234567.part"
    stray.mkdir()
    assert FilmFrames.read(tmp_path / "film") is not None
    assert [file.name for file in tmp_path.iterdir()] == ["film"]


def test_frames_come_back_as_they_were(tmp_path: Path) -> None:
    frames = pictures(3)
    kept = kept_film(tmp_path / "film", frames, [2, 1, 4])
    assert len(kept) == 7
    assert kept.seconds == 0.7
    back = list(kept.frames())
    for found, wanted in zip(back, [0, 0, 1, 2, 2, 2, 2], strict=True):
        np.testing.assert_array_equal(found, frames[wanted])
    assert back[0] is back[1], "a held picture is one array"
    assert kept.span("one") == (0, 3)
    assert kept.span("two") == (3, 7)
    np.testing.assert_array_equal(kept.frame(2), frames[1])
    assert [len(list(kept.frames(*kept.span(name)))) for name in ("one", "two")] == [3, 4]
    with pytest.raises(InputError, match="did you mean two"):
        kept.span("twoo")


def test_the_same_picture_is_kept_once(tmp_path: Path) -> None:
    (frame,) = pictures(1)
    kept = kept_film(tmp_path / "film", [frame, frame.copy()], [3, 2])
    assert kept.repeats == (5,)


def test_a_film_without_frames_is_none(tmp_path: Path) -> None:
    writer = FrameWriter(tmp_path, 64, 48, Fraction(10))
    with pytest.raises(WorkError, match="plays nothing"):
        writer.done([], [])
    writer.close()
    assert FilmFrames.read(tmp_path) is None


def test_what_is_half_written_is_not_kept(tmp_path: Path) -> None:
    def fails(part: Path) -> None:
        (part / film_cache.FRAMES).write_bytes(b"half")
        raise WorkError("broken")

    with pytest.raises(WorkError, match="broken"):
        film_cache.put(tmp_path / "film", fails)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [film_cache.FRAMES, film_cache.FACTS])
def test_a_damaged_byte_of_a_kept_film_is_noticed_and_it_is_drawn_again(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = pictures(2)
    kept_film(tmp_path / "film", frames, [1, 2])
    file = tmp_path / "film" / name
    good = file.read_bytes()
    for at in range(0, len(good), max(1, len(good) // 50)):
        file.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert FilmFrames.read(tmp_path / "film") is None
    for other in (b"", b"3", b"{}", b"[" * 100_000, good[:-1], good + good):
        file.write_bytes(other)
        assert FilmFrames.read(tmp_path / "film") is None
    assert "is drawn again" in caplog.text

    def draws(part: Path) -> None:
        shutil.rmtree(part)
        kept_film(part, frames, [1, 2])

    again = film_cache.put(tmp_path / "film", draws)
    np.testing.assert_array_equal(again.frame(2), frames[1])
    assert FilmFrames.read(tmp_path / "film") == again


@dataclass(frozen=True)
class Job:
    path: Path
    scene: Any
    captions: tuple[str, ...] = ()


def test_a_damaged_chapter_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def writes(job: Job, data: object, report: object) -> dict[str, Any]:
        job.path.write_bytes(b"chapter")
        made.append(job.path)
        return {"frames": 3, "fps": "10", "captions": []}

    monkeypatch.setenv("GROKVIZ_CACHE", str(tmp_path))
    monkeypatch.setattr(joined, "_write", writes)
    monkeypatch.setattr(joined, "_decided_by", lambda job, data: {})
    monkeypatch.setattr(joined, "load_for", lambda *_, **__: None)
    job = Job(tmp_path / "x.mp4", SimpleNamespace(needs=(), reference=""))
    chapter = SimpleNamespace(name="one", captions_of=lambda data: ())
    first = joined.segment(job, chapter, None, None)
    assert joined.segment(job, chapter, None, None) == first
    assert len(made) == 1
    for number, name in enumerate((first.file.name, film_cache.FACTS), 2):
        with (first.file.parent / name).open("r+b") as file:
            file.write(b"X")
        assert joined.segment(job, chapter, None, None) == first
        assert len(made) == number
        assert first.file.read_bytes() == b"chapter"


def test_the_key_is_of_the_bytes_that_are_needed() -> None:
    data = xr.Dataset(
        {"x": ("n", np.arange(3.0)), "y": ("n", np.ones(3)), "t": ("n", ["a", "b", "c"])},
        coords={"n": [0, 1, 2]},
        attrs={"run_name": "a"},
    )
    same = film_cache.data_hash(data, ["x", "t"])
    assert film_cache.data_hash(data.copy(deep=True), ["x", "t"]) == same
    assert film_cache.data_hash(data.assign(y=data.y * 2), ["x", "t"]) == same
    large = data.assign(x=("n", np.array([0, 1, 2 + 1e-12])))
    assert film_cache.data_hash(large, ["x", "t"]) != same
    assert film_cache.data_hash(data.assign_coords(n=[0, 1, 3]), ["x", "t"]) != same
    assert film_cache.data_hash(data.assign_attrs(run_name="b"), ["x", "t"]) != same
    assert film_cache.data_hash(data.assign(t=("n", ["a", "b", "d"])), ["x", "t"]) != same


def test_the_longest_unused_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n, name in enumerate(("old", "middle", "new", "now")):
        (tmp_path / name).mkdir()
        (tmp_path / name / film_cache.FACTS).write_text("x" * 100)
        os.utime(tmp_path / name / film_cache.FACTS, (1e9 + n, 1e9 + n))
    monkeypatch.setattr(film_cache, "MOST_DAYS", 1e6)
    monkeypatch.setattr(film_cache, "MOST_BYTES", 250)
    film_cache.tidy(tmp_path, tmp_path / "now")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["middle", "new", "now"]
    monkeypatch.setattr(film_cache, "MOST_DAYS", 1)
    film_cache.tidy(tmp_path, tmp_path / "now")
    assert [p.name for p in tmp_path.iterdir()] == ["now"]


# --- sources -------------------------------------------------------------------------


def test_sources_are_followed_and_data_are_not(tmp_path: Path) -> None:
    root = Path(sources.__file__).parents[1]
    drawing = root / "scenes" / "modular_addition" / "films" / "clock.py"
    if not drawing.is_file():
        pytest.skip("scenes are inside the package here, not in a checkout")
    found = {str(path.relative_to(root)) for path in sources.closure([drawing], film_cache.DATA)}
    assert "scenes/modular_addition/films/_dial.py" in found
    assert "grokviz/scene/films/writing.py" in found
    assert "grokviz/media/theme.py" in found
    assert not [path for path in found if path.startswith("grokviz/dataset/references/")]
    assert not [path for path in found if path.startswith(("grokviz/render/", "grokviz/pages/"))]


def test_a_changed_line_changes_the_hash(tmp_path: Path) -> None:
    one = tmp_path / "film.py"
    one.write_text("from grokviz.media.theme import theme\n")
    before = sources.source_hash([one])
    assert sources.source_hash([one]) == before
    moved = tmp_path / "other"
    moved.mkdir()
    shutil.copy(one, moved / "film.py")
    assert sources.source_hash([moved / "film.py"]) == before
    one.write_text("from grokviz.media.theme import theme  # changed\n")
    assert sources.source_hash([one]) != before


# --- joining --------------------------------------------------------------------------


def segments(folder: Path, kind: str, sizes: list[tuple[int, int]]) -> list[Segment]:
    made = []
    for n, shape in enumerate(sizes):
        frames = pictures(12, seed=n, shape=shape)
        file = folder / f"{n}.{kind}"
        write_film(file, lambda frames=frames: frames, fps=10, provenance=MADE)
        made.append(Segment(f"part {n}", file, 12, Fraction(10), ()))
    return made


def decoded(path: Path) -> tuple[list[np.ndarray], list[Any]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return [f.to_ndarray(format="rgb24") for f in frames], [float(f.time) for f in frames]


@pytest.mark.parametrize("kind", ["mp4", "webm", "mov"])
def test_chapters_are_joined_frame_by_frame(kind: str, tmp_path: Path) -> None:
    parts = segments(tmp_path, kind, [(48, 64)] * 3)
    out = join(parts, tmp_path / f"whole.{kind}", FORMATS[kind], MADE)
    frames, times = decoded(out)
    np.testing.assert_allclose(times, np.arange(36) / 10, atol=2e-3)
    for n, part in enumerate(parts):
        alone, _ = decoded(part.file)
        for found, wanted in zip(frames[12 * n : 12 * n + 12], alone, strict=True):
            np.testing.assert_array_equal(found, wanted)
    assert read_provenance(out) == MADE
    with av.open(str(out)) as container:
        marks = [(m["metadata"]["title"], round(float(m["start"] * m["time_base"]), 3))
                 for m in container.chapters()]  # fmt: skip
        assert marks == [("part 0", 0), ("part 1", 1.2), ("part 2", 2.4)]
        context = container.streams.video[0].codec_context
        if kind != "mov":
            assert (context.colorspace, context.color_range) == (1, 1)
    first = out.read_bytes()
    assert join(parts, out, FORMATS[kind], MADE).read_bytes() == first
    if kind == "mp4":
        assert first.find(b"moov") < first.find(b"mdat"), "fast start"


def test_a_chapters_end_stands_for_the_film(tmp_path: Path) -> None:
    parts = segments(tmp_path, "mp4", [(48, 64)] * 3)
    out = join(parts, tmp_path / "whole.mp4", FORMATS["mp4"], MADE)
    frames, _ = decoded(out)
    for n in range(3):
        png, seconds = last_frame(out, f"part {n}")
        assert seconds == pytest.approx(1.2 * (n + 1), abs=2e-3)
        shown = read_picture(png, alpha=False).astype(float)
        # players' colours, so not quite those of a plain conversion
        errors = [np.abs(shown - frame).mean() for frame in frames]
        assert int(np.argmin(errors)) == 12 * n + 11
    assert last_frame(out) == last_frame(out, "part 2")
    with pytest.raises(InputError, match="no chapter 'other'"):
        last_frame(out, "other")


def test_chapters_of_other_sizes_are_not_joined(tmp_path: Path) -> None:
    parts = segments(tmp_path, "mp4", [(48, 64), (64, 96)])
    out = tmp_path / "whole.mp4"
    out.write_bytes(b"as before")
    with pytest.raises(WorkError, match="part 1 was encoded in another way"):
        join(parts, out, FORMATS["mp4"], MADE)
    assert out.read_bytes() == b"as before"
    with pytest.raises(InputError, match=r"joined as \.mp4"):
        join(parts, tmp_path / "a.gif", FORMATS["gif"], MADE)
