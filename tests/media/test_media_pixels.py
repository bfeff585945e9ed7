"""Pictures and films as arrays of pixels: what was written is what is read."""

from __future__ import annotations

import ast
from pathlib import Path

import av
import numpy as np
import pytest

import grokviz
from grokviz.errors import InputError
from grokviz.media import Provenance, write_film
from grokviz.media.pixels import open_film, picture_bytes, picture_size, read_picture

SHAPE = (48, 70, 4)


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, SHAPE, dtype=np.uint8) for _ in range(count)]
    for frame in frames:
        frame[..., 3] = 255
    return frames


@pytest.mark.parametrize(
    ("suffix", "settings"), [(".png", {"dpi": (200.0, 200.0)}), (".webp", {"lossless": True})]
)
def test_a_picture_comes_back_as_it_was(
    tmp_path: Path, suffix: str, settings: dict[str, object]
) -> None:
    picture = pictures(1)[0]
    picture[:20, :20, 3] = 128
    data = picture_bytes(picture, suffix, **settings)
    assert data == picture_bytes(picture, suffix, **settings)
    file = tmp_path / f"picture{suffix}"
    file.write_bytes(data)
    for source in (data, file):
        np.testing.assert_array_equal(read_picture(source), picture)
        np.testing.assert_array_equal(read_picture(source, alpha=False), picture[..., :3])
        assert picture_size(source) == (70, 48)


def test_a_picture_without_alpha_is_opaque() -> None:
    picture = pictures(1)[0]
    np.testing.assert_array_equal(read_picture(picture_bytes(picture[..., :3], ".png")), picture)


def test_what_is_no_picture_is_refused() -> None:
    for data in (b"nothing", picture_bytes(pictures(1)[0], ".png")[:100]):
        with pytest.raises(OSError, match=r"."):
            read_picture(data)


@pytest.mark.parametrize("kind", ["mp4", "webm", "mov"])
def test_frames_of_a_film_are_those_that_a_player_shows(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"film.{kind}"
    # the last key frame is two before the end, where frames are coded out of order
    write_film(path, lambda: pictures(22), fps=10, provenance=Provenance("x"))
    with av.open(str(path)) as container:
        shown = [f.to_ndarray(format="rgb24", src_colorspace="ITU709")
                 for f in container.decode(video=0)]  # fmt: skip
    assert len(shown) == 22
    for wanted in (range(22), (0, 7, 8, 21), (20,), (21,)):
        with open_film(path) as film:
            for index in wanted:
                np.testing.assert_array_equal(film[index][..., :3], shown[index])
                assert film[index][..., 3].min() == 255


def test_what_is_no_film_or_has_ended_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_film(path, lambda: pictures(3), fps=10, provenance=Provenance("x"))
    with open_film(path) as film, pytest.raises(InputError, match=r"film\.mp4 cannot be read"):
        film[3]
    path.write_bytes(path.read_bytes()[:1500])
    for broken in (path, tmp_path / "gone.mp4"):
        with pytest.raises(InputError, match=rf"{broken.name} cannot be read as a film"):  # noqa: SIM117
            with open_film(broken) as film:
                film[2]


@pytest.mark.slow
def test_no_conversion_of_colours_takes_several_threads() -> None:
    """FFmpeg's converter lets one thread's pixels run over another's in narrow pictures."""
    package = Path(grokviz.__file__).parent
    converting = {"reformat", "to_ndarray"}
    calls = [
        (file.name, node.lineno, {word.arg: ast.unparse(word.value) for word in node.keywords})
        for file in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in converting
    ]
    assert calls
    for name, line, given in calls:
        assert "format" not in given or given.get("threads") == "1", f"{name}:{line}"
