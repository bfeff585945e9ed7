"""Every scene there is, whatever it draws: what a reader, a film and a command rely on."""

from __future__ import annotations

import hashlib
import itertools
import logging
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest
import xarray as xr
from colour_vision import contrast
from hostile_settings import hostile, set_to
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from grokviz.dataset import schema
from grokviz.dataset.numerics.curves import PHASES
from grokviz.dataset.references.reference import load, references
from grokviz.errors import InputError
from grokviz.media import Painter
from grokviz.media.theme import PALETTES, SLIDE_DPI
from grokviz.render.drawing import build, frames_of
from grokviz.render.job import render_options
from grokviz.render.listing import listing
from grokviz.render.plan import plan
from grokviz.render.render import render
from grokviz.scene import clock as clocks
from grokviz.scene import drawing_in
from grokviz.scene.data import drawn_of
from grokviz.scene.registry import scenes

SCENES = {name: s for name, s in scenes(user=False).items() if s.engine == "matplotlib"}
MOVING = [name for name, scene in SCENES.items() if scene.clock is not None]
MOMENTS = ("0", "grok-3000", "last")
FEW = ("embedding-waves", "neuron-clusters", "progress-measures")
"""One of waves, one of neurons and one of all measures: where a second run or page is slow."""
DOTS = {"wide": 72.0, "narrow": 72.0, "slide": 50.0, "film": 50.0}
"""Few dots an inch, for speed: every length is in ems or points."""
SMALLEST = 28.0  # pixels on a slide of 1080 lines
STILL = 4.0  # seconds

MEDIA: dict[str, dict[str, Any]] = {
    "wide": {"out": "a.pdf"},
    "narrow": {"out": "a.pdf", "venue": "icml", "columns": 1},
    "slide": {"out": "a.png"},
    "film": {"out": "a.mp4"},
}


@dataclass(frozen=True)
class Written:
    """A text as it was drawn: where it is, how large its type, in which colour."""

    text: str
    box: Any
    points: float
    colour: Any


@dataclass(frozen=True)
class View:
    """One moment as it was drawn: its page, its pixels and its texts."""

    page: Any
    picture: np.ndarray
    texts: list[Written]

    @property
    def digest(self) -> str:
        return hashlib.blake2b(np.ascontiguousarray(self.picture).tobytes()).hexdigest()


class Drawn:
    """A scene on its page, drawn once and moved to any moment."""

    def __init__(
        self,
        name: str,
        medium: str = "slide",
        theme: str = "light",
        data: xr.Dataset | None = None,
        **options: Any,
    ) -> None:
        self.scene = SCENES[name].with_options(options)
        wanted = self.scene.variables()
        if data is None and wanted != self.scene.needs:
            # what an option draws besides
            data = load(None, wanted, default=self.scene.reference)
        self.data = of(name) if data is None else data
        wish = dict(MEDIA[medium])
        (job,) = plan(self.scene, wish.pop("out"), (), render_options({"theme": theme, **wish}))
        self.job = replace(job, page=replace(job.page, dpi=DOTS[medium]))
        with drawing_in(self.job.theme, ghost=self.job.ghost):
            self.figure, self.sheet, self.drawing = build(self.job, self.data)
        self.canvas = FigureCanvasAgg(self.figure)

    def show(self, i: int) -> View:
        """The picture at clock index ``i``, and its texts but no others (ticks beyond the ends)."""
        seen: list[Text] = []
        plain = Text.draw

        def draw(text: Text, *arguments: Any, **more: Any) -> Any:
            if text.get_visible() and text.get_text().strip() and text.get_alpha() != 0:
                seen.append(text)
            return plain(text, *arguments, **more)

        ghost = self.job.ghost
        with pytest.MonkeyPatch.context() as patch, drawing_in(self.job.theme, ghost=ghost):
            patch.setattr(Text, "draw", draw)
            self.sheet.show(i)
            self.drawing.update(i)
            self.canvas.draw()
        texts = [
            Written(t.get_text(), t.get_window_extent(), t.get_fontsize(), t.get_color())
            for t in dict.fromkeys(seen)
        ]
        return View(self.figure.bbox.frozen(), np.array(self.canvas.buffer_rgba()), texts)


