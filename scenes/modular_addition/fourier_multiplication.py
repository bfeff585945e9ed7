"""The thread's algorithm from the inputs to the logits, with one sum and measured heights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.modular_addition import _sums as sums

from grokviz.scene import option
from grokviz.scene.film import Film

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class FourierMultiplication(Film):
    """Embedding, products, unembedding and interference: how the network finds a + b mod p."""

    name = "fourier-multiplication"
    title = "The network multiplies waves to add numbers"
    watch = "every wave peaks at the answer, and only there do all of them"
    source = "thread, tweet 7; arXiv:2301.05217, section 3 and table 1"
    needs = (
        "embedding_plane", "embedding_frequency_norm", "cosine_coefficient", "logit_wave",
        "logit_variance_explained", "key_direction_variance_explained",
    )  # fmt: skip
    drawn_by = "films.fourier_multiplication:FourierMultiplication"
    seconds = 99
    parts = {  # noqa: RUF012
        "embed": "the embedding: numbers as waves",
        "multiply": "attention and MLP: products of waves",
        "read": "the unembedding: a wave around the answer",
        "interfere": "the logits: waves that agree once",
    }

    a: int = option(87, "the first number")
    b: int = option(81, "the second number")
    frequency: int | None = option(None, "key frequency that is followed, the strongest if none")

    def answer(self, data: xr.Dataset) -> int:
        """a + b mod p; ``InputError`` for a number that the network does not know."""
        return sums.answer(data, self.a, self.b, self.name)

    def followed(self, data: xr.Dataset) -> int:
        """The frequency whose products are shown."""
        return sums.strongest(data, self.frequency, self.name)

    def description(self, data: xr.Dataset, i: int) -> str:
        """The steps with their measured numbers."""
        p, heights = data.sizes["residue"], sums.wave_heights(data)
        c = self.answer(data)
        every = sums.total(data, np.arange(p))
        waves = ", ".join(f"{k}: {height:.1f}" for k, height in heights.items())
        share = float(data["logit_variance_explained"].values[-1])
        return (
            f"From {self.a} and {self.b} to {c} mod {p}: each number becomes a cosine and a sine "
            f"of {len(heights)} key frequencies; products of these add up to the cosine and sine "
            "of the sum; the unembedding turns them into a wave around the answer. The waves "
            f"(heights in logits {waves}) add up to {every[0]:.1f} at {c} and at most "
            f"{every[1:].max():.1f} elsewhere, {share:.0%} of the network's logits."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "The algorithm that the network has learned: $\\cos(w_k(a+b-c))$ from products of "
            "cosines and sines, with the measured height $\\alpha_k$ of each key frequency. "
            "After Nanda et al. (2023), arXiv:2301.05217, section 3."
        )
