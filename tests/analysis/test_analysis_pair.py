"""The paths of two runs in one plane: against the principal components of all their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError
from grokviz.runs import Run
from grokviz.tasks.any import steps
from grokviz.tasks.any.pair import paths_of_two

SHAPES = {"a.weight": (3, 4), "b.weight": (5,)}


def recorded(place: Path, seed: int, epochs: range, shapes: dict = SHAPES) -> tuple[Run, list]:
    """A run that walks at random, and its weights at each checkpoint as one row."""
    rng, rows = np.random.default_rng(seed), []
    state = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    with gv.record(place) as run:
        for epoch in epochs:
            state = {name: w + rng.normal(size=w.shape) for name, w in state.items()}
            run.step(epoch, {name: w.astype(np.float32) for name, w in state.items()})
            rows.append(np.concatenate([w.astype(np.float32).ravel() for w in state.values()]))
    return gv.open_run(place), rows


@pytest.mark.parametrize("at_once", [steps.BYTES, 400])
def test_the_plane_is_that_of_the_principal_components_of_both(
    at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # of large tensors some rows are read at a time
    monkeypatch.setattr(steps, "BYTES", at_once)
    first, rows = recorded(tmp_path / "one", 0, range(0, 60, 10))
    second, more = recorded(tmp_path / "two", 1, range(0, 80, 20))
    data = paths_of_two([first, second], ["one", "two"])
    every = np.array([*rows, *more], dtype=float)
    u, s, _ = np.linalg.svd(every - every.mean(axis=0), full_matrices=False)
    expected = u[:, :2] * s[:2]
    expected -= expected[0]
    assert data["pair_epoch"].values.tolist() == [0, 10, 20, 30, 40, 50, 60]
    plane = data["pair_plane"].values.astype(float)
    found = np.concatenate([p[np.isfinite(p).all(axis=1)] for p in plane])
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-4)
    shares = s**2 / (s**2).sum()
    np.testing.assert_allclose(
        data["pair_component_share"].values[: len(shares) - 1], shares[:-1], atol=1e-6
    )
    assert np.isfinite(plane[1]).all(axis=1).tolist() == [True, False, True, False, True, False,
                                                          True]  # fmt: skip


def test_two_networks_of_other_shapes_have_no_plane(tmp_path: Path) -> None:
    first, _ = recorded(tmp_path / "one", 0, range(3))
    second, _ = recorded(tmp_path / "two", 0, range(3), {"a.weight": (3, 5), "b.weight": (5,)})
    with pytest.raises(InputError, match=r"a\.weight is \(3, 4\) in one and \(3, 5\) in two"):
        paths_of_two([first, second], ["one", "two"])
    third, _ = recorded(tmp_path / "three", 0, range(1))
    with pytest.raises(InputError, match="three has 1 checkpoints"):
        paths_of_two([first, third], ["one", "three"])
