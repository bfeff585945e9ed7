"""A scene drawn of two runs side by side, on common axes and one clock."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from grokviz.dataset.families import pairs
from grokviz.errors import InputError
from grokviz.render.composing import COLUMN, Composed
from grokviz.render.engine import engine_of
from grokviz.render.fitting import fit, ruler
from grokviz.scene import clock as clocks
from grokviz.scene.claim import Claim
from grokviz.scene.drawing import Drawing
from grokviz.scene.scene import Scene, drawing_of
from grokviz.scene.style import style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

CLOCK = "compared_epoch"

NAME = 1.9
"""Ems above each half for the name of its run; on a slide also for what is true of it."""

SENTENCE = 2.4

ALIKE = 1e-6
"""Two scales of axes are one where they differ by no more than this share."""


@dataclass(frozen=True)
class Compared(Scene):
    """A scene of two runs, the first at the left, or above; :func:`of_two` makes one."""

    drawn: ClassVar[Scene]

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Each run on its own SubFigure, below its name."""
        parts = pairs.separated(data)
        halves: Any = figure.subfigures(*self._grid(figure), wspace=0, hspace=0)
        drawings, rooms = [], []
        for half, part in zip(halves.ravel() if hasattr(halves, "ravel") else halves, parts,
                              strict=True):  # fmt: skip
            half.set_facecolor("none")
            room = self._headed(half, part)
            drawings.append(drawing_of(self.drawn, room, part))
            rooms.append(list(room.axes))

        def move(i: int) -> None:
            for drawing, part in zip(drawings, parts, strict=True):
                drawing.update(self._index(data, part, i))

        def update(i: int) -> None:
            move(i)
            # names beside curves stand by the limits of their axes
            if _share(rooms):
                move(i)

        _share(rooms)
        return Drawing([drawing.moving for drawing in drawings], update)

    def claim(self, data: xr.Dataset) -> Claim:
        """The claims of both runs."""
        parts = pairs.separated(data)
        claims = [self.drawn.claim(part) for part in parts]
        words = [f"{_name(part)}: {own.sentence}" for part, own in zip(parts, claims, strict=True)]
        numbers = {
            f"{name} of {_name(part)}": value
            for part, own in zip(parts, claims, strict=True)
            for name, value in own.numbers.items()
        }
        watch = claims[0].watch if claims[0].watch == claims[1].watch else self.drawn.watch
        return Claim("; ".join(words), watch, all(own.holds for own in claims), numbers)

    def heading(self, data: xr.Dataset) -> str:
        """The names of both runs: what is true of each stands above it."""
        first, second = map(_name, pairs.separated(data))
        return f"{self.drawn.name}: {first} beside {second}"

    def description(self, data: xr.Dataset, i: int) -> str:
        """What each half shows at that moment."""
        return " ".join(
            f"{_name(part)}: {self.drawn.description(part, self._index(data, part, i))}"
            for part in pairs.separated(data)
        )

    def definition(self, data: xr.Dataset) -> str:
        """That of the scene, with what is common to both."""
        own = self.drawn.definition(pairs.separated(data)[0])
        return f"Two runs on common axes, each at its last checkpoint up to the moment. {own}"

    def ends(self, data: xr.Dataset) -> str:
        """From when on what is drawn of either is no number."""
        told = [(part, self.drawn.ends(part)) for part in pairs.separated(data)]
        return "; ".join(f"{_name(part)}: {words}" for part, words in told if words)

    def film_span(self, data: xr.Dataset) -> tuple[float, float] | None:
        """From the first moment worth showing of either run to the last."""
        spans = [self.drawn.film_span(part) for part in pairs.separated(data)]
        ends = [span for span in spans if span is not None]
        if len(ends) < len(spans):
            return None
        return min(start for start, _ in ends), max(stop for _, stop in ends)

    def changed_options(self) -> dict[str, Any]:
        """The options of the scene."""
        return self.drawn.changed_options()

    def aspect_at(self, ems: float) -> float:
        """Width over height of both together."""
        columns = 2 if ems >= 2 * COLUMN else 1
        share = 1 / columns
        high = share / self.drawn.aspect_at(share * ems) + NAME / ems
        return columns / (2 * high)

    def _grid(self, figure: FigureBase) -> tuple[int, int]:
        """Rows and columns of the two halves."""
        return (1, 2) if style().ems(figure)[0] >= 2 * COLUMN else (2, 1)

    def _headed(self, half: Any, part: xr.Dataset) -> Any:
        """Write the run's name, on a slide also what is true of it; the room below."""
        current_style = style()
        wide, high = current_style.ems(half)
        small = current_style.small / current_style.points
        words = self.drawn.claim(part).sentence if current_style.slide else ""
        text = fit(words, wide - 3.0, ruler(half, current_style.points), (small, small), 2)
        top = NAME + (SENTENCE if len(text.lines) > 1 else 0.5 * SENTENCE) * bool(words)
        header, room = half.subfigures(2, 1, height_ratios=(top, max(high - top, 1.0)), hspace=0)
        for one in (header, room):
            one.set_facecolor("none")
        look: dict[str, Any] = {"va": "top", "parse_math": False}
        header.text(
            1.4 / wide, 1 - 0.3 / top, _name(part), fontweight="bold",
            fontsize=current_style.points, **look,
        )  # fmt: skip
        if words:
            header.text(
                1.4 / wide, 1 - (NAME - 0.1) / top, text.text, fontsize=current_style.small,
                color=current_style.colours.muted, linespacing=1.15, **look,
            )  # fmt: skip
        return room

    def _index(self, data: xr.Dataset, part: xr.Dataset, i: int) -> int:
        """The index of a run's own clock at a moment: its last checkpoint up to then."""
        own = self.drawn.clock
        if own is None:
            return 0
        index = clocks.index_up_to(part, own, float(data[CLOCK].values[i]))
        gone = clocks.gone_from(part, own, self.drawn.variables())
        return index if gone is None else min(index, gone - 1)


