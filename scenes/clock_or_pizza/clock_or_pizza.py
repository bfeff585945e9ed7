"""The answers of one circle as hands: a ring for a clock, slices for a pizza."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.clock_or_pizza import _networks
from jaxtyping import Float

from grokviz.scene import Claim, Drawing, Scene, option, style
from grokviz.scene import clock as clocks
from grokviz.scene.about import about_every
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

CLOCK, PIZZA = "clock-59-0", "pizza-59-0"

EXPLAINED = 0.9
"""Share of the logits that a formula must explain for a network to be called by it."""

NOTHING, SOMETHING = 0.1, 0.25
"""Shortest hands, in median ones, below which hands shrink to nothing, and above which none do."""


@dataclass(frozen=True)
class ClockOrPizza(Scene):
    """A dot for each sum: where the network points on one circle, and how far."""

    name = "clock-or-pizza"
    title = "A clock always points at an answer; for some sums a pizza points nowhere"
    watch = (
        "A dot is a sum as one wave sees it; the farther out, the more firmly it points at the "
        "answer"
    )
    source = "arXiv:2306.17844"
    disputed = (
        "Disputed: seen in their neurons both are said to be one and the same disc "
        "(arXiv:2512.25060)."
    )
    needs = ("hand", "clock_share", "pizza_share", "dial_frequency")
    recipe = "clock-59"
    reference = CLOCK
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 1.5

    beside: bool = option(True, "a bundled run of the other kind beside it")

    def alone(self) -> Scene:
        """Without the bundled run."""
        return replace(self, beside=False)

    def claim(self, data: xr.Dataset) -> Claim:
        """How short the shortest hands are, and which formula explains each network."""
        clock, pizza = self._sorted(data)
        numbers: dict[str, float] = {}
        for name, part in (("clock", clock), ("pizza", pizza)):
            if part is not None:
                numbers[f"{name} shortest"] = _shortest(part)
                numbers[f"{name} explained"] = _explained(part)[name]
        well = all(value >= EXPLAINED for key, value in numbers.items() if "explained" in key)
        shrinks = numbers.get("pizza shortest", 0.0) <= NOTHING
        never = numbers.get("clock shortest", 1.0) >= SOMETHING
        if well and shrinks and never:
            if clock is not None and pizza is not None:
                return Claim(self.title, self.watch, numbers=numbers)
            own = (
                "This network is a pizza: for some sums it points nowhere" if clock is None
                else "This network is a clock: it always points at an answer"
            )  # fmt: skip
            return Claim.instead(own, self.watch, **numbers)
        shares = _explained(data)
        sentence = (
            f"On its circle a clock explains {percent(shares['clock'])} of this network's "
            f"logits, a pizza {percent(shares['pizza'])}"
        )
        return Claim.instead(sentence, self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The dots of one network, or of a clock at the left and a pizza at the right."""
        parts = [part for part in self._sorted(data) if part is not None]
        room = style().panels(
            figure, (1,) * len(parts), left=1.0, right=1.0, top=0.8, bottom=4.8, gap=2.0
        )[0]
        faces = [_Face(axes, part) for axes, part in zip(room, parts, strict=True)]

        def update(i: int) -> None:
            for face, part in zip(faces, parts, strict=True):
                face.update(_networks.index_at(data, part, i))

        return Drawing([face.dots for face in faces], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How long the hands are at that moment, and what explains each network in the end."""
        texts = []
        for part in self._sorted(data):
            if part is None:
                continue
            at = _networks.index_at(data, part, i)
            lengths, shares = np.abs(_hands(part, at)), _explained(part)
            texts.append(
                f"{_kind(part).capitalize()} ({part.attrs.get('run_name')}, "
                f"{_networks.network(part) or 'network unknown'}): hands of {lengths.min():.3g} to "
                f"{lengths.max():.3g} logits at {clocks.at(part, 'field_epoch', at)}; in the end "
                f"a clock explains {shares['clock']:.1%}, a pizza {shares['pizza']:.1%}."
            )
        return f"Dots around a centre, the more firmly pointed the farther out. {' '.join(texts)}"

    def about(self, data: xr.Dataset) -> str:
        """What is true of both networks."""
        return about_every(part for part in self._sorted(data) if part is not None)

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        frequency = int(data["dial_frequency"])
        return (
            "Logits where the embedding is left its mean and its waves of one frequency, the one "
            f"by which the network points at the answers most ({frequency} in "
            f"{data.attrs.get('run_name')}); a dot is twice the mean over c of the logit of c "
            "times (cos wc, sin wc), for the pairs of the answers that are named on the rim. Each "
            "face is scaled to its own last hands. A clock gives cos w(a + b − c), a pizza that "
            f"times |cos w(a − b)/2|. After {self.source}."
        )

    def _sorted(self, data: xr.Dataset) -> tuple[xr.Dataset | None, xr.Dataset | None]:
        """The clock and the pizza: the run, and the bundled one of the other kind if wanted."""
        is_clock = _kind(data) == "clock"
        other = None
        if self.beside:
            names = (PIZZA, CLOCK) if is_clock else (CLOCK, PIZZA)
            other = _networks.partner(data, names, self.needs)
        return (data, other) if is_clock else (other, data)


class _Face:
    """The dots of one network, with the answers around them and its name below."""

    def __init__(self, axes: Axes, data: xr.Dataset) -> None:
        self.data = data
        current_style = style()
        colours, kind = current_style.colours, _kind(data)
        colour = colours.frequencies[0 if kind == "clock" else 4]
        lengths = np.abs(_hands(data, -1))
        self.scale = float(lengths.max()) or 1.0
        axes.set(xlim=(-1.35, 1.35), ylim=(-1.28, 1.28), aspect="equal")
        axes.set_axis_off()
        turn = np.linspace(0, 2 * np.pi, 200)
        axes.plot(np.cos(turn), np.sin(turn), color=colours.grid, lw=0.8 * current_style.line)
        axes.plot([0], [0], "+", color=colours.faint, ms=current_style.points / 2, zorder=2)
        self._write(axes)
        size = (0.2 * current_style.points) ** 2
        self.dots = axes.scatter([], [], s=size, color=colour, lw=0, zorder=3)
        current_style.note(
            axes, kind, (0.5, 0), (0, -1.5), ha="center", fontweight="bold",
            color=colours.words(colour), fontsize=1.35 * current_style.points,
        )  # fmt: skip
        current_style.note(
            axes, _networks.network(data), (0.5, 0), (0, -3.1), ha="center", color=colours.muted
        )

    def update(self, i: int) -> None:
        """Show a moment of the network."""
        places = _hands(self.data, i).ravel() / self.scale
        # as on a dial: 0 on top, and to the right from there
        self.dots.set_offsets(np.stack([places.imag, places.real], axis=1))

    def _write(self, axes: Axes) -> None:
        """The answers where hands that point at them would stand."""
        k, p = int(self.data["dial_frequency"]), self.data.sizes["difference"]
        for answer in self.data["hour"].values.tolist():
            angle = 2 * np.pi * k * answer / p
            axes.text(
                1.15 * np.sin(angle), 1.15 * np.cos(angle), str(answer), ha="center",
                va="center_baseline", color=style().colours.muted, fontsize=style().small,
            )  # fmt: skip


def _hands(data: xr.Dataset, i: int) -> Any:
    """The hands of a moment as complex numbers, by answer and difference."""
    values: Float[np.ndarray, "hour difference pointer"] = data["hand"].values[i].astype(float)
    return values[..., 0] + 1j * values[..., 1]


def _explained(data: xr.Dataset) -> dict[str, float]:
    """The shares that a clock and a pizza explain in the end."""
    return {name: float(data[f"{name}_share"].values[-1]) for name in ("clock", "pizza")}


def _kind(data: xr.Dataset) -> str:
    """What explains more of the logits in the end."""
    shares = _explained(data)
    return max(shares, key=lambda name: shares[name])


def _shortest(data: xr.Dataset) -> float:
    """The shortest hand of the last moment, as a share of the median one."""
    lengths = np.abs(_hands(data, -1))
    return float(lengths.min() / max(float(np.median(lengths)), 1e-30))
