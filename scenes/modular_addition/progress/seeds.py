"""Several seeds side by side: when each generalises, and with which frequencies."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from grokviz.scenes.any import _ridges
from grokviz.scenes.any._papers import after

from grokviz.dataset.learning import LATER, LOW
from grokviz.media.plain import no_formula
from grokviz.scene import Claim, Drawing, Scene, members, option, panels, style
from grokviz.scene import clock as clocks
from grokviz.scene.layout import pushed_apart
from grokviz.scene.spoken import in_words

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


FAINT = 0.22
"""How strong the colour of a hill is: its end is what counts, and the waves beside it."""


@dataclass(frozen=True)
class Seeds(Scene):
    """A row for every run: when it generalises, and on which waves of its embedding."""

    name = "seeds"
    title = "All seeds grok, each at its own time and with its own set of waves"
    watch = "Each row is one run: its test loss as a hill until it generalises, and its waves"
    source = "arXiv:2301.05217, figure 2 and appendix C.1"
    needs = (*members.NEEDS, "member_frequency_norm", "member_key_frequency")
    reference = "seeds"
    aspect = 1.35
    narrow_aspect = 0.75
    ends_with_film = True

    rows: int = option(5, "how many runs to show, the first ones")
    time: Literal["linear", "log"] = option("linear", "how epochs are spaced")
    until: int | None = option(None, "last epoch shown; a while after the last run generalised")

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= 8:
            raise ValueError(f"rows={self.rows} is not possible; give 1 to 8")
        if self.until is not None and self.until < 1:
            raise ValueError(f"until={self.until} is before any update; give 1 or more")

    def claim(self, data: xr.Dataset) -> Claim:
        """When the runs shown grok, and with how many key frequencies."""
        shown, word = self._shown(data), clocks.word(data)
        memorised, learned = (
            data[f"{name}_epoch"].values[shown] for name in ("memorised", "generalised")
        )
        grok = (learned >= 0) & (memorised >= 0) & (learned >= LATER * memorised)
        numbers = {"grok": int(grok.sum()), "runs": len(shown)}
        if not grok.all():
            count = f"{int((learned >= 0).sum())} of {len(shown)} runs generalise"
            return Claim.instead(f"{count}, {numbers['grok']} of them by grokking", **numbers)
        keys = [tuple(_keys(data, member)) for member in shown]
        when = f"{word} {_range(learned.tolist(), ' to ')}"
        if len(set(keys)) < len(keys) or not all(keys):
            return Claim.instead(f"All {len(shown)} runs grok, from {when}", **numbers)
        seeds = all(str(n).startswith("seed") for n in data["member_name"].values[shown])
        sentence = (
            f"All {in_words(len(shown), most=8)} {'seeds' if seeds else 'runs'} grok, each at "
            "its own time and with its own set of waves"
        )
        if len(shown) == 1 or len(set(learned.tolist())) < len(shown):
            return Claim.instead(f"All {len(shown)} runs grok, from {when}", **numbers)
        numbers |= {"first": int(learned.min()), "last": int(learned.max())}
        return Claim(sentence, self.watch, numbers=numbers)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Hills of the losses on the left, norms of the waves on the right."""
        current_style, shown = style(), self._shown(data)
        narrow = current_style.narrow(figure)
        grid = current_style.panels(
            figure, (0.8, 1.1) if narrow else (1, 1.15), (1,) * len(shown),
            left=5.6 if narrow else 6.6, right=1.2, gap=1.6, vgap=1.0, top=1.9,
        )  # fmt: skip
        norms = data["member_frequency_norm"].values[shown].astype(float)
        tallest = float(np.nan_to_num(norms).max(initial=0)) or 1.0
        hills, later, ends = list[_ridges.Ridge](), [], [axes[0] for axes in grid]
        for row, (axes, member) in enumerate(zip(grid, shown, strict=True)):
            hills += self._draw_losses(axes[0], data, member)
            waves = _draw_waves(axes[1], data, member, tallest)
            artists = [*_draw_grok(axes[0], data, member), *waves]
            later.append((_known(data, member), artists))
            if row < len(shown) - 1:
                panels.without_time(*axes)
        _head(grid[0][0], _of_losses(narrow))
        _head(grid[0][1], _of_waves(data, shown, narrow=narrow))
        grid[-1][0].set_xlabel(clocks.word(data))
        grid[-1][1].set_xlabel("frequency")
        epochs = data["epoch"].values.astype(float)
        markers = [panels.Marker.draw(axes) for axes in ends]

        def update(i: int) -> None:
            for part in (*hills, *markers):
                part.update(float(epochs[i]))

        moving = [*(hill.moving for hill in hills), *(marker.line for marker in markers)]
        drawing = Drawing(moving, update)
        return self._longer(ends, data, _revealed(drawing, later, data))

    def description(self, data: xr.Dataset, i: int) -> str:
        """When each run generalised, its key frequencies, and its test loss at that moment."""
        epoch, runs = int(data["epoch"].values[i]), []
        for member in self._shown(data):
            name = members.display(str(data["member_name"].values[member]))
            keys = ", ".join(map(str, _keys(data, member))) or "unknown"
            test = members.value_at(data, member, "test", epoch)
            now = "" if test is None else f", test loss {test:.2g}"
            runs.append(f"{name}: {members.learnt(data, member)}{now}, key frequencies {keys}")
        return (
            f"A row for each of {len(runs)} runs: training and test loss over epochs, marked at "
            f"epoch {epoch:,}, and the norm of each frequency in the embedding at the end. "
            f"{'; '.join(runs)}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the rule for key frequencies and the citation."""
        return (
            f"Losses of {len(self._shown(data))} runs, the first to generalise on top, as far as "
            f"they are above {LOW:g} nats (height: logarithmic), and norms of the frequencies in "
            "the embedding at the end. Numbered: key frequencies, those that neurons compute with; "
            "dots: the first test loss below 0.1. A seed draws the initial weights, and in the "
            "bundled runs the split into training and test pairs too. "
            f"{after('appendix C.1')}"
        )

    def _longer(self, rooms: list[Axes], data: xr.Dataset, drawing: Drawing) -> Drawing:
        """The drawing on axes that reach as far as the moment asked for."""
        epochs, end = data["epoch"].values, self._end(data)

        def update(i: int) -> None:
            for axes in rooms:
                if axes.get_xlim()[1] != max(end, float(epochs[i])):
                    axes.set_xlim(right=max(end, float(epochs[i])))
            drawing.update(i)

        return Drawing(drawing.moving, update)

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after the last run generalised."""
        return 0, self._end(data)

    def _shown(self, data: xr.Dataset) -> list[int]:
        """The first runs, in the order in which they generalise; those that never do last."""
        learnt = data["generalised_epoch"].values[: self.rows]
        order = np.argsort(np.where(learnt >= 0, learnt, np.inf), kind="stable")
        return [int(member) for member in order]

    def _end(self, data: xr.Dataset) -> float:
        last = float(data["epoch"].values[-1])
        if self.until is not None:
            return min(float(self.until), last)
        learnt = data["generalised_epoch"].values[self._shown(data)]
        return min(last, 1.4 * float(learnt.max())) if (learnt > 0).all() else last

    def _draw_losses(self, axes: Axes, data: xr.Dataset, member: int) -> list[_ridges.Ridge]:
        """The hills of one run's losses, as far as these are above 0.1 nats."""
        current_style, curves = style(), members.losses(data, member)
        learnt = float(data["generalised_epoch"].values[member])
        if learnt >= 0 and "test" in curves:
            curves["test"] = _through(curves["test"], learnt)
        every = [c for m in self._shown(data) for c in members.losses(data, m).values()]
        top = max(members.span(every)[1], 10 * LOW)
        _ridges.frame(axes, self._end(data), 0, 1.1, time=self.time)
        axes.set_yticks([])
        current_style.note(
            axes, _wrapped(data, member), (0, 0.5), (-0.9, 0), ha="right", va="center",
            fontweight="bold", linespacing=1.0,
        )  # fmt: skip
        hills = [
            _ridges.Ridge(
                axes, one.x, _ridges.height(one.y, top, low=LOW), 0, one.colour, open_ended=True
            )
            for name, one in sorted(curves.items())
        ]
        for hill in hills:
            hill.fill(FAINT)
        return hills


def _through(curve: panels.Curve, learnt: float) -> panels.Curve:
    """A test loss through 0.1 nats where it came down to that, between two kept moments."""
    at = int(np.searchsorted(curve.x, learnt))
    if at < len(curve.x) and curve.x[at] == learnt:
        return curve
    return replace(curve, x=np.insert(curve.x, at, learnt), y=np.insert(curve.y, at, LOW))


def _head(axes: Axes, parts: list[tuple[str, str]]) -> None:
    """Words above a column, each in its colour, beside one another."""
    last = style().note(axes, parts[0][0], (0, 1), (0, 0.45), color=parts[0][1])
    for text, colour in parts[1:]:
        last = axes.annotate(
            text, (1, 0), (0, 0), xycoords=last, textcoords="offset points", va="bottom",
            fontsize=style().small, color=colour,
        )  # fmt: skip


def _of_losses(narrow: bool) -> list[tuple[str, str]]:
    """The names of the losses, and what their dot is."""
    colours = style().colours
    joint, words = " and ", f" loss above {LOW:g} nats"
    if narrow:
        joint, words = ", ", " loss"
    return [("train", colours.train), (joint, colours.muted), ("test", colours.test),
            (words, colours.muted)]  # fmt: skip


def _of_waves(data: xr.Dataset, shown: list[int], *, narrow: bool) -> list[tuple[str, str]]:
    """What the bars are, and of when."""
    # an epoch would contradict the one that the picture shows
    text = "waves in $W_E$" if narrow else "norm of each wave at the end"
    return [(text, style().colours.muted)]


def _wrapped(data: xr.Dataset, member: int) -> str:
    """A run's name in lines that the margin has room for."""
    lines = textwrap.wrap(members.display(str(data["member_name"].values[member])), 9)
    return no_formula("\n".join(lines[:3]))


def _draw_grok(axes: Axes, data: xr.Dataset, member: int) -> list[Any]:
    """A dot where the test loss is first below 0.1, with its epoch."""
    current_style, at = style(), int(data["generalised_epoch"].values[member])
    if at < 0:
        return []
    epoch = f"{at:,}"
    colour, size = current_style.colours.test, current_style.points * 0.4
    (dot,) = axes.plot(at, 0, "o", color=colour, ms=size, mew=0, zorder=6, clip_on=False)
    # right of its hill, or over it where there is no room
    em = current_style.pixels(axes, current_style.small)
    room = (axes.bbox.x1 - axes.transData.transform((at, 0))[0]) / em
    beside = room > 0.6 * len(epoch) + 0.7
    name = current_style.label(
        axes, at, 0, epoch, lift=0.01, color=colour if beside else current_style.colours.ink,
        zorder=6, ha="left" if beside else "right",
    )  # fmt: skip
    name.set_position(((0.6 if beside else -0.6) * current_style.small, 0.3 * current_style.small))
    return [dot, name]


def _known(data: xr.Dataset, member: int) -> float:
    """When it generalised; the last epoch of a run that did not."""
    at = int(data["generalised_epoch"].values[member])
    return float(at if at >= 0 else data["member_epoch"].values[member].max())


def _revealed(drawing: Drawing, later: list[tuple[float, list[Any]]], data: xr.Dataset) -> Drawing:
    """The drawing with what each run comes to, from when it has come to it on."""
    if style().ghost:
        return drawing
    epochs = data["epoch"].values

    def update(i: int) -> None:
        for known, artists in later:
            for artist in artists:
                artist.set_visible(bool(epochs[i] >= known))
        drawing.update(i)

    return Drawing([drawing.moving, *(artists for _, artists in later)], update)


def _range(values: list[int], to: str) -> str:
    """The least and the largest of some numbers; one where they are equal."""
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,}{to}{high:,}"


