"""The paths of two runs through weight space in one plane, that of both together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int

from grokviz.dataset.build.assemble import field_epochs, view_of, with_numbers
from grokviz.dataset.families.pairs import TWO_PATHS
from grokviz.errors import InputError
from grokviz.runs import Run
from grokviz.tasks.any.measures.path import path_epochs
from grokviz.tasks.any.measures.steps import COMPONENTS, POINTS, PRINCIPAL
from grokviz.tasks.any.norms import weight_names
from grokviz.tasks.any.path import path
from grokviz.tasks.any.steps import component_shares, products_of

if TYPE_CHECKING:
    import xarray as xr

NEEDS = TWO_PATHS


class Chain:
    """Two runs as one sequence of checkpoints, the second run's after the first's.

    It has what :func:`grokviz.tasks.any.steps.products_of` reads of a run; its epochs are the
    numbers of the checkpoints, from 0.
    """

    def __init__(self, runs: Sequence[Run], epochs: Sequence[Int[np.ndarray, " checkpoint"]]):
        self._runs = runs
        self._places = [
            (run, int(epoch)) for run, own in zip(runs, epochs, strict=True) for epoch in own
        ]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters, which both runs have in common."""
        return self._runs[0].shapes()

    def iter_weights(
        self, epochs: Iterable[int], names: Iterable[str]
    ) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """The named parameters of each checkpoint."""
        names = list(names)
        for number in epochs:
            run, epoch = self._places[int(number)]
            for _, arrays in run.iter_weights([epoch], names):
                yield int(number), arrays

    def parameter(
        self, name: str, epochs: Iterable[int], *, rows: slice | None = None
    ) -> np.ndarray:
        """One parameter at these checkpoints, or some of its rows."""
        parts = []
        for number in epochs:
            run, epoch = self._places[int(number)]
            parts.append(run.parameter(name, [epoch], rows=rows))
        return np.concatenate(parts)


def paths_of_two(runs: Sequence[Run], names: Sequence[str]) -> xr.Dataset:
    """The dataset of the paths of two runs in the plane of their common principal components.

    Args:
        runs: two runs with checkpoints, of tensors of the same names and shapes.
        names: what they are called.

    Raises:
        InputError: a run without two checkpoints, or tensors that differ.

    """
    import xarray as xr

    weights = _common_tensors(runs, names)
    epochs = [_epochs(run) for run in runs]
    chain: Any = Chain(runs, epochs)
    count = sum(map(len, epochs))
    products = np.zeros((count - 1, count - 1))
    for _, one in products_of(chain, weights, np.arange(count)):
        products += one
    coordinates = path(products).coordinates
    clock = np.unique(np.concatenate(epochs))
    plane = np.full((2, len(clock), 2), np.nan)
    for member, (own, points) in enumerate(
        zip(epochs, np.split(coordinates, [len(epochs[0])]), strict=True)
    ):
        plane[member, np.searchsorted(clock, own)] = points
    about = {"units": "1", "source": PRINCIPAL}
    return xr.Dataset(
        {
            "pair_plane": (
                ("pair_member", "pair_epoch", "plane_axis"), plane.astype(np.float32),
                {**about, "long_name": "position of the weights of two runs in a common plane",
                 "definition": "Coordinates of all weights of each run along the first two "
                 "principal components of the checkpoints of both, from the first one's start; "
                 "NaN where it has no checkpoint"},
            ),
            "pair_component_share": (
                ("path_component",),
                component_shares(products, COMPONENTS).astype(np.float32),
                {**about, "long_name": "share of both paths in a component",
                 "definition": "Share of the variance of the checkpoints of both runs along each "
                 "principal component of all of them"},
            ),
        },
        coords={
            "pair_member": ("pair_member", list(names), {"long_name": "name of a run"}),
            "pair_epoch": ("pair_epoch", clock, {"long_name": "epochs of either run"}),
            "plane_axis": ("plane_axis", ["first", "second"], {"long_name": "axes of the plane"}),
            "path_component": ("path_component", np.arange(1, COMPONENTS + 1),
                               {"long_name": "number of a principal component"}),
        },
    )  # fmt: skip


def _common_tensors(runs: Sequence[Run], names: Sequence[str]) -> list[str]:
    """The tensors of both runs; InputError unless they have the same names and shapes."""
    every = []
    for run, name in zip(runs, names, strict=True):
        if len(run.epochs) < 2:
            raise InputError(
                f"{name} has {len(run.epochs)} checkpoints, and a path takes two or more; record "
                "or import more of them"
            )
        shapes = run.shapes()
        weights = weight_names(run.weights(int(run.epochs[-1])))
        every.append({one: shapes[one] for one in weights})
    first, second = every
    for one in dict.fromkeys([*first, *second]):
        if first.get(one) != second.get(one):
            told = [
                f"{own.get(one, 'no tensor')} in {name}"
                for own, name in zip(every, names, strict=True)
            ]
            raise InputError(
                f"two paths in one plane take the same tensors, and {one} is "
                f"{' and '.join(told)}; draw each run by itself"
            )
    return [*first]


def _epochs(run: Run) -> Int[np.ndarray, " checkpoint"]:
    """Evenly spaced checkpoints of a run with numbers."""
    view = with_numbers(view_of(run, run.epochs, field_epochs(run, run.epochs)))
    return path_epochs(view.epochs, POINTS // 2)
