"""Every neuron as a row, twice: its weights by cosets, and its shares by representation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from grokviz.scenes.group_composition import _groups as groups
from grokviz.scenes.group_composition._neurons import Fits, Rows, hex_of
from jaxtyping import Float

from grokviz.scene import Drawing, style
from grokviz.scene.layout import pushed_apart

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

BLOCKS = ("fit both", "only\nrepresentation", "only cosets", "neither")
"""What the neurons of each block fit in the end, from above."""


def draw(figure: FigureBase, data: xr.Dataset) -> Drawing:
    """Both panels, whose rows are the same neurons in the same order."""
    stacked, room = style().stacks(figure), 10.0
    left, right = style().beside(
        figure, (1, 1), (1, 1), left=4.6 if stacked else 4.2, right=2.0, top=2.0, bottom=3.8,
        gap=room, vgap=4.4,
    )  # fmt: skip
    rows = Rows(data)
    weights, shares = _image(left, rows.weights(-1)), _image(right, rows.shares(-1))
    bold: dict[str, Any] = {"fontweight": "bold", "color": style().colours.ink}
    heads = [style().note(axes, "", (0, 1), (0, 0.6), **bold) for axes in (left, right)]
    below: dict[str, Any] = {"color": style().colours.muted, "ha": "center"}
    sorted_by = f"the {data.sizes['x']} elements, sorted by cosets"
    style().note(left, sorted_by, (0.5, 0), (0, -1.4), **below)
    style().note(right, "shares of representations", (0.5, 0), (0, -1.4), **below)
    _key(right, data, rows)
    if stacked:
        blocks = [_Blocks(axes, rows, left=True, most=1) for axes in (left, right)]
    else:
        _bracket(left, rows, 1)
        blocks = [_Blocks(right, rows, left=False, room=room)]

    def update(i: int) -> None:
        now = Fits.of(data, i)
        weights.set_data(rows.weights(i))
        shares.set_data(rows.shares(i))
        heads[0].set_text(f"{_count(now.cosets)} constant on cosets")
        heads[1].set_text(f"{_count(now.one)} in one representation")
        for block in blocks:
            block.update(now)

    def _count(share: float) -> str:
        return f"{round(share * rows.count):,} of {rows.count:,}"

    return Drawing([weights, shares, *heads, *(block.texts for block in blocks)], update)


class _Blocks:
    """How many neurons fit both explanations, one of them and none, beside their rows."""

    def __init__(
        self, axes: Axes, rows: Rows, *, left: bool, room: float = 0.0, most: int = len(BLOCKS)
    ) -> None:
        # in the margin at the left there is no room for a line of two words
        self.between = "\n" if left else " "
        current = style()
        _bracket(axes, rows, 0)
        spans = {k: span for k in range(most) if (span := rows.span(k))}
        high = axes.get_window_extent().height
        line = 1.3 * current.pixels(axes, current.points) / high
        # from below, as places go up
        order = sorted(spans, reverse=True)
        wanted = [sum(spans[k]) / 2 for k in order]
        lines = [line * (1 + BLOCKS[k].count("\n")) for k in order]
        places = pushed_apart(wanted, lines, -1.5 * line if not left else 0, 1)
        ems = -0.9 if left else -room / 2 * current.points / current.small
        self.texts = {
            k: current.note(
                axes, "", (0, place), (ems, 0), va="center", ha="right" if left else "center",
                color=current.colours.ink if k == 0 else current.colours.muted, linespacing=1.1,
                fontweight="bold" if k == 0 else "normal",
                fontsize=current.points * (1.25 if k == 0 and not left else 0.94),
            )
            for k, place in zip(order, places, strict=True)
        }  # fmt: skip

    def update(self, now: Fits) -> None:
        """Count them at a moment."""
        for k, text in self.texts.items():
            text.set_text(f"{int((now.block == k).sum()):,}{self.between}{BLOCKS[k]}")


def _image(axes: Axes, rows: Float[np.ndarray, "row column 3"]) -> Any:
    """An image of a row a neuron, without axes."""
    axes.set_axis_off()
    return axes.imshow(rows, aspect="auto", interpolation="nearest")


def _bracket(axes: Axes, rows: Rows, side: int) -> None:
    """A bracket along the rows of the neurons that fit both, at the left (0) or the right (1)."""
    if (span := rows.span(0)) is None:
        return
    em = style().pixels(axes, style().points) / max(axes.get_window_extent().width, 1)
    out = 1 if side else -1
    near, far = side + 0.3 * out * em, side + 0.7 * out * em
    (low, high) = span
    axes.plot(
        [near, far, far, near], [low, low, high, high], color=style().colours.ink, clip_on=False,
        lw=0.6 * style().line, transform=axes.transAxes, solid_joinstyle="miter",
    )  # fmt: skip


def _key(axes: Axes, data: xr.Dataset, rows: Rows) -> None:
    """The representations in their colours, below a panel."""
    shown = np.unique(rows.best)
    names = [
        groups.representation(str(data["representation"].values[k])).replace("dimension", "dim.")
        for k in shown
    ]
    for n, (k, name) in enumerate(zip(shown, names, strict=True)):
        style().note(
            axes, name, ((n + 0.5) / len(shown), 0), (0, -2.9), ha="center", fontweight="bold",
            color=style().colours.words(hex_of(rows.tints[k])),
        )  # fmt: skip
