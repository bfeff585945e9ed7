"""The answers of one circle as hands: a ring for a clock, slices for a pizza."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.clock_or_pizza import _networks
from jaxtyping import Float

from grokviz.scene import Claim, Drawing, style
from grokviz.scene import clock as clocks
from grokviz.scene.about import about_every
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

EXPLAINED = 0.9
"""Share of the logits that a formula must explain for it to be what the picture argues."""

MIDDLE, LEFT = 0.11, 285.0
"""Radius of the ring around hands that point nowhere, and in which direction those words are."""

NOTHING, SOMETHING = 0.1, 0.25
"""Shortest hands, in median ones, below which hands shrink to nothing, and above which none do."""


@dataclass(frozen=True)
class ClockOrPizza(_networks.BesideBundled):
    """A dot for each sum: where the network points on one circle, and how far."""

    name = "clock-or-pizza"
    title = "A clock always points at an answer; for some sums a pizza points nowhere"
    watch = "A dot is a sum as one wave sees it; the farther out, the more firmly it points"
    source = "arXiv:2306.17844"
    disputed = (
        "Disputed: seen in their neurons both are said to be one and the same disc "
        "(arXiv:2512.25060)."
    )
    needs = ("hand", "clock_share", "pizza_share", "dial_frequency")
    recipe = "clock-59"
    reference = _networks.CLOCK
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 1.5

    def claim(self, data: xr.Dataset) -> Claim:
        """How short the shortest hands are, and which formula explains each network."""
        parts = {_networks.by_logits(part): part for part in self._sorted(data)}
        numbers: dict[str, float] = {}
        for name in parts.keys() - {""}:
            numbers[f"{name} shortest"] = _shortest(parts[name])
            numbers[f"{name} explained"] = _networks.explained(parts[name])[name]
        shown, every = data.sizes["hour"], data.sizes["difference"]
        few = f" sees it, for {shown} of {every} answers"
        watch = self.watch.replace(" sees it", few) if shown < every else self.watch
        well = "" not in parts and all(
            value >= EXPLAINED for key, value in numbers.items() if "explained" in key
        )
        shrinks = numbers.get("pizza shortest", 0.0) <= NOTHING
        never = numbers.get("clock shortest", 1.0) >= SOMETHING
        if well and shrinks and never:
            if len(parts) == 2:
                return Claim(self.title, watch, numbers=numbers)
            own = (
                "This network is a pizza: for some sums it points nowhere" if "pizza" in parts
                else "This network is a clock: it always points at an answer"
            )  # fmt: skip
            return Claim.instead(own, watch, **numbers)
        shares = _networks.explained(data)
        sentence = (
            f"On its circle a clock explains {percent(shares['clock'])} of this network's "
            f"logits, a pizza {percent(shares['pizza'])}"
        )
        return Claim.instead(sentence, watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The dots of one network, or of a clock at the left and a pizza at the right."""
        parts = self._sorted(data)
        names = _networks.run_names(parts)
        low = 6.4 if any(names) else 4.8
        room = style().panels(
            figure, (1,) * len(parts), left=1.0, right=1.0, top=0.8, bottom=low, gap=2.0
        )[0]
        faces = [_Face(*one) for one in zip(room, parts, names, strict=True)]

        def update(i: int) -> None:
            for face, part in zip(faces, parts, strict=True):
                face.update(_networks.index_at(data, part, i))

        return Drawing([face.dots for face in faces], update)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How long the hands are at that moment, and what explains each network in the end."""
        texts = []
        for part in self._sorted(data):
            at = _networks.index_at(data, part, i)
            lengths, shares = np.abs(_hands(part, at)), _networks.explained(part)
            kind = _networks.by_logits(part) or _networks.NAMELESS
            texts.append(
                f"{kind.capitalize()} ({part.attrs.get('run_name')}, "
                f"{_networks.network(part) or 'network unknown'}): hands of {lengths.min():.3g} to "
                f"{lengths.max():.3g} logits at {clocks.at(part, 'field_epoch', at)}; in the end "
                f"a clock explains {shares['clock']:.1%}, a pizza {shares['pizza']:.1%}."
            )
        return f"Dots around a centre, the more firmly pointed the farther out. {' '.join(texts)}"

    def about(self, data: xr.Dataset) -> str:
        """What is true of both networks."""
        return about_every(self._sorted(data))

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        frequency = int(data["dial_frequency"])
        return (
            "Logits where the embedding is left its mean and its waves of one frequency, the one "
            f"by which the network points at the answers most ({frequency} in "
            f"{data.attrs.get('run_name')}); a dot is twice the mean over c of the logit of c "
            "times (cos wc, sin wc), for the pairs of the answers that are named on the rim. Each "
            "face is scaled to its own last hands. A clock gives cos w(a + b − c), a pizza that "
            f"times |cos w(a − b)/2|. {_networks.CALLED}"
            f"{self.why_alone(data, _networks.by_logits(data))}After {self.source}."
        )

    def _sorted(self, data: xr.Dataset) -> list[xr.Dataset]:
        """The run, and the bundled one of the other kind if wanted, the clock first."""
        kind = _networks.by_logits(data)
        bundled = {"clock": (_networks.PIZZA,), "pizza": (_networks.CLOCK,)}.get(kind, ())
        others = self.others(data, kind, bundled)
        return [data, *others] if kind == "clock" else [*others, data]


class _Face:
    """The dots of one network, with the answers around them and its name below."""

    def __init__(self, axes: Axes, data: xr.Dataset, run: str) -> None:
        self.data = data
        current_style = style()
        colours, kind = current_style.colours, _networks.by_logits(data)
        colour = _networks.tint(kind)
        lengths = np.abs(_hands(data, -1))
        self.scale = float(lengths.max()) or 1.0
        axes.set(xlim=(-1.35, 1.35), ylim=(-1.28, 1.28), aspect="equal")
        axes.set_axis_off()
        turn = np.linspace(0, 2 * np.pi, 200)
        axes.plot(np.cos(turn), np.sin(turn), color=colours.grid, lw=0.8 * current_style.line)
        axes.plot([0], [0], "+", color=colours.faint, ms=current_style.points / 2, zorder=2)
        self._write(axes)
        if kind == "pizza" and _shortest(data) <= NOTHING and not current_style.narrow(axes.figure):
            self._mark_middle(axes)
        size = (0.2 * current_style.points) ** 2
        self.dots = axes.scatter([], [], s=size, color=colour, lw=0, zorder=3)
        current_style.note(
            axes, kind or _networks.NAMELESS, (0.5, 0), (0, -1.5), ha="center", fontweight="bold",
            color=colours.words(colour), fontsize=1.35 * current_style.points,
        )  # fmt: skip
        for words, low in ((_networks.network(data), -3.1), (run, -4.7)):
            current_style.note(axes, words, (0.5, 0), (0, low), ha="center", color=colours.muted)

    def update(self, i: int) -> None:
        """Show a moment of the network."""
        places = _hands(self.data, i).ravel() / self.scale
        # as on a dial: 0 on top, and to the right from there
        self.dots.set_offsets(np.stack([places.imag, places.real], axis=1))

    def _mark_middle(self, axes: Axes) -> None:
        """A ring around the hands that point nowhere, and those words at the left."""
        current, colours = style(), style().colours
        turn = np.linspace(0, 2 * np.pi, 60)
        axes.plot(MIDDLE * np.cos(turn), MIDDLE * np.sin(turn), color=colours.ink,
                  lw=0.7 * current.line, zorder=4)  # fmt: skip
        angles = np.sort(self._angles(), kind="stable")
        between = (angles + np.append(angles[1:], angles[:1] + 2 * np.pi)) / 2
        # between two answers, a little above the left
        angle = float(between[np.argmin(np.abs(between - np.radians(LEFT)))])
        way = np.array([np.sin(angle), np.cos(angle)])
        axes.plot(*np.outer(way, (MIDDLE, 1.3)), color=colours.ink, lw=0.5 * current.line,
                  zorder=4, clip_on=False)  # fmt: skip
        current.note(axes, "points nowhere", tuple(1.3 * way), (-0.3, 0), xycoords="data",
                     ha="right", va="center", color=colours.ink)  # fmt: skip

    def _angles(self) -> Float[np.ndarray, " hour"]:
        """Where hands point that point at the answers, from 0 on top to the right."""
        k, p = int(self.data["dial_frequency"]), self.data.sizes["difference"]
        angles: Float[np.ndarray, " hour"] = 2 * np.pi * (k * self.data["hour"].values % p) / p
        return angles

    def _write(self, axes: Axes) -> None:
        """The answers where hands that point at them would stand."""
        for answer, angle in zip(self.data["hour"].values, self._angles(), strict=True):
            axes.text(
                1.15 * np.sin(angle), 1.15 * np.cos(angle), str(answer), ha="center",
                va="center_baseline", color=style().colours.muted, fontsize=style().small,
            )  # fmt: skip


def _hands(data: xr.Dataset, i: int) -> Any:
    """The hands of a moment as complex numbers, by answer and difference."""
    values: Float[np.ndarray, "hour difference pointer"] = data["hand"].values[i].astype(float)
    return values[..., 0] + 1j * values[..., 1]


def _shortest(data: xr.Dataset) -> float:
    """The shortest hand of the last moment, as a share of the median one."""
    lengths = np.abs(_hands(data, -1))
    return float(lengths.min() / max(float(np.median(lengths)), 1e-30))
