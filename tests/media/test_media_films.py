from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio.v3 as iio
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from grokviz.errors import InputError, WorkError
from grokviz.media import FORMATS, Provenance, film_rate, format_of, read_provenance, write_film
from grokviz.media.film import chunks
from grokviz.media.film.captions import Caption, subrip
from grokviz.media.film.cover import Cover, cover_of
from grokviz.media.film.encode import Footage, in_thread
from grokviz.media.formats import reader_of
from grokviz.media.theme import PALETTES

MADE = Provenance(
    title="Waves — seen",
    alt="Four bars <rise> & the rest fall to 0.3; the test loss “falls” later.",
    scene="embedding-waves",
    run_name="modular-addition",
    run_checksum="0123abcd",
    options={"squared": False, "by": "frequency", "top": 3},
    epochs=(0, 100, 40_000),
    versions={"grokviz": "0.1.0"},
    command="grokviz render embedding-waves -o x.mp4 (v2) \\ done",
)
FILMS = [name for name, kind in FORMATS.items() if kind.film]
FILES = [name for name in FILMS if name != "png-sequence"]
PATHS = {
    name: "frames" if kind.folder else f"film{kind.suffixes[0]}"
    for name, kind in FORMATS.items()
    if kind.film
}


def swatches(colours: Iterable[str], shift: int = 0, width: int = 161, height: int = 121) -> Any:
    """An odd-sized frame of colour patches of 24 pixels, one bar of them moving."""
    frame = np.zeros((height, width, 4), np.uint8)
    frame[..., 3] = 255
    colours = list(colours)
    frame[..., :3] = rgb(colours[0])
    for i, colour in enumerate(colours):
        row, column = divmod(i, 6)
        frame[row * 26 : row * 26 + 24, column * 26 : column * 26 + 24, :3] = rgb(colour)
    frame[110:118, shift : shift + 8, :3] = rgb(colours[1])
    return frame


def rgb(colour: str) -> Any:
    return np.round(np.array(to_rgb(colour)) * 255).astype(np.uint8)


def palette(name: str) -> list[str]:
    c = PALETTES[name]
    return [c.background, c.ink, c.train, c.test, c.rest, c.muted, *c.frequencies, *c.phases]


def film(count: int = 12, name: str = "light") -> list[Any]:
    return [swatches(palette(name), 4 * i) for i in range(count)]


def ghosts(count: int = 6) -> list[Any]:
    """Frames with a clear page, a half clear square and a solid bar."""
    frames = []
    for i in range(count):
        frame = np.zeros((64, 96, 4), np.uint8)
        frame[8:40, 8:40] = [11, 111, 186, 128]
        frame[44:56, 8 + 4 * i : 40 + 4 * i] = [214, 40, 60, 255]
        frames.append(frame)
    return frames


def decoded(path: Path, alpha: bool = False) -> tuple[list[Any], list[Fraction]]:
    """Every frame as RGB or RGBA, and the time at which it is shown."""
    if format_of(path).loop:
        frames, times, now = [], [], Fraction(0)
        with iio.imopen(path, "r", plugin="pillow") as image:
            for i, frame in enumerate(image.iter(mode="RGBA" if alpha else "RGB")):
                frames.append(frame)
                times.append(now)
                duration = image.metadata(index=i).get("duration", 0)
                now += Fraction(duration).limit_denominator(1001) / 1000
        return frames, [*times, now]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if alpha and path.suffix == ".webm":
            decoder = av.CodecContext.create("libvpx-vp9", "r")
            raw = [f for packet in container.demux(stream) for f in decoder.decode(packet)]
        else:
            raw = list(container.decode(video=0))
        kind = "rgba" if alpha else "rgb24"
        times = [Fraction(f.pts) * stream.time_base for f in raw]
        return [f.to_ndarray(format=kind, src_colorspace="ITU709") for f in raw], times


