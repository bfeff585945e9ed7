"""The film of the whole thread, chapters that are sections, and what films show beside."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from films_helper import FILMS, needs_manim
from grokviz.scenes.thread._answers import TABLE
from grokviz.scenes.thread._said import WhereItHolds

from grokviz.dataset.references.reference import load, references
from grokviz.errors import InputError
from grokviz.render.films import cache as film_cache
from grokviz.render.films.cache import Caption, FilmFrames
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.scene import Claim
from grokviz.scene.film import Chapter, Film
from grokviz.scene.frequencies import coloured, key_frequencies
from grokviz.scene.registry import scene, scenes
from grokviz.scene.spoken import reading
from grokviz.slides.story import STORY


def chapters(**options: Any) -> tuple[Chapter, ...]:
    film = scene("thread", user=False).with_options(options)
    assert isinstance(film, Film)
    return film.chapters(load(None, film.needs, default=film.reference))


# --- the thread -----------------------------------------------------------------------


@pytest.mark.slow
def test_its_chapters_can_all_be_made() -> None:
    ours, found = scenes(user=False), chapters()
    assert [chapter.name for chapter in found] == list(ours["thread"].parts)
    for chapter in found:
        made = ours[chapter.scene].with_options(chapter.options)
        assert made.reference in references(), chapter.name
        load(None, made.needs, default=made.reference)
        if isinstance(made, Film):
            assert set(chapter.sections) <= set(made.parts), chapter.name
        else:
            assert chapter.seconds > chapter.hold > 0


def test_it_is_told_in_the_order_of_the_slides() -> None:
    # the circle comes before what is done with it; talks have it where the thread does
    told = [chapter.scene for chapter in chapters()
            if chapter.scene in STORY and chapter.scene != "string-to-circle"]  # fmt: skip
    assert len(told) >= 8
    assert told == sorted(told, key=STORY.index)


def test_it_opens_with_the_question_and_ends_on_the_answer() -> None:
    first, *_, credits, last = [chapter.scene for chapter in chapters()]
    assert (first, credits, last) == ("opening", "credits", "finale")


def test_it_lasts_four_to_six_minutes_and_every_chapter_is_told() -> None:
    ours = scenes(user=False)
    seconds = 0.0
    for chapter in chapters():
        made = ours[chapter.scene].with_options(chapter.options)
        if isinstance(made, Film):
            share = len(chapter.sections) / len(made.parts) if chapter.sections else 1
            seconds += made.seconds * share
        else:
            data = load(chapter.run, made.variables(), default=made.reference)
            said = chapter.captions_of(data)
            assert len(said) > 1, chapter.name
            assert chapter.seconds >= sum(map(reading, said)), chapter.name
            seconds += chapter.seconds
    assert 240 < seconds < 360
    assert abs(seconds - ours["thread"].seconds) <= 30


def test_captions_say_of_other_data_what_is_true_of_it() -> None:
    for chapter in chapters():
        made = scenes(user=False)[chapter.scene]
        if issubclass(made, Film) or not isinstance(chapter.captions, WhereItHolds):
            continue
        never = Claim.instead("It is otherwise")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(made, "claim", lambda self, data, never=never: never)
            assert chapter.captions_of(xr.Dataset()) == ("It is otherwise.",)


def test_its_own_table_is_shown_where_it_has_one() -> None:
    thread = scene("thread", user=False)()
    data = load(None, thread.needs, default=thread.reference)
    assert not any(chapter.own for chapter in thread.chapters(data))
    answers = load("modular-addition-answers")
    known = [name for name in (*TABLE, "embedding_plane") if name in answers]
    changed = data.drop_dims(["residue", "embedded_frequency", "epoch"]).merge(
        answers[[*known, "embedding_frequency_norm", "key_neurons"]], compat="override"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(thread), "require", lambda self, data: None)
        own = [chapter.name for chapter in thread.chapters(changed) if chapter.own]
    assert own == ["opening", "answer"]


def test_its_moments_are_those_of_one_run() -> None:
    ours = {chapter.name: chapter for chapter in chapters()}
    answers = load("modular-addition-answers")
    assert scene("opening", user=False).reference == ours["grokking"].run
    assert scene("finale", user=False).reference == ours["grokking"].run
    first, second = scene("opening", user=False)().epochs(answers)
    assert scene("finale", user=False)().moments(answers) == (first, second)
    said = " ".join(ours["grokking"].captions_of(answers))
    assert f"by epoch {first:,}, the rest by {second:,}: that is grokking." in said
    assert f"by {second:,}" in scene("finale", user=False)().claim(answers).sentence


@pytest.mark.parametrize(
    ("changed", "run", "said"),
    [
        ({}, "modular-addition-answers", "here of a second run from the same start"),
        ({"epochs": 7}, "modular-addition-answers", "here of a second run from the same start"),
        ({"seed": 1}, None, "here of another run"),
        ({"weight-decay": 0.5}, None, "here of another run"),
    ],
)
def test_it_says_whose_inside_it_shows(changed: dict[str, Any], run: str | None, said: str) -> None:
    thread = scene("thread", user=False)()
    data = load(None, thread.needs, default=thread.reference).copy()
    data.attrs["settings"] = json.dumps(json.loads(data.attrs["settings"]) | changed)
    ours = {chapter.name: chapter for chapter in thread.chapters(data)}
    assert ours["grokking"].run == run
    assert said in ours["string"].captions_of(data)[0]


def test_a_frequency_has_one_colour_in_all_chapters() -> None:
    (finale,) = [chapter for chapter in chapters() if chapter.scene == "finale"]
    thread = scene("thread", user=False)()
    data = load(None, thread.needs, default=thread.reference)
    drawn = scene("finale", user=False).with_options(finale.options)
    answers = load("modular-addition-answers")
    palette, rings = drawn.palette(), drawn.rings(answers).keys
    assert palette == coloured(data) != coloured(answers)
    assert set(rings) <= set(palette)
    # as many circles as waves that are told of before
    assert list(rings) == key_frequencies(data)
    with pytest.raises(InputError, match="no list of frequencies"):
        scene("finale", user=False)(colours="14 blue").palette()


@pytest.mark.parametrize(
    ("wish", "said"),
    [({"a": 500}, "a=500, b=95 are not both below"), ({"neuron": 3}, "3 is not stored")],
)
def test_a_wrong_wish_is_refused_before_the_first_chapter(wish: dict[str, int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        chapters(**wish)


def test_its_data_are_those_of_its_chapters() -> None:
    ours = scenes(user=False)
    needed = {need for chapter in chapters() for need in ours[chapter.scene].needs
              if ours[chapter.scene].reference == ours["thread"].reference}  # fmt: skip
    assert needed <= set(ours["thread"].needs)


@pytest.mark.slow
def test_an_option_changes_its_own_chapters_only() -> None:
    def changed(**options: Any) -> list[str]:
        pairs = zip(chapters(), chapters(**options), strict=True)
        return [one.name for one, two in pairs if one != two]

    neurons = load(None, default="modular-addition")["neuron"].values
    assert changed(a=5) == ["string", "chorus"]
    assert changed(neuron=int(neurons[-1])) == ["neuron"]


def test_its_end_card_names_the_work_and_its_sources() -> None:
    card = scene("credits", user=False)()
    said = card.alt_text(load(None, card.needs, default=card.reference), 0)
    for name in ("Neel Nanda and Tom Lieberum", "Nanda, Chan, Lieberum, Smith, Steinhardt 2023",
                 "arXiv:2301.05217", "Power", "arXiv:2201.02177"):  # fmt: skip
        assert name in said


# --- sections as chapters --------------------------------------------------------------


def kept(folder: Path) -> FilmFrames:
    sections = (("one", 0), ("two", 30), ("three", 50))
    captions = (Caption(0, 20, "a"), Caption(20, 35, "b"), Caption(35, 60, "c"))
    return FilmFrames(folder, Fraction(10), (60,), sections, captions)


def test_sections_that_follow_one_another_are_a_span(tmp_path: Path) -> None:
    film = kept(tmp_path)
    assert film.span("one+two") == (0, 50)
    assert film.span("two+three") == (30, 60)
    with pytest.raises(InputError, match="do not follow one another"):
        film.span("one+three")
    with pytest.raises(InputError, match="there is no section for"):
        film.span("one+for")


def test_captions_of_a_section_begin_with_it(tmp_path: Path) -> None:
    film = kept(tmp_path)
    assert film.captions_of() == film.captions
    assert film.captions_of("two") == (Caption(0, 5, "b"), Caption(5, 20, "c"))
    assert film.captions_of("two+three") == (Caption(0, 5, "b"), Caption(5, 30, "c"))


@pytest.mark.slow
@needs_manim
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_chapter_of_a_section_draws_no_other(here: None, cache: Path) -> None:
    from grokviz.render.films.engine import film_frames

    film = scene("spin")()
    data = load(None, film.needs)
    (job,) = plan(film, "a.mp4", (), render_options({"quality": "l", "fps": 5}))
    whole = film_frames(job, data)
    part = film_frames(replace(job, section="wind", alone=True), data)
    start, stop = whole.span("wind")
    # nothing of the section before has to leave the screen first
    assert stop - start - 5 <= len(part) < stop - start
    assert part.span("wind") == (0, len(part))
    assert part.captions_of("wind") == (Caption(0, len(part), "Dots wind."),)
    shown = list(part.frames())
    same = list(whole.frames(stop - len(shown), stop))
    assert len(shown) > 12
    # what fades in for a second is there at once where a film begins
    for one, two in zip(shown[6:], same[6:], strict=True):
        np.testing.assert_array_equal(one, two)
    assert (shown[0] == two[0, 0]).mean() > 0.95, "the square is gone"


# --- other references -------------------------------------------------------------------


def test_what_is_shown_beside_is_there_and_decides_the_film(monkeypatch: Any) -> None:
    films = [film for film in FILMS.values() if film.also]
    assert films
    for film in films:
        before = film_cache.also_hash(film())
        assert set(before) == set(film.also)
        for name, needs in film.also.items():
            assert name in references()
            load(name, needs)
        name, needs = next(iter(film.also.items()))
        data = load(name, needs).copy(deep=True)
        data[needs[0]] = data[needs[0]] * 2

        def changed(asked: str, needs: Any, name: str = name, data: Any = data) -> Any:
            return data if asked == name else load(asked, needs)

        monkeypatch.setattr("grokviz.dataset.references.reference.load", changed)
        assert film_cache.also_hash(film())[name] != before[name]
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("rounding", "seeds", "there is none in float32"),
        ("phase-change-to-grokking", "seeds", "two training fractions or more"),
        ("opening", "repeated-subsequence-320", "needs a run that groks"),
    ],
)
def test_runs_that_do_not_show_it_are_refused(name: str, source: str, said: str) -> None:
    film = FILMS[name]()
    with pytest.raises(InputError, match=re.escape(said)):
        film.alt_text(load(source, film.needs), 0)
