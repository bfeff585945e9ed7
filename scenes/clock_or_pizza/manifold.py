"""All pairs as the neurons of one wave see them: a surface that closes into a disc or a torus."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.clock_or_pizza import _networks
from jaxtyping import Float, UInt8

from grokviz.scene import Claim, Drawing, relief, style
from grokviz.scene import clock as clocks
from grokviz.scene.about import about_every
from grokviz.scene.relief.light import coloured_round, toned
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

ADDED = 0.9
"""Share of the neurons' input that a function of a plus one of b must explain."""

FINE = 118
"""Patches of the surface along a, and along b."""

NEIGHBOURS = 1 / 24
"""The width of the mean over neighbours on the circle, as a share of the circle."""

SECOND = 0.6
"""How large the two last directions are drawn beside the two first."""

AWAY = 0.825
"""How far away the fourth direction's eye is, where the surface is a torus of radius 1."""

NEARER = 1.6
"""At least so many times as far as the surface reaches."""

HIGH = 0.36
"""How high that is, as a share of how wide."""

SIDE, ORBIT = -70.0, (-85.0, -45.0)
"""Where the camera stands for a still, and at the beginning and the end of a film, in degrees."""

REACH = 1.5
"""What is in view, in radii; a surface that reaches farther is drawn smaller."""


LINES = {"disc": "each answer on a line through the centre", "torus": "each answer on a loop"}
"""Where on each shape the pairs of one answer are, in a few words below its name."""

INNER, OUTER = 1.65, 2.2
"""The radii of a wheel of colours, in ems."""


