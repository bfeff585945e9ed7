"""Every scene there is, whatever it draws: what a reader, a film and a command rely on."""

from __future__ import annotations

import hashlib
import itertools
import logging
import re
import typing
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest
import xarray as xr
from colour_vision import contrast
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from grokviz.dataset import schema
from grokviz.dataset.references.reference import load, references
from grokviz.errors import InputError
from grokviz.media import Painter
from grokviz.media.theme import SLIDE_DPI
from grokviz.render.drawing import build
from grokviz.render.job import render_options
from grokviz.render.listing import listing
from grokviz.render.plan import plan
from grokviz.render.render import render
from grokviz.scene import clock as clocks
from grokviz.scene import drawing_in
from grokviz.scene.registry import scenes

SCENES = {name: s for name, s in scenes(user=False).items() if s.engine == "matplotlib"}
MOVING = [name for name, scene in SCENES.items() if scene.clock is not None]
MOMENTS = ("0", "grok-3000", "last")
DOTS = {"wide": 72.0, "narrow": 72.0, "slide": 50.0}
"""Few dots an inch, for speed: every length is in ems or points."""
SMALLEST = 28.0  # pixels on a slide of 1080 lines

MEDIA: dict[str, dict[str, Any]] = {
    "wide": {"out": "a.pdf"},
    "narrow": {"out": "a.pdf", "venue": "icml", "columns": 1},
    "slide": {"out": "a.png"},
}


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
        self.data = of(name) if data is None else data
        wish = dict(MEDIA[medium])
        (job,) = plan(self.scene, wish.pop("out"), (), render_options({"theme": theme, **wish}))
        self.job = replace(job, page=replace(job.page, dpi=DOTS[medium]))
        with drawing_in(self.job.theme):
            self.figure, self.sheet, self.artists = build(self.job, self.data)
        self.canvas = FigureCanvasAgg(self.figure)

    def index(self, moment: str) -> int:
        return index_of(self.scene, self.data, moment)

    def show(self, i: int) -> np.ndarray:
        """The picture at clock index ``i``."""
        with drawing_in(self.job.theme):
            self.sheet.show(i)
            self.scene.update(self.artists, self.data, i)
            self.canvas.draw()
        return np.array(self.canvas.buffer_rgba())

    def texts(self, i: int) -> list[Text]:
        """The texts that are drawn at ``i``, and no others (ticks beyond the ends, say)."""
        seen: list[Text] = []
        plain = Text.draw

        def draw(text: Text, *arguments: Any, **more: Any) -> Any:
            if text.get_visible() and text.get_text().strip() and text.get_alpha() != 0:
                seen.append(text)
            return plain(text, *arguments, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Text, "draw", draw)
            self.show(i)
        return list(dict.fromkeys(seen))


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


def pixels(picture: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(picture).tobytes()).hexdigest()


def box(text: Text) -> Any:
    return text.get_window_extent()


def em(text: Text, dpi: float) -> float:
    return text.get_fontsize() * dpi / 72


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
    rows = schema.describe(scene.needs)
    for key, row in rows.items():
        assert row["long_name"]
        assert row["units"] or schema.variable(key).dtype.startswith(("U", "<U", "str"))
        assert row["definition"]
        assert row["source"]
    assert scene.reference in references()
    data = load(None, default=scene.reference)
    schema.check(data, scene.needs)
    if scene.clock is not None:
        steps = np.diff(data[scene.clock].values)
        assert np.all(steps > 0) or np.all(steps < 0)


@pytest.mark.parametrize("name", SCENES)
def test_it_reads_nothing_else(name: str) -> None:
    """It is drawn from the variables that it names, and from coordinates."""
    scene, whole = SCENES[name](), of(name)
    data = whole[list(scene.needs)].assign_coords(whole.coords)
    i = index_of(scene, data, "last")
    Drawn(name, data=data).show(i)
    scene.film_span(data)
    assert scene.alt_text(data, i)
    assert scene.caption(data)
    if scene.clock is not None:
        with pytest.raises(InputError, match=f"moves along {scene.clock}|needs the coordinate"):
            scene.check(data.drop_vars(scene.clock))


@pytest.mark.parametrize("name", SCENES)
def test_its_options_are_documented(name: str) -> None:
    (listed,) = [row for row in listing(user=False) if row["name"] == name]
    assert listed["options"] == SCENES[name].options()
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
            numbers = text.replace(",", "").replace("\u2009", "")
            assert re.search(rf"\b{value}\b", numbers), f"{value} is not in: {text}"
        assert len(set(said)) == len(said)
    other, rng = data.copy(), np.random.default_rng(0)
    for key in scene.needs:
        if data[key].dtype.kind == "f":
            other[key] = data[key] * rng.uniform(0.5, 1.5, data[key].shape)
    assert scene.alt_text(other, index_of(scene, data, "last")) != said[-1]


# --- what it looks like --------------------------------------------------------


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("name", SCENES)
def test_texts_are_inside_apart_and_large_enough(name: str, medium: str) -> None:
    drawn = Drawn(name, medium)
    page = drawn.figure.bbox
    for moment in moments(drawn.scene):
        i = drawn.index(moment)
        texts = drawn.texts(i)
        assert texts
        where = f"{name}, {medium}, {moment}"
        for text in texts:
            b = box(text)
            inside = page.x0 - 1 <= b.x0 and b.x1 <= page.x1 + 1
            inside = inside and page.y0 - 1 <= b.y0 and b.y1 <= page.y1 + 1
            assert inside, f"{where}: {text.get_text()!r} is outside the picture"
            if medium == "slide":
                high = em(text, SLIDE_DPI)
                assert high >= SMALLEST, f"{where}: {text.get_text()!r} is {high:.1f} px high"
        touching = list(overlaps(texts, DOTS[medium]))
        assert touching == [], f"{where}: {touching}"


