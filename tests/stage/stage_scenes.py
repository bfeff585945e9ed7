"""A small scene and a small dataset, so that the stage is tested without any real picture.

In a module of its own: every conftest is called ``conftest``, and options are read by a
class's module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from grokviz.dataset.learning import Curve, learning
from grokviz.dataset.numerics import curves
from grokviz.scene import Drawing, Scene, option, style

EPOCHS = np.arange(0, 2001, 100)


def small_data(test: np.ndarray | None = None, epochs: np.ndarray = EPOCHS) -> xr.Dataset:
    """Losses of a run that grokked at epoch 1200 (unless ``test`` says otherwise)."""
    if test is None:
        test = np.interp(epochs, [0, 400, 1100, 1600, 2000], [4.7, 20.0, 12.0, 1e-3, 1e-4])
    ends = learning(Curve(epochs[:0], test[:0]), Curve(epochs, test)).ends
    return xr.Dataset(
        {
            "logged_test_loss": ("tested_epoch", test.astype("float32")),
            "loss": (("epoch", "split"), np.stack([test / 9, test, test], axis=1)),
            "phase_end": ("phase", np.full(3, -1) if ends is None else list(ends)),
        },
        coords={
            "epoch": epochs, "tested_epoch": epochs, "split": ["train", "test", "all"],
            "phase": list(curves.PHASES[:3]),
        },
        attrs={"run_name": "small", "run_checksum": "0" * 64, "task": "", "settings": "{}"},
    )  # fmt: skip


@dataclass(frozen=True)
class Dot(Scene):
    """A dot that follows the test loss."""

    name = "dot"
    title = "A dot follows the loss"
    watch = "the dot"
    source = "nowhere"
    needs = ("logged_test_loss",)

    size: int = option(9, "of the dot")
    shape: Literal["o", "s"] = option("o", "of the dot")
    fails_at: int | None = option(None, "epoch at which it breaks")

    def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
        """Axes with a dot."""
        axes = style().panels(figure)[0][0]
        axes.set(xlim=(-50, 2100), ylim=(-1, 22))
        dot = axes.plot([], [], self.shape, ms=self.size, color=style().colours.test)[0]

        def update(i: int) -> None:
            epoch = int(data["epoch"].values[i])
            if self.fails_at is not None and epoch >= self.fails_at:
                raise RuntimeError("broken on purpose")
            dot.set_data([epoch], [float(data["logged_test_loss"].values[i])])

        return Drawing([dot], update)

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """Where it is."""
        return f"A dot at epoch {int(data['epoch'].values[i])}."


@dataclass(frozen=True)
class Poster(Dot):
    """The same without a clock."""

    name = "poster"
    clock = None

    def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
        """Axes with a line."""
        axes = style().panels(figure)[0][0]
        axes.plot(data["tested_epoch"], data["logged_test_loss"])
        return Drawing()
