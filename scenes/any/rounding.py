"""How log-softmax in float32 loses its last bit, what that does, and the slingshots after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grokviz.errors import InputError
from grokviz.scene import option
from grokviz.scene.film import Film

if TYPE_CHECKING:
    import xarray as xr

MEASURED = "rounding"
PAIR = ("float32", "float64")


@dataclass(frozen=True)
class Rounding(Film):
    """The last bit of one number, the gradient behind it, and two trainings that differ by it."""

    name = "rounding"
    title = "A rounding error throws training off"
    watch = "the right answer's pull rounds to nothing, the others' push stays"
    source = "thread, tweet 14; arXiv:2605.06152"
    recipe = "modular-addition-float32"
    reference = "slingshots"
    needs = (
        "member_precision", "member_epoch", "member_train_loss", "member_spike_count",
        "member_logit_gradient_sum", "member_last_epoch",
    )  # fmt: skip
    also = {  # noqa: RUF012
        MEASURED: (
            "log_softmax_value",
            "rounding_threshold",
            "gap_right_gradient",
            "gap_wrong_gradient",
            "gap_loss",
        ),
    }
    drawn_by = "films.rounding:Rounding"
    seconds = 86
    parts = {  # noqa: RUF012
        "last-bit": "the last bit of log-softmax",
        "gradient": "the gradient loses its balance",
        "slingshot": "what training makes of it",
    }

    until: int = option(16000, "the last epoch that is shown")

    def pair(self, data: xr.Dataset) -> tuple[int, int]:
        """The first run with its loss in float32, and the first in float64."""
        kinds = [str(kind) for kind in data["member_precision"].values]
        missing = [kind for kind in PAIR if kind not in kinds]
        if missing:
            raise InputError(
                f"{self.name} compares runs with their losses in float32 and in float64, and there "
                f"is none in {missing[0]}; train both with grokviz sweep modular-addition-float32 "
                "--grid loss-precision=float32,float64"
            )
        return kinds.index(PAIR[0]), kinds.index(PAIR[1])

    def sums(self, data: xr.Dataset) -> tuple[float, float]:
        """Median size of the sum of the logits' gradient in the two runs."""
        sizes = np.abs(data["member_logit_gradient_sum"].values)
        one, two = (float(np.nanmedian(sizes[m])) for m in self.pair(data))
        return one, two

    def description(self, data: xr.Dataset, i: int) -> str:
        """How often each training is thrown off."""
        spikes = data["member_spike_count"].values
        one, two = (int(spikes[m]) for m in self.pair(data))
        first, second = self.sums(data)
        return (
            "In float32 the log-softmax of a leading logit moves in steps of its last bit and then "
            "is 0: the right answer's gradient vanishes while those of the others stay. Two "
            f"trainings from the same weights: with the loss in float32 it spikes {one} times, "
            f"in float64 {two} times; the sum of the logits' gradient is {first:.1e} and "
            f"{second:.1e}."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Log-softmax of two logits and gradients of the loss for 113 classes, as torch returns "
            "them; training losses of two runs that differ only in the precision of the loss. "
            "After Nanda and Lieberum (2022), the thread, tweet 14, and arXiv:2605.06152."
        )
