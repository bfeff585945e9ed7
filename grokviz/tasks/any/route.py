"""The part of the dataset that holds the weights' path: whether training wanders.

It knows nothing of the task and can be made of every run.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.part import Checkpoint, Context, Part, Values
from grokviz.runs import Run
from grokviz.tasks.any.norms import sums_of_squares
from grokviz.tasks.any.path import Path, path, random_walk_products, step_products

POINTS = 500
BYTES = 1 << 30
WALK_SEED = 0


class PathPart(Part):
    """Length, displacement and turns of the path, beside a random walk of the same steps."""

    def lacks(self, run: Run) -> str:
        """Two steps, without which there is no turn."""
        return "" if len(run.epochs) > 2 else "path of at least three checkpoints"

    def coords(self, context: Context) -> Values:
        """The evenly spaced checkpoints, and the axes of their plane."""
        return {"path_epoch": _clock(context), "principal_axis": ["first", "second"]}

    def gather(self, context: Context, checkpoint: Checkpoint) -> None:
        """Keep all weights of the checkpoint, end to end."""
        clock = _clock(context)
        if checkpoint.epoch not in clock:
            return
        arrays = [checkpoint.state[name] for name in sums_of_squares(checkpoint.state)]
        if "weights" not in context.gathered:
            size = sum(array.size for array in arrays)
            context.gathered["weights"] = np.empty((len(clock), size), np.float32)
        row = context.gathered["weights"][np.searchsorted(clock, checkpoint.epoch)]
        np.concatenate([np.ravel(array) for array in arrays], out=row, casting="same_kind")

    def after(self, context: Context) -> Values:
        """Measures of the path, and of the walk."""
        weights = context.gathered.pop("weights")
        products = step_products([weights])
        lengths = np.sqrt(np.diag(products))
        walked = random_walk_products(lengths, weights.shape[1], np.random.default_rng(WALK_SEED))
        route, walk = path(products), path(walked)
        return {
            "path_length": route.travelled,
            "path_displacement": route.displacement,
            "path_cosine": _by_checkpoint(route),
            "path_plane": route.coordinates,
            "walk_displacement": walk.displacement,
            "walk_cosine": _by_checkpoint(walk),
            "walk_plane": walk.coordinates,
        }


def path_epochs(epochs: Int[np.ndarray, " epoch"], most: int) -> Int[np.ndarray, " path_epoch"]:
    """Evenly spaced epochs among ``epochs``, at most ``most``: turns depend on the spacing.

    The largest distance between checkpoints is the spacing, where the run has a checkpoint at
    every multiple of it and they are at least half of all; else all epochs serve.
    """
    if len(epochs) > 2:
        even = np.arange(epochs[0], epochs[-1] + 1, np.diff(epochs).max())
        if 2 * len(even) >= len(epochs) and np.isin(even, epochs).all():
            epochs = even
    return epochs[:: -(-len(epochs) // most)]


def _clock(context: Context) -> Int[np.ndarray, " path_epoch"]:
    size = sum(array.size for array in context.last.state.values())
    return path_epochs(context.epochs, max(2, min(POINTS, BYTES // (4 * size))))


def _by_checkpoint(route: Path) -> Float[np.ndarray, " path_epoch"]:
    """Cosines between the steps that meet at each checkpoint, NaN at the ends."""
    cosines = np.full(len(route.displacement), np.nan)
    cosines[1:-1] = route.cosine
    return cosines
