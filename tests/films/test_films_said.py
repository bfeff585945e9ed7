"""What is said below chapters that are drawn with matplotlib."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from films_helper import needs_manim

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.media.film.captions import Caption
from grokviz.media.theme import theme
from grokviz.render.drawing import build
from grokviz.render.job import RenderJob, render_options
from grokviz.render.matplotlib import MATPLOTLIB
from grokviz.render.plan import plan
from grokviz.scene.data import drawn_of, load_for
from grokviz.scene.film import Chapter, Film
from grokviz.scene.registry import scene
from grokviz.scene.spoken import LONGEST, in_lines, reading, starts
from grokviz.scene.style import drawing_in

SAID = ("A few words.", "And so many more that they are read for longer, in two lines of text.")


def chapter_job(name: str, said: tuple[str, ...], **options: Any) -> RenderJob:
    asked = render_options({"quality": "l", "fps": 5, "duration": 3, "hold": 1})
    (job,) = plan(scene(name).with_options(options), "a.mp4", (), asked)
    return replace(job, captions=said)


def test_captions_share_the_time_as_they_are_read() -> None:
    begins = starts(SAID, 1000)
    assert begins[0] == 0
    assert begins[1] == round(1000 * reading(SAID[0]) / sum(map(reading, SAID)))
    assert starts(SAID[:1], 10) == [0]
    lines = in_lines(SAID[1])
    assert len(lines) == 2
    assert " ".join(lines) == SAID[1]
    assert max(map(len, lines)) < LONGEST
    assert in_lines(SAID[0]) == [SAID[0]]


def test_a_chapters_captions_are_those_of_its_data() -> None:
    data = load(None, ("embedding_plane",))
    assert Chapter("one", "wave-circles").captions_of(data) == ()
    assert Chapter("one", "wave-circles", captions=SAID).captions_of(data) == SAID
    counted = Chapter("one", "wave-circles", captions=lambda data: [str(data.sizes["residue"])])
    assert counted.captions_of(data) == ("113",)


def test_they_are_written_below_and_listed(tmp_path: Path) -> None:
    job = replace(chapter_job("embedding-waves", SAID), path=tmp_path / "a.mp4")
    data = load(None, job.scene.needs)
    facts = MATPLOTLIB.draw_chapter(job, data, None)
    middle = starts(SAID, 15)[1]
    assert facts.frames == 15
    assert facts.captions == (Caption(0, middle, SAID[0]), Caption(middle, 15, SAID[1]))
    assert job.path.stat().st_size


def boxes(job: RenderJob, data: Any) -> tuple[Any, list[tuple[Any, str]]]:
    """Where the last caption is, and everything else that is seen of the last frame, in pixels."""
    figure, sheet, drawing = build(job, data)
    drawing.update(0)
    count = len(job.captions)
    shown = sheet.with_captions([lambda: None] * (10 * count), job.captions, 1)
    assert len(shown) == 10 * count
    shown[-1]()
    assert sheet.caption is not None
    assert sheet.caption.get_alpha() == 1
    figure.canvas.draw()
    render: Any = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    others = [
        (one.get_window_extent(render), one.get_text())
        for one in figure.findobj(lambda a: hasattr(a, "get_text") and a.get_visible())
        if one is not sheet.caption and one.get_text().strip()
    ]
    return sheet.caption.get_window_extent(render), others


def check_room(job: RenderJob, data: Any) -> None:
    with drawing_in(job.theme, ghost=False):
        said, others = boxes(job, data)
    wide, high = job.page.pixels
    assert 0 < said.x0 < said.x1 < wide
    assert 0 < said.y0 < said.y1 < 0.2 * high
    touching = [text for box, text in others if box.overlaps(said)]
    assert touching == []


def test_nothing_touches_a_caption_of_two_lines() -> None:
    job = chapter_job("embedding-waves", SAID)
    check_room(job, load(None, job.scene.needs))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["grokking", "phase-change", "little-data", "string", "chorus", "embedding", "neuron",
     "digits"],
)  # fmt: skip
def test_nothing_touches_the_captions_of_the_thread(name: str) -> None:
    thread = scene("thread", user=False)()
    assert isinstance(thread, Film)
    chapters = thread.chapters(load(None, thread.needs, default=thread.reference))
    (chapter,) = [one for one in chapters if one.name == name]
    made = scene(chapter.scene).with_options(chapter.options)
    data = load(None, made.variables(), default=made.reference)
    check_room(chapter_job(chapter.scene, chapter.captions_of(data), **chapter.options), data)


# --- what a scene draws where it is there ------------------------------------------------


def test_what_is_wished_for_is_loaded_where_it_is_there() -> None:
    opening = scene("opening", user=False)()
    given = load_for(opening, None, default=opening.reference)
    assert set(opening.wishes) <= set(given)
    assert drawn_of(opening, given) == (*opening.needs, *opening.wishes)
    without = load_for(opening, "modular-addition", default=opening.reference)
    assert not set(opening.wishes) & set(without)
    assert drawn_of(opening, without) == opening.needs
    with pytest.raises(InputError, match="logged_train_loss"):
        load_for(opening, without.drop_vars("logged_train_loss"), default=opening.reference)


@needs_manim
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_opening_has_two_pictures(tmp_path: Path) -> None:
    from grokviz.render.films.engine import film_frames

    opening = scene("opening", user=False)()
    (job,) = plan(opening, "a.mp4", (), render_options({"quality": "l", "fps": 1}))
    small = replace(job, theme=theme("dark", "slide"))
    for source, lit in (("modular-addition-answers", True), ("modular-addition", False)):
        data = load_for(opening, source, default=opening.reference)
        film = film_frames(small, data)
        last = film.frame(len(film) - 1)[..., :3].astype(int)
        table = last[30:380, 60:400]
        ground = np.abs(table - last[2, 2]).max(axis=-1) > 60
        assert bool(ground.mean() > 0.25) is lit, source
