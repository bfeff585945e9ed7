"""The curve that gave grokking its name: memorise, wait, generalise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from grokviz.scene import Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase


LOW = 0.1
"""The loss below which a run has memorised or generalised."""

DELAY = 1000
"""Epochs from the one to the other that make it grokking."""


@dataclass(frozen=True)
class GrokkingCurve(Scene):
    """Train and test loss, phases shaded; accuracy and logarithmic time as options."""

    name = "grokking-curve"
    panels = ("loss",)
    title = "It memorises at once and generalises thousands of epochs later"
    watch = "the test loss stays high long after the training loss is gone, then falls"
    source = "thread, tweet 1; arXiv:2301.05217, figure 2"
    needs = ("logged_train_loss", "logged_test_loss", "phase_end")
    aspect = 2.2
    narrow_aspect = 1.05
    paper_figures = {"2": {"accuracy": True}}  # noqa: RUF012

    time: Literal["linear", "log"] = option("linear", "how epochs are spaced")
    accuracy: bool = option(False, "accuracy in a panel below (needs the run's split)")

    def heading(self, data: xr.Dataset) -> str:
        """The title of a run that grokked, else what its losses say."""
        last, word = int(data["epoch"].values[-1]), clocks.word(data)
        memorised = _first_low(data, "logged_epoch", "logged_train_loss")
        generalised = _first_low(data, "tested_epoch", "logged_test_loss")
        if generalised is not None:
            grokked = memorised is not None and generalised - memorised >= DELAY
            return self.title if grokked else f"It generalises by {word} {generalised:,}"
        if memorised is None:
            return f"It has not memorised by {word} {last:,}"
        if not data.sizes["tested_epoch"]:
            return f"The training loss is below {LOW} from {word} {memorised:,} on"
        return f"It memorises, and has not generalised by {word} {last:,}"

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """The loss, and the accuracy where asked."""
        heights = (1.6, 1) if self.accuracy else (1,)
        grid = style().panels(figure, heights=heights, left=5.0, vgap=1.2)
        axes = [row[0] for row in grid]
        artists = {"loss": panels.loss_panel(axes[0], data)}
        if self.accuracy:
            artists["accuracy"] = _accuracy(axes[1], data)
            axes[0].set_xlabel("")
            axes[0].tick_params(labelbottom=False)
        if self.time == "log":
            for panel in artists.values():
                _log_time(panel, data)
        return {**artists, "moving": [panels.moving(a) for a in artists.values()]}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """The past of each curve, and the marker."""
        epoch = float(data["epoch"].values[i])
        for name in ("loss", "accuracy"):
            if name in artists:
                panels.update_loss_panel(artists[name], epoch)

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """When it memorised and when it generalised, from the data."""
        train, test = data["logged_train_loss"].values, data["logged_test_loss"].values
        learnt = f"The training loss reaches {train.min():.2g}" if train.size else ""
        if (train < 0.1).any():
            first = int(data["logged_epoch"].values[np.argmax(train < 0.1)])
            learnt = f"The training loss is below 0.1 from epoch {first} on"
        words = [learnt or "The training loss was not logged"]
        if len(test):
            words.append(f"the test loss peaks at {np.nanmax(test):.3g}")
            grokked = clocks.grok_epoch(data)
            if clocks.phase_ends(data) is not None and grokked is not None:
                words.append(f"is below half of that from epoch {grokked} on")
            words.append(f"and ends at {test[-1]:.2g}")
        else:
            words.append("no test loss was logged")
        at = int(data["epoch"].values[i])
        return (
            "Training and test loss over epochs, loss on a logarithmic axis, marked at epoch "
            f"{at}. {', '.join(words)}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the phases' rule and the citation."""
        return (
            "Training and test loss. Memorisation ends at the largest test loss, circuit formation "
            "where it is first below half of that, clean-up where its logarithm has fallen 95 % of "
            "the way. After Nanda et al. (2023), arXiv:2301.05217, figure 2."
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: nothing moves later."""
        return 0, panels.horizon(data)


def _first_low(data: xr.Dataset, clock: str, loss: str) -> int | None:
    low = np.flatnonzero(data[loss].values < LOW)
    return int(data[clock].values[low[0]]) if low.size else None


def _accuracy(axes: Axes, data: xr.Dataset) -> dict[str, Any]:
    from grokviz.dataset import schema

    schema.check(data, ["accuracy"])
    current_style, end = style(), panels.horizon(data)
    colours = {"train": current_style.colours.train, "test": current_style.colours.test}
    curves = {
        name: panels.Curve(
            data["epoch"].values.astype(float),
            100 * data["accuracy"].sel(split=name).values,
            colour,
        )
        for name, colour in colours.items()
    }
    panels.shade_phases(axes, data)
    lines = {name: curve.draw(axes) for name, curve in curves.items()}
    axes.set(xlim=(0, end), ylim=(-4, 104), xlabel="epoch", ylabel="accuracy (%)")
    axes.set_yticks([0, 50, 100])
    panels.thousands(axes)
    marker = axes.axvline(0, color=current_style.colours.ink, lw=current_style.line * 0.5, zorder=5)
    return {
        "curves": curves, "lines": lines, "marker": marker, "axes": axes, "end": end, "data": data,
    }  # fmt: skip


def _log_time(panel: dict[str, Any], data: xr.Dataset) -> None:
    """Logarithmic epochs, from the first update on."""
    axes, last = panel["axes"], float(data["epoch"].values[-1])
    # phases and names were placed for linear time
    for artist in [*axes.patches, *axes.texts]:
        artist.remove()
    axes.set_xscale("log")
    axes.set_xlim(10, max(last, 100))
    panel["end"] = max(last, 100)
    for line in axes.lines:
        x, y = line.get_data()
        if len(x) > 2:
            line.set_data(x[x > 0], y[x > 0])
    for name, curve in panel["curves"].items():
        later = curve.x > 0
        panel["curves"][name] = panels.Curve(curve.x[later], curve.y[later], curve.colour)
    is_loss = axes.get_ylabel().startswith("loss")
    panels.shade_phases(axes, data, first=10, names=is_loss)
    if is_loss:
        panels.label_losses(axes, panel["curves"], {"train": 500.0, "test": 500.0})
