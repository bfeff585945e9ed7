"""The plane of the leading directions of each embedding, of any run that has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.contract import Storage, dimension, measure, requires
from grokviz.runs import Run
from grokviz.tasks.any import embeddings
from grokviz.tasks.any.embeddings import FEWEST
from grokviz.tasks.any.norms import weight_names

MOST = 2048
"""So many vectors of an embedding are in the dataset, the first; all count for its plane."""

MODULUS = ("p", "modulus", "mod", "residues")
"""Settings that say how many residues there are, as they are called here and there."""

PCA = "Jolliffe, Principal Component Analysis, doi.org/10.1007/b98835"


def _embeddings(run: Run) -> str:
    """What a run lacks of embeddings, as in "it has no ..."."""
    shapes = run.shapes()
    if not shapes:
        return "checkpoints"
    return "" if embeddings.embeddings(shapes) else "matrix with three rows or columns"


def _circle(run: Run) -> str:
    """What a run lacks of a circle of residues, as in "it has no ..."."""
    if lack := _embeddings(run):
        return lack
    if not _residues(run.facts.get("settings") or run.facts):
        return "setting p (how many residues there are on a circle; record it with p=N)"
    every = embeddings.embeddings(run.shapes())
    enough = any(one.count >= _residues(run.facts.get("settings") or run.facts) for one in every)
    return "" if enough else "embedding of as many things as there are residues"


@dimension
def embedded(run: RunView) -> list[str]:
    """Name of an embedding: a tensor that gives each of its rows, or columns, a vector."""
    return [one.name for one in _all(run.last)]


@dimension
def embedded_number(run: RunView) -> Int[np.ndarray, " embedded_number"]:
    """Number of what an embedding gives a vector, such as a token or a position."""
    return np.arange(_count(_all(run.last)))


@dimension
def embedding_axis(run: RunView) -> list[str]:
    """Axes of the plane of an embedding, the widest first."""
    return ["first", "second"]


@dimension
def circle_frequency(run: RunView) -> Int[np.ndarray, " circle_frequency"]:
    """Frequency of a wave over the residues on a circle: how often it goes round."""
    return np.arange(1, _residues(run.settings) // 2 + 1)


@measure("embedded", "embedded_number", "embedding_axis", on="field_epoch", source=PCA,
         stored=Storage(bits=12), long_name="vectors in the plane of their embedding")  # fmt: skip
@requires(_embeddings)
def leading_plane(at: Checkpoint) -> Float[np.ndarray, "embedded number 2"]:
    """Coordinates of an embedding's vectors, less their mean, along the two directions in which
    all of them vary most at that checkpoint; NaN past the last.
    """
    every = _all(at)
    values = np.full((len(every), _count(every), 2), np.nan)
    for row, one in zip(values, _planes(at), strict=True):
        row[: len(one.coordinates)] = one.coordinates
    return values


@measure("embedded", on="field_epoch", source=PCA,
         long_name="share of an embedding in its plane")  # fmt: skip
@requires(_embeddings)
def leading_plane_share(at: Checkpoint) -> Float[np.ndarray, " embedded"]:
    """Share of the variance of an embedding's vectors along the two directions in which they vary
    most at that checkpoint; NaN of vectors that are all alike.
    """
    return np.array([one.share for one in _planes(at)])


@measure("embedded", "circle_frequency", on="field_epoch", stored=Storage(bits=12),
         source="arXiv:2301.05217, section 4.1",
         long_name="share of a frequency in an embedding")  # fmt: skip
@requires(_circle)
def circle_share(at: Checkpoint, run: RunView) -> Float[np.ndarray, "embedded frequency"]:
    """Share of each frequency in an embedding of the residues on a circle, its first vectors, less
    their mean: their summed squares along its cosine and its sine; NaN of embeddings of fewer.
    """
    count, every = _residues(run.settings), _all(at)
    shares = np.full((len(every), count // 2), np.nan)
    for row, one in zip(shares, every, strict=True):
        if one.count >= count:
            row[:] = embeddings.circle_shares(one.rows(at.state)[:count])
    return shares


def _residues(settings: Mapping[str, Any]) -> int:
    """How many residues settings say that there are; 0 where they do not say."""
    values = (settings.get(key) for key in MODULUS)
    known = (v for v in values if isinstance(v, int) and not isinstance(v, bool) and v >= FEWEST)
    return next(known, 0)


def _all(at: Checkpoint) -> list[embeddings.Embedding]:
    shapes = {name: np.shape(array) for name, array in at.state.items()}
    return embeddings.embeddings(shapes, weight_names(at.state))


def _count(every: list[embeddings.Embedding]) -> int:
    return min(max((one.count for one in every), default=0), MOST)


def _planes(at: Checkpoint) -> list[embeddings.Plane]:
    """The plane of each embedding, computed once for both measures of a checkpoint."""
    memo = vars(at)
    if "_planes" not in memo:
        memo["_planes"] = [embeddings.plane(one.rows(at.state), MOST) for one in _all(at)]
    planes: list[embeddings.Plane] = memo["_planes"]
    return planes
