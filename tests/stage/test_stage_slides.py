"""What a deck holds: which slides, in which order, from which files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import xarray as xr
from slide_decks import make, prepare

from grokviz.errors import InputError, MissingExtra
from grokviz.media import read_provenance
from grokviz.media.plain import plain_text
from grokviz.media.provenance import Provenance
from grokviz.render.films import engine
from grokviz.render.films.needs import Need
from grokviz.scene.registry import scenes
from grokviz.slides import plan, powerpoint, slides
from grokviz.slides.deck import _notes
from grokviz.slides.films import film
from grokviz.slides.options import SlideOptions
from grokviz.slides.poster import last_frame
from grokviz.slides.story import STORY


@pytest.fixture
def here(here: Path) -> Path:
    prepare(here)
    return here


@pytest.fixture
def drawn(here: Path, kept_films: Path) -> Path:
    """The same folder with the deck's films in it."""
    shutil.copytree(kept_films, here / "films")
    return here


def left(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()} - {"scenes", "small.nc"}


# --- the story -------------------------------------------------------------------


def first_tweet(source: str) -> int | None:
    found = re.search(r"tweets? (\d+)", source)
    return int(found[1]) if found else None


def test_the_story_is_told_in_the_order_of_the_thread() -> None:
    ours = scenes(user=False)
    told = [first_tweet(ours[name].source) for name in STORY if name in ours]
    numbers = [number for number in told if number is not None]
    assert len(numbers) >= 8
    # scenes of tweets 9 to 11 are of one thing and may change places
    assert [9 if n in (10, 11) else n for n in numbers] == sorted(
        9 if n in (10, 11) else n for n in numbers
    )
    assert len(set(STORY)) == len(STORY)


def test_without_a_name_the_story_is_shown_as_far_as_it_can_be_drawn() -> None:
    said: list[tuple[str, str]] = []
    paths, orders = plan([], "talk.html", user=False, skipped=lambda *row: said.append(row))
    assert paths == [Path("talk.html")]
    names = [order.name for order in orders]
    assert names == [name for name in STORY if name in names]
    assert {"grokking-curve", "wave-circles", "embedding-waves"} <= set(names)
    assert {name for name, _ in said} | set(names) == set(STORY) & set(scenes(user=False))


@pytest.mark.slow
def test_what_a_run_lacks_is_skipped_with_its_reason(here: Path) -> None:
    data = xr.load_dataset("small.nc", engine="h5netcdf")
    data["logged_train_loss"] = ("logged_epoch", np.geomspace(4.7, 1e-7, 5))
    data.assign_coords(logged_epoch=np.arange(5) * 500).to_netcdf("small.nc", engine="h5netcdf")
    said: dict[str, str] = {}
    _, orders = plan([], "a.html", run="small.nc", skipped=said.__setitem__)
    assert [order.name for order in orders] == ["grokking-curve"]
    assert "embedding_component_norm" in said["embedding-waves"]
    assert "film, from small.nc" in orders[0].line()


@pytest.mark.slow
def test_films_are_left_out_where_manim_is_not_installed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = Need("manim", "", "pip install 'grokviz[manim]'")
    monkeypatch.setattr(engine, "lacking", lambda: need)
    said: dict[str, str] = {}
    _, orders = plan([], "a.html", user=False, skipped=said.__setitem__)
    assert "matplotlib" in {order.scene.engine for order in orders if order.scene}
    assert "manim" not in {order.scene.engine for order in orders if order.scene}
    assert said["clock"] == "manim is not installed: run pip install 'grokviz[manim]'"
    with pytest.raises(InputError, match="manim is not installed"):
        slides(["clock"], "a.html")


@pytest.mark.slow
def test_a_film_with_chapters_has_a_slide_for_each(here: Path) -> None:
    _, (order,) = plan(["clock"], "a.html", user=False)
    assert order.parts == ("dial", "turn", "rivals", "agree")
    assert "4 slides, one a chapter" in order.line()
    work = film(order, [order], here, SlideOptions(quality="l", theme="dark", user=False))
    assert [path.stem.partition("-")[2][13:] for path in work.paths] == [
        "01-dial", "02-turn", "03-rivals", "04-agree",
    ]  # fmt: skip
    assert work.options["command"] == (
        "grokviz render clock -o clock.mp4 --quality l --theme dark --sections"
    )


# --- what is refused, before anything is drawn -----------------------------------


