"""A scene and a dataset in, files out: sizes, refusals, bytes, and what an error leaves."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from pypdf import PdfReader

from grokviz.errors import InputError, WorkError
from grokviz.media import FORMATS, Painter, read_provenance
from grokviz.media.film.cover import cover_of
from grokviz.media.pixels import picture_size, read_picture
from grokviz.media.venues import VENUES
from grokviz.render import filming
from grokviz.render.drawing import build
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.render.quality import quality
from grokviz.render.render import perform_all, render
from grokviz.scene import Drawing, drawing_in

SHORT: dict[str, Any] = {"quality": "l", "duration": 0.6, "hold": 0.2, "fps": 10}


def jobs(scene: Any, out: Any = None, formats: Any = (), **wish: Any) -> Any:
    return plan(scene, out, formats, render_options(wish))


def left(folder: Path) -> list[str]:
    """Everything in a folder, hidden part files too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# --- the plan ----------------------------------------------------------------


def test_a_film_is_made_unless_something_else_is_asked(dot: Any, poster: Any) -> None:
    (job,) = jobs(dot())
    assert (str(job.path), job.format.name) == ("dot.mp4", "mp4")
    assert job.page.pixels == (1280, 720)
    assert (job.quality.fps, job.options.duration, job.options.held) == (30, 16, 2)
    what, _, size = job.line().partition(", usually ")
    assert what == "dot.mp4: dot, mp4, 1280 x 720 px, 16 s at 30 frames a second"
    assert size.endswith(" MB")
    (job,) = jobs(poster())
    assert (str(job.path), job.format.name) == ("poster.png", "png")


def test_formats_name_the_files_where_no_output_does(dot: Any) -> None:
    made = jobs(dot(), None, ["gif", "pdf", "png-sequence"])
    assert [str(job.path) for job in made] == ["dot.gif", "dot.pdf", "dot-frames"]
    assert ", 960 x 540 px, 16 s at 20 frames a second, usually " in made[0].line()
    assert made[1].line() == "dot.pdf: dot, pdf, 6.5 x 2.955 in"


def test_a_format_pairs_with_an_output(dot: Any) -> None:
    made = jobs(dot(), ["a", "b.png", "c"], ["mp4", "apng", ".SVG"])
    assert [job.format.name for job in made] == ["mp4", "apng", "svg"]


@pytest.mark.parametrize(
    ("fps", "kind", "rate"),
    [(None, "mp4", 30), (12.5, "mp4", 12.5), (29.97, "mp4", 29.97), (30, "gif", 25),
     (None, "gif", 20), (60, "webp", 60)],
)  # fmt: skip
def test_the_rate_is_one_that_the_format_keeps(
    dot: Any, fps: float | None, kind: str, rate: float
) -> None:
    (job,) = jobs(dot(), f"a.{kind}", fps=fps)
    assert float(job.quality.fps) == pytest.approx(float(rate), abs=1e-3)
    assert f"{float(job.quality.fps):g} frames a second" in job.line()


