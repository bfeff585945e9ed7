"""The embedding matrix: stored as noise, made of waves, wound onto circles by training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from grokviz.scenes.modular_addition.embedding import _rounds

from grokviz.dataset.numerics import ties
from grokviz.errors import InputError
from grokviz.scene import Claim, clock, frequencies, option, panels
from grokviz.scene.film import Film
from grokviz.scene.spoken import percent
from grokviz.tasks.modular_addition.formulas import embedding

if TYPE_CHECKING:
    import xarray as xr


ROUND = 0.25
"""Spread of the radius over its mean, below which a cloud looks like a ring."""

HELD = 0.5
"""Share of the embedding that its planes must hold, or it is not made of circles."""


@dataclass(frozen=True)
class WavesToCircles(Film):
    """The embedding as stored, along its waves, sorted by them, and on circles through training."""

    name = "waves-to-circles"
    title = "The embedding is made of circles"
    watch = "sorted by a wave, the numbers go once around"
    source = "thread, tweet 9; arXiv:2301.05217, section 4.1 and figure 3"
    needs = ("embedding_matrix", "embedding_plane", "embedding_frequency_norm",
             "logged_test_loss", "phase_end")  # fmt: skip
    drawn_by = "films.waves_to_circles:WavesToCircles"
    seconds = 94
    counts = True
    parts = {  # noqa: RUF012
        "stored": "the embedding as it is stored",
        "waves": "the embedding along its waves",
        "wind": "a pair of waves is a circle",
        "training": "training winds the circles",
    }

    frequency: int | None = option(None, "embedded frequency that is followed, the largest if none")

    def followed(self, data: xr.Dataset) -> int:
        """The frequency whose circle is wound."""
        last, known = data["embedding_frequency_norm"].isel(epoch=-1), self.frequencies(data)
        if self.frequency is None:
            return frequencies.by_size(known, last)[0]
        if self.frequency not in known:
            listed = ", ".join(map(str, known))
            raise InputError(f"{self.name}: {self.frequency} is not embedded; there are {listed}")
        return self.frequency

    def frequencies(self, data: xr.Dataset) -> list[int]:
        """The six largest embedded frequencies, ascending."""
        last, known = data["embedding_frequency_norm"].isel(epoch=-1), frequencies.embedded(data)
        if not known:
            raise InputError(f"{self.name} needs an embedding with waves; this run's has none")
        return sorted(frequencies.by_size(known, last)[:6])

    def film_span(self, data: xr.Dataset) -> tuple[float, float]:
        """Up to the epoch after which little moves."""
        epochs = data["epoch"].values
        shown = epochs[epochs <= panels.horizon(data)]
        return float(shown[0]), float(shown[-1])

    def share(self, data: xr.Dataset) -> float:
        """Share of the embedding's squared weights, less their mean, in the frequencies' planes."""
        W_E = data["embedding_matrix"].values.astype(float)
        bases = embedding.plane_bases(W_E, self.frequencies(data))
        span = ties.span(np.concatenate(list(bases), axis=1))
        centred = W_E - W_E.mean(axis=1, keepdims=True)
        return float(np.square(span.T @ centred).sum() / np.square(centred).sum())

    def roundness(self, data: xr.Dataset, i: int, k: int) -> float:
        """Spread of the radius over its mean: 0 is a perfect circle."""
        points = data["embedding_plane"].sel(embedded_frequency=k).isel(epoch=i).values
        radius = np.linalg.norm(points, axis=1)
        return float(_rounds.spread(radius))

    def open_circles(self, data: xr.Dataset, i: int) -> list[int]:
        """The frequencies whose numbers lie on a ring at checkpoint ``i``."""
        return [k for k in self.frequencies(data) if self.roundness(data, i, k) < ROUND]

    def claim(self, data: xr.Dataset) -> Claim:
        """How many circles there are, and how far from round the clouds were before."""
        known = frequencies.embedded(data)
        if not known:
            return Claim.instead("The embedding has no waves: no circles")
        last, share = len(data["epoch"]) - 1, self.share(data)
        rings, spread = self.open_circles(data, last), self._spread(data)
        moment = f"{clock.word(data)} {int(data['epoch'].values[last]):,}"
        numbers = {"rings": len(rings), "share": share, "before": spread[0], "after": spread[1]}
        if not rings or not share >= HELD or last == 0:
            return Claim.instead(
                f"{_count(len(rings))} at {moment}, with {percent(share)} of the embedding",
                **numbers,
            )
        if not spread[0] >= ROUND:
            return Claim.instead(f"{_count(len(rings))}, from the first checkpoint on", **numbers)
        return Claim(
            f"Noise winds into {_count(len(rings)).lower()}: radii spread by {percent(spread[0])}, "
            f"then {percent(spread[1])}", self.watch, numbers=numbers,
        )  # fmt: skip

    def _spread(self, data: xr.Dataset) -> tuple[float, float]:
        """Median spread of the radii at the first and at the last checkpoint."""
        known = self.frequencies(data)
        first, last = ([self.roundness(data, i, k) for k in known] for i in (0, -1))
        return float(np.median(first)), float(np.median(last))

    def require(self, data: xr.Dataset) -> None:
        """Raise InputError unless the embedding is made of circles."""
        k, share = self.followed(data), self.share(data)
        spread = self.roundness(data, -1, k)
        if not (spread < ROUND and share >= HELD):
            raise InputError(
                f"{self.name} needs an embedding of circles: the radius of frequency {k} spreads "
                f"by {percent(spread)}, and the waves hold {percent(share)}; train the run further"
            )

    def description(self, data: xr.Dataset, i: int) -> str:
        """What the matrix is made of, and how round the circle becomes."""
        k, known = self.followed(data), self.frequencies(data)
        rows, p = data["embedding_matrix"].shape
        return (
            f"The {rows} x {p} embedding matrix as it is stored; {2 * len(known)} directions, a "
            f"cosine and a sine of each of the frequencies {', '.join(map(str, known))}, hold "
            f"{self.share(data):.1%} of its squared weights. In the plane of frequency {k} the "
            f"radius spreads by {percent(self.roundness(data, 0, k))} at the first checkpoint "
            f"and by {percent(self.roundness(data, -1, k))} at the last."
        )

    def definition(self, data: xr.Dataset) -> str:
        """With the definition and the citation."""
        return (
            "The embedding $W_E$ as it is stored; along the plane of each embedded frequency; with "
            "the numbers n sorted by kn mod p; and as circles through training. "
            "After Nanda et al. (2023), arXiv:2301.05217, section 4.1."
        )


def _count(circles: int) -> str:
    return {0: "No circles", 1: "One circle"}.get(circles, f"{circles} circles")