@dataclass(frozen=True)
class Manifold(_networks.BesideBundled):
    """A lit surface over (a, b), bent as the inputs of one wave's neurons are."""

    name = "manifold"
    title = "Two networks learn the same sums on two shapes: a disc and a torus"
    watch = "A point is a pair (a, b) as the neurons of one wave see it, coloured by its answer"
    source = "arXiv:2512.25060"
    disputed = (
        "Disputed: clock and pizza, which are one disc here, are told apart by how their outputs "
        "are computed (arXiv:2306.17844)."
    )
    needs = ("surface", "outside_share", "additive_share", "surface_frequency")
    recipe = "torus-59"
    reference = _networks.TORUS
    clock = "field_epoch"
    aspect = 1.9
    narrow_aspect = 1.4

    def claim(self, data: xr.Dataset) -> Claim:
        """How much of b's waves lies outside of a's plane, of each network."""
        parts = self._sorted(data)
        numbers = {f"outside of {_kind(part) or 'network'}": _outside(part) for part in parts}
        numbers |= {f"added of {_kind(part) or 'network'}": _added(part) for part in parts}
        if len(parts) == 2:
            return Claim(self.title, self.watch, numbers=numbers)
        if _kind(data):
            sentence = f"The neurons of one wave put all pairs on a {_kind(data)}"
        elif _added(data) < ADDED:
            sentence = (
                f"Only {percent(_added(data))} of what one wave's neurons read are sums of a and b"
            )
        else:
            sentence = (
                f"Of b's waves {percent(_outside(data))} lie outside of a's plane: neither a "
                "disc nor a torus"
            )
        return Claim.instead(sentence, self.watch, **numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """One surface, or a disc at the left and a torus at the right, with their names."""
        return _Picture(figure, data, self._sorted(data)).drawing()

    def description(self, data: xr.Dataset, i: int) -> str:
        """Which shape each surface has at that moment."""
        texts = []
        for part in self._sorted(data):
            at = _networks.index_at(data, part, i)
            when = clocks.at(part, "field_epoch", at)
            texts.append(
                f"{part.attrs.get('run_name')} ({_networks.network(part) or 'network unknown'}), "
                f"frequency {int(part['surface_frequency'])}: at {when} "
                f"{_outside(part, at):.1%} of b's waves lie outside of a's plane, in the end "
                f"{_outside(part):.1%}."
            )
        return f"Lit surfaces of all pairs (a, b). {' '.join(texts)}"

    def about(self, data: xr.Dataset) -> str:
        """What is true of both networks."""
        return about_every(self._sorted(data))

    def definition(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        return (
            "Inputs of the neurons of one frequency before their ReLU, less their means: the part "
            f"that is a function of a plus a function of b ({percent(_added(data))} of what the "
            "neurons read), along four directions among the "
            "neurons, the two in which a goes round and two of what is left of b's plane. The last "
            f"two are drawn at {SECOND:g} of their size, the fourth by perspective; each moment "
            "has its own scale, and each place is a mean over neighbours within a twelfth of the "
            "circle, with a cubic spline between. Where a and b "
            "have one phase in every neuron the surface is a disc, where the phases are "
            f"independent a torus. {self.why_alone(data, _kind(data))}After {self.source}."
        )

    def _sorted(self, data: xr.Dataset) -> list[xr.Dataset]:
        """The run, and where wanted the bundled one of the other shape: the flatter one first."""
        kind = _kind(data)
        bundled = {"disc": (_networks.TORUS,), "torus": (_networks.PIZZA,)}.get(kind, ())
        return sorted([data, *self.others(data, kind, bundled)], key=_outside)


class _Picture:
    """Surfaces beside one another in one picture of pixels."""

    def __init__(self, figure: FigureBase, data: xr.Dataset, parts: Sequence[xr.Dataset]) -> None:
        self.data, self.parts = data, parts
        wide, high = style().ems(figure)
        self.panel = relief.ReliefPanel(figure, (0.0, 0.0, wide, high))
        width, height = self.panel.size
        edges = [round(width * n / len(parts)) for n in range(len(parts) + 1)]
        self.boxes = list(itertools.pairwise(edges))
        em = self.panel.em
        names = _networks.run_names(parts)
        lift = 1.5 * any(names)
        wheels = not style().narrow(figure)
        small: dict[str, Any] = {"color": style().colours.muted, "fontsize": style().small}
        for (left, right), part, run in zip(self.boxes, parts, names, strict=True):
            kind = self.panel.text(
                _kind(part) or _networks.NAMELESS, fontweight="bold", fontsize=1.35 * style().points
            )
            middle = (left + right) / 2
            lines = [LINES.get(_kind(part), "")] if wheels else []
            rows = [*lines, _networks.network(part), *([run] if run else [])]
            self.panel.place(kind, np.array([middle, (1.7 + 1.5 * len(rows)) * em]))
            for k, words in enumerate(reversed(rows)):
                line = self.panel.text(words, **small)
                self.panel.place(line, np.array([middle, (1.3 + 1.5 * k) * em]))
            if wheels:
                self._draw_wheel(
                    part, np.array([min(right - 4.0 * em, middle + 11.0 * em), (5.6 + lift) * em])
                )
        self.bottom = round((4.4 + 1.3 * wheels + lift) * em)
        self.high = height

    def drawing(self) -> Drawing:
        """The surfaces at a clock index; in a film the camera goes slowly round."""
        return Drawing([self.panel.image], lambda i: self._show(i, SIDE), self._play)

    def _play(self, share: float, index: Sequence[int]) -> int:
        i = index[min(int(share * len(index)), len(index) - 1)]
        self._show(i, float(np.interp(share, (0, 1), ORBIT)))
        return i

    def _draw_wheel(self, part: xr.Dataset, centre: Float[np.ndarray, " 2"]) -> None:
        """The colour of each answer around a wheel, some of them named."""
        from matplotlib.collections import PolyCollection

        em, small = self.panel.em, {"color": style().colours.muted, "fontsize": style().small}
        p, k = part["surface"].shape[2], max(int(part["surface_frequency"]), 1)

        def rim(turns: Any, radius: float) -> Float[np.ndarray, "*shape 2"]:
            # as on a dial: 0 on top, and to the right from there
            angle = 2 * np.pi * np.asarray(turns)
            return centre + radius * em * np.stack([np.sin(angle), np.cos(angle)], axis=-1)

        edges = np.arange(p + 1) / p - 0.5 / p
        wedges = np.stack(
            [rim(edges[:-1], INNER), rim(edges[1:], INNER), rim(edges[1:], OUTER),
             rim(edges[:-1], OUTER)], axis=1,
        )  # fmt: skip
        colours = toned(coloured_round(np.arange(p) / p))
        # edges of their own colour, or seams show
        self.panel.axes.add_collection(
            PolyCollection(wedges, facecolors=colours, edgecolors=colours, lw=0.3, zorder=2),
            autolim=False,
        )
        self.panel.place(self.panel.text("answer", **small), centre)
        places = k * np.arange(p) % p
        for quarter in range(4):
            # of the answers the one nearest to a quarter, the first of two
            answer = int(np.argmin(np.abs(places - quarter * p / 4)))
            at = rim(places[answer] / p, OUTER + 0.75)
            self.panel.place(self.panel.text(str(answer), **small), at)

    def _show(self, i: int, azimuth: float) -> None:
        pixels = np.zeros((self.high, self.panel.size[0], 4), np.uint8)
        for (left, right), part in zip(self.boxes, self.parts, strict=True):
            at = _networks.index_at(self.data, part, i)
            size = right - left, self.high - self.bottom
            pixels[: size[1], left:right] = _painted(part, at, azimuth, size)
        self.panel.show(pixels)


def _painted(
    data: xr.Dataset, i: int, azimuth: float, size: tuple[int, int]
) -> UInt8[np.ndarray, "height width 4"]:
    """The surface of a moment, from a side."""
    camera = relief.Camera(azimuth, 36.0, 22.0, 8.0)
    turn = np.linspace(0, 2 * np.pi, 24)
    edge = np.array([[np.cos(t), np.sin(t), z] for t in turn for z in (-HIGH, HIGH)]) * REACH
    view = relief.fitted([relief.Camera(a, 36.0, 22.0, 8.0) for a in (SIDE, *ORBIT)], edge,
                         (0, 0, *size))  # fmt: skip
    points, answer = _places(data, i)
    colours = coloured_round(answer / (2 * np.pi))
    full = np.ones(points.shape[:2])
    lit = relief.lit(relief.Surface(points, colours, relief.Shade(full, full)), relief.Light(),
                     camera.eye)  # fmt: skip
    return relief.painted([relief.quads(points, lit)], camera, view, size)


def _places(
    data: xr.Dataset, i: int
) -> tuple[Float[np.ndarray, "a b 3"], Float[np.ndarray, "a b"]]:
    """Where each pair is in space, and the angle of its answer; the last row is the first again."""
    tables = data["surface"].values[i].astype(float)
    p, k = tables.shape[1], max(int(data["surface_frequency"]), 1)
    order = np.argsort(k * np.arange(p) % p, kind="stable")
    tables = _smooth(tables[:, order])
    steps, axes = np.linspace(0, p, FINE + 1), np.arange(4.0)
    of_a, of_b = (relief.interpolated(table, steps, axes) for table in tables)
    placed = of_a[:, None] + of_b
    placed[..., 2:] *= SECOND
    away = max(AWAY, NEARER * float(np.abs(placed[..., 3]).max()))
    points = placed[..., :3] * (away / (away - placed[..., 3:]))
    points /= max(1.0, float(np.linalg.norm(points, axis=-1).max()) / REACH)
    angle = 2 * np.pi * steps / p
    return points, angle[:, None] + angle


def _smooth(
    tables: Float[np.ndarray, "number place axis"],
) -> Float[np.ndarray, "number place axis"]:
    """A mean over neighbours around the circle, in units of the surface's radius as before."""
    p = tables.shape[1]
    away = np.minimum(np.arange(p), p - np.arange(p)) / (NEIGHBOURS * p)
    weights = np.exp(-(away**2) / 2)
    soft = np.fft.fft(weights / weights.sum())[:, None] * np.fft.fft(tables, axis=1)
    mean: Float[np.ndarray, "number place axis"] = np.fft.ifft(soft, axis=1).real
    radius = float(np.sqrt((mean**2).mean(axis=1).sum()))
    return mean / radius if radius > 0 else mean


def _outside(data: xr.Dataset, i: int = -1) -> float:
    """Share of b's waves outside of a's plane, at a moment of the surface or in the end."""
    values = data["outside_share"].values
    if i < 0:
        return _networks.outside(data)
    epoch = data["field_epoch"].values[i]
    return float(values[int(np.searchsorted(data["epoch"].values, epoch))])


def _added(data: xr.Dataset) -> float:
    return float(data["additive_share"].values[-1])


def _kind(data: xr.Dataset) -> str:
    """Disc or torus, where it is one and holds nearly all that its neurons read; "" else."""
    return _networks.shape(data) if _added(data) >= ADDED else ""
