"""The paper's figure 7: four measures that see the algorithm grow while the test loss is flat."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from grokviz.scene import Scene, option, panels, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

Curves = dict[str, panels.Curve]


@dataclass(frozen=True)
class ProgressMeasures(Scene):
    """Excluded and restricted loss, Gini coefficients (or a ratio) and the sum of squares."""

    name = "progress-measures"
    panels = ("progress",)
    title = "Behind a flat test loss, the generalising circuit grows steadily"
    watch = "excluded loss rises and restricted loss falls before the test loss does"
    source = "arXiv:2301.05217, figures 6, 7, 10, 11, 13 and 14"
    needs = (
        "excluded_loss_2d", "restricted_loss", "excluded_accuracy_2d", "restricted_accuracy",
        "loss", "accuracy", "gini_embedding", "gini_neuron_logit_map", "sum_squared_weights",
        "cosine_coefficient", "phase_end",
    )  # fmt: skip
    aspect = 1.75
    narrow_aspect = 0.52
    stills = ("grok-3000", "last")
    paper_figures = {  # noqa: RUF012
        "6": {"third": "ratio"},
        "7": {},
        "10": {"show": "accuracies"},
        "11": {"show": "cosines"},
        "13": {"show": "accuracies"},
        "14": {"show": "cosines"},
    }

    show: Literal["losses", "accuracies", "cosines"] = option(
        "losses", "the four panels, the accuracies, or the logits' key cosines"
    )
    third: Literal["gini", "ratio"] = option(
        "gini", "third panel: Gini coefficients, or test loss over restricted loss"
    )

    def __post_init__(self) -> None:
        # fewer panels make a flatter page
        if self.show != "losses":
            wide, narrow = {"accuracies": (2.3, 0.8), "cosines": (2.2, 1.05)}[self.show]
            object.__setattr__(self, "aspect", wide)
            object.__setattr__(self, "narrow_aspect", narrow)

    def draw(self, figure: FigureBase, data: xr.Dataset) -> dict[str, Any]:
        """The panels, each with the phases shaded."""
        plots = getattr(self, f"_{self.show}")(data)
        narrow = style().narrow(figure)
        columns = 1 if narrow or len(plots) == 1 else 2
        rows = math.ceil(len(plots) / columns)
        grid = style().panels(
            figure, (1,) * columns, (1,) * rows, left=5.0, right=7.0, gap=11.8, vgap=1.5,
        )  # fmt: skip
        room = [axes for row in grid for axes in row]
        drawn = []
        for i, (axes, (label, curves, log)) in enumerate(zip(room, plots, strict=False)):
            first, last = i < columns, i >= len(plots) - columns
            percent = label.endswith("(%)")
            panel = panels.curve_panel(
                axes, data, curves, ylabel=label, log=log, named=first,
                ylim=(-4, 104) if percent else None,
            )  # fmt: skip
            if percent:
                axes.set_yticks([0, 50, 100])
            if not last:
                axes.set_xlabel("")
                axes.tick_params(labelbottom=False)
            drawn.append(panel)
        return {"panels": drawn, "moving": [panels.moving(panel) for panel in drawn]}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        """The past of each curve, and the markers."""
        for panel in artists["panels"]:
            panels.update_loss_panel(panel, float(data["epoch"].values[i]))

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """Each panel's numbers at that moment."""
        words = []
        for label, curves, _ in getattr(self, f"_{self.show}")(data):
            values = ", ".join(f"{name} {curve.y[i]:.3g}" for name, curve in curves.items())
            words.append(f"{label}: {values}".replace("\n", " ").replace("$", ""))
        at = int(data["epoch"].values[i])
        return f"{len(words)} panels over epochs, marked at epoch {at}. {'; '.join(words)}."

    def caption(self, data: xr.Dataset) -> str:
        """With the definitions and the citation."""
        texts = {
            "losses": "Excluded loss: on the training pairs, without cos and sin of $w_k(a+b)$ at "
            "the key frequencies. Restricted loss: on all pairs, with these alone. "
            + ("Gini coefficient of the Fourier components' norms in $W_E$ and $W_L$. "
               if self.third == "gini" else "Test loss over restricted loss. ")
            + "Sum of squares of all weights.",
            "accuracies": "Accuracy on the training pairs without cos and sin of $w_k(a+b)$ at the "
            "key frequencies (excluded), and on all pairs with these alone (restricted).",
            "cosines": "Height of $\\cos w_k(a+b-c)$ in the logits for each key frequency.",
        }  # fmt: skip
        return f"{texts[self.show]} After Nanda et al. (2023), arXiv:2301.05217, section 5.2."

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Until a while after clean-up: little moves later."""
        return 0, panels.horizon(data)

    def _losses(self, data: xr.Dataset) -> list[tuple[str, Curves, bool]]:
        colours = style().colours
        restricted = data["restricted_loss"].sel(split="all").values
        whole = _whole(data, "loss")
        ratio = data["loss"].sel(split="test").values / restricted
        gini = {
            "$W_E$": _curve(data, data["gini_embedding"].values, colours.ink),
            "$W_L$": _curve(data, data["gini_neuron_logit_map"].values, colours.muted),
        }
        third = ("Gini coefficient", gini, False)
        if self.third == "ratio":
            third = ("test / restricted", {"ratio": _curve(data, ratio, colours.ink)}, True)
        squares = data["sum_squared_weights"].sum("parameter").values
        return [
            ("loss", {**whole, "excluded": _curve(data, data["excluded_loss_2d"].values)}, True),
            ("loss", {**whole, "restricted": _curve(data, restricted)}, True),
            third,
            ("sum of squares", {"all\nweights": _curve(data, squares)}, False),
        ]

    def _accuracies(self, data: xr.Dataset) -> list[tuple[str, Curves, bool]]:
        whole = _whole(data, "accuracy", 100)
        excluded = 100 * data["excluded_accuracy_2d"].values
        restricted = 100 * data["restricted_accuracy"].sel(split="all").values
        return [
            ("accuracy (%)", {**whole, "excluded": _curve(data, excluded)}, False),
            ("accuracy (%)", {**whole, "restricted": _curve(data, restricted)}, False),
        ]

    def _cosines(self, data: xr.Dataset) -> list[tuple[str, Curves, bool]]:
        colours, p = style().colours, 2 * data.sizes["frequency"] + 1
        curves = {
            str(k): _curve(
                data,
                data["cosine_coefficient"].sel(frequency=k).values * (2 / p**3) ** 0.5,
                colours.frequency(k, panels.embedded(data)),
            )
            for k in panels.key_frequencies(data)
        }
        return [("cos w(a + b \u2212 c) in logits", curves, False)]


def _curve(data: xr.Dataset, values: Any, colour: str | None = None) -> panels.Curve:
    x = data["epoch"].values.astype(float)
    return panels.Curve(x, values.astype(float), colour or style().colours.ink)


def _whole(data: xr.Dataset, name: str, scale: float = 1) -> Curves:
    """The unharmed model on its train and test pairs."""
    colours = {"train": style().colours.train, "test": style().colours.test}
    return {
        split: _curve(data, scale * data[name].sel(split=split).values, colour)
        for split, colour in colours.items()
    }