def centre(i: int) -> tuple[int, int]:
    row, column = divmod(i, 6)
    return row * 26 + 12, column * 26 + 12


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("kind", FILES)
def test_palette_survives(tmp_path: Path, kind: str, theme: str) -> None:
    path = tmp_path / PATHS[kind]
    write_film(path, lambda: film(4, theme), fps=20, provenance=MADE)
    shown = decoded(path)[0][2]
    for i, colour in enumerate(palette(theme)):
        difference = np.abs(shown[centre(i)].astype(int) - rgb(colour))
        assert difference.max() <= 6, (colour, shown[centre(i)])


@pytest.mark.parametrize("fps", [15, 25, Fraction(100, 3)])
@pytest.mark.parametrize("kind", ["mp4", "mov", "webm", "apng", "avifs"])
def test_frame_rate_is_constant(tmp_path: Path, kind: str, fps: Fraction) -> None:
    path = tmp_path / PATHS[kind]
    written = write_film(path, lambda: film(12), fps=fps, provenance=MADE)
    frames, times = decoded(path)
    assert len(frames) == written.frames == 12
    assert times[0] == 0
    # Matroska and AVIF count in milliseconds
    near = Fraction(1, 1000) if kind in ("webm", "avifs") else Fraction(1, 90_000)
    for i, time in enumerate(times[:12]):
        assert abs(time - i / Fraction(fps)) <= near


def test_last_frame_is_held_as_long_as_the_others(tmp_path: Path) -> None:
    for kind in ("gif", "webp", "apng", "avifs"):
        path = tmp_path / PATHS[kind]
        write_film(path, lambda: film(10), fps=25, provenance=MADE)
        assert decoded(path)[1][-1] == Fraction(10, 25), kind
    write_film(tmp_path / "film.mp4", lambda: film(10), fps=25, provenance=MADE)
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert Fraction(container.duration, av.time_base) == Fraction(10, 25)


@pytest.mark.parametrize("kind", ["mp4", "webm", "mov"])
def test_tags_and_codec(tmp_path: Path, kind: str) -> None:
    path = tmp_path / PATHS[kind]
    write_film(path, lambda: film(3), fps=20, provenance=MADE)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 1, 1)
        assert context.color_range == 1
        expected = {"mp4": "h264", "webm": "vp9", "mov": "prores"}[kind]
        assert context.name.endswith(expected)
        if kind == "mp4":
            assert context.profile == "High"
            assert context.pix_fmt == "yuv420p"


def test_odd_size_is_padded_not_resampled(tmp_path: Path) -> None:
    path = tmp_path / "film.mov"
    frames = film(2)
    write_film(path, lambda: frames, fps=20, provenance=MADE)
    shown = decoded(path)[0][0]
    assert shown.shape[:2] == (122, 162)
    # ProRes is near lossless: inside, every pixel is where it was
    assert np.abs(shown[:121, :161].astype(int) - frames[0][..., :3]).max() <= 6
    assert np.abs(shown[121, :161].astype(int) - frames[0][120, :, :3]).max() <= 6
    path = tmp_path / "film.mp4"
    write_film(path, lambda: frames, fps=20, provenance=MADE)
    assert decoded(path)[0][0].shape[:2] == (122, 162)


def test_a_poster_is_the_cover_of_an_mp4_and_no_frame_of_it(tmp_path: Path) -> None:
    frames = film(6)
    posted = Footage(lambda: frames, frames[3])
    for name in ("a.mp4", "b.mp4", "c.webm", "d.mov"):
        write_film(tmp_path / name, posted, fps=20, provenance=MADE)
    cover = cover_of(tmp_path / "a.mp4")
    assert cover is not None
    shown = iio.imread(cover.jpeg)
    assert shown.shape[:2] == frames[3].shape[:2] == (cover.height, cover.width)
    assert np.abs(shown.astype(int) - frames[3][..., :3]).mean() < 4
    assert len(decoded(tmp_path / "a.mp4")[0]) == 6
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert b"covr" in (tmp_path / "a.mp4").read_bytes()
    assert cover_of(tmp_path / "c.webm") is cover_of(tmp_path / "d.mov") is None
    # a size to fit is for the frames
    write_film(tmp_path / "e.mp4", posted, fps=20, provenance=MADE, max_size=100_000)
    assert cover_of(tmp_path / "e.mp4") is None