@lru_cache(maxsize=4)
def views(name: str, medium: str = "slide") -> dict[str, View]:
    """A scene's moments, drawn once for all tests that look at them."""
    drawn = Drawn(name, medium)
    return {m: drawn.show(index_of(drawn.scene, drawn.data, m)) for m in moments(drawn.scene)}


@lru_cache(maxsize=1)
def drawn_again(name: str) -> dict[str, View]:
    """The same in the other order, from the variables that the scene names and nothing else."""
    drawn = Drawn(name, data=narrow_data(name))
    return {
        moment: drawn.show(index_of(drawn.scene, of(name), moment))
        for moment in reversed(moments(drawn.scene))
    }


def narrow_data(name: str) -> xr.Dataset:
    """The variables that a scene names, and coordinates."""
    whole = of(name)
    return whole[list(drawn_of(SCENES[name](), whole))].assign_coords(whole.coords)


def of(name: str) -> xr.Dataset:
    scene = SCENES[name]
    lacking = sorted(set(scene.needs) - set(load(None, default=scene.reference).data_vars))
    if lacking:  # for which a test of its own fails
        pytest.skip(f"the reference {scene.reference} has no {', '.join(lacking)}")
    return load(None, scene.needs, default=scene.reference)


def index_of(scene: Any, data: xr.Dataset, moment: str) -> int:
    if scene.clock is None:
        return 0
    between = len(data[scene.clock]) // 3
    try:
        found = clocks.index_of(data, scene.clock, moment)
    except InputError:  # a reference that did not grok, or a clock that starts later
        return 0 if moment == "0" else between
    return found or between if moment == "grok-3000" else found  # one that grokked before 3,000


def moments(scene: Any) -> tuple[str, ...]:
    return MOMENTS if scene.clock is not None else ("last",)


def em(text: Written, dpi: float) -> float:
    return text.points * dpi / 72


# --- what it says of itself ----------------------------------------------------


@pytest.mark.parametrize("name", SCENES)
def test_it_says_what_it_is(name: str) -> None:
    scene = SCENES[name]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert (scene.__doc__ or "").strip().endswith(".")
    assert re.fullmatch(r"[A-Z][^\n$]+[^.\s]", scene.title)
    assert len(scene.title.split()) >= 4, "the title is a sentence that the picture argues"
    assert scene.watch
    assert scene.source
    assert re.search(r"thread|tweet|figure|section|notebook|arXiv", scene.source)
    assert scene.aspect > 0
    assert scene.narrow_aspect > 0
    assert scene.stills


@pytest.mark.parametrize("name", SCENES)
def test_what_it_needs_is_known_and_in_its_reference(name: str) -> None:
    scene = SCENES[name]
    assert scene.needs
    assert len(set(scene.needs)) == len(scene.needs)
    rows, known = schema.describe(scene.needs), schema.variables()
    for key, row in rows.items():
        assert row["long_name"]
        assert row["units"] or known[key].dtype.startswith(("U", "<U", "str"))
        assert row["definition"]
        assert row["source"]
    assert scene.reference in references()
    data = load(None, default=scene.reference)
    schema.check(data, scene.needs)
    if scene.clock is not None:
        steps = np.diff(data[scene.clock].values)
        assert np.all(steps > 0) or np.all(steps < 0)


TWICE = [
    pytest.param(name, marks=[pytest.mark.slow] if n % 3 else []) for n, name in enumerate(SCENES)
]
"""Scenes, of which one in three is drawn twice in ``make test``."""


