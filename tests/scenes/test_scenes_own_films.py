"""Films that move along nothing of the data, but a camera or hands: ``Scene.film_moments``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from grokviz.scenes.modular_addition._light import LAYER
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from test_scenes_all import DOTS, SCENES, Drawn, View, of, overlaps

import grokviz as gv
from grokviz.errors import InputError
from grokviz.media import Painter
from grokviz.media.film.cover import cover_of
from grokviz.media.pixels import read_picture
from grokviz.render.drawing import frames_of
from grokviz.render.job import render_options
from grokviz.render.plan import plan

OWN = [name for name, scene in SCENES.items() if scene.film_moments]
SHARES = (0.0, 0.1, 0.22, 0.36, 0.5, 0.62, 0.75, 0.86, 1.0)


def moment(name: str, share: float) -> int:
    return 1 + round(share * (SCENES[name].film_moments - 1))


def test_there_are_some() -> None:
    assert {"chorus", "string-to-circle"} <= set(OWN)
    assert all(SCENES[name].clock is None and SCENES[name].moves() for name in OWN)


@pytest.mark.parametrize(("duration", "hold"), [(16, 2), (1, 0), (0.1, 0)])
@pytest.mark.parametrize("name", OWN)
def test_its_frames_go_through_all_of_it(name: str, duration: float, hold: float) -> None:
    asked = render_options({"duration": duration, "hold": hold})
    (job,) = plan(SCENES[name](), "a.mp4", (), asked)
    frames = frames_of(job, of(name))
    assert len(frames) == round(duration * 30)
    assert frames[0] == 1
    assert frames[-1] == SCENES[name].film_moments
    assert (np.diff(frames) >= 0).all()
    assert (frames == frames[-1]).sum() == 30 * hold + 1
    (still,) = plan(SCENES[name](), "a.png", (), asked)
    assert frames_of(still, of(name)).tolist() == [0]


@pytest.mark.parametrize("name", OWN)
def test_it_has_no_epochs_to_choose(name: str) -> None:
    with pytest.raises(InputError, match=f"the film of {name} does not move along training"):
        plan(SCENES[name](), "a.mp4", (), render_options({"epochs": "0:100"}))


@pytest.mark.parametrize("name", OWN)
def test_its_texts_are_on_the_page_and_apart_all_through_it(name: str) -> None:
    drawn = Drawn(name, "film", theme="dark")
    views = [drawn.show(moment(name, share)) for share in SHARES]
    for share, view in zip(SHARES, views, strict=True):
        touching = list(overlaps(view.texts, DOTS["film"]))
        assert touching == [], f"at {share:.0%} of the film: {touching}"
        for text in view.texts:
            assert inside(view, text.box), f"at {share:.0%}: {text.text!r} is outside"
    assert len({view.digest for view in views}) > 6, "it hardly moves"


def inside(view: View, box: Any) -> bool:
    page = view.page
    return bool(page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1 and page.y0 - 1 <= box.y0
                and box.y1 <= page.y1 + 1)  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_a_moment_looks_the_same_whatever_was_before_it(name: str) -> None:
    drawn = Drawn(name, "film")
    shares = (0.0, 0.3, 0.6, 1.0)
    forwards = [drawn.show(i).digest for i in (0, *(moment(name, s) for s in shares))]
    backwards = [drawn.show(i).digest for i in (*(moment(name, s) for s in shares[::-1]), 0)]
    assert forwards == backwards[::-1]


@pytest.mark.parametrize("name", OWN)
def test_a_film_in_layers_has_the_pixels_of_full_draws(name: str) -> None:
    drawn = Drawn(name, "film")
    painter = Painter(drawn.figure, [drawn.drawing.moving, drawn.sheet.moment])
    from grokviz.scene import drawing_in

    with drawing_in(drawn.job.theme, ghost=drawn.job.ghost):
        for share in (0.05, 0.45, 0.95):
            drawn.drawing.update(moment(name, share))
            assert painter.check(), f"at {share:.0%}"


@pytest.mark.parametrize("name", ["logit-waves", "chorus"])
def test_the_crests_of_all_waves_stand_in_the_light_of_the_answer(name: str) -> None:
    drawn = Drawn(name)
    drawn.show(drawn.scene.index_of(of(name), None))
    light = [patch for patch in drawn.figure.findobj(Rectangle) if patch.get_alpha() == LAYER]
    middles = {round(middle(patch)) for patch in light}
    assert len(middles) == 1, "one light, through waves and sum"
    dots = [
        line.axes.transData.transform(line.get_xydata())[0]
        for line in drawn.figure.findobj(Line2D)
        if line.get_visible() and line.get_marker() == "o" and len(line.get_xydata()) == 1
    ]
    (x,) = middles
    inside = [dot for dot in dots if abs(dot[0] - x) < 1.5]
    # those of the waves at least: a sum's is a bar, or one of each moment
    assert len({round(y) for _, y in inside}) >= 5


def middle(patch: Rectangle) -> float:
    box = patch.get_window_extent()
    return float(box.x0 + box.x1) / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_the_still_stands_for_the_film(name: str, tmp_path: Path) -> None:
    (film,) = gv.render(name, of(name), tmp_path / "a.mp4", quality="l", fps=4, duration=1, hold=0)
    (still,) = gv.render(name, of(name), tmp_path / "a.png", quality="l", theme="dark")
    cover = cover_of(film)
    assert cover is not None
    shown, wanted = iio.imread(cover.jpeg).astype(int), read_picture(still)[..., :3].astype(int)
    assert np.abs(shown - wanted).mean() < 4