def _keys(data: xr.Dataset, member: int) -> list[int]:
    return [
        int(k) for k in data["frequency"].values[data["member_key_frequency"].values[member] == 1]
    ]


def _draw_waves(axes: Axes, data: xr.Dataset, member: int, tallest: float) -> list[Any]:
    """A bar for each frequency, the key ones in colour and numbered: as many as have room."""
    current_style, colours = style(), style().colours
    k, norms = data["frequency"].values, data["member_frequency_norm"].values[member].astype(float)
    keys = _keys(data, member)
    known = bool(np.isfinite(norms).any())
    if not known:
        current_style.note(axes, "no weights", (0.5, 0.4), ha="center", color=colours.muted)
    # one colour: those of frequencies are of one run, and a row is one of many
    colour = [colours.frequencies[2] if int(n) in keys else colours.rest for n in k]
    bars = axes.bar(k, np.nan_to_num(norms), width=0.8, color=colour, lw=0)
    axes.set(xlim=(0.2, k[-1] + 0.8), ylim=(0, 1.4 * tallest), yticks=[])
    axes.set_xticks([1, 20, 40, int(k[-1])] if k[-1] > 45 else [1, int(k[-1])])
    axes.spines["left"].set_visible(False)
    em = current_style.pixels(axes, current_style.small) / axes.bbox.width
    em *= k[-1] + 0.6
    height = dict(zip(k.tolist(), np.nan_to_num(norms).tolist(), strict=True))
    room = int((k[-1] + 0.6) / (1.45 * em))
    keys = sorted(sorted(keys, key=lambda n: -height[n])[:room])
    places = pushed_apart([float(n) for n in keys], [1.45 * em] * len(keys), 0.2, k[-1] + 0.8)
    names = [
        current_style.label(axes, place, height[n], str(n), lift=0.15, zorder=4)
        for n, place in zip(keys, places, strict=True)
    ]
    return [*bars, *names]
