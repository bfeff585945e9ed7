"""The thread's algorithm from the inputs to the logits, with one sum and measured heights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.modular_addition import _sums as sums

from grokviz.errors import InputError
from grokviz.scene import Claim, frequencies, option
from grokviz.scene.film import Film
from grokviz.scene.spoken import percent

if TYPE_CHECKING:
    import xarray as xr
    from jaxtyping import Float


WAVES = {"cos": np.cos, "sin": np.sin}
"""What the MLP's two directions of a frequency are read into."""

MEASURED = 0.5
"""Share of a direction of the MLP that the followed wave must be, or no product is read there."""


@dataclass(frozen=True)
class FourierMultiplication(Film):
    """Embedding, products, unembedding and interference: how the network finds a + b mod p."""

    name = "fourier-multiplication"
    title = "Waves agree only at the right answer"
    watch = "every wave peaks at the answer, and only there do all of them"
    source = "thread, tweet 7; arXiv:2301.05217, section 3 and table 1"
    needs = (
        "embedding_plane", "embedding_frequency_norm", "cosine_coefficient", "logit_wave",
        "logit_variance_explained", "key_direction_variance_explained",
        "key_direction_projection",
    )  # fmt: skip
    drawn_by = "films.fourier_multiplication:FourierMultiplication"
    seconds = 97
    parts = {  # noqa: RUF012
        "embed": "the embedding: numbers as waves",
        "multiply": "attention and MLP: products of waves",
        "read": "the unembedding: a wave around the answer",
        "interfere": "the logits: waves that agree once",
    }

    a: int | None = option(None, "the first number; if none, 87 of 113")
    b: int | None = option(None, "the second number; if none, 81 of 113")
    frequency: int | None = option(None, "key frequency that is followed, the strongest if none")

    def sum_of(self, data: xr.Dataset) -> tuple[int, int]:
        """a and b; ``InputError`` for a number that the network does not know."""
        return sums.numbers(data, self.a, self.b, self.name)

    def answer(self, data: xr.Dataset) -> int:
        """a + b mod p."""
        return sum(self.sum_of(data)) % data.sizes["residue"]

    def followed(self, data: xr.Dataset) -> int:
        """The frequency whose products are shown."""
        return sums.strongest(data, self.frequency, self.name)

    def claim(self, data: xr.Dataset) -> Claim:
        """What the waves give the answer together, and what any other."""
        lacks = sums.what_lacks(data)
        if lacks:
            return Claim.instead(lacks, explained=sums.explained(data))
        count, heights = len(sums.wave_heights(data)), self._heights(data)
        best, rival = float(heights[0]), float(heights[1:].max())
        return Claim(
            f"{count} waves agree on {self.answer(data)}: {best:.1f} logits, "
            f"and at most {rival:.1f} elsewhere",
            self.watch, numbers={"best": best, "rival": rival},
        )  # fmt: skip

    def _heights(self, data: xr.Dataset) -> np.ndarray:
        """The sum of all waves by the distance from the answer, in logits."""
        return sums.total(data, np.arange(data.sizes["residue"]))

    def directions(self, data: xr.Dataset) -> tuple[float, float]:
        """Shares of the MLP's two directions at the followed frequency that its waves are."""
        cosine, sine = data["key_direction_variance_explained"].values[self._rows(data)]
        return float(cosine), float(sine)

    def projections(self, data: xr.Dataset) -> Float[np.ndarray, "2 p p"]:
        """The MLP of each pair (a, b) along these two, each with the variance of a sine."""
        along = data["key_direction_projection"].values[self._rows(data)].astype(float)
        scaled: Float[np.ndarray, "2 p p"] = along / along.std(axis=(1, 2), keepdims=True)
        return scaled / np.sqrt(2)

    def shares(self, data: xr.Dataset) -> tuple[float, float]:
        """Shares of these that the cosine, and the sine, of w(a + b) explains alone."""
        p = data.sizes["residue"]
        n = np.arange(p)
        angles = 2 * np.pi * self.followed(data) * (n[:, None] + n) / p
        # both have the same variance, so that the slope squared is the share
        cosine, sine = (float((2 * (along * wave(angles)).mean()) ** 2) for along, wave
                        in zip(self.projections(data), WAVES.values(), strict=True))  # fmt: skip
        return cosine, sine

    def _rows(self, data: xr.Dataset) -> slice:
        """The followed frequency's two among the key directions."""
        at = 2 * frequencies.key_frequencies(data).index(self.followed(data))
        return slice(at, at + 2)

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless waves are multiplied in this run, and the sum is its own."""
        self.answer(data)
        sums.require_waves(data, self.name)
        share = min(self.directions(data))
        if not share >= MEASURED:
            raise InputError(
                f"{self.name}: of the MLP's directions at frequency {self.followed(data)} one is "
                f"only {percent(share)} a product of waves; give another frequency"
            )

    def description(self, data: xr.Dataset, i: int) -> str:
        """The steps with their measured numbers."""
        p, heights = data.sizes["residue"], sums.wave_heights(data)
        (a, b), c = self.sum_of(data), self.answer(data)
        every = self._heights(data)
        waves = ", ".join(f"{k}: {height:.1f}" for k, height in heights.items())
        share, (cosine, sine) = sums.explained(data), self.shares(data)
        return (
            f"From {a} and {b} to {c} mod {p}: the cosine and the sine of each number "
            f"at {len(heights)} key frequencies, their products, the cosine and the sine of the "
            "sum, and waves around the answer. Of the MLP's variance over all pairs along two "
            f"directions, {percent(cosine)} is that cosine and {percent(sine)} that sine. The "
            f"waves (heights in logits {waves}) add up to {every[0]:.1f} at {c} and at most "
            f"{every[1:].max():.1f} elsewhere; they explain {percent(share)} of the "
            "squared logits."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "One sum from its inputs to the logits: $\\cos(w_k(a+b-c))$ from products of "
            "cosines and sines, with the measured height $\\alpha_k$ of each key frequency. "
            "After Nanda et al. (2023), arXiv:2301.05217, section 3."
        )
