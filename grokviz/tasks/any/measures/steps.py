"""How every tensor moves from checkpoint to checkpoint, and the way of all weights together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.checkpoint import RunView
from grokviz.dataset.contract import dimension, measure
from grokviz.tasks.any import steps
from grokviz.tasks.any.measures.path import path_epochs
from grokviz.tasks.any.norms import weight_names
from grokviz.tasks.any.path import path

POINTS = 200
"""At most so many checkpoints; all their inner products are computed."""

COMPONENTS = 10

SHARES = (0.1, 0.5, 0.9)

SOURCE = "arXiv:1712.09913, section 7"
PRINCIPAL = "arXiv:1806.08805"


@dimension
def step_epoch(run: RunView) -> Int[np.ndarray, " step_epoch"]:
    """Evenly spaced epochs at which the steps of the tensors end."""
    return path_epochs(run.epochs, POINTS)


@dimension
def path_component(run: RunView) -> Int[np.ndarray, " path_component"]:
    """Number of a principal component of a path, the widest first."""
    return np.arange(1, COMPONENTS + 1)


@dimension
def moved_share(run: RunView) -> Float[np.ndarray, " moved_share"]:
    """Share of the length of a path that is gone."""
    return np.array(SHARES)


@dimension
def plane_axis(run: RunView) -> list[str]:
    """Axes of the plane of a path, the widest first."""
    return ["first", "second"]


@dataclass
class Ways:
    """What the inner products of all steps gave: of each tensor by its name, and of all weights."""

    tensors: dict[str, steps.Steps] = field(default_factory=dict)
    shares: dict[str, np.ndarray] = field(default_factory=dict)
    products: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))


def _ways(run: RunView) -> Ways:
    """The steps of all tensors, computed once for all measures."""
    if "ways" not in run.memo:
        ways, epochs = Ways(), step_epoch(run)
        names = weight_names(run.last.state)
        for name, products in steps.products_of(run.run, names, epochs):
            ways.tensors[name] = steps.steps_of(products)
            ways.shares[name] = steps.component_shares(products, COMPONENTS)
            ways.products = ways.products + products if ways.products.size else products
        run.memo["ways"] = ways
    ways = run.memo["ways"]
    return ways


def _along(run: RunView, name: str) -> Float[np.ndarray, "step_epoch parameter"]:
    ways = _ways(run).tensors
    return np.stack([getattr(ways[one], name) for one in weight_names(run.last.state)], axis=1)


@measure("step_epoch", "parameter", on="series", long_name="size of the step", source=SOURCE)
def step_size(run: RunView) -> Float[np.ndarray, "step_epoch parameter"]:
    """Norm of the change of each tensor since the checkpoint before; NaN at the first."""
    return _along(run, "size")


@measure("step_epoch", "parameter", on="series", source="thread: 'it is NOT a random walk'",
         long_name="cosine with the step before")  # fmt: skip
def step_cosine(run: RunView) -> Float[np.ndarray, "step_epoch parameter"]:
    """Cosine between the step of each tensor that ends at the checkpoint and the one before it;
    NaN at the first two, and beside a step of length 0.
    """
    return _along(run, "cosine_last")


@measure("step_epoch", "parameter", on="series", source=SOURCE,
         long_name="cosine with the whole way")  # fmt: skip
def step_whole_cosine(run: RunView) -> Float[np.ndarray, "step_epoch parameter"]:
    """Cosine between the step of each tensor that ends at the checkpoint and its way from the
    first checkpoint to the last; NaN at the first, and beside a step of length 0.
    """
    return _along(run, "cosine_whole")


@measure("step_epoch", "parameter", on="series", source=SOURCE,
         long_name="distance from the start")  # fmt: skip
def start_distance(run: RunView) -> Float[np.ndarray, "step_epoch parameter"]:
    """Euclidean distance of each tensor from its first checkpoint."""
    return _along(run, "from_start")


@measure("step_epoch", "parameter", on="series", source=SOURCE,
         long_name="distance from the end")  # fmt: skip
def end_distance(run: RunView) -> Float[np.ndarray, "step_epoch parameter"]:
    """Euclidean distance of each tensor from its last checkpoint."""
    return _along(run, "from_end")


@measure("parameter", "moved_share", on="series", units="epoch", source=SOURCE,
         long_name="epoch by which a share of the way is gone")  # fmt: skip
def moved_epoch(run: RunView) -> Float[np.ndarray, "parameter moved_share"]:
    """Epoch up to which each tensor has gone that share of the length of its path, straight
    between checkpoints; NaN of one that does not move.
    """
    sizes, epochs = _along(run, "size"), step_epoch(run)
    return np.stack([steps.moved_epochs(size, epochs, SHARES) for size in sizes.T])


@measure("parameter", "path_component", on="series", source=PRINCIPAL,
         long_name="share of the path in a component")  # fmt: skip
def component_share(run: RunView) -> Float[np.ndarray, "parameter path_component"]:
    """Share of the variance of each tensor's checkpoints along each principal component of its
    path; NaN of one that does not move.
    """
    shares = _ways(run).shares
    return np.stack([shares[name] for name in weight_names(run.last.state)])


@measure("path_component", on="series", source=PRINCIPAL,
         long_name="share of the path of all weights in a component")  # fmt: skip
def whole_component_share(run: RunView) -> Float[np.ndarray, " path_component"]:
    """Share of the variance of the checkpoints of all weights along each principal component of
    their path; NaN of weights that do not move.
    """
    return steps.component_shares(_ways(run).products, COMPONENTS)


@measure("step_epoch", "plane_axis", on="series", source=PRINCIPAL,
         long_name="position of all weights in the plane of their path")  # fmt: skip
def whole_plane(run: RunView) -> Float[np.ndarray, "step_epoch plane_axis"]:
    """Coordinates of all weights along the first two principal components of their path, from its
    start.
    """
    return path(_ways(run).products).coordinates