def test_a_large_poster_is_a_smaller_cover() -> None:
    cover = Cover.of(np.full((1080, 1920, 4), 128, np.uint8))
    assert (cover.width, cover.height) == (960, 540)
    assert iio.imread(cover.jpeg).shape[:2] == (540, 960)


def test_film_starts_before_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_film(path, lambda: film(5), fps=20, provenance=MADE)
    data = path.read_bytes()
    atoms, at = [], 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        atoms.append(name)
        at += size
    assert atoms.index(b"moov") < atoms.index(b"mdat")


@pytest.mark.parametrize("kind", ["webm", "mov", "mov-rle", "webp", "apng", "avifs"])
def test_alpha(tmp_path: Path, kind: str) -> None:
    path = tmp_path / PATHS[kind]
    write_film(path, lambda: ghosts(), fps=10, provenance=MADE, transparent=True)
    frames = decoded(path, alpha=True)[0]
    assert len(frames) == 6
    assert np.abs(frames[3][24, 24].astype(int) - [11, 111, 186, 128]).max() <= 6
    assert np.abs(frames[3][50, 30].astype(int) - [214, 40, 60, 255]).max() <= 6
    assert frames[3][4, 60, 3] <= 2


def test_animation_loses_nothing_and_its_name_has_two_parts(tmp_path: Path) -> None:
    frames = list(ghosts())
    paths = [tmp_path / "a.RLE.mov", tmp_path / "b.mov"]
    for path, fmt in zip(paths, (None, "mov-rle"), strict=True):
        write_film(path, lambda: frames, fps=10, provenance=MADE, transparent=True, fmt=fmt)
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.name == "qtrle"
    assert paths[0].read_bytes() == paths[1].read_bytes()
    reader: Any = reader_of(FORMATS["mov-rle"])
    for shown, drawn in zip(reader.frames(paths[0]), frames, strict=True):
        np.testing.assert_array_equal(shown, drawn)
    assert format_of("a.rle.mov").name == "mov-rle"
    assert format_of("a.rle.mp4").name == "mp4"
    assert format_of("rle.mov").name == format_of(".rle.mov").name == "mov"


def test_edges_over_a_page_are_not_dark(tmp_path: Path) -> None:
    # one pixel wide strokes, where half-resolution colour would mix with what is behind alpha
    frame = np.zeros((64, 64, 4), np.uint8)
    frame[:, 10::9] = [238, 125, 31, 255]
    write_film(
        tmp_path / "film.webm", lambda: [frame] * 3, fps=10, provenance=MADE, transparent=True
    )
    page = np.array([255.0, 255, 255])

    def over(picture: Any) -> Any:
        alpha = picture[..., 3:] / 255
        return picture[..., :3] * alpha + page * (1 - alpha)

    shown = decoded(tmp_path / "film.webm", alpha=True)[0][1]
    assert np.abs(over(shown) - over(frame)).mean() < 4


@pytest.mark.parametrize(
    "kind", ["webm", "mov", "mov-rle", "webp", "apng", "avifs", "png-sequence"]
)
def test_no_alpha_unless_asked(tmp_path: Path, kind: str) -> None:
    path = tmp_path / PATHS[kind]
    write_film(path, lambda: ghosts(2), fps=10, provenance=MADE, fmt=kind)
    if kind == "png-sequence":
        assert iio.improps(path / "00000.png").shape[2] == 3
    elif FORMATS[kind].loop:
        assert decoded(path, alpha=True)[0][0][..., 3].min() == 255
    else:
        with av.open(str(path)) as container:
            assert "a" not in container.streams.video[0].codec_context.pix_fmt
            assert "alpha_mode" not in container.streams.video[0].metadata


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_transparent_where_it_cannot_be(tmp_path: Path, kind: str) -> None:
    path = tmp_path / PATHS[kind]
    with pytest.raises(InputError, match=r"\.webm, \.mov, \.rle\.mov, \.webp, \.apng"):
        write_film(path, lambda: ghosts(), fps=10, provenance=MADE, transparent=True)
    assert not path.exists()