@pytest.mark.parametrize("name", TWICE)
def test_it_reads_nothing_else(name: str) -> None:
    """It is drawn from the variables that it names, and from coordinates."""
    scene, data = SCENES[name](), narrow_data(name)
    assert drawn_again(name)["last"].digest == views(name)["last"].digest
    i = index_of(scene, of(name), "last")
    scene.film_span(data)
    assert scene.alt_text(data, i)
    assert scene.caption(data)
    if scene.clock is not None:
        with pytest.raises(InputError, match=f"moves along {scene.clock}|needs the coordinate"):
            scene.check(data.drop_vars(scene.clock))


@pytest.mark.parametrize("name", SCENES)
def test_its_options_are_documented(name: str) -> None:
    (listed,) = [row for row in listing(user=False) if row["name"] == name]
    typed = {field.name.replace("_", "-") for field in fields(SCENES[name])}
    assert set(listed["options"]) == typed
    for key, row in listed["options"].items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key)
        assert row["help"], key
        assert row["type"], key
        assert "<" not in row["type"], f"{key}: {row['type']} is not for a reader"
        assert SCENES[name].with_options({key: shown(row["default"])}) == SCENES[name]()


def shown(value: Any) -> str:
    """A default as it would be typed."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize("name", SCENES)
def test_its_caption_cites(name: str) -> None:
    caption = SCENES[name]().caption(of(name))
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|doi\.org|https?://", caption)
    assert caption.endswith(".")
    assert caption.count("$") % 2 == 0


@pytest.mark.parametrize("name", SCENES)
def test_its_alt_text_is_of_the_data(name: str) -> None:
    scene, data = SCENES[name](), of(name)
    said = [scene.alt_text(data, index_of(scene, data, moment)) for moment in moments(scene)]
    for text in said:
        assert len(text) > 60
        assert re.search(r"\d", text)
        assert text.endswith(".")
        assert not re.search(r"nan|\binf\b|None|\$|\n|  ", text), text
    if scene.clock is not None:
        values = data[scene.clock].values
        for moment, text in zip(moments(scene), said, strict=True):
            value = f"{values[index_of(scene, data, moment)]:g}"
            numbers = text.replace(",", "")
            assert re.search(rf"\b{value}\b", numbers), f"{value} is not in: {text}"
        assert len(set(said)) == len(said)
    other, rng = data.copy(), np.random.default_rng(0)
    for key in scene.needs:
        if data[key].dtype.kind == "f":
            other[key] = data[key] * rng.uniform(0.5, 1.5, data[key].shape)
    assert scene.alt_text(other, index_of(scene, data, "last")) != said[-1]


# --- what it looks like --------------------------------------------------------


PAGES = [
    pytest.param(name, medium, marks=[pytest.mark.slow] * (medium != "slide" and name not in FEW))
    for name in SCENES
    for medium in MEDIA
    if medium != "film"
]
"""All scenes on a slide; some in a column, where room is least, and over both columns."""


@pytest.mark.parametrize(("name", "medium"), PAGES)
def test_texts_are_inside_apart_and_large_enough(name: str, medium: str) -> None:
    for moment, view in views(name, medium).items():
        assert view.texts
        where = f"{name}, {medium}, {moment}"
        for text in view.texts:
            b, page = text.box, view.page
            inside = page.x0 - 1 <= b.x0 and b.x1 <= page.x1 + 1
            inside = inside and page.y0 - 1 <= b.y0 and b.y1 <= page.y1 + 1
            assert inside, f"{where}: {text.text!r} is outside the picture"
            if medium == "slide":
                tall = em(text, SLIDE_DPI)
                assert tall >= SMALLEST, f"{where}: {text.text!r} is {tall:.1f} px high"
        touching = list(overlaps(view.texts, DOTS[medium]))
        assert touching == [], f"{where}: {touching}"


def overlaps(texts: list[Written], dpi: float) -> Iterator[tuple[str, str]]:
    """Pairs of texts whose boxes, a little smaller than drawn, overlap."""
    boxes = [(text, text.box, 0.12 * em(text, dpi)) for text in texts]
    for (one, a, r), (two, b, s) in itertools.combinations(boxes, 2):
        across = min(a.x1 - r, b.x1 - s) - max(a.x0 + r, b.x0 + s)
        down = min(a.y1 - r, b.y1 - s) - max(a.y0 + r, b.y0 + s)
        if across > 0 and down > 0:
            yield one.text, two.text


STARTS = ("fraction-sweep", "seeds", "slingshots", "spectra")
"""Films that began with texts over one another, or with empty panels."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in STARTS else [pytest.mark.slow]) for n in MOVING]
)
def test_a_film_begins_with_something_and_its_texts_are_apart(name: str) -> None:
    drawn = Drawn(name, "film")
    frames = np.unique(frames_of(drawn.job, drawn.data))
    for share in (0, 0.3, 1):
        i = int(frames[int(share * (len(frames) - 1))])
        view = drawn.show(i)
        touching = list(overlaps(view.texts, DOTS["film"]))
        assert touching == [], f"at {share:.0%} of the film: {touching}"
        if share == 0:
            begun = [begins(axes) for axes in drawn.figure.findobj(Axes)]
            assert name in BARE or 2 * sum(begun) >= len(begun), "most of its panels are empty"


