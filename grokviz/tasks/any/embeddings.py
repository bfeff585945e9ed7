"""Embeddings of any state dict: which tensors they are, and the plane that holds most of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics import ties
from grokviz.tasks.any.spectra import ENTRIES_AT_ONCE, RESOLVED

NAMES = re.compile(r"(^|\.)(wte|wpe|tok\w*|pos\w*|embed\w*|token\w*|W_E|W_pos)(\.|$)", re.I)
"""Parts of the names of what a signal meets first."""

FEWEST = 3
"""An embedding of fewer things has no plane."""


@dataclass(frozen=True)
class Embedding:
    """A matrix that gives each of some things a vector, such as tokens or positions.

    Attributes:
        name: the tensor.
        across: whether the things are its columns rather than its rows.
        count: how many there are.

    """

    name: str
    across: bool
    count: int

    def rows(self, state: Mapping[str, np.ndarray]) -> Float[np.ndarray, "token feature"]:
        """The vectors, one a row."""
        return state[self.name].T if self.across else state[self.name]


@dataclass(frozen=True, eq=False)
class Plane:
    """The two leading directions of some vectors, from their mean.

    Attributes:
        coordinates: of each vector along the two directions, the leading one first.
        share: of the variance of the vectors, in the plane; NaN of vectors that are all alike.

    """

    coordinates: Float[np.ndarray, "token 2"]
    share: float


def embeddings(
    shapes: Mapping[str, tuple[int, ...]], names: Iterable[str] | None = None
) -> list[Embedding]:
    """The embeddings among tensors of these shapes: what is called so, else the first matrix.

    The longer side of what other tensors have in common is that of the features. ``names`` are
    the tensors that count; all by default.
    """
    every = {
        name: shapes[name]
        for name in (shapes if names is None else names)
        if len(shapes[name]) == 2 and min(shapes[name]) > 1
    }
    called = [name for name in every if NAMES.search(name)] or [*every][:1]
    each = (_embedding(name, every, shapes) for name in called)
    return [one for one in each if one.count >= FEWEST]


def plane(vectors: Float[np.ndarray, "token feature"], most: int) -> Plane:
    """The plane that holds most of the variance of all vectors, and the first ``most`` in it.

    Products are summed in float64 over some vectors at a time. The sign of a direction is such
    that what lies farthest along it lies at its positive side. NaN where an entry is no number.
    """
    size = vectors.shape[1]
    many = max(ENTRIES_AT_ONCE // size, 1)
    parts = range(0, len(vectors), many)
    mean = sum(vectors[s : s + many].sum(axis=0, dtype=np.float64) for s in parts) / len(vectors)
    product = np.zeros((size, size))
    for start in parts:
        part = vectors[start : start + many].astype(np.float64) - mean
        product += part.T @ part
    if not np.isfinite(product).all():
        return Plane(np.full((min(len(vectors), most), 2), np.nan), float("nan"))
    values, directions = np.linalg.eigh(product)
    total = float(np.trace(product))
    coordinates = (vectors[:most].astype(np.float64) - mean) @ directions[:, :-3:-1]
    if coordinates.shape[1] < 2 or not total > 0:
        return Plane(np.zeros((len(coordinates), 2)), float("nan"))
    for axis in coordinates.T:
        far = axis[ties.first_largest(np.abs(axis))]
        axis *= -1 if far < 0 else 1
    return Plane(coordinates, float(values[-2:].sum() / total))


def circle_shares(
    vectors: Float[np.ndarray, "residue feature"],
) -> Float[np.ndarray, " frequency"]:
    """Shares of the frequencies from 1 up in vectors of the residues on a circle, less their mean:
    of each the summed squares of what its cosine and its sine explain; NaN of vectors all alike.

    Source: Nanda et al., arXiv:2301.05217, section 4.1.
    """
    count = len(vectors)
    if not np.isfinite(vectors).all():
        return np.full(count // 2, np.nan)
    waves = np.abs(np.fft.rfft(vectors.astype(np.float64), axis=0)[1:]) ** 2
    power = waves.sum(axis=1)
    if count % 2 == 0:  # the last has no sine
        power[-1] /= 2
    shares = np.full(len(power), np.nan)
    # what is left of equal vectors is rounding
    if power.sum() > (RESOLVED * np.abs(vectors).max() * count) ** 2:
        shares = power / power.sum()
    return shares


def turned(
    planes: Float[np.ndarray, "moment token 2"],
) -> Float[np.ndarray, "moment token 2"]:
    """Planes each turned, or turned over, so that it is as near as can be to the one after it.

    The last stays as it is; moments at which a coordinate is no number stay, and are passed over.
    Source: Schönemann, the orthogonal Procrustes problem, doi.org/10.1007/BF02289451.
    """
    straight = planes.astype(np.float64)
    known = np.flatnonzero(np.isfinite(straight).all(axis=(1, 2)))
    for before, after in zip(known[-2::-1], known[:0:-1], strict=True):
        u, _, v = np.linalg.svd(straight[before].T @ straight[after])
        straight[before] = straight[before] @ (u @ v)
    return straight


def _embedding(
    name: str, every: Mapping[str, tuple[int, ...]], shapes: Mapping[str, tuple[int, ...]]
) -> Embedding:
    """Which side of a matrix is features: the one that is as long as sides of other tensors."""
    sides = [side for other, shape in shapes.items() if other != name for side in shape]
    rows, columns = every[name]
    across = _more(sides, rows, columns)
    # five things in two dimensions may share their number with a vector of biases
    if (columns if across else rows) < FEWEST <= (rows if across else columns):
        across = not across
    return Embedding(name, across, columns if across else rows)


def _more(sides: Sequence[int], one: int, two: int) -> bool:
    """Whether one length is more frequent than another."""
    return sides.count(one) > sides.count(two)