def gif_blocks(data: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """Kind, header and joined body of every block of a GIF, which no reader shows as they lie."""
    names = {0xFE: "comment", 0xFF: "application", 0xF9: "control"}

    def palette(packed: int) -> int:
        return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0

    at = 13 + palette(data[10])
    while data[at] != 0x3B:
        head, kind = at, "image" if data[at] == 0x2C else names[data[at + 1]]
        at += 11 + palette(data[at + 9]) if kind == "image" else 2
        body = b""
        while size := data[at]:
            body += data[at + 1 : at + 1 + size]
            at += 1 + size
        at += 1
        yield kind, data[head : head + 10], body


def test_gif_timing_loop_palette_and_comment(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    written = write_film(path, lambda: film(9), fps=30, provenance=MADE)
    assert written.fps == 25
    data = path.read_bytes()
    blocks = list(gif_blocks(data))
    delays = [struct.unpack_from("<H", body, 1)[0] for kind, _, body in blocks if kind == "control"]
    assert set(delays) == {4}
    loops = [body for kind, _, body in blocks if kind == "application"]
    assert loops == [b"NETSCAPE2.0\x01\x00\x00"]  # for ever
    assert data[10] & 0x80, "no palette for the whole film"
    images = [head for kind, head, _ in blocks if kind == "image"]
    assert len(images) == len(delays) == written.frames
    assert not any(head[9] & 0x80 for head in images), "a frame has a palette of its own"
    (comment,) = [body for kind, _, body in blocks if kind == "comment"]
    assert MADE.alt in comment.decode()
    assert data.endswith(b";")


@pytest.mark.parametrize(
    ("asked", "given"), [(60, 50), (50, 50), (30, 25), (25, 25), (15, Fraction(100, 7)), (10, 10)]
)
def test_rates_a_gif_can_keep(asked: int, given: Fraction) -> None:
    assert film_rate(FORMATS["gif"], asked) == given
    assert film_rate(FORMATS["mp4"], asked) == asked


def test_rate_out_of_range() -> None:
    for fps in (0, -3, 1000):
        with pytest.raises(InputError, match="frames a second"):
            film_rate(FORMATS["mp4"], fps)


def test_frames_left_out_for_a_gif_are_whole_ones(tmp_path: Path) -> None:
    frames = film(30)
    path = tmp_path / "film.gif"
    written = write_film(path, lambda: frames, fps=30, provenance=MADE)
    shown, times = decoded(path)
    assert written.frames == 26  # 25 in the second, and the last one always
    assert times[-1] == Fraction(26, 25)
    for picture in shown:
        assert min(int(np.abs(picture.astype(int) - f[..., :3]).max()) for f in frames) <= 6
    np.testing.assert_allclose(shown[-1].astype(int), frames[-1][..., :3], atol=6)


@pytest.mark.parametrize("kind", FILMS)
def test_same_frames_same_bytes(tmp_path: Path, kind: str) -> None:
    frames = film(8)
    alpha = FORMATS[kind].alpha
    saved = []
    for run in ("a", "b"):
        path = tmp_path / run / PATHS[kind]
        write_film(path, lambda: frames, fps=20, provenance=MADE, fmt=kind, transparent=alpha)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        saved.append([(file.name, file.read_bytes()) for file in files])
    assert saved[0] == saved[1]


@pytest.mark.parametrize("kind", FILMS)
def test_provenance_round_trip(tmp_path: Path, kind: str) -> None:
    path = tmp_path / PATHS[kind]
    write_film(path, lambda: film(2), fps=20, provenance=MADE, fmt=kind)
    assert read_provenance(path) == MADE


def test_titles_where_players_look(tmp_path: Path) -> None:
    for kind in ("mp4", "mov", "webm"):
        path = tmp_path / PATHS[kind]
        write_film(path, lambda: film(2), fps=20, provenance=MADE)
        with av.open(str(path)) as container:
            said = {key.lower(): value for key, value in container.metadata.items()}
        assert said["title"] == MADE.title
        assert said["description"] == MADE.alt
        assert "creation_time" not in said
    write_film(tmp_path / "film.webp", lambda: film(2), fps=20, provenance=MADE)
    packet = chunks.unescape(iio.immeta(tmp_path / "film.webp", plugin="pillow")["xmp"].decode())
    assert MADE.alt in packet
    write_film(tmp_path / "film.apng", lambda: film(2), fps=20, provenance=MADE)
    said = iio.immeta(tmp_path / "film.apng", plugin="pillow")
    assert said["loop"] == 0
    assert said["Description"] == MADE.alt


@pytest.mark.parametrize("kind", FILMS)
def test_old_film_stays_when_the_frames_fail(tmp_path: Path, kind: str) -> None:
    path = tmp_path / PATHS[kind]
    write_film(path, lambda: film(2), fps=20, provenance=MADE, fmt=kind)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def breaking() -> Iterator[Any]:
        yield from film(3)
        raise ZeroDivisionError("the scene is wrong")

    with pytest.raises(ZeroDivisionError, match="the scene is wrong"):
        write_film(path, breaking, fps=20, provenance=MADE, fmt=kind)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("kind", FILMS)
def test_no_frames(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError, match="no frames"):
        write_film(tmp_path / PATHS[kind], list, fps=20, provenance=MADE, fmt=kind)
    assert list(tmp_path.iterdir()) == []


def test_wrong_frames(tmp_path: Path) -> None:
    small = np.zeros((10, 10, 4), np.uint8)
    for frames in (
        [small, np.zeros((12, 10, 4), np.uint8)],
        [small.astype(float)],
        [small[..., :3]],
    ):
        with pytest.raises(WorkError, match="a frame"):
            write_film(tmp_path / "x.mp4", lambda frames=frames: frames, fps=5, provenance=MADE)
    assert list(tmp_path.iterdir()) == []


LIMITED = """
import os, resource, signal, sys
import imageio.v3 as iio
import numpy as np
from grokviz.errors import GrokvizError
from grokviz.media import Provenance, write_film
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
rng = np.random.default_rng(0)
frames = [rng.integers(0, 255, (96, 128, 4), np.uint8) for _ in range(12)]
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for path in sys.argv[1:]:
    try:
        write_film(path, lambda: frames, fps=10, provenance=Provenance("x"))
    except GrokvizError as error:
        print(os.path.basename(path), error.exit_status)
    else:
        print(path, "written")
"""


@pytest.mark.slow
def test_disk_that_refuses(tmp_path: Path) -> None:
    kinds = list(FILES)
    for kind in kinds:
        (tmp_path / PATHS[kind]).write_text("old")
    paths = [str(tmp_path / PATHS[kind]) for kind in kinds]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *paths], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:-1] == [f"{PATHS[kind]} 1" for kind in kinds], done.stdout
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {PATHS[k]: "old" for k in kinds}