BARE = {"log-softmax-rounding", "path", "race-inside", "singular-values", "tensors"}
"""Of steps and of ways, of which there is none yet, of lines that are grey before they are drawn,
and of a dot whose value stands in the corner.
"""


def begins(axes: Axes) -> bool:
    """Whether there is something of the data in a panel: a line, a dot, a bar or a picture."""
    lines = [line for line in axes.lines if line.get_transform() == axes.transData]
    points = [np.asarray(line.get_xydata(), float) for line in lines if line.get_visible()]
    for group in axes.collections:
        if not group.get_visible():
            continue
        if group.get_offset_transform() == axes.transData:
            points.append(np.ma.filled(group.get_offsets().astype(float), np.nan))
        else:
            points += [np.asarray(path.vertices, float) for path in group.get_paths()]
    points += [
        np.asarray(patch.get_path().vertices, float)
        for patch in axes.patches
        if patch.get_visible() and patch.get_data_transform() == axes.transData
    ]
    # a single dot at the edge is not seen
    return bool(axes.images) or any(
        len(np.unique(xy[np.isfinite(xy).all(axis=1)], axis=0)) > 1 for xy in points
    )


@pytest.mark.parametrize("name", MOVING)
def test_nothing_stands_still_for_long_in_a_film(name: str) -> None:
    """No moment is held longer than 4 seconds, the last one included."""
    (job,) = plan(SCENES[name](), "a.mp4", (), render_options({}))
    shown = [len(list(same)) for _, same in itertools.groupby(frames_of(job, of(name)).tolist())]
    assert len(shown) > 1
    assert max(shown) / job.quality.fps <= STILL


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if k % 4 else []) for k, n in enumerate(SCENES)],
)
def test_it_is_drawn_on_dark_ground_too(name: str) -> None:
    from matplotlib.colors import to_hex

    scene, inked = SCENES[name](), {}
    dark = Drawn(name, theme="dark").show(index_of(scene, of(name), "last"))
    for theme, view in (("light", views(name)["last"]), ("dark", dark)):
        ground, picture = PALETTES[theme].background, view.picture[..., :3]
        for text in view.texts:
            ratio = contrast(to_hex(text.colour), ground)
            assert ratio > 2.0, f"{name}, {theme}: {text.text!r} has contrast {ratio:.1f}"
        assert to_hex(picture[2, 2] / 255) == ground
        inked[theme] = (picture != picture[2, 2]).any(axis=-1).sum()
    # as much is drawn as on white: nothing has the colour of one ground alone
    assert inked["dark"] > 0.8 * inked["light"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_a_users_settings_change_nothing(name: str) -> None:
    with set_to(hostile()):
        drawn = Drawn(name)
        again = drawn.show(index_of(drawn.scene, drawn.data, "last"))
    assert again.digest == views(name)["last"].digest


@pytest.mark.parametrize("name", [one for one in TWICE if one.values[0] in MOVING])
def test_update_sets_all_that_a_moment_needs(name: str) -> None:
    """A moment looks the same whatever was shown before it."""
    here, there = ({m: v.digest for m, v in f(name).items()} for f in (views, drawn_again))
    assert here == there
    assert list(here) != list(there), "shown in the same order"
    assert len(set(here.values())) == 3, "it does not move"


def choices() -> Iterator[tuple[str, str, Any]]:
    """Scene, option and value for every value that can be listed and is not the default."""
    for name, scene in SCENES.items():
        hints = typing.get_type_hints(scene)
        for field in fields(scene):
            hint = hints[field.name]
            listed = get_args(hint) if get_origin(hint) is Literal else ()
            for value in (True, False) if hint is bool else listed:
                if value != field.default:
                    yield name, field.name, value


AS_IT_IS = {
    ("arrays", "show", "scatter"),
    ("spectra", "time", "linear"),
    ("heads", "time", "linear"),
}
"""What the reference's own array or clock is drawn as without being asked."""


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        pytest.param(*one, marks=[pytest.mark.slow] if k % 4 else [])
        for k, one in enumerate(choices())
    ],
)
def test_every_choice_of_an_option_is_drawn(name: str, option: str, value: Any) -> None:
    i = index_of(SCENES[name](), of(name), "last")
    drawn = Drawn(name, **{option: value}).show(i)
    same = drawn.digest == views(name)["last"].digest
    assert same == ((name, option, value) in AS_IT_IS), "it changes nothing"