def overlaps(texts: list[Text], dpi: float) -> Iterator[tuple[str, str]]:
    """Pairs of texts whose boxes, a little smaller than drawn, overlap."""
    boxes = [(text, box(text), 0.12 * em(text, dpi)) for text in texts]
    for (one, a, r), (two, b, s) in itertools.combinations(boxes, 2):
        across = min(a.x1 - r, b.x1 - s) - max(a.x0 + r, b.x0 + s)
        down = min(a.y1 - r, b.y1 - s) - max(a.y0 + r, b.y0 + s)
        if across > 0 and down > 0:
            yield one.get_text(), two.get_text()


@pytest.mark.parametrize("name", SCENES)
def test_it_is_drawn_on_dark_ground_too(name: str) -> None:
    from matplotlib.colors import to_hex

    drawn = {theme: Drawn(name, theme=theme) for theme in ("light", "dark")}
    inked = {}
    for theme, one in drawn.items():
        ground = one.job.theme.colours.background
        for text in one.texts(one.index("last")):
            ratio = contrast(to_hex(text.get_color()), ground)
            assert ratio > 2.0, f"{name}, {theme}: {text.get_text()!r} has contrast {ratio:.1f}"
        picture = np.asarray(one.canvas.buffer_rgba())[..., :3]
        assert to_hex(picture[2, 2] / 255) == ground
        inked[theme] = (picture != picture[2, 2]).any(axis=-1).sum()
    # as much is drawn as on white: nothing has the colour of one ground alone
    assert inked["dark"] > 0.8 * inked["light"]


@pytest.mark.parametrize("name", MOVING)
def test_update_sets_all_that_a_moment_needs(name: str) -> None:
    """A moment looks the same whatever was shown before it."""
    one, two = Drawn(name), Drawn(name)
    first, middle, last = (one.index(moment) for moment in MOMENTS)
    here = {i: pixels(one.show(i)) for i in (last, first, middle)}
    there = {i: pixels(two.show(i)) for i in (first, middle, last)}
    assert here == there
    assert len(set(here.values())) == 3, "it does not move"


@pytest.mark.parametrize("name", SCENES)
def test_every_choice_of_an_option_is_drawn(name: str) -> None:
    scene = SCENES[name]
    plain: str | None = None
    for field, hint in typing.get_type_hints(scene).items():
        if field not in scene.__dataclass_fields__:
            continue
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        for value in (True, False) if hint is bool else choices:
            if value == scene.__dataclass_fields__[field].default:
                continue
            if plain is None:
                default = Drawn(name)
                plain = pixels(default.show(default.index("last")))
            drawn = Drawn(name, **{field: value})
            picture = pixels(drawn.show(drawn.index("last")))
            assert picture != plain, f"--set {field}={value} changes nothing"


# --- a run of one's own ------------------------------------------------------------


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small run that was stopped long before it learned anything."""
    pytest.importorskip("torch", reason="a run is trained with the [train] extra")
    from grokviz.training.loop import train

    path = tmp_path_factory.mktemp("runs") / "short"
    small = {"p": 13, "d-model": 16, "d-mlp": 32, "heads": 2, "epochs": 60, "checkpoint-every": 20}
    train("modular-addition", path, settings=small)
    return path


@pytest.mark.parametrize("name", [n for n, s in SCENES.items() if s.recipe == "modular-addition"])
def test_a_run_that_has_learned_nothing_is_drawn_too(name: str, short_run: Any) -> None:
    scene = SCENES[name]()
    drawn = Drawn(name, data=load(short_run, scene.needs))
    for i in (0, len(drawn.data[scene.clock]) - 1) if scene.clock else (0,):
        drawn.show(i)
        assert re.search(r"\d", scene.alt_text(drawn.data, i))
    scene.caption(drawn.data)
    scene.film_span(drawn.data)


# --- its film --------------------------------------------------------------------


@pytest.mark.parametrize("name", MOVING)
def test_its_film_is_drawn_in_layers(name: str, caplog: pytest.LogCaptureFixture) -> None:
    scene, data = SCENES[name](), of(name)
    (job,) = plan(scene, "a.mp4", (), render_options({"quality": "l", "duration": 4}))
    span = scene.film_span(data) or (-np.inf, np.inf)
    values = data[job.scene.clock].values
    inside = np.flatnonzero((values >= span[0]) & (values <= span[1]))
    assert inside.size > 1
    with drawing_in(job.theme), caplog.at_level(logging.WARNING):
        figure, sheet, artists = build(job, data)
        painter = Painter(figure, [artists["moving"], sheet.moment])
        for i in np.unique(np.linspace(0, inside.size - 1, 5).round().astype(int)):
            sheet.show(int(inside[i]))
            scene.update(artists, data, int(inside[i]))
            assert painter.check(), f"frame of {scene.clock} {values[inside[i]]}"
    assert painter.layered
    assert painter.redrawn == 0
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
