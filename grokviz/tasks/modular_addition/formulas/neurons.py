"""What each neuron computes over (a, b): its frequency, its terms, its cluster.

Conventions (arXiv:2301.05217, section 4.3 and notebook): activations after the ReLU, at '=',
over all p * p pairs, centred. A neuron's share of variance at frequency k is the power of
the eight terms (0, cos k), (0, sin k), (cos k, 0), (sin k, 0) and the four products, over
its whole variance; its frequency is the k = 1 .. (p - 1) / 2 with the largest share. The
original Colab counts the 3 x 3 block with the constant, which is 0 after centring, and stops
one frequency short.

A neuron has no frequency if no frequency has the largest share: if it does not vary, or is active
on a single pair, which contains all waves in equal parts. The maximum would then be a rounding
error, and differ between machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import frequencies
from grokviz.tasks.modular_addition.formulas.marginals import (
    FrequencyPower,
    Marginals,
    share,
    trig_fit,
)

THRESHOLD = 0.85
"""The smallest share of variance with which a neuron belongs to its frequency's cluster."""

SMALLEST_CLUSTER = 5
"""The smallest number of clustered neurons that makes a key frequency."""

UNCLUSTERED = -1

SELECTED = 12
"""Number of neurons whose activations over (a, b) a dataset stores."""

NO_FREQUENCY = 0
"""Stands for no frequency: the index of the constant, which is no wave."""

RELU_PRODUCT_SHARE = 128 / (9 * np.pi**4 - 288)
"""The share in products, 21.7 %, of the variance of max(0, cos x + cos y) over all angles x and y.

With u = (x + y) / 2 and v = (x - y) / 2 it is cos u cos v + abs(cos u cos v). The first part is
(cos x + cos y) / 2, the linear terms. As abs(cos u) = 2/pi + 4/(3 pi) cos 2u - ..., the second has
the mean 4/pi^2, and 8/(3 pi^2) of each of cos(x + y) and cos(x - y): products with a power of
(8/(3 pi^2))^2. All squares have the mean 1/2, half of that of cos x + cos y, so the variance is
1/2 - 16/pi^4. Over p residues it is so up to terms that vanish as p grows.
"""


@dataclass(frozen=True, eq=False)
class NeuronFrequencies:
    """Each neuron's own frequency."""

    frequency: Int[np.ndarray, " neuron"]
    """That of the largest share, in turns per p residues; 0 for a neuron without a frequency."""
    fraction: Float[np.ndarray, " neuron"]
    """Its share of the neuron's variance, 0 to 1; 0 for a neuron without a frequency."""

    @property
    def cluster(self) -> Int[np.ndarray, " neuron"]:
        """The frequency if its share reaches 0.85, else -1."""
        clean = ties.reaches(self.fraction, THRESHOLD) & (self.frequency != NO_FREQUENCY)
        return np.where(clean, self.frequency, UNCLUSTERED)


def neuron_frequencies(m: Marginals, power: FrequencyPower) -> NeuronFrequencies:
    """Frequency and share of variance of each neuron, from its marginals and power."""
    return largest_share(share(power.total, m.power))


def largest_share(shares: Float[np.ndarray, "frequency column"]) -> NeuronFrequencies:
    """Each column's frequency and its share, from the shares of all frequencies.

    A column has no frequency unless its largest share exceeds the second by more than the
    precision of float32 weights (:data:`grokviz.dataset.numerics.ties.PRECISION`).
    """
    best = ties.leader(shares)
    has = best != ties.NONE
    return NeuronFrequencies(
        frequency=np.where(has, best + 1, NO_FREQUENCY),
        fraction=np.where(has, shares[best, np.arange(len(best))], 0.0),
    )


def cluster_sizes(cluster: Int[np.ndarray, " neuron"]) -> dict[int, int]:
    """Number of clustered neurons of each frequency that has any."""
    distinct, counts = np.unique(cluster[cluster > 0], return_counts=True)
    return {int(k): int(count) for k, count in zip(distinct, counts, strict=True)}