@pytest.mark.parametrize(
    ("letter", "kind", "size"),
    [("l", "mp4", (854, 480, 15)), ("m", "mp4", (1280, 720, 30)), ("h", "mp4", (1920, 1080, 60)),
     ("k", "mp4", (3840, 2160, 60)), (None, "mp4", (1280, 720, 30)), (None, "gif", (960, 540, 20)),
     ("h", "gif", (1920, 1080, 60))],
)  # fmt: skip
def test_qualities(letter: str | None, kind: str, size: tuple[int, int, int]) -> None:
    found = quality(letter, FORMATS[kind])
    assert (found.width, found.height, found.fps) == size


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"out": "a.xyz"}, "unknown format .xyz"),
    ({"out": "a"}, "no suffix says its format"),
    ({"out": "a.html", "venue": "icml"}, "a page is for screens"),
    ({"out": "a.mp4", "epoch": "5"}, "--epoch is for a still; a film takes --epochs A:B:STEP"),
    ({"out": ["a.png", "b.mp4"], "epoch": "grok"}, "b.mp4: --epoch is for a still"),
    ({"out": "a.mp4", "transparent": True}, "mp4 cannot be transparent; choose one of .webm"),
    ({"out": "a.gif", "transparent": True}, "gif cannot be transparent"),
    ({"out": ["a.mp4", "b.mp4"], "formats": ["mp4"]}, "2 files and 1 formats do not pair up"),
    ({"out": "a.gif", "formats": ["mp4"]}, "a.gif would be a mp4 called .gif"),
    ({"out": "a.mp4", "formats": ["png"]}, "a.mp4 would be a png called .mp4"),
    ({"formats": ["mp5"]}, "unknown format 'mp5': did you mean mp4"),
    ({"duration": 0}, "--duration 0 is not possible"),
    ({"duration": -1}, "--duration -1 is not possible"),
    ({"duration": float("nan")}, "--duration nan is not possible"),
    ({"duration": 1e9}, "give 1 to 3600 seconds"),
    ({"hold": -1}, "--hold -1 is not possible"),
    ({"hold": float("nan")}, "--hold nan is not possible"),
    ({"hold": float("inf")}, "--hold inf is not possible"),
    ({"max_size": 0}, "--max-size 0 is not possible"),
    ({"max_size": float("nan")}, "--max-size nan is not possible"),
    ({"fps": 0}, "0 frames a second: give a number from 1 to 240"),
    ({"fps": float("nan")}, "nan frames a second"),
    ({"fps": float("inf")}, "inf frames a second"),
    ({"fps": 1e-9}, "frames a second"),
    ({"quality": "x"}, "there is no quality x; choose one of l, m, h, k"),
    ({"theme": "lite"}, "unknown theme 'lite': did you mean light"),
    ({"out": "a.pdf", "venue": "neurps"}, "unknown venue 'neurps': did you mean neurips"),
    ({"out": "a.pdf", "columns": 3}, "a figure is 1 or 2 columns wide"),
    ({"style": Path("no.mplstyle")}, "no style file no.mplstyle"),
    ({"colour": "red"}, "unexpected keyword argument 'colour'; it takes quality"),
]


