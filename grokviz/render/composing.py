"""Several scenes as the lettered panels of one figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from grokviz.errors import InputError, nearest
from grokviz.options import key_of
from grokviz.render.engine import engine_of
from grokviz.render.fitting import ruler
from grokviz.scene.claim import Claim
from grokviz.scene.clock import is_time
from grokviz.scene.drawing import Drawing
from grokviz.scene.phases import see_through
from grokviz.scene.registry import scene as find_scene
from grokviz.scene.scene import Scene, drawing_of
from grokviz.scene.style import NARROW, Label, chip, noting_labels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

COLUMN = 25.5
"""Ems that a panel needs beside another: those of a paper's narrowest column."""

LEAST = 0.72
"""The share of the height that panels have on paper with which they can do on a slide."""

LEGEND, MORE_LEGEND = 2.4, 4.0
"""Ems of the legend below panels that share names, in one row and in two."""

START = 5.0
"""Where it begins: below the left edge of most panels' axes."""

MOST = len(ascii_lowercase)


@dataclass(frozen=True)
class Composed(Scene):
    """Several scenes on one figure; :func:`below` and :func:`figure_of` make one.

    Class attributes:
        across: whether two panels stand side by side where there is room for it.
    """

    across: ClassVar[bool] = False
    headed = False

    of: tuple[Scene, ...]

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Every panel on its own SubFigure, with its letter."""
        wide, high = style().ems(figure)
        rows = self._rows(wide)
        needed = wide / self.aspect_at(wide)
        if style().slide and high < LEAST * needed:
            raise InputError(
                f"{len(self.of)} such panels need {needed / high:.1f} times the height of a slide; "
                "draw fewer into a film or a slide, or all on paper (--venue)"
            )
        ratios = [_height(row, wide) for row in rows]
        legend = self._legend(wide) or 1e-3
        grid = figure.subfigures(
            len(rows) + 1, 1, height_ratios=[*ratios, legend], hspace=0, squeeze=False
        )
        grid[-1, 0].set_facecolor("none")
        rooms: list[Any] = []
        for row, room in zip(rows, grid[:-1, 0], strict=True):
            room.set_facecolor("none")
            if len(row) == 1:
                rooms.append(room)
            else:
                rooms += list(room.subfigures(1, len(row), wspace=0))
        drawings, names = [], []
        for letter, panel, room in zip(ascii_lowercase, self.of, rooms, strict=False):
            room.set_facecolor("none")
            room_wide, room_high = style().ems(room)
            room.text(0.3 / room_wide, 1 - 0.2 / room_high, letter, va="top", fontweight="bold")
            with noting_labels() as labels:
                drawings.append(drawing_of(panel, room, data))
            names.append(labels)
        draw_legend(grid[-1, 0], shared(names))

        def update(i: int) -> None:
            for panel, drawing in zip(self.of, drawings, strict=True):
                drawing.update(self._index(panel, data, i))

        return Drawing([drawing.moving for drawing in drawings], update)

    def claim(self, data: xr.Dataset) -> Claim:
        """The claims of the panels."""
        claims = [panel.claim(data) for panel in self.of]
        sentence = "; ".join(claim.sentence for claim in claims)
        return Claim(sentence, holds=all(claim.holds for claim in claims))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """What each panel shows."""
        texts = (panel.alt_text(data, self._index(panel, data, i)) for panel in self.of)
        return " ".join(
            f"{letter}: {text}" for letter, text in zip(ascii_lowercase, texts, strict=False)
        )

    def caption(self, data: xr.Dataset) -> str:
        """The captions of the panels."""
        pairs = zip(ascii_lowercase, self.of, strict=False)
        return " ".join(f"({letter}) {panel.caption(data)}" for letter, panel in pairs)

    def film_span(self, data: xr.Dataset) -> tuple[float, float] | None:
        """From the first moment worth showing in any panel to the last."""
        moving = [panel for panel in self.of if panel.clock is not None]
        spans = [panel.film_span(data) for panel in moving]
        ends = [span for span in spans if span is not None]
        if len(ends) < len(spans) or not ends:
            return None
        return min(start for start, _ in ends), max(stop for _, stop in ends)

    def changed_options(self) -> dict[str, Any]:
        """The options of each panel, for provenance."""
        names = [panel.name for panel in self.of]
        if len(set(names)) < len(names):
            names = [
                f"{letter} {name}" for letter, name in zip(ascii_lowercase, names, strict=False)
            ]
        return {name: panel.changed_options() for name, panel in zip(names, self.of, strict=True)}

    def aspect_at(self, ems: float) -> float:
        """Width over height of all rows together."""
        return 1 / (self._legend(ems) + sum(_height(row, ems) for row in self._rows(ems)))

    def _legend(self, ems: float) -> float:
        """The height of the legend as a share of the width, where several panels draw phases."""
        if len([panel for panel in self.of if "phase_end" in panel.needs]) < 2:
            return 0.0
        return (LEGEND if ems >= NARROW else MORE_LEGEND) / ems

    def _rows(self, ems: float) -> list[tuple[Scene, ...]]:
        """Two panels in a row where there is room, else one."""
        count = 2 if self.across and ems >= 2 * COLUMN else 1
        return [self.of[i : i + count] for i in range(0, len(self.of), count)]

    def _index(self, panel: Scene, data: xr.Dataset, i: int) -> int:
        if panel.clock is None or self.clock is None:
            return 0
        moment = data[self.clock].values[i]
        return int(np.abs(data[panel.clock].values - moment).argmin())


def shared(names: Sequence[Sequence[Label]]) -> list[Label]:
    """The names that several panels have, each once; the panels leave them out.

    Only names whose colour means nothing else in the figure: a legend could not tell them apart.
    """
    every = [(n, label) for n, labels in enumerate(names) for label in labels]
    common: dict[str, Label] = {}
    for _, label in every:
        alike = [(n, one.name) for n, one in every if one.colour == label.colour]
        if len({n for n, _ in alike}) > 1 and len({name for _, name in alike}) == 1:
            common.setdefault(label.name, label)
            label.leave_out()
    return list(common.values())


def draw_legend(figure: Any, labels: Sequence[Label]) -> None:
    """Curves by their names in their colours, then bands on theirs, in as many rows as it takes."""
    current_style = style()
    wide, high = current_style.ems(figure)
    small = current_style.small / current_style.points
    left, down = START, 1.2
    weights = {True: "normal", False: "bold"}
    rulers = {
        band: ruler(figure, current_style.points, fontweight=weight)
        for band, weight in weights.items()
    }
    for label in sorted(labels, key=lambda label: label.band):
        needed = rulers[label.band](label.name, small)[0] + 1.2
        if left + needed > wide and left > START:
            left, down = START, down + 1.6
        at = (left / wide, 1 - down / high)
        if label.band:
            colour = see_through(label.colour, current_style.colours.background)
            chip(figure, label.name, at, colour, va="center")
        else:
            more = {"color": label.colour, "fontweight": "bold", "fontsize": current_style.small}
            figure.text(*at, label.name, va="center", **more)
        left += needed


def below(number: int, scenes: Iterable[Scene], data: xr.Dataset) -> Scene:
    """A numbered figure of these scenes below one another; a single one is taken as it is."""
    scenes = tuple(scenes)
    if len(scenes) == 1:
        return scenes[0]
    clocks = {panel.clock for panel in scenes if panel.clock is not None}
    # the coarsest clock: what it shows, the finer ones can show too
    clock = min(clocks, key=lambda name: data.sizes[name]) if clocks else None
    return composed(scenes, name=f"figure-{number}", title=f"Figure {number}", clock=clock)


def panelled(
    scenes: Sequence[str | Scene], options: Mapping[str, Any] | None = None
) -> tuple[Scene, ...]:
    """The panels of a figure: scenes, those given by name with their options.

    ``options`` are words or values by the panel's letter or the scene's name and the option's,
    ``"b.losses"`` or ``"grokking-curve.time"``; one without is for every scene that has it.

    Raises:
        InputError: an unknown scene, panel, option or value.

    """
    names = [scene if isinstance(scene, str) else scene.name for scene in scenes]
    if len(names) > MOST:
        raise InputError(f"{len(names)} panels are more than letters; give at most {MOST}")
    kinds = [find_scene(scene) if isinstance(scene, str) else type(scene) for scene in scenes]
    of_panels = _by_panel(names, kinds, options or {})
    return tuple(
        kind.with_options(given) if isinstance(scene, str) else scene
        for scene, kind, given in zip(scenes, kinds, of_panels, strict=True)
    )


def figure_of(panels: tuple[Scene, ...]) -> Scene:
    """These panels as one scene, which moves along the clock that they share.

    Raises:
        InputError: a film among several; clocks that cannot be shared.

    """
    if len(panels) == 1:
        return panels[0]
    for panel in panels:
        if not engine_of(panel).panels:
            raise InputError(f"{panel.name} is a film, which cannot be a panel; leave it out")
    clocks = sorted({panel.clock for panel in panels if panel.clock is not None})
    if len(clocks) > 1 and not all(map(is_time, clocks)):
        moving = [panel for panel in panels if panel.clock is not None]
        one = next(panel for panel in moving if panel.clock != moving[0].clock)
        raise InputError(
            f"{moving[0].name} moves along {moving[0].clock} and {one.name} along {one.clock}; "
            "draw them into two figures"
        )
    references = {panel.reference for panel in panels}
    return composed(
        panels,
        name="-".join(panel.name for panel in panels),
        title="; ".join(panel.title for panel in panels),
        # epochs of the large variables are some of the others
        clock="field_epoch" if "field_epoch" in clocks else next(iter(clocks), None),
        reference=panels[0].reference if len(references) == 1 else "",
        across=True,
    )


def composed(panels: tuple[Scene, ...], **attributes: Any) -> Scene:
    """These panels as one scene with these class attributes, and needs and checks of them all."""
    kinds: tuple[type[Scene], ...] = tuple(type(panel) for panel in panels)

    def check(_: type[Scene], data: xr.Dataset) -> None:
        """Raise InputError unless ``data`` has what every panel needs."""
        for kind in kinds:
            kind.check(data)

    attributes = {
        "source": panels[0].source,
        "needs": tuple(dict.fromkeys(name for panel in panels for name in panel.variables())),
        "check": classmethod(check),
        "__doc__": Composed.__doc__,
        "__module__": __name__,
        **attributes,
    }
    scene: Scene = type("Composed", (Composed,), attributes)(panels)
    return scene


def _height(row: Sequence[Scene], ems: float) -> float:
    """The height of a row, that of its tallest panel, as a share of the figure's width."""
    share = 1 / len(row)
    return max(share / panel.aspect_at(share * ems) for panel in row)


def _by_panel(
    names: Sequence[str], kinds: Sequence[type[Scene]], given: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The options of each panel by their own names."""
    of_panels: list[dict[str, Any]] = [{} for _ in names]
    for word, value in given.items():
        panel, dot, option = word.rpartition(".")
        if dot:
            meant = [i for i in range(len(names)) if panel in (names[i], ascii_lowercase[i])]
            if not meant:
                raise InputError(f"there is no panel {panel}: {nearest(panel, list(names))}")
        else:
            meant = [i for i, kind in enumerate(kinds) if key_of(word) in kind.options()]
            if not meant:
                known = sorted({key for kind in kinds for key in kind.options()})
                raise InputError(
                    f"none of {', '.join(names)} has an option {word}: {nearest(word, known)}"
                )
        for i in meant:
            of_panels[i][option] = value
    return of_panels


def default_run(scene: Scene) -> str:
    """The bundled reference that a scene is drawn from where no run is given.

    Raises :class:`InputError` for panels that have no such one in common.
    """
    if isinstance(scene, Composed) and not scene.reference:
        drawn = ", ".join(f"{panel.name} from {panel.reference}" for panel in scene.of)
        raise InputError(f"a figure is of one run, and these have no one ({drawn}); give --run")
    return scene.reference