def key_frequencies(neurons: NeuronFrequencies) -> Int[np.ndarray, " key"]:
    """Frequencies with at least five neurons at a share of 0.85 or more, ascending.

    The published notebook lists every neuron's frequency before any threshold; on a model
    that is not yet clean that includes noise, so small clusters are omitted here.
    """
    sizes = cluster_sizes(neurons.cluster)
    return np.array([k for k, count in sizes.items() if count >= SMALLEST_CLUSTER], dtype=int)


def selected_neurons(
    own_frequencies: NeuronFrequencies, count: int = SELECTED
) -> Int[np.ndarray, " neuron"]:
    """The neurons that show each frequency best: the cleanest of each cluster in turn.

    After the clusters, the neurons with the largest share of variance follow, those without a
    frequency last. Ties are ordered by number.
    """
    cleanest = ties.ordered(own_frequencies.fraction)
    turns = {
        k: iter(cleanest[own_frequencies.cluster[cleanest] == k])
        for k in key_frequencies(own_frequencies)
    }
    best: list[int] = []
    while len(best) < count and turns:
        for k in list(turns):
            neuron = next(turns[k], None)
            if neuron is None:
                del turns[k]
            elif len(best) < count:
                best.append(int(neuron))
    rest = [int(n) for n in cleanest if int(n) not in best]
    selection = np.array([*best, *rest][:count])
    frequency = own_frequencies.frequency[selection]
    place = ties.ranks(own_frequencies.fraction)[selection]
    return selection[np.lexsort((place, frequency, frequency == NO_FREQUENCY))]


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of each neuron's variance by kind of term, 0 to 1."""

    linear: Float[np.ndarray, " neuron"]
    """cos and sin of wa and of wb."""
    quadratic: Float[np.ndarray, " neuron"]
    """The products of those of a and those of b."""

    @property
    def total(self) -> Float[np.ndarray, " neuron"]:
        """The share explained by the neuron's frequency, linear and quadratic."""
        both: Float[np.ndarray, " neuron"] = self.linear + self.quadratic
        return both


def term_shares(m: Marginals, power: FrequencyPower, cluster: Int[np.ndarray, " neuron"]) -> Shares:
    """Linear and quadratic share of each neuron at its cluster's frequency.

    An unclustered neuron (-1) is given the sum over all frequencies, as in the original
    Colab. Source: its "fraction explained" animation.
    """
    columns = np.arange(len(cluster))
    row = np.maximum(cluster, 1) - 1

    def picked(part: Float[np.ndarray, "frequency neuron"]) -> Float[np.ndarray, " neuron"]:
        own = np.where(cluster > 0, part[row, columns], part.sum(axis=0))
        return share(own, m.power)

    return Shares(picked(power.linear), picked(power.quadratic))


def rows_of(keys: Sequence[int] | Int[np.ndarray, " key"]) -> Int[np.ndarray, " key"]:
    """Rows of some frequencies in arrays over all frequencies."""
    return np.asarray(keys, dtype=int).reshape(-1) - 1


def one_hot(keys: Int[np.ndarray, " key"], p: int) -> np.ndarray:
    """Which of all frequencies are key frequencies, as booleans."""
    is_key: np.ndarray = np.isin(frequencies(p), keys)
    return is_key


def cut_to_own(
    post: Float[np.ndarray, "p*p d_mlp"], m: Marginals, cluster: Int[np.ndarray, " d_mlp"]
) -> Float[np.ndarray, "p*p d_mlp"]:
    """Clustered neurons as polynomials of degree 2 in the waves of their own frequency, the others
    whole; ``m`` are the means of all.
    """
    own = np.equal.outer(np.arange(1, len(m.by_a) // 2 + 1), cluster)
    cut: Float[np.ndarray, "p*p d_mlp"] = np.where(cluster > 0, trig_fit(m, own), post)
    return cut
