"""Every format by its row: written, read back, what players take it for; and one more is a row."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from stage_scenes import Dot, Poster

import grokviz as gv
from grokviz.cli.completion import complete_format
from grokviz.errors import InputError
from grokviz.media import FORMATS, Provenance, read_provenance
from grokviz.media.film import chunks
from grokviz.media.film.captions import Caption
from grokviz.media.film.encode import Film, Frames, Step
from grokviz.media.formats import Format, format_of, reader_of, writer_of
from grokviz.render.listing import scene_entry
from grokviz.render.quality import LOOP, quality
from grokviz.render.render import render

PACKAGE = Path(gv.__file__).parent

SIGNS = {
    "image/png": (0, b"\x89PNG"),
    "image/apng": (0, b"\x89PNG"),
    "image/svg+xml": (0, b"<?xml"),
    "application/pdf": (0, b"%PDF-"),
    "image/avif": (4, b"ftypavi"),
    "image/gif": (0, b"GIF89a"),
    "image/webp": (8, b"WEBP"),
    "video/mp4": (4, b"ftypisom"),
    "video/webm": (24, b"webm"),
    "video/quicktime": (4, b"ftypqt"),
    "application/x-subrip": (0, b"1\n00:00:00,000 --> "),
    "text/html": (0, b"<!DOCTYPE html>"),
}
"""What files of a media type begin with, and where."""

FOR_EVER = {
    "image/gif": b"NETSCAPE2.0\x03\x01\x00\x00",
    "image/webp": b"ANIM\x06\x00\x00\x00\xff\xff\xff\xff\x00\x00",
    "image/apng": b"acTL\x00\x00\x00\x04\x00\x00\x00\x00",
    # an edit list that is repeated, and a film without an end
    "image/avif": b"elst\x01\x00\x00\x01",
}
"""What says in a file that it is to be played again and again."""


def written(kind: Format, scene: Any, data: xr.Dataset) -> Path:
    """The scene in this format; of captions, which a figure has not, those of nobody."""
    path = Path(f"dot{'' if kind.folder else kind.suffixes[0]}")
    if kind.content == "captions":
        path.write_text(writer_of(kind)([Caption(0, 15, "A dot.")], Fraction(10)), "utf-8")
        return path
    moving: dict[str, Any] = {"duration": 0.4, "fps": 10.0} if kind.film else {}
    (file,) = render(scene, data, path, formats=[kind.name], quality="l", **moving)
    return file


@pytest.mark.parametrize("name", FORMATS)
def test_a_row_says_what_its_files_are(
    name: str, here: Path, dot: type[Dot], data: xr.Dataset
) -> None:
    kind = FORMATS[name]
    path = written(kind, dot(), data)
    assert format_of(f"{path}/" if kind.folder else path) is kind
    assert kind.what
    if kind.mime:
        at, sign = SIGNS[kind.mime]
        whole = path.read_bytes()
        assert whole[at:].startswith(sign)
        mark = FOR_EVER.get(kind.mime)
        assert kind.loop == (mark is not None and mark in whole)
    assert (quality(None, kind) == LOOP) == kind.loop
    reader = reader_of(kind)
    if reader is None:
        with pytest.raises(InputError, match="carries no provenance"):
            read_provenance(path)
        return
    assert read_provenance(path).alt == ("A dot at epoch 2000.")
    if kind.content == "figure":
        with pytest.raises(InputError, match="no pixels"):
            reader.last(path)
        return
    frames, (last, seconds) = list(reader.frames(path)), reader.last(path)
    np.testing.assert_array_equal(frames[-1], last)
    if not kind.film:
        assert len(frames) == 1
        assert last.shape == (480, 854, 4)
        return
    assert last.shape == (480, 854, 4)
    # a picture that is held may be kept once
    assert 2 <= len(frames) <= 4
    assert seconds == pytest.approx(0 if kind.folder else 0.4)


def test_one_rule_for_what_is_called_avif(here: Path, dot: type[Dot], data: xr.Dataset) -> None:
    assert format_of("a.avif") is FORMATS["avif"]
    assert format_of("a.avifs") is FORMATS["avifs"]
    (film,) = render(dot(), data, "a.avif", formats=["avifs"], duration=0.3, quality="l")
    whole = film.read_bytes()
    assert b"avis" in whole[:32]
    assert chunks.clear_times(whole) == whole, "the same film has other bytes a second later"
    assert read_provenance(film).scene == "dot"
    with pytest.raises(InputError, match=r"would be a avif called \.avifs"):
        render(dot(), data, "a.avifs", formats=["avif"])


@pytest.mark.slow
def test_avif_is_tagged_and_transparent(here: Path, dot: type[Dot], data: xr.Dataset) -> None:
    (path,) = render(dot(), data, "a.avif", transparent=True, quality="l")
    whole = path.read_bytes()
    at = whole.index(b"nclx")
    # BT.709 primaries, the transfer of sRGB, and full range
    assert whole[at + 4 : at + 8] == b"\x00\x01\x00\x0d"
    assert whole[at + 10] & 0x80
    reader: Any = reader_of(FORMATS["avif"])
    shown = reader.last(path)[0]
    (png,) = render(dot(), data, "a.png", transparent=True, quality="l")
    drawn = reader.last(png)[0]
    assert shown[3, 3, 3] == 0
    solid = drawn[..., 3] == 255
    assert np.percentile(np.abs(shown.astype(int) - drawn)[solid], 99.9) <= 6


# --- one more format -----------------------------------------------------------------


def pam_bytes(picture: Any, provenance: Provenance, transparent: bool, dpi: float | None) -> bytes:
    head = f"P7\n# {provenance.as_json()}\nWIDTH {picture.shape[1]}\nHEIGHT {picture.shape[0]}\n"
    return f"{head}DEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n".encode() + picture.tobytes()


class Raw:
    """Frames behind one another, after a line of provenance."""

    steps = (Step("as they are"),)

    def rate(self, fps: Fraction) -> Fraction:
        return fps

    def write(self, part: Path, frames: Frames, film: Film) -> int:
        count = 0
        with part.open("wb") as file:
            file.write(f"{film.codec} {film.provenance.as_json()}\n".encode())
            for frame in frames():
                file.write(frame.tobytes())
                count += 1
        return count

    def text(self, path: Path) -> str:
        with path.open("rb") as file:
            return file.readline().decode()

    def frames(self, path: Path) -> Iterator[Any]:
        whole = path.read_bytes().partition(b"\n")[2]
        yield from np.frombuffer(whole, np.uint8).reshape(-1, 540, 960, 4)

    def last(self, path: Path, chapter: str | None = None) -> tuple[Any, float]:
        return list(self.frames(path))[-1], 0.0


RAW = Raw()
PAM = Format(
    name="pam", suffixes=(".pam",), content="pixels", what="a test's", alpha=True,
    mime="image/x-portable-anymap", writer=f"{__name__}:pam_bytes",
)  # fmt: skip
FRAMES = Format(
    name="rgba", suffixes=(".rgba",), content="frames", what="a test's", loop=True, codec="none",
    writer=f"{__name__}:RAW", reader=f"{__name__}:RAW",
)  # fmt: skip


def test_another_format_is_a_row_and_a_writer(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    dot: type[Dot],
    poster: type[Poster],
    data: xr.Dataset,
) -> None:
    for kind in (PAM, FRAMES):
        monkeypatch.setitem(FORMATS, kind.name, kind)
    made = render(dot(), data, ["dot.pam", "dot.rgba"], duration=0.2)
    assert Path("dot.pam").read_bytes().startswith(b"P7\n# {")
    assert b"HEIGHT 1080" in Path("dot.pam").read_bytes()[:2000]
    assert Path("dot.rgba").read_bytes().startswith(b"none {")
    # a loop is small and has 20 frames a second, and carries its provenance
    assert len(list(RAW.frames(Path("dot.rgba")))) == 4
    assert read_provenance("dot.rgba").scene == "dot"
    assert gv.show(made[0], embed=False)._repr_html_().startswith('<img src="dot.pam"')
    (still,) = render(dot(), data, formats=["pam"])
    assert still == Path("dot.pam")
    with pytest.raises(InputError, match=r"cannot be transparent; choose one of \.webm"):
        render(dot(), data, "dot.rgba", transparent=True)
    with pytest.raises(InputError, match=r"choose \.png, .* or \.pam"):
        render(poster(), data, "poster.rgba")
    assert {"pam", "rgba"} <= set(scene_entry("wave-circles")["formats"])
    (item,) = complete_format(None, None, "rgb")  # type: ignore[arg-type]
    assert item.value == "rgba"


def comparisons(tree: ast.AST) -> Iterator[str]:
    """Every text that something is compared with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                texts = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
                for text in texts:
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield text.value


def test_nothing_else_asks_for_a_format_by_its_name() -> None:
    by_name = {}
    for file in PACKAGE.rglob("*.py"):
        names = set(comparisons(ast.parse(file.read_text("utf-8")))) & {*FORMATS}
        if names:
            by_name[file.relative_to(PACKAGE).as_posix()] = names
    assert by_name == {}