@pytest.mark.parametrize(("asked", "said"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_cannot_be_made_is_refused_before_anything_is(
    here: Path, dot: Any, data: Any, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        render(dot(), data, **asked)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert left(here) == []


def test_a_scene_that_does_not_move_has_no_film(here: Path, poster: Any, data: Any) -> None:
    with pytest.raises(InputError, match=r"a\.mp4: poster does not move, so it has no film"):
        render(poster(), data, "a.mp4")
    assert left(here) == []


@pytest.mark.parametrize("out", [".", "..", "/"])
def test_a_folder_on_the_way_is_no_output(here: Path, dot: Any, data: Any, out: str) -> None:
    with pytest.raises(InputError, match="folder"):
        render(dot(), data, out, **SHORT)
    assert left(here) == []


def test_a_folder_with_other_files_is_never_replaced(here: Path, dot: Any, data: Any) -> None:
    (here / "papers").mkdir()
    (here / "papers" / "thesis.tex").write_text("years of work")
    for out in ("papers", "papers/"):
        with pytest.raises(InputError, match=r"papers holds thesis\.tex"):
            render(dot(), data, out, **SHORT)
    assert left(here) == ["papers", "papers/thesis.tex"]
    assert (here / "papers" / "thesis.tex").read_text() == "years of work"


def test_data_without_what_is_needed_is_refused(here: Path, dot: Any, data: Any) -> None:
    with pytest.raises(InputError, match="the dataset has no logged_test_loss"):
        render(dot(), data.drop_vars("logged_test_loss"), "a.png")
    with pytest.raises(InputError, match="transpose or rename"):
        render(dot(), data.rename(tested_epoch="when"), "a.png")
    assert left(here) == []


def test_jobs_are_at_least_one(dot: Any, data: Any) -> None:
    with pytest.raises(InputError, match="-j 0 is not possible; give at least 1"):
        list(perform_all(jobs(dot(), "a.png"), data, jobs=0))


# --- pages -------------------------------------------------------------------


@pytest.mark.parametrize("columns", [1, 2])
def test_a_page_has_the_venues_width(here: Path, dot: Any, data: Any, columns: int) -> None:
    for name, venue in VENUES.items():
        wide = venue.column if columns == 1 else venue.text
        if name != "slide":
            (job,) = jobs(dot(), "a.pdf", venue=name, columns=columns)
            assert job.page.width == pytest.approx(wide, abs=1e-9), name
    (path,) = render(dot(), data, "a.pdf", venue="icml", columns=columns)
    box = PdfReader(path).pages[0].mediabox
    assert float(box.width) == pytest.approx(72 * (3.25 if columns == 1 else 6.75), abs=0.01)


def test_a_narrow_page_takes_the_narrow_shape(dot: Any) -> None:
    for columns, aspect in ((1, dot.narrow_aspect), (2, dot.aspect)):
        (job,) = jobs(dot(), "a.pdf", venue="icml", columns=columns)
        assert job.page.width / job.page.height == pytest.approx(aspect)


def test_a_picture_is_a_slide_unless_a_venue_is_named(here: Path, dot: Any, data: Any) -> None:
    sizes = {}
    for venue in (None, "slide", "iclr"):
        (path,) = render(dot(), data, f"{venue}.png", venue=venue)
        sizes[venue] = picture_size(Path(path))
    assert sizes == {
        None: (1920, 1080), "slide": (1920, 1080), "iclr": (1650, 750),
    }  # fmt: skip
    (job,) = jobs(dot(), "a.pdf", venue="slide")
    assert job.theme.medium == "slide"
    (job,) = jobs(dot(), "a.svg")
    assert job.theme.medium == "paper"


def test_themes_and_transparency(here: Path, dot: Any, data: Any) -> None:
    corners = {}
    for theme in ("light", "dark"):
        for clear in (False, True):
            (path,) = render(dot(), data, "a.png", theme=theme, transparent=clear, quality="l")
            corners[theme, clear] = tuple(read_picture(path)[3, 3])
    assert corners["light", False] == (255, 255, 255, 255)
    assert corners["dark", False] == (0x0B, 0x0E, 0x14, 255)
    assert corners["light", True][3] == corners["dark", True][3] == 0


# --- films -------------------------------------------------------------------


def test_what_is_shown_is_dark_and_what_is_printed_light(here: Path, dot: Any) -> None:
    outs = ["a.mp4", "a.gif", "a.html", "a.png", "a.pdf"]
    assert [job.theme.name for job in jobs(dot(), outs)] == ["dark"] * 3 + ["light"] * 2
    assert [job.theme.name for job in jobs(dot(), outs, theme="light")] == ["light"] * 5
    (slide,) = jobs(dot(), "a.png", venue="slide")
    (paper,) = jobs(dot(), "a.png", venue="icml")
    assert (slide.theme.name, paper.theme.name) == ("dark", "light")


def test_a_films_cover_is_its_still(
    here: Path, dot: Any, data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dot, "stills", ("0",))
    film, still = render(
        dot(), data, ["a.mp4", "a.png"], quality="l", duration=0.5, theme="dark", ghost=False
    )
    (last,) = render(dot(), data, "b.png", quality="l", theme="dark", ghost=False, epoch="last")
    cover = cover_of(Path(film))
    assert cover is not None
    shown, wanted, other = (
        read_picture(one, alpha=False).astype(int) for one in (cover.jpeg, still, last)
    )
    apart = np.abs(wanted - other).max(axis=-1) > 90
    assert apart.sum() > 50
    assert 3 * np.abs(shown - wanted)[apart].mean() < np.abs(shown - other)[apart].mean()


@pytest.mark.slow
def test_a_film_has_its_frames_and_its_size(here: Path, dot: Any, data: Any) -> None:
    (path,) = render(dot(), data, "a.mp4", quality="l", duration=2)
    frames = [np.array(frame) for frame in iio.imiter(path, plugin="pyav")]
    assert len(frames) == 30
    assert frames[0].shape == (480, 854, 3)
    assert (frames[0] != frames[-1]).any()
    # a quarter of it is held at the end
    assert sum(bool((a != b).any()) for a, b in itertools.pairwise(frames)) > 3
    (other,) = render(dot(), data, "b.mp4", quality="l", duration=2, hold=0.5)
    assert len(list(iio.imiter(other, plugin="pyav"))) == 30


def test_every_frame_is_a_still_of_a_real_checkpoint(here: Path, dot: Any, data: Any) -> None:
    render(dot(), data, "frames/", quality="l", duration=1.2, fps=10, hold=0.2)
    frames = sorted((here / "frames").iterdir())
    assert len(frames) == 12
    made = read_provenance(here / "frames")
    stills = {}
    for epoch in made.epochs:
        assert epoch in data["epoch"].values
        render(dot(), data, "still.png", epoch=epoch, quality="l", theme="dark")
        stills[read_picture(Path("still.png")).tobytes()] = epoch
    shown = [stills[read_picture(f).tobytes()] for f in frames]
    assert shown == sorted(shown)
    assert (shown[0], shown[-1], shown[-3]) == (0, 2000, 2000)
    assert set(shown) == set(made.epochs)


def test_a_span_shows_its_checkpoints_alone(here: Path, dot: Any, data: Any) -> None:
    (path,) = render(dot(), data, "a.gif", epochs="300:900:300", **SHORT)
    assert read_provenance(path).epochs == (300, 600, 900)


@pytest.mark.slow
def test_a_scenes_own_span_yields_to_the_users(here: Path, dot: Any, data: Any) -> None:
    class Early(dot):
        def film_span(self, data: Any) -> tuple[float, float]:
            return 0, 500

    (path,) = render(Early(), data, "a.gif", **SHORT)
    assert max(read_provenance(path).epochs) == 500
    (path,) = render(Early(), data, "a.gif", epochs=":", **SHORT)
    assert max(read_provenance(path).epochs) == 2000


def test_film_in_layers_equals_full_draws(
    dot: Any, data: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (job,) = jobs(dot(), "a.mp4", quality="l")
    with drawing_in(job.theme), caplog.at_level(logging.WARNING):
        figure, sheet, drawing = build(job, data)
        painter = Painter(figure, [drawing.moving, sheet.moment])
        for i in (0, 3, 9, 20, 4):
            sheet.show(i)
            drawing.update(i)
            assert painter.check()
    assert painter.layered
    assert painter.redrawn == 0
    assert caplog.records == []


def test_progress_counts_every_frame(here: Path, dot: Any, data: Any) -> None:
    heard: list[tuple[int, int]] = []
    render(dot(), data, "a.mp4", report=lambda done, total: heard.append((done, total)), **SHORT)
    assert heard == [(i, 6) for i in range(1, 7)]


# --- bytes -------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        "pdf",
        "mp4",
        *(pytest.param(k, marks=pytest.mark.slow) for k in ("svg", "png", "gif", "webm")),
    ],
)
def test_the_same_command_gives_the_same_bytes(here: Path, dot: Any, data: Any, kind: str) -> None:
    first = render(dot(size=5), data, f"a.{kind}", **SHORT)[0].read_bytes()
    second = render(dot(size=5), data, f"b.{kind}", **SHORT)[0].read_bytes()
    assert first == second
    if kind == "png":
        assert render(dot(size=7), data, "c.png", **SHORT)[0].read_bytes() != first


@pytest.mark.slow
def test_files_drawn_at_once_are_those_drawn_in_turn(here: Path, data: Any) -> None:
    names = ["a.png", "b.pdf", "c.svg"]
    for jobs_, folder in ((1, "turn"), (2, "once")):
        paths = [f"{folder}/{name}" for name in names]
        render("grokking-curve", None, paths, jobs=jobs_, epoch="grok")
    for name in names:
        assert Path("turn", name).read_bytes() == Path("once", name).read_bytes()


@pytest.mark.parametrize("kind", ["pdf", "svg", "png", "mp4", "gif", "webm"])
def test_every_file_says_what_it_is(here: Path, dot: Any, data: Any, kind: str) -> None:
    (path,) = render(dot(shape="s"), data, f"a.{kind}", command="grokviz render dot", **SHORT)
    made = read_provenance(path)
    assert made.scene == "dot"
    assert made.title == "A dot follows the loss"
    assert made.alt == "A dot at epoch 2000."
    assert made.caption == "A dot follows the loss. After nowhere."
    assert (made.run_name, made.run_checksum) == ("small", "0" * 64)
    assert made.options == {"shape": "s"}
    assert made.command == "grokviz render dot"
    assert made.epochs[-1] == 2000
    assert {"grokviz", "matplotlib", "numpy", "av"} >= set(made.versions) >= {"matplotlib", "av"}


# --- errors on the way -------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "svg", "mp4", "gif", "webm"])
def test_an_error_while_drawing_leaves_the_old_file(
    here: Path, dot: Any, data: Any, kind: str
) -> None:
    path = here / f"a.{kind}"
    path.write_text("the old one")
    with pytest.raises(RuntimeError, match="broken on purpose"):
        render(dot(fails_at=900), data, path.name, **SHORT)
    assert left(here) == [path.name]
    assert path.read_text() == "the old one"


def test_an_error_in_a_frame_that_no_sample_sees(here: Path, dot: Any, data: Any) -> None:
    class Late(dot):
        def draw(self, figure: Any, data: Any) -> Drawing:
            drawing, seen = super().draw(figure, data), []

            def update(i: int) -> None:
                seen.append(i)
                if len(seen) > 5:
                    raise RuntimeError("late")
                drawing.update(i)

            return Drawing(drawing.moving, update)

    (here / "a.mp4").write_text("the old one")
    with pytest.raises(RuntimeError, match="late"):
        render(Late(), data, "a.mp4", **SHORT)
    assert left(here) == ["a.mp4"]
    assert (here / "a.mp4").read_text() == "the old one"


def test_nothing_is_made_where_one_place_cannot_be(here: Path, dot: Any, data: Any) -> None:
    (here / "wall").write_text("a file")
    with pytest.raises(InputError, match="a part of it is a file"):
        render(dot(), data, ["a.png", "wall/b.png"])
    assert left(here) == ["wall"]


def test_files_made_before_the_error_stay(here: Path, dot: Any, data: Any) -> None:
    class Wall(dot):
        def draw(self, figure: Any, data: Any) -> Any:
            if (here / "a.png").exists():
                raise RuntimeError("broken on purpose")
            return super().draw(figure, data)

    with pytest.raises(RuntimeError, match="broken on purpose"):
        render(Wall(), data, ["a.png", "b.png"])
    assert left(here) == ["a.png"]


@pytest.mark.parametrize("kind", ["png", "pdf", "mp4", "gif", "webp"])
def test_a_full_disk_leaves_the_old_file(
    here: Path, dot: Any, data: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    def refuse(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = here / f"a.{kind}"
    path.write_text("the old one")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(WorkError, match="the disk is full"):
        render(dot(), data, path.name, **SHORT)
    assert left(here) == [path.name]
    assert path.read_text() == "the old one"


@pytest.mark.slow
def test_films_of_one_size_and_rate_share_a_drawing(
    dot: Any, data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[int] = []
    once = filming.Picture.__init__

    def counted(self: Any, *given: Any) -> None:
        built.append(1)
        once(self, *given)

    monkeypatch.setattr(filming.Picture, "__init__", counted)
    names = ["a.mp4", "a.png", "a.webm", "a.gif", "a.webp"]
    wish = {**SHORT, "fps": 12}
    made = render(dot(), data, [tmp_path / name for name in names], **wish)
    assert [path.name for path in made] == names
    assert sum(built) == 2  # a GIF has another rate
    for name in ("a.mp4", "a.webm", "a.webp"):
        alone = render(dot(), data, tmp_path / f"alone-{name}", **wish)[0]
        assert alone.read_bytes() == (tmp_path / name).read_bytes()