# --- its film --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in FEW else [pytest.mark.slow]) for n in MOVING]
)
def test_its_film_is_drawn_in_layers(name: str, caplog: pytest.LogCaptureFixture) -> None:
    scene, data = SCENES[name](), of(name)
    (job,) = plan(scene, "a.mp4", (), render_options({"quality": "l", "duration": 4}))
    span = scene.film_span(data) or (-np.inf, np.inf)
    values = data[job.scene.clock].values
    inside = np.flatnonzero((values >= span[0]) & (values <= span[1]))
    assert inside.size > 1
    with drawing_in(job.theme, ghost=job.ghost), caplog.at_level(logging.WARNING):
        figure, sheet, drawing = build(job, data)
        painter = Painter(figure, [drawing.moving, sheet.moment])
        for end in np.unique(np.linspace(0, inside.size - 1, 3).round().astype(int)):
            # several in a row, as in a film, since what stands still is repeated
            for i in inside[max(0, end - 4) : end + 1]:
                sheet.show(int(i))
                drawing.update(int(i))
                frame = painter.frame()
            np.testing.assert_array_equal(frame, painter.full(), f"{scene.clock} {values[i]}")
    assert painter.layered
    # a phase is shaded when it is over
    assert painter.redrawn <= len(PHASES)
    assert caplog.records == []


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if k else []) for k, n in enumerate(MOVING)]
)
def test_its_film_is_decoded_frame_by_frame(
    name: str, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    import av

    with caplog.at_level(logging.WARNING):
        (path,) = render(name, of(name), tmp_path / "a.mp4", quality="l", duration=2, hold=0.5)
    assert caplog.records == []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (854, 480, 15)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 30
    assert (frames[0] != frames[-1]).any()
    mean = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(frames)]
    assert max(mean[-7:]) < 0.5, "the end does not stand still"
    enough = min(11, len(of(name)[SCENES[name].clock]) - 2)
    assert sum(m > 0 for m in mean[:22]) > enough, "it hardly moves"
