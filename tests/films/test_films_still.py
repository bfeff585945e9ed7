"""No shot of the thread stands still for longer than what is said below it is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from films_helper import needs_manim
from still import FPS, Still, of_manim, of_matplotlib

from grokviz.dataset.references.reference import load
from grokviz.media.motion import STAND
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.scene.data import load_for
from grokviz.scene.film import Chapter, Film
from grokviz.scene.registry import scene, scenes
from grokviz.scene.spoken import reading

OURS = scenes(user=False)
NAMES = list(OURS["thread"].parts)
DRAWN = ["opening", "induction", "gap", "many", "rounding", "credits", "answer"]
"""The chapters that are films of manim."""


def chapter_of(name: str) -> tuple[Chapter, Any, Any]:
    """A chapter of the thread, the scene that it shows, and the data of this."""
    thread = scene("thread", user=False)()
    assert isinstance(thread, Film)
    data = load(None, thread.needs, default=thread.reference)
    (chapter,) = [one for one in thread.chapters(data) if one.name == name]
    drawn = OURS[chapter.scene].with_options(chapter.options)
    return chapter, drawn, load_for(drawn, chapter.run, default=drawn.reference)


def check_moves(found: list[Still]) -> None:
    for one in found:
        assert one.captions, f"nothing is said from {one.start:.1f} s on"
        most = min(STAND, *map(reading, one.captions))
        assert one.seconds <= most, f"nothing moves for {one.seconds:.1f} s: {one}"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in DRAWN])
def test_a_figure_moves_while_it_is_read(name: str) -> None:
    chapter, drawn, data = chapter_of(name)
    asked = {"quality": "l", "fps": FPS, "duration": chapter.seconds, "hold": chapter.hold}
    (job,) = plan(drawn, "a.mp4", (), render_options(asked))
    found = of_matplotlib(replace(job, captions=chapter.captions_of(data)), data)
    assert sum(one.seconds for one in found) == pytest.approx(chapter.seconds, abs=1 / FPS)
    check_moves(found)


@needs_manim
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", DRAWN)
def test_a_film_moves_while_it_is_read(name: str) -> None:
    chapter, drawn, data = chapter_of(name)
    check_moves(of_manim(drawn, data, chapter.sections))


def test_a_stretch_of_equal_pictures_is_found() -> None:
    chapter, drawn, data = chapter_of("neuron")
    asked = {"quality": "l", "fps": FPS, "duration": chapter.seconds, "hold": STAND + 0.5}
    (job,) = plan(drawn, "a.mp4", (), render_options(asked))
    *_, last = of_matplotlib(replace(job, captions=chapter.captions_of(data)), data)
    assert last.seconds > STAND
    assert last.captions == chapter.captions_of(data)[-1:]
    with pytest.raises(AssertionError, match="nothing moves for 3"):
        check_moves([last])


def test_grokking_is_explained_before_it_is_spoken_of() -> None:
    said = []
    for name in NAMES[: NAMES.index("gap")]:
        chapter, drawn, data = chapter_of(name)
        said += [drawn.heading(data), *chapter.captions_of(data)]
    first = next(text for text in said if "grok" in text.lower())
    assert first.endswith("that is grokking.")
