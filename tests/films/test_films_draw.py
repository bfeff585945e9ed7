"""Films as they are drawn: a small one through the whole engine, and control frames of all."""

from __future__ import annotations

import base64
import itertools
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import imageio.v3 as iio
import numpy as np
import pytest
from films_helper import (
    FILMS,
    HERE,
    SMALL,
    beside,
    control_file,
    control_frames,
    drawn,
    needs_manim,
    rms,
)

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError, WorkError
from grokviz.media import read_provenance
from grokviz.media.formulas import FORMULAS
from grokviz.media.pixels import read_picture
from grokviz.media.theme import DARK
from grokviz.render.render import render
from grokviz.scene.registry import scene

pytestmark = [needs_manim, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

TOLERANCE = 2.0  # of 255
STILL = 4.0  # seconds
FEW: dict[str, Any] = {"quality": "l", "fps": 5}


def frames_of(path: Path, form: str = "rgb24") -> list[np.ndarray]:
    return [np.array(frame) for frame in iio.imiter(path, plugin="pyav", format=form)]


def forbid_drawing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From here on nothing may be drawn; what was tried is listed."""
    from grokviz.render.films import draw

    tried: list[str] = []

    def refuse(now: Any, *others: Any) -> None:
        tried.append(now.film.name)
        raise WorkError("drawn")

    monkeypatch.setattr(draw, "draw", refuse)
    return tried


# --- files --------------------------------------------------------------------------


@pytest.mark.slow
def test_a_film_is_what_all_our_films_are(here: None, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    (path,) = render(
        "spin", None, tmp_path / "a.mp4", report=lambda *row: seen.append(row), command="x", **FEW
    )
    made = read_provenance(path)
    assert (made.title, made.scene, made.command) == (scene("spin").title, "spin", "x")
    assert made.alt == "A square of 200 pixels, then 113 dots."
    assert {"grokviz", "manim", "typst"} <= set(made.versions)
    assert made.run_checksum == load(None).attrs["run_checksum"]
    data = path.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat"), "fast start"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (stream.width, stream.height, stream.average_rate) == (854, 480, 5)
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert context.color_range == 1
    frames = frames_of(path)
    assert abs(len(frames) / 5 - scene("spin").seconds) <= 1.5
    # the square, in the colour of the first key frequency, and the ground
    wanted = [int(DARK.frequencies[0][i : i + 2], 16) for i in (1, 3, 5)]
    middle = frames[8][222, 427]
    assert np.abs(middle.astype(int) - wanted).max() <= 6, middle
    ground = [int(DARK.background[i : i + 2], 16) for i in (1, 3, 5)]
    assert np.abs(frames[8][5, 5].astype(int) - ground).max() <= 6
    done = [row[0] for row in seen]
    assert done == sorted(done)
    assert all(0 < now <= total for now, total in seen)
    assert seen[-1][0] == seen[-1][1]


@pytest.mark.slow
def test_the_same_command_gives_the_same_bytes(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, seeds = [], []
    for name in ("one", "two"):
        monkeypatch.setenv("GROKVIZ_CACHE", str(tmp_path / name))
        (path,) = render("spin", None, tmp_path / "a.mp4", **FEW)
        made.append(path.read_bytes())
        seeds.append((random.getstate(), np.random.get_state()[1].tolist()))  # noqa: NPY002
    assert made[0] == made[1]
    assert seeds[0] == seeds[1], "what others draw by chance is changed"


@pytest.mark.slow
def test_it_is_drawn_once_for_all_its_files(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render("spin", None, tmp_path / "a.mp4", **FEW)
    never_drawn = forbid_drawing(monkeypatch)
    outs = [tmp_path / f"a.{kind}" for kind in ("gif", "webm", "png", "srt")]
    render("spin", None, outs[:2], **FEW)
    render("spin", None, outs[2:], **FEW)
    assert all(path.stat().st_size for path in outs)
    assert never_drawn == []
    # no other test draws these, whose films lie in the same place
    for changed in ({"options": {"size": 90}}, {"theme": "light"}, {"title": "none"}):
        with pytest.raises(WorkError, match="drawn"):
            render("spin", None, tmp_path / "b.mp4", **FEW, **changed)
    data = load(None).copy()
    data["embedding_plane"] = data["embedding_plane"] * 1.0001
    with pytest.raises(WorkError, match="drawn"):
        render("spin", data, tmp_path / "b.mp4", **FEW)
    assert len(never_drawn) == 4
    assert not (tmp_path / "b.mp4").exists()


@pytest.mark.slow
def test_sections_add_up_to_the_film(here: None, tmp_path: Path) -> None:
    (whole,) = render("spin", None, tmp_path / "a.mp4", **FEW)
    parts = render("spin", None, tmp_path / "a.mp4", sections=True, **FEW)
    assert [path.name for path in parts] == ["a-01-stand.mp4", "a-02-wind.mp4"]
    lengths = [len(frames_of(path)) for path in parts]
    assert sum(lengths) == len(frames_of(whole))
    assert read_provenance(parts[1]).title.endswith(": dots wind")


def test_a_moment_is_a_picture(here: None, tmp_path: Path) -> None:
    files = {at: tmp_path / f"{at}.png" for at in ("stand", "last", "0.5s")}
    for at, file in files.items():
        render("spin", None, file, epoch=at, **FEW)
    stand, last, _ = (read_picture(file, alpha=False) for file in files.values())
    whole = frames_of(render("spin", None, tmp_path / "a.mp4", **FEW)[0])
    assert rms(last, whole[-1]) < 4
    assert rms(stand, last) > 4
    assert read_provenance(files["last"]).scene == "spin"
    for wrong, said in (("99s", "ends after"), ("wnd", "did you mean wind")):
        with pytest.raises(InputError, match=said):
            render("spin", None, tmp_path / "b.png", epoch=wrong, **FEW)


def test_an_epoch_is_the_last_frame_that_shows_it(here: None, tmp_path: Path) -> None:
    frames = frames_of(render("spin", None, tmp_path / "a.mp4", **FEW)[0])
    pictures = [
        read_picture(render("spin", None, tmp_path / f"{n}.png", epoch=n, **FEW)[0], alpha=False)
        for n in (0, 20_000, 40_000)
    ]
    first, middle, last = (
        int(np.argmin([rms(picture, frame) for frame in frames])) for picture in pictures
    )
    assert first < middle < last
    assert rms(pictures[2], frames[-1]) < 4


def test_an_epoch_that_it_does_not_show_is_refused_before_it_is_drawn(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_drawn = forbid_drawing(monkeypatch)
    with pytest.raises(InputError, match="spin shows epochs 0 to 40,000 of this run"):
        render("spin", None, tmp_path / "b.png", epoch=50_000, **FEW)
    assert never_drawn == []


def test_a_still_is_the_end_of_the_part_that_its_film_names(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = scene("spin")
    files = {at: tmp_path / f"{at}.png" for at in ("stand", "last", None)}
    monkeypatch.setattr(film, "poster", "stand")
    for at, file in files.items():
        render(film(), None, file, epoch=at, **FEW)
    stand, last, still = (read_picture(file, alpha=False) for file in files.values())
    np.testing.assert_array_equal(still, stand)
    assert rms(still, last) > 4


def test_a_still_of_a_film_of_chapters_is_of_one_of_them(here: None, tmp_path: Path) -> None:
    for chapter, name in (("one", "spin"), ("two", "wave-circles"), (None, "wave-circles")):
        (path,) = render("joined", None, tmp_path / "a.png", epoch=chapter, quality="l", fps=5)
        assert read_provenance(path).scene == name
    with pytest.raises(InputError, match="give last or one of one, two"):
        render("joined", None, tmp_path / "a.png", epoch="0.5s")


@pytest.mark.slow
def test_it_can_be_transparent(here: None, tmp_path: Path) -> None:
    (path,) = render("spin", None, tmp_path / "a.apng", transparent=True, **FEW)
    shown = frames_of(path, "rgba")[8]
    assert shown[5, 5, 3] == 0
    wanted = [int(DARK.frequencies[0][i : i + 2], 16) for i in (1, 3, 5)]
    np.testing.assert_allclose(shown[222, 427], [*wanted, 255], atol=1)
    # edges are of the ink's own colour, not darkened by a ground that is not there
    text = shown[20:60, 60:500]
    half = text[(text[..., 3] > 60) & (text[..., 3] < 200)]
    ink = [int(DARK.ink[i : i + 2], 16) for i in (1, 3, 5)]
    assert np.abs(half[:, :3].astype(int) - ink).max() <= 4


@pytest.mark.slow
def test_a_film_begins_with_its_first_picture(here: None, tmp_path: Path) -> None:
    """What fades in at the very beginning is there at once; a long title ends before the epoch."""
    title = "A title as long as those are that say what was measured, by epoch 18,800"
    (path,) = render("spin", None, tmp_path / "a.mp4", title=title, **FEW)
    first, later = (frames_of(path)[i].astype(int) for i in (0, 4))
    assert np.abs(first[222, 427] - later[222, 427]).max() <= 3, "the square"
    shown = np.abs(first[:70] - first[2, 2]).max(axis=-1) > 60
    assert shown.any()
    assert np.flatnonzero(shown.any(axis=0)).max() < 854 * 0.79, "room for the epoch"
    assert not shown[62:].any(), "two lines end above the picture"


def test_captions_stay_until_they_are_read(here: None, tmp_path: Path) -> None:
    (path,) = render("spin", None, tmp_path / "a.srt", **FEW)
    text = path.read_text("utf-8")
    assert "A square stands, a + b." in text
    for times, said in spoken(text):
        assert times[1] - times[0] >= 1 + len(said.split()) / 3, said


def spoken(text: str) -> list[tuple[tuple[float, float], str]]:
    """Times and texts of a SubRip file."""
    found = []
    for row in text.strip().split("\n\n"):
        _, times, *lines = row.split("\n")
        start, stop = map(_seconds, times.split(" --> "))
        found.append(((start, stop), " ".join(lines)))
    return found


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.replace(",", ".").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def test_a_broken_scene_leaves_all_as_it_was(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, out = tmp_path / "cache", tmp_path / "a.mp4"
    monkeypatch.setenv("GROKVIZ_CACHE", str(cache))
    out.write_bytes(b"as before")
    with pytest.raises(WorkError, match="spin was not drawn: RuntimeError: broken on purpose"):
        render("spin", None, out, options={"fails": True}, **FEW)
    assert out.read_bytes() == b"as before"
    assert {p.name for p in tmp_path.iterdir()} <= {"a.mp4", "cache"}
    assert not list(cache.glob("films/*"))


@pytest.mark.slow
def test_chapters_are_made_by_themselves(
    here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grokviz.render.films import joined

    made: list[str] = []
    plain = joined._write

    def counted(job: Any, *others: Any) -> Any:
        made.append(job.scene.name)
        return plain(job, *others)

    monkeypatch.setattr(joined, "_write", counted)
    seen: list[tuple[int, int]] = []
    (path,) = render(
        "joined", None, tmp_path / "a.mp4", report=lambda *row: seen.append(row), **FEW
    )
    assert made == ["spin", "wave-circles"]
    frames = frames_of(path)
    parts = render("joined", None, tmp_path / "a.mp4", sections=True, **FEW)
    assert [path.name for path in parts] == ["a-01-one.mp4", "a-02-two.mp4"]
    alone = [frame for part in parts for frame in frames_of(part)]
    assert len(alone) == len(frames)
    assert all((a == b).all() for a, b in zip(alone, frames, strict=True))
    assert read_provenance(path).scene == "joined"
    (page,) = render("joined", None, tmp_path / "a.html", **FEW)
    assert base64.b64encode(path.read_bytes()[:3000]) in page.read_bytes()
    assert made == ["spin", "wave-circles"], "chapters were kept"
    render("joined", None, tmp_path / "a.mp4", options={"size": 100}, **FEW)
    assert made == ["spin", "wave-circles", "spin"], "only the chapter that changed"
    done = [row[0] for row in seen]
    assert done == sorted(done)
    with pytest.raises(InputError, match=r"choose \.mp4, \.webm or \.mov"):
        render("joined", None, tmp_path / "a.gif", **FEW)


@pytest.mark.slow
def test_plain_manim_draws_it_too(here: None, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "manim", "-ql", "--fps", "5", "--progress_bar", "none"]
    command += ["--media_dir", str(tmp_path), "scenes/films/spin.py", "Spin"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
    assert ran.returncode == 0, ran.stderr[-2000:]
    (path,) = tmp_path.glob("videos/spin/*/Spin.mp4")
    ours = frames_of(render("spin", None, tmp_path / "a.mp4", **FEW)[0])
    theirs = frames_of(path)
    assert len(theirs) == len(ours)
    # manim leaves the colours untagged and encodes less well
    assert max(rms(a, b) for a, b in zip(ours, theirs, strict=True)) < 8


@pytest.mark.slow
def test_the_example_of_the_docs_is_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = HERE.parents[1] / "docs" / "films.md"
    if not docs.is_file():
        pytest.skip("the docs are not installed with the package")
    blocks = re.findall(r"```python\n(.*?)```", docs.read_text("utf-8"), re.S)
    (tmp_path / "scenes" / "films").mkdir(parents=True)
    (tmp_path / "scenes" / "spin.py").write_text(blocks[0], "utf-8")
    (tmp_path / "scenes" / "films" / "spin.py").write_text(blocks[1], "utf-8")
    monkeypatch.chdir(tmp_path)
    (path,) = render("spin", None, "a.mp4", quality="l", fps=2)
    assert abs(len(frames_of(path)) / 2 - scene("spin").seconds) <= 3


# --- the toolkit ----------------------------------------------------------------------


@pytest.fixture
def media(tmp_path: Path) -> Any:
    import manim

    with manim.tempconfig({"media_dir": str(tmp_path), "verbosity": "ERROR"}):
        yield manim


@pytest.mark.parametrize("name", FORMULAS)
def test_every_formula_is_set(name: str, media: Any) -> None:
    from grokviz.scene.films.writing import formula

    made = formula(name, "#000000", px=40)
    assert made.width > 0.3
    assert len(made.family_members_with_points()) >= 3


def test_numbers_take_the_place_of_letters(media: Any) -> None:
    from grokviz.scene.films.writing import formula

    plain, filled = formula("cos-sum", "#000000"), formula("cos-sum", "#000000", k=14)
    assert len(filled.family_members_with_points()) == len(plain.family_members_with_points()) + 1
    with pytest.raises(InputError, match="there is no formula"):
        formula("cos-summ", "#000000")


def test_texts_have_their_size_and_place(media: Any) -> None:
    from grokviz.scene.films.writing import PER_UNIT, mono, place, words

    for text in ("Hxg", "Hx"):  # a descender does not move the line
        made = words(text, "#000000", px=40, at=(300, 200), anchor="left")
        first = made.family_members_with_points()[0]
        assert first.height * PER_UNIT == pytest.approx(0.656 * 40, rel=0.01)
        assert first.get_bottom()[1] == pytest.approx(place(300, 200)[1], abs=1e-3)
        assert made.get_left()[0] == pytest.approx(place(300, 200)[0], abs=1e-3)
    with pytest.raises(InputError, match="give at least 30"):
        words("small", "#000000", px=20)
    with pytest.raises(InputError, match="not closed"):
        words("a $ alone", "#000000")
    assert words(r"a*b_c #d @e <f> [g] ~ \ / -- 'h' \"i\" `j`", "#000000").width > 0
    one, two = (mono(t, "#000000", px=40, at=(900, 200)) for t in ("epoch 1", "epoch 9 1"))
    assert one.get_right()[0] == pytest.approx(two.get_right()[0])
    assert one.get_bottom()[1] < place(900, 200)[1] < one.get_center()[1]


def test_cells_are_whole_pixels(media: Any) -> None:
    from grokviz.scene.films.shapes import FilmCamera, Heat, coloured

    values = np.random.default_rng(0).random((7, 11))
    wanted = coloured(values, 0, 1, "Blues")
    heat = Heat(wanted, (200, 300), (6, 4))
    camera = FilmCamera(pixel_width=1920, pixel_height=1080, frame_height=8, frame_width=128 / 9)
    camera.capture_mobjects([heat])
    shown = camera.pixel_array[300:328, 200:266]
    np.testing.assert_array_equal(shown, np.kron(wanted, np.ones((4, 6, 1), np.uint8)))
    assert not camera.pixel_array[299, 200:266, :3].any()
    half = heat.set_opacity(0.5).recolour(wanted[::-1])
    camera.reset()
    camera.capture_mobjects([half])
    np.testing.assert_allclose(
        camera.pixel_array[300, 200:266:6, :3], wanted[-1, :, :3] * 0.5, atol=1.5
    )


@pytest.mark.parametrize(
    ("rings", "clouds", "said"),
    [(6, 6, "six circles"), (5, 6, "5 of 6 are circles"), (2, 2, "two circles"),
     (1, 1, "a circle"), (0, 1, "0 of 1 are circles")],
)  # fmt: skip
def test_circles_are_counted_as_they_are(rings: int, clouds: int, said: str) -> None:
    from grokviz.scenes.modular_addition.films.waves_to_circles import _circles

    assert _circles(rings, clouds) == said


# --- what the films look like -------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", FILMS)
def test_it_looks_as_it_did(name: str, tmp_path: Path) -> None:
    """Renewed by ``python tests/films/renew.py NAME``."""
    data = load(None, default=FILMS[name].reference)
    if set(FILMS[name].needs) - set(data.data_vars):
        pytest.skip(f"the reference has no {', '.join(set(FILMS[name].needs) - set(data))}")
    kept = drawn(name)
    assert abs(kept.seconds - FILMS[name].seconds) <= 5, f"it is {kept.seconds:.0f} s long"
    for caption in kept.captions:
        shown = (caption.stop - caption.start) / SMALL[2]
        assert shown >= 1 + len(caption.text.split()) / 3 - 1 / SMALL[2], caption.text
    for one, two in itertools.pairwise(kept.captions):
        assert one.stop == two.start
    for section, frame in control_frames(kept).items():
        control = read_picture(control_file(name, section), alpha=False)
        apart = rms(frame, control)
        if apart > TOLERANCE:
            shown = tmp_path / f"{name}-{section}.png"
            beside(frame, control, shown)
            pytest.fail(f"{name}, {section}: {apart:.1f} of 255 from its control frame; {shown}")


@pytest.mark.slow
@pytest.mark.parametrize("name", FILMS)
def test_it_moves_while_it_is_read(name: str) -> None:
    """No picture stands longer than STILL, and what it begins with is no empty one."""
    kept = drawn(name)
    at = int(np.argmax(kept.repeats))
    seconds = kept.repeats[at] / SMALL[2]
    begin = sum(kept.repeats[:at]) / SMALL[2]
    assert seconds <= STILL, f"nothing moves for {seconds:.1f} s from {begin:.1f} s on"
    stage = kept.frame(0)[34:197, :, :3].astype(int)
    assert (np.abs(stage - kept.frame(0)[2, 2, :3]).max(axis=-1) > 60).sum() > 100


@pytest.mark.slow
@pytest.mark.parametrize("name", FILMS)
def test_it_is_drawn_on_dark_ground_too(name: str) -> None:
    light, dark = (control_frames(drawn(name, theme)) for theme in ("light", "dark"))
    for section, frame in light.items():
        grounds = [picture[section][2, 2].astype(int) for picture in (light, dark)]
        assert grounds[0].min() > 240
        assert grounds[1].max() < 40
        inked = [
            (np.abs(picture[section].astype(int) - ground).max(axis=-1) > 60).sum()
            for picture, ground in zip((light, dark), grounds, strict=True)
        ]
        assert inked[1] > 0.7 * inked[0], f"{name}, {section}"
        assert frame.shape == dark[section].shape