def of_two(scene: Scene) -> Scene:
    """The scene of two runs: as it draws them itself, else both side by side.

    What draws several runs, a film, and a figure of several panels are returned as they are.
    """
    from grokviz.dataset.families import family

    if isinstance(scene, Composed) or family.draws(scene.variables()):
        return scene
    own = scene.of_two()
    if own is not None or not engine_of(scene).panels:
        return own or scene
    scene = scene.alone()
    clock = scene.clock
    if clock is not None and not clocks.is_time(clock):
        raise InputError(
            f"{scene.name} moves along {clock} rather than through training, so two runs have no "
            "clock in common; give one --run"
        )
    kind = type(scene)

    def check(_: type[Scene], data: xr.Dataset) -> None:
        """Raise InputError unless both runs have what the scene needs."""
        for part in pairs.separated(data):
            kind.check(part)

    attributes = {
        **{name: getattr(scene, name) for name in ("name", "title", "watch", "source", "needs",
                                                    "recipe", "reference")},
        "clock": None if clock is None else CLOCK,
        "drawn": scene,
        "check": classmethod(check),
        "variables": lambda _: scene.variables(),
        "__doc__": Compared.__doc__,
        "__module__": __name__,
    }  # fmt: skip
    compared: Scene = type("ComparedScene", (Compared,), attributes)()
    return compared


def data_of_two(scene: Compared, parts: Sequence[xr.Dataset], sources: Sequence[Any]) -> xr.Dataset:
    """The dataset of both runs, with the moments of either as their clock."""
    pairs.counted_alike(parts)
    data = pairs.joined(parts, names_of(parts, sources))
    own = scene.drawn.clock
    if own is not None:
        moments = np.unique(np.concatenate([part[own].values for part in parts]))
        data = data.assign_coords({CLOCK: (CLOCK, moments, {"long_name": "epochs of either run"})})
    return data


