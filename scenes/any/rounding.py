"""How log-softmax in float32 loses its last bit, what that does, and the slingshots after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grokviz.dataset.numerics.spikes import LOW, spikes
from grokviz.errors import InputError
from grokviz.scene import Claim, option
from grokviz.scene.film import Film
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import Float

MEASURED = "rounding"
PAIR = ("float32", "float64")

LEAPS = 3
"""So many leaps of the loss in float32, and so many for each in float64, are more than chance."""

GROWS = 0.03
"""From this share on the unembedding is said to have grown before a leap."""


@dataclass(frozen=True)
class Growth:
    """By which share the norm of W_U grows before a leap, and between which epochs.

    ``last`` is the leap before, or where the loss first vanished; at ``lowest`` the norm is
    lowest between the two.
    """

    last: float
    lowest: float
    leap: float
    share: float


@dataclass(frozen=True)
class Rounding(Film):
    """The last bit of one number, the gradient behind it, and two trainings that differ by it."""

    name = "rounding"
    title = "A rounding error throws training off"
    watch = "the right answer's pull rounds to nothing, the others' push stays"
    source = "thread, tweet 14; arXiv:2605.06152"
    disputed = (
        "Disputed: whether without weight decay rounding is what stops grokking "
        "(arXiv:2501.04697), and whether it makes the slingshots (arXiv:2605.06152)."
    )
    recipe = "modular-addition-float32"
    reference = "slingshots"
    needs = (
        "member_precision", "member_seed", "member_epoch", "member_train_loss",
        "member_spike_count", "member_logit_gradient_sum", "member_unembedding_norm",
        "member_last_epoch",
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
    seconds = 105
    counts = True
    parts = {  # noqa: RUF012
        "question": "one of two trainings leaps",
        "last-bit": "the last bit of log-softmax",
        "gradient": "the gradient loses its balance",
        "slingshot": "what training makes of it",
    }

    until: int = option(16000, "the last epoch that is shown")

    def pair(self, data: xr.Dataset) -> tuple[int, int]:
        """The first two runs that differ in the precision of the loss: float32 and float64."""
        kinds = [str(kind) for kind in data["member_precision"].values]
        missing = [kind for kind in PAIR if kind not in kinds]
        if missing:
            raise InputError(
                f"{self.name} compares runs with their losses in float32 and in float64, and there "
                f"is none in {missing[0]}; train both with grokviz sweep modular-addition-float32 "
                "--grid loss-precision=float32,float64"
            )
        seeds = data["member_seed"].values
        for m, kind in enumerate(kinds):
            others = [n for n, other in enumerate(kinds)
                      if other == PAIR[1] and seeds[n] == seeds[m]]  # fmt: skip
            if kind == PAIR[0] and others:
                return m, others[0]
        raise InputError(
            f"{self.name} compares a run in float32 with one in float64 of the same seed, and "
            "there is no such pair; train one with grokviz sweep modular-addition-float32 "
            "--grid loss-precision=float32,float64"
        )

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """As long as both runs go on."""
        return 0.0, min(float(data["member_last_epoch"].values[m]) for m in self.pair(data))

    def sums(self, data: xr.Dataset) -> tuple[float, float]:
        """Median size of the sum of the logits' gradient in the two runs."""
        sizes = np.abs(data["member_logit_gradient_sum"].values)
        one, two = (float(np.nanmedian(sizes[m])) for m in self.pair(data))
        return one, two

    def leaps(self, data: xr.Dataset) -> tuple[int, int]:
        """How often the training loss leaps in the two runs."""
        one, two = (int(data["member_spike_count"].values[m]) for m in self.pair(data))
        return one, two

    def logged(self, data: xr.Dataset, name: str, m: int) -> Float[np.ndarray, "2 point"]:
        """Epochs and values of what a run logged, without the padding after the last."""
        epochs, values = data["member_epoch"].values[m], data[f"member_{name}"].values[m]
        keep = (epochs >= 0) & np.isfinite(values)
        return np.stack([epochs[keep], values[keep]]).astype(float)

    def growths(self, data: xr.Dataset) -> list[Growth]:
        """How W_U grows before each leap in float32; none where its norm was not logged."""
        m, _ = self.pair(data)
        epochs, loss = self.logged(data, "train_loss", m)
        when, norm = self.logged(data, "unembedding_norm", m)
        tops, _ = spikes(epochs, loss)
        last, growths = float(epochs[np.argmax(loss < LOW)]), []
        for top in map(float, tops):
            between = (when > last) & (when < top)
            if not between.any():
                return []
            some, size = when[between], norm[between]
            low = int(size.argmin())
            share = float(size[low:].max() / size[low] - 1)
            growths.append(Growth(last, float(some[low]), top, share))
            last = top
        return growths

    def grows_first(self, data: xr.Dataset) -> bool:
        """Whether W_U grows before every leap in float32."""
        growths = self.growths(data)
        return len(growths) == self.leaps(data)[0] > 0 and all(g.share >= GROWS for g in growths)

    def one_way(self, data: xr.Dataset) -> float:
        """Share of the epochs at which the sum of float32's gradient has its commoner sign.

        Of those after the loss first vanished.
        """
        m, _ = self.pair(data)
        epochs, loss = self.logged(data, "train_loss", m)
        when, sums = self.logged(data, "logit_gradient_sum", m)
        up = float((sums[when > epochs[np.argmax(loss < LOW)]] > 0).mean())
        return max(up, 1 - up)

    def claim(self, data: xr.Dataset) -> Claim:
        """How often the two trainings leap."""
        one, two = self.leaps(data)
        numbers = {"float32": one, "float64": two}
        if one >= LEAPS * max(two, 1):
            return Claim(
                f"Rounded to float32 the loss leaps {times(one)}; from the same start in "
                f"float64 {times(two)}", self.watch, numbers=numbers,
            )  # fmt: skip
        return Claim.instead(
            f"The loss leaps {times(one)} in float32 and {times(two)} in float64", **numbers
        )

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless there are two runs to compare."""
        self.pair(data)

    def description(self, data: xr.Dataset, i: int) -> str:
        """How often each training is thrown off."""
        one, two = self.leaps(data)
        first, second = self.sums(data)
        shares = [growth.share for growth in self.growths(data)]
        grown = (
            " Before each of its leaps the norm of the unembedding grows, by "
            f"{percent(min(shares))} to {percent(max(shares))}." if self.grows_first(data) else ""
        )  # fmt: skip
        return (
            "In float32 the log-softmax of a leading logit moves in steps of its last bit and then "
            "is 0: the right answer's gradient vanishes while those of the others stay. Two "
            f"trainings from the same weights: with the loss in float32 it leaps {times(one)}, "
            f"in float64 {times(two)}; the sum of the logits' gradient is {first:.1e} and "
            f"{second:.1e}.{grown}"
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "Log-softmax of two logits and gradients of the loss for 113 classes, as torch returns "
            "them; training losses of two runs that differ only in the precision of the loss. "
            "After Nanda and Lieberum (2022), the thread, tweet 14, and arXiv:2605.06152."
        )


def times(count: int) -> str:
    """How often, in words."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