def noise(count: int = 24) -> list[Any]:
    """Frames that do not compress well."""
    rng = np.random.default_rng(1)
    base = rng.integers(0, 255, (64, 96, 4), np.uint8)
    base[..., 3] = 255
    return [np.roll(base, 3 * i, axis=1) for i in range(count)]


@pytest.mark.parametrize("kind", FILES)
def test_size_is_kept(tmp_path: Path, kind: str) -> None:
    frames = noise()
    free = write_film(tmp_path / "a" / PATHS[kind], lambda: frames, fps=20, provenance=MADE)
    limit = int(free.size * 0.8)
    kept = write_film(
        tmp_path / PATHS[kind], lambda: frames, fps=20, provenance=MADE, max_size=limit
    )
    assert kept.size == (tmp_path / PATHS[kind]).stat().st_size <= limit
    assert kept.concession
    assert read_provenance(tmp_path / PATHS[kind]) == MADE


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_size_that_cannot_be_reached(tmp_path: Path, kind: str) -> None:
    path = tmp_path / PATHS[kind]
    path.write_text("old")
    with pytest.raises(InputError, match=r"smaller than 900 bytes: .* it still has \d{4,}"):
        write_film(path, lambda: noise(4), fps=20, provenance=MADE, max_size=900)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "old"