def data_of_paths(sources: Sequence[Any]) -> xr.Dataset:
    """The dataset of the paths of two runs in one plane.

    Raises InputError for what is no run directory: the plane is made of all checkpoints.
    """
    from grokviz.dataset.cache import analyze
    from grokviz.dataset.references.reference import resolve
    from grokviz.runs import Run
    from grokviz.tasks.any.pair import paths_of_two

    runs = [resolve(source) for source in sources]
    for source, run in zip(sources, runs, strict=True):
        if not isinstance(run, Run):
            what = source if isinstance(source, (str, os.PathLike)) else "a dataset"
            raise InputError(
                f"two paths in one plane are made of all checkpoints, and {what} has not got "
                "them; give two run directories"
            )
    parts = [analyze(run, ["logged_train_loss"], cache=False) for run in runs]
    pairs.counted_alike(parts)
    names = names_of(parts, sources)
    data = paths_of_two([run for run in runs if isinstance(run, Run)], names)
    return data.assign_attrs(pairs.attrs_of(parts, names))


def names_of(parts: Sequence[xr.Dataset], sources: Sequence[Any]) -> list[str]:
    """What two runs are called: with their folders where they have one name.

    Raises InputError for one run given twice.
    """
    names = [_name(part) for part in parts]
    if len({*names}) == len(names):
        return names
    places = [
        Path(one).resolve() if isinstance(one, (str, os.PathLike)) else getattr(one, "path", None)
        for one in sources
    ]
    if all(place is not None for place in places) and len({*places}) == len(places):
        folders = [Path(str(place)).parent.name for place in places]
        if len({*folders}) == len(folders):
            return [f"{folder}/{name}" for folder, name in zip(folders, names, strict=True)]
        return [str(place) for place in places]
    raise InputError(f"both runs are {names[0]}; give two that differ")


def _name(part: xr.Dataset) -> str:
    return str(part.attrs.get("run_name") or "the run")


def _share(rooms: Sequence[Sequence[Axes]]) -> bool:
    """Give axes of both halves that show the same the same limits; whether any has changed."""
    if len({len(axes) for axes in rooms}) > 1:
        return False
    changed = [_common_limits(one, other) for one, other in zip(*rooms, strict=True)]
    return any(changed)


def _common_limits(one: Axes, other: Axes) -> bool:
    """Limits of two axes around those of both, along what is the same of them."""
    pair = (one, other)
    if one.images or other.images or one.get_label() != other.get_label():
        return False
    before = [(axes.get_xlim(), axes.get_ylim()) for axes in pair]
    limits = {along: around for along in "xy" if (around := _around(pair, along)) is not None}
    square = len(limits) == 2 and all(_one_scale(axes) for axes in pair)
    for axes in pair:
        own = _squared(axes, limits) if square else limits
        axes.set(**{f"{along}lim": around for along, around in own.items()})
    return any(
        not np.allclose(old, (axes.get_xlim(), axes.get_ylim()), rtol=1e-9, atol=0)
        for old, axes in zip(before, pair, strict=True)
    )


def _around(pair: Sequence[Axes], along: str) -> tuple[float, float] | None:
    """Limits around those of both axes along x or y; None where these are of two things."""
    words = {
        (getattr(axes, f"get_{along}scale")(), getattr(axes, f"get_{along}label")())
        for axes in pair
    }
    own = [getattr(axes, f"get_{along}lim")() for axes in pair]
    turned = {low > high for low, high in own}
    if len(words) > 1 or len(turned) > 1:
        return None
    low, high = min(map(min, own)), max(map(max, own))
    return (high, low) if turned.pop() else (low, high)


def _one_scale(axes: Axes) -> bool:
    """Whether a pixel is as much along both axes."""
    units = [
        abs(high - low) / size
        for (low, high), size in (
            (axes.get_xlim(), axes.bbox.width), (axes.get_ylim(), axes.bbox.height)
        )
    ]  # fmt: skip
    return bool(abs(units[0] - units[1]) <= ALIKE * max(units))


def _squared(
    axes: Axes, limits: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Limits around these with the same scale along both axes."""
    sizes = {"x": axes.bbox.width, "y": axes.bbox.height}
    unit = max((high - low) / sizes[along] for along, (low, high) in limits.items())
    return {
        along: ((low + high - unit * sizes[along]) / 2, (low + high + unit * sizes[along]) / 2)
        for along, (low, high) in limits.items()
    }
