"""The path of the weights: whether training wanders. It can be measured of every run."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import RunView
from grokviz.dataset.contract import dimension, measure
from grokviz.tasks.any.norms import weight_names
from grokviz.tasks.any.path import Path, path, random_walk_products
from grokviz.tasks.any.steps import products_of

POINTS = 500
FEWEST = 9
WEIGHTS = 1 << 28
"""A path of a large model has fewer points, so that a random walk beside it takes about so many
random numbers.
"""
WALK_SEED = 0
SOURCE = "thread: 'it is NOT a random walk'"


@dimension
def path_epoch(run: RunView) -> Int[np.ndarray, " path_epoch"]:
    """Evenly spaced epochs along the path of the weights."""
    size = sum(run.last.state[name].size for name in weight_names(run.last.state))
    return path_epochs(run.epochs, max(FEWEST, min(POINTS, WEIGHTS // size)))


@dimension
def principal_axis(run: RunView) -> list[str]:
    """Principal axes of the path of the weights, the widest first."""
    return ["first", "second"]


def _paths(run: RunView) -> tuple[Path, Path]:
    """The path of the weights, and a walk of the same step lengths."""
    if "paths" not in run.memo:
        state, epochs = run.last.state, path_epoch(run)
        names = weight_names(state)
        products = np.zeros((len(epochs) - 1,) * 2)
        for _, one in products_of(run.run, names, epochs):
            products += one
        size = sum(state[name].size for name in names)
        lengths = np.sqrt(np.diag(products))
        walked = random_walk_products(lengths, size, np.random.default_rng(WALK_SEED))
        run.memo["paths"] = path(products), path(walked)
    paths: tuple[Path, Path] = run.memo["paths"]
    return paths


@measure("path_epoch", on="series", long_name="length of the path so far", source=SOURCE)
def path_length(run: RunView) -> Float[np.ndarray, " path_epoch"]:
    """Summed Euclidean distances between successive checkpoints of all weights, up to the last
    that lies at the even spacing of the others.
    """
    return _paths(run)[0].travelled


@measure("path_epoch", on="series", long_name="distance from the start", source=SOURCE)
def path_displacement(run: RunView) -> Float[np.ndarray, " path_epoch"]:
    """Euclidean distance of all weights from the first checkpoint of the path, up to the last
    checkpoint that lies at the even spacing of the others.
    """
    return _paths(run)[0].displacement


@measure("path_epoch", on="series", long_name="cosine between successive steps", source=SOURCE)
def path_cosine(run: RunView) -> Float[np.ndarray, " path_epoch"]:
    """Cosine between the step that arrives at the checkpoint and the step that leaves it; NaN at
    both ends.
    """
    return _by_checkpoint(_paths(run)[0])


@measure("path_epoch", "principal_axis", on="series", source=SOURCE,
         long_name="position in the path's own plane")  # fmt: skip
def path_plane(run: RunView) -> Float[np.ndarray, "path_epoch principal_axis"]:
    """Coordinates along the two first principal axes of the path, from its start."""
    return _paths(run)[0].coordinates


@measure("path_epoch", on="series", source=SOURCE,
         long_name="distance from the start (random walk)")  # fmt: skip
def walk_displacement(run: RunView) -> Float[np.ndarray, " path_epoch"]:
    """Illustration, not training: a walk with the same step lengths in independent random
    directions: distance from its start.
    """
    return _paths(run)[1].displacement


@measure("path_epoch", on="series", source=SOURCE,
         long_name="cosine between successive steps (random walk)")  # fmt: skip
def walk_cosine(run: RunView) -> Float[np.ndarray, " path_epoch"]:
    """Illustration, not training: a walk with the same step lengths in independent random
    directions: cosine between successive steps.
    """
    return _by_checkpoint(_paths(run)[1])


@measure("path_epoch", "principal_axis", on="series", source=SOURCE,
         long_name="position in the path's own plane (random walk)")  # fmt: skip
def walk_plane(run: RunView) -> Float[np.ndarray, "path_epoch principal_axis"]:
    """Illustration, not training: a walk with the same step lengths in independent random
    directions: coordinates along its two first principal axes.
    """
    return _paths(run)[1].coordinates


def path_epochs(epochs: Int[np.ndarray, " epoch"], most: int) -> Int[np.ndarray, " path_epoch"]:
    """Evenly spaced epochs among ``epochs``, at most ``most``: turns depend on the spacing.

    The largest distance between checkpoints is the spacing, where the run has a checkpoint at
    every multiple of it and they are at least half of all, and three; else all epochs serve. The
    last of these is always among those chosen; a checkpoint off the even spacing never is.
    """
    if len(epochs) > 2:
        even = np.arange(epochs[0], epochs[-1] + 1, np.diff(epochs).max())
        if len(even) > 2 and 2 * len(even) >= len(epochs) and np.isin(even, epochs).all():
            epochs = even
    last, least = len(epochs) - 1, -(-len(epochs) // most)
    # a somewhat larger stride, where it leads from the first to the last; else back from the last
    stride = next((n for n in range(least, 2 * least) if last % n == 0), least)
    return epochs[last % stride :: stride]


def _by_checkpoint(route: Path) -> Float[np.ndarray, " path_epoch"]:
    """Cosines between the steps that meet at each checkpoint, NaN at the ends."""
    cosines = np.full(len(route.displacement), np.nan)
    cosines[1:-1] = route.cosine
    return cosines