@pytest.mark.parametrize(
    ("words", "wish", "said"),
    [
        (["dott"], {}, "did you mean dot"),
        (["no.mp4"], {}, "no file no.mp4"),
        (["small.nc"], {}, "cannot be put on a slide"),
        (["embedding-waves"], {}, "embedding-waves: the dataset has no embedding_component_norm"),
        (["dot"], {"out": "talk.pdf"}, "written as .pptx or .html"),
        (["dot"], {"theme": "pink"}, "pink"),
        (["dot"], {"quality": "x"}, "choose one of l, m, h, k"),
        (["dot"], {"jobs": 0}, "-j 0"),
        (["dot"], {"run": "nothing"}, "nothing"),
    ],
)
def test_a_wrong_word_is_named(
    here: Path, words: list[str], wish: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        slides(words, **{"out": "talk.html", "run": "small.nc", **wish})  # type: ignore[arg-type]
    assert left(here) == set()


def test_without_python_pptx_the_command_is_said_at_once(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pptx", None)
    with pytest.raises(MissingExtra, match=r"pip install 'grokviz\[slides\]'"):
        make("talk.pptx")
    assert left(here) == set()
    with pytest.raises(MissingExtra):
        powerpoint.ready()
    slides(["poster"], "talk.html", run="small.nc")
    assert left(here) == {"talk.html"}


def test_a_film_that_breaks_leaves_the_old_deck(here: Path) -> None:
    (here / "talk.html").write_text("old")
    broken = here / "scenes" / "small.py"
    broken.write_text(broken.read_text().replace("fails_at: int | None = option(None",
                                                 "fails_at: int | None = option(600"))  # fmt: skip
    with pytest.raises(RuntimeError, match="broken on purpose"):
        slides(["dot"], "talk.html", run="small.nc", quality="l")
    assert (here / "talk.html").read_text() == "old"
    assert left(here) == {"talk.html"}


# --- films -----------------------------------------------------------------------


@pytest.mark.slow
def test_kept_films_are_taken_again_and_only_what_changes_is_drawn(here: Path) -> None:
    said: list[str] = []
    both = ("dot", "poster")
    make("a.html", films="films", scenes=both, report=lambda name, *_: said.append(name))
    assert sorted(said) == ["dot", "poster"]
    before = {path.name: path.stat().st_mtime_ns for path in (here / "films").iterdir()}
    assert len(before) == 2
    make("b.html", films="films", scenes=both, report=lambda *_: said.append("again"))
    assert "again" not in said
    make("c.html", films="films", scenes=("poster",), theme="dark")
    after = {path.name: path.stat().st_mtime_ns for path in (here / "films").iterdir()}
    assert len(after) == 3
    assert before.items() <= after.items()
    commands = {read_provenance(path).command for path in (here / "films").iterdir()}
    assert commands == {
        "grokviz render dot --run small.nc -o dot.mp4 --quality l --theme light",
        "grokviz render poster --run small.nc -o poster.png --theme light",
        "grokviz render poster --run small.nc -o poster.png --theme dark",
    }


@pytest.mark.slow
def test_several_films_are_drawn_at_the_same_time_and_come_out_the_same(drawn: Path) -> None:
    make("one.html", films="films")
    make("two.html", jobs=2)
    assert (drawn / "one.html").read_bytes() == (drawn / "two.html").read_bytes()


def going_round(page: Path) -> list[bool]:
    """Of each film in a page, whether it goes round."""
    return [" loop " in tag for tag in re.findall(r"<video [^>]*>", page.read_text("utf-8"))]


def test_who_speaks_decides_whether_films_go_round(drawn: Path) -> None:
    make("a.html", films="films")
    assert going_round(drawn / "a.html") == [False, True]
    for loop in (False, True):
        make("b.html", films="films", loop=loop)
        assert going_round(drawn / "b.html") == [loop, loop]


def test_what_goes_round_moves_through_training() -> None:
    round_ = {name: kind for name, kind in scenes(user=False).items() if kind.loops}
    assert {"embedding-waves", "wave-circles", "neuron-activations"} <= set(round_)
    assert set(round_) & set(STORY)
    assert all(kind.moves() and kind.engine == "matplotlib" for kind in round_.values())


def test_files_that_grokviz_wrote_become_slides(drawn: Path) -> None:
    (film,) = (drawn / "films").glob("ring-*.mp4")
    (picture,) = (drawn / "films").glob("poster-*.png")
    slides([film, str(picture)], "b.html")
    page = (drawn / "b.html").read_text("utf-8")
    assert page.count("<video") == 1
    assert " loop " in page  # the scene says so, by the name in the film
    made = read_provenance(film)
    assert made.title == r"A dot goes round at $w_k$"
    assert "A dot goes round at w_k" in page
    (drawn / "foreign.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"foreign\.png"):
        slides(["foreign.png"], "c.html")


def test_a_poster_is_the_last_frame(drawn: Path) -> None:
    (film,) = (drawn / "films").glob("dot-*.mp4")
    frames = [np.array(frame) for frame in iio.imiter(film, plugin="pyav")]
    picture, seconds = last_frame(film)
    shown = iio.imread(picture)
    np.testing.assert_array_equal(shown, frames[-1])
    assert not np.array_equal(shown, frames[0])
    assert seconds == pytest.approx(len(frames) / 15)
    assert seconds == 16
    copy = drawn / "poster.png"
    copy.write_bytes(picture)
    assert read_provenance(copy) == read_provenance(film)


def test_what_is_no_film_is_refused(here: Path) -> None:
    (here / "no.mp4").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"no\.mp4"):
        last_frame(here / "no.mp4")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Norm of $W_E$ for 3 $", "Norm of W_E for 3 $"),
        (r"$\cos(w_k(a+b-c))$ at $w_k = 2 \pi k / p$", "cos(w_k(a+b-c)) at w_k = 2 π k / p"),
        (r"$C_j = r\,W_Q^T W_{out}$", "C_j = r W_Q^T W_out"),
        (r"it costs \$5", "it costs $5"),
        ("plain", "plain"),
    ],
)
def test_formulas_are_written_out(text: str, expected: str) -> None:
    assert plain_text(text) == expected


def test_no_scene_leaves_a_formula_in_its_notes() -> None:
    for name, scene in scenes(user=False).items():
        text = plain_text(Provenance(scene.title).title + scene.watch + scene.source)
        assert not set(text) & set("$\\{}"), name


def test_notes_say_what_is_to_be_watched_in_the_picture_and_not_in_another() -> None:
    kind = scenes(user=False)["neuron-clusters"]
    shown = Provenance("375 of 457 neurons join", watch="dots that rise")
    assert "To watch: dots that rise." in _notes(shown, kind)
    assert "To watch" not in _notes(Provenance("Memorised by epoch 150"), kind)
