"""Figure 23: with few sums to learn from, adding numbers digit by digit is grokked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from grokviz.scenes.any import _changes as changes

from grokviz.errors import InputError
from grokviz.scene import Scene, option, panels, style
from grokviz.scene import clock as clocks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase


@dataclass(frozen=True)
class DigitGrokking(Scene):
    """Train and test loss on few sums, and the test loss of every digit of the answer."""

    name = "digit-grokking"
    panels = ("digits", "loss")
    title = "With few sums it memorises first and learns to add later"
    watch = "the test loss rises, then falls"
    source = "arXiv:2301.05217, figure 23; thread, tweet 13"
    needs = (
        "logged_train_loss", "logged_test_loss", "token_test_loss", "event_epoch", "phase_end",
    )  # fmt: skip
    recipe = "digit-addition-small-500"
    reference = "digit-addition-small-500"
    clock = "tested_epoch"
    aspect = 1.5
    narrow_aspect = 0.7
    paper_figures = {"23": {"loss": "log", "digits": False}}  # noqa: RUF012

    loss: Literal["linear", "log"] = option("linear", "how the loss is spaced")
    time: Literal["linear", "log"] = option("linear", "how steps are spaced")
    digits: bool = option(True, "the test loss of every digit of the answer, below")

    def __post_init__(self) -> None:
        if not self.digits:
            object.__setattr__(self, "aspect", 2.0)
            object.__setattr__(self, "narrow_aspect", 1.0)

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless a test loss was logged; on fresh data there is none."""
        super().check(data)
        if not data.sizes["tested_epoch"]:
            raise InputError(
                f"{cls.name} needs a run that logged its test loss; one on fresh data, such as "
                "this, is drawn by digit-phase-changes"
            )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """The two losses, and the digits' below them where asked."""
        phases = clocks.phase_ends(data) is not None
        grid = style().panels(
            figure, heights=(1, 1.2) if self.digits else (1,), left=5.0, right=6.0, vgap=1.4,
            top=2.6 if phases else 1.0,
        )  # fmt: skip
        rooms = [row[0] for row in grid]
        plots = [("loss (nats)", changes.losses(data)), ("test loss of a digit", _digits(data))]
        end = float(data["tested_epoch"].values[-1])
        drawn = [
            changes.panel(axes, data, curves, changes.Scales(
                label, end, self.loss, self.time, floor=1e-9, clock="tested_epoch"
            ))
            for axes, (label, curves) in zip(rooms, plots, strict=False)
        ]  # fmt: skip
        for axes in rooms:
            changes.shade(axes, data, names=axes is rooms[0])
            if axes is not rooms[-1]:
                axes.set_xlabel("")
                axes.tick_params(labelbottom=False)
        return {"panels": drawn, "moving": [changes.moving(panel) for panel in drawn]}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """The past of each curve, and the markers."""
        for panel in artists["panels"]:
            changes.follow(panel, float(data["tested_epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """How far it overfitted, and each digit's test loss at the end."""
        word, at = clocks.word(data), int(data["tested_epoch"].values[i])
        last = data["token_test_loss"].values[-1]
        losses = ", ".join(
            f"{name} {float(value):.2g}"
            for name, value in zip(changes.digit_names(data), last, strict=True)
        )
        now = float(data["logged_test_loss"].values[i])
        return (
            f"Train and test loss over {word}s; at {word} {at} the test loss is {now:.3g}. "
            f"{changes.overfitting(data)} The digits' test losses end at: {losses}."
        )

    def caption(self, data: xr.Dataset) -> str:
        """With the citation."""
        below = " Below: the test loss of each digit of the answer." if self.digits else ""
        return (
            "Training and test loss of a one-layer transformer that adds, trained on the same few "
            f"sums all the time.{below} After Nanda et al. (2023), arXiv:2301.05217, figure 23."
        )


def _digits(data: xr.Dataset) -> dict[str, panels.Curve]:
    x, y = data["tested_epoch"].values.astype(float), data["token_test_loss"].values
    tints = changes.digit_colours(data)
    return {
        name: panels.Curve(x, y[:, k].astype(float), tints[k])
        for k, name in enumerate(changes.digit_names(data))
    }