def test_folder_of_frames(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    frames = film(3)
    write_film(f"{folder}/", lambda: frames, fps=20, provenance=MADE)
    write_film(f"{folder}/", lambda: frames[:2], fps=20, provenance=MADE)  # replaces all
    assert sorted(p.name for p in folder.iterdir()) == ["00000.png", "00001.png"]
    np.testing.assert_array_equal(iio.imread(folder / "00001.png"), frames[1][..., :3])
    with pytest.raises(InputError, match="no size to fit"):
        write_film(f"{folder}/", lambda: frames, fps=20, provenance=MADE, max_size=5)


def test_one_frame_is_a_film(tmp_path: Path) -> None:
    for kind in FILES:
        path = tmp_path / PATHS[kind]
        assert write_film(path, lambda: film(1), fps=20, provenance=MADE).frames == 1
        assert read_provenance(path) == MADE
        assert len(decoded(path)[0]) == 1, kind


def test_formats_by_path(tmp_path: Path) -> None:
    assert format_of("a/film.MP4").name == "mp4"
    assert format_of("frames/").name == "png-sequence"
    assert format_of(tmp_path).name == "png-sequence"
    assert format_of("x", "png-sequence").film
    assert format_of("x.png").still
    assert format_of("x.gif", ".webm").name == "webm"
    with pytest.raises(InputError, match=r"film\.xyz: unknown format \.xyz; choose one of"):
        format_of("film.xyz")
    with pytest.raises(InputError, match=r"did you mean \.webm"):
        format_of("film.wbm")
    with pytest.raises(InputError, match="no suffix"):
        format_of("film")
    with pytest.raises(InputError, match="did you mean mp4"):
        format_of("x", "mpp4")


def test_still_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one picture"):
        write_film(tmp_path / "film.pdf", lambda: film(1), fps=20, provenance=MADE)


def test_encoder_that_fails_stops_the_frames() -> None:
    made = []

    def frames() -> Iterator[Any]:
        for i in range(1000):
            made.append(i)
            yield np.zeros((2, 2, 4), np.uint8)

    def refuse(arriving: Iterator[Any]) -> None:
        next(arriving)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        in_thread(frames(), refuse)
    assert len(made) < 100


def test_files_without_provenance(tmp_path: Path) -> None:
    for suffix in ("png", "gif", "webp"):
        iio.imwrite(tmp_path / f"x.{suffix}", np.zeros((4, 4, 3), np.uint8), plugin="pillow")
    (tmp_path / "x.mp4").write_text("not a film")
    for name in ("x.png", "x.gif", "x.webp"):
        with pytest.raises(InputError, match="carries no provenance"):
            read_provenance(tmp_path / name)
    with pytest.raises(InputError, match="cannot read"):
        read_provenance(tmp_path / "x.mp4")
    with pytest.raises(InputError, match="no file"):
        read_provenance(tmp_path / "gone.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no frames"):
        read_provenance(tmp_path / "empty")


def test_a_caption_neither_ends_nor_begins_another() -> None:
    said = [Caption(0, 10, "a\n\n2\n0 --> 9\n\x1b[2Jb\udce9"), Caption(10, 20, "next")]
    assert subrip(said, Fraction(10)) == (
        "1\n00:00:00,000 --> 00:00:01,000\na\n2\n0 \u2192 9\n\ufffd[2Jb\ufffd\n"
        "\n2\n00:00:01,000 --> 00:00:02,000\nnext\n"
    )
