"""Where '=' looks: each head's attention over all pairs, a wave of one frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from grokviz.scenes.modular_addition import _neurons

from grokviz.scene import Scene, grids, option, panels, style
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

POSITIONS = ("a", "b", "=")


@dataclass(frozen=True)
class AttentionPatterns(Scene):
    """Attention from '=' to a over (a, b) for every head, and the loss below."""

    name = "attention-patterns"
    panels = ("attention",)
    title = "Each head shares its attention by a wave of one frequency"
    watch = "stripes of single numbers give way to one wave as the test loss falls"
    source = "arXiv:2301.05217, figure 4"
    loops = True
    needs = (
        "attention_score", "head_frequency", "head_variance_explained", "attention_mean",
        "embedding_frequency_norm", "logged_train_loss", "logged_test_loss", "phase_end", "loss",
    )  # fmt: skip
    paper_figures = {"4a": {"loss": False}}  # noqa: RUF012
    aspect = 1.75
    narrow_aspect = 0.6
    stills = ("grok-3000", "last")

    to: Literal["a", "b", "="] = option("a", "what the attention shown goes to")
    loss: bool = option(True, "the loss below")

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """A heatmap a head, its frequency above it; the loss below."""
        current_style, p, heads = style(), data.sizes["row"] // 2, data.sizes["head"]
        high = current_style.ems(figure)[1]
        columns = min(heads, 2 if current_style.narrow(figure) else 4)
        # phases' names take two lines in a narrow column
        above = 3.2 if current_style.narrow(figure) else 1.7
        below = (10.7 + above) / high if self.loss else 0
        axes = grids.square_axes(figure, heads, columns, p, share=(0, below, 1, 1))
        images = [grids.heat(ax, (p, p)) for ax in axes]
        grids.name_inputs(axes[(heads - 1) // columns * columns], p - 1)
        grids.note(axes[-1], f"colour: attention to {self.to}, 0 to 1")
        names = [grids.figure_above(ax, left=True) for ax in axes]
        shares = [grids.figure_above(ax) for ax in axes]
        artists: dict[str, Any] = {"images": images, "names": names, "shares": shares}
        artists["moving"] = [images, names, shares]
        if self.loss:
            room = current_style.panels(figure, top=(1 - below) * high + above, left=4.9)[0][0]
            # the heads go on changing long after the clean-up
            artists["loss"] = panels.loss_panel(room, data, whole=True)
            artists["moving"].append(panels.moving(artists["loss"]))
        return artists

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """The attention at that epoch, each head's frequency, and how much that explains."""
        pattern = fields.attention(data, i)[:, POSITIONS.index(self.to)]
        colours, keys = style().colours, panels.embedded(data)
        for n, image in enumerate(artists["images"]):
            image.set_data(pattern[n].T)
            k = int(data["head_frequency"].values[i, n])
            share = float(data["head_variance_explained"].values[i, n])
            name = artists["names"][n]
            name.set_text(_neurons.frequency_name(image.axes, k, numbered=True))
            # before a frequency explains half of a head it is hardly the head's own
            own = share >= 0.5 and k in keys
            name.set_color(colours.frequency(k, keys) if own else colours.faint)
            artists["shares"][n].set_text("" if k == NO_FREQUENCY else f"{share:.0%}")
        if "loss" in artists:
            panels.update_loss_panel(artists["loss"], float(data["epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """Each head's frequency and mean attention at that epoch."""
        now = data.isel(epoch=i)
        heads = [
            f"head {int(head)} gives {float(mean):.0%} to a, and {_wave(int(k), float(share))}"
            for head, k, share, mean in zip(
                data["head"].values,
                now["head_frequency"].values,
                now["head_variance_explained"].values,
                now["attention_mean"].sel(position="a").values,
                strict=True,
            )
        ]
        return (
            f"Heatmaps over a and b of the attention from '=' to {self.to} at epoch "
            f"{int(now['epoch'])}, one a head. On average {'; '.join(heads)}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            f"Attention from '=' to {self.to} over all pairs (a, b), for every head. Above each: "
            "the frequency k that explains most of its variance at that epoch, by "
            "const + alpha (cos wa - cos wb) + beta (sin wa - sin wb), and the share explained. "
            "After Nanda et al. (2023), arXiv:2301.05217, figure 4."
        )


def _wave(k: int, share: float) -> str:
    """How much of a head's attention one frequency explains, in words."""
    if k == NO_FREQUENCY:
        return "no frequency explains how that varies better than another"
    return f"frequency {k} explains {share:.0%} of how that varies"
