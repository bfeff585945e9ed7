"""The local learning coefficient: against densities that can be integrated, and other code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset import table
from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.numerics.langevin import Sampling, convergence, estimate, langevin
from grokviz.errors import InputError
from grokviz.runs import RunWriter, open_run
from grokviz.tasks.modular_addition.formulas import coefficient
from grokviz.tasks.modular_addition.formulas.gradient import Layout, losses_and_gradient

Loss = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

MANY = Sampling(step=5e-4, pull=20.0, chains=1000, stretch=50, stretches=20, burn_in=8)
"""Many short chains: their means are independent, so the error of the mean is known.

A hundred updates forget where a chain was.
"""

N_BETA = 200.0


def crossing(*k: int) -> Loss:
    """L = the product of w_i^(2 k_i), with its gradient; last axis w."""
    powers = 2 * np.array(k)

    def loss(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        each = w**powers
        gradient = np.empty_like(w)
        for i in range(len(k)):
            others = np.delete(each, i, axis=-1).prod(axis=-1)
            gradient[..., i] = powers[i] * w[..., i] ** (powers[i] - 1) * others
        return each.prod(axis=-1), gradient

    return loss


def regular(*curvature: float) -> Loss:
    """L = half the sum of h_i w_i^2: a model without singularity."""
    h = np.array(curvature)
    return lambda w: ((h * w**2).sum(axis=-1) / 2, h * w)


def exact(loss: Loss, dims: int, n_beta: float, pull: float) -> float:
    """n beta times the mean of L under exp(-n beta L - pull/2 |w|^2), by the trapezium rule."""
    # finer towards 0, where a crossing is sharp
    axis = np.sinh(np.linspace(-9, 9, 1201)) / np.sinh(9) * 8 / np.sqrt(pull)
    weight = np.gradient(axis)
    w = np.stack(np.meshgrid(*[axis] * dims, indexing="ij"), axis=-1)
    volume = np.ones(len(axis))
    volume = weight if dims == 1 else np.outer(weight, weight)
    value = loss(w)[0]
    density = np.exp(-n_beta * value - pull / 2 * (w**2).sum(axis=-1)) * volume
    return float(n_beta * (value * density).sum() / density.sum())


CASES = {
    "w^2 / 2 in 1": (regular(1.0), 1),
    "w^2 / 2 in 2": (regular(1.0, 0.5), 2),
    "w^4": (crossing(2), 1),
    "w^6": (crossing(3), 1),
    "u^2 v^2": (crossing(1, 1), 2),
    "u^2 v^4": (crossing(1, 2), 2),
    "u^2 v^0": (lambda w: (w[..., 0] ** 2, w * [2, 0]), 2),
}
LIMIT = {
    "w^2 / 2 in 1": 1 / 2, "w^2 / 2 in 2": 1.0, "w^4": 1 / 4, "w^6": 1 / 6, "u^2 v^2": 1 / 2,
    "u^2 v^4": 1 / 4, "u^2 v^0": 1 / 2,
}  # fmt: skip
"""lambda: half the number of weights, or the least 1 / (2 k_i)."""


@pytest.mark.parametrize("name", CASES)
def test_the_integral_tends_to_the_known_coefficient(name: str) -> None:
    loss, dims = CASES[name]
    values = [exact(loss, dims, n_beta, 1.0) for n_beta in (1e2, 1e3, 1e4)]
    away = np.abs(np.array(values) - LIMIT[name])
    assert (np.diff(away) < 0).all(), values
    # two lines that cross have log log n to go
    assert away[-1] < (0.13 if name == "u^2 v^2" else 0.06), values


@pytest.mark.parametrize("name", CASES)
def test_sampling_gives_the_integral(name: str) -> None:
    loss, dims = CASES[name]
    trace = langevin(loss, np.zeros(dims), N_BETA, MANY, np.random.default_rng(0))
    chains = estimate(trace, MANY.burn_in)
    wanted, error = exact(loss, dims, N_BETA, MANY.pull), chains.std() / len(chains) ** 0.5
    # a step of finite size widens the density: of a parabola of this curvature by so much
    bias = MANY.step / 4 * (2 * N_BETA + MANY.pull) * wanted
    assert chains.mean() == pytest.approx(wanted, abs=4 * error + bias)
    assert error < 0.05 * wanted
    assert convergence(trace, MANY.burn_in) < 1.2


@pytest.mark.parametrize("curvature", [(1.0,), (1.0, 0.5)])
def test_a_parabola_is_sampled_as_its_step_says(curvature: tuple[float, ...]) -> None:
    loss = regular(*curvature)
    trace = langevin(loss, np.zeros(len(curvature)), N_BETA, MANY, np.random.default_rng(1))
    chains = estimate(trace, MANY.burn_in)
    stiff = N_BETA * np.array(curvature) + MANY.pull
    wanted = (N_BETA * np.array(curvature) / stiff / (1 - MANY.step * stiff / 4)).sum() / 2
    error = chains.std() / len(chains) ** 0.5
    assert chains.mean() == pytest.approx(wanted, abs=4 * error)
    assert error < 0.01


def test_from_a_slope_the_estimate_is_negative() -> None:
    """From weights that are no minimum the chains go down, and the mean loss lies below."""

    def slope(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (w**2).sum(axis=-1) / 2 - 0.5, w.copy()

    few = replace(MANY, chains=20)
    chains = estimate(langevin(slope, np.ones(1), 200.0, few, np.random.default_rng(0)), 8)
    assert (chains < -10).all()


def test_rhat_tells_chains_that_differ() -> None:
    draws = np.random.default_rng(0).normal(size=(4, 40))
    assert convergence(draws, 0) == pytest.approx(1.0, abs=0.05)
    assert convergence(draws + 3 * np.arange(4)[:, None], 0) > 2
    assert convergence(draws + np.linspace(0, 5, 40), 0) > 1.3
    assert np.isnan(convergence(draws, 37))
    assert convergence(np.zeros((4, 8)), 0) == 1.0


# --- modular addition --------------------------------------------------------------


@pytest.mark.parametrize("biases", [True, False])
def test_losses_and_gradients_are_those_that_training_takes(random_weights, biases: bool) -> None:
    torch = pytest.importorskip("torch")
    from grokviz.tasks.modular_addition.exact_path import ExactPath

    states = [random_weights(p=7, seed=seed) for seed in (1, 2)]
    if not biases:
        states = [{k: v for k, v in one.items() if ".b_" not in k} for one in states]
    layout = Layout.of(states[0])
    flat = np.stack([layout.flat(one) for one in states])
    assert flat.shape == (2, layout.size)
    a, b = np.random.default_rng(0).integers(0, 7, (2, 2, 20))
    values, gradient = losses_and_gradient(layout, flat, a, b)
    for i, state in enumerate(states):
        weights = {name: torch.from_numpy(state[name]) for name in layout.shapes}
        zeros = {f"blocks.0.mlp.b_{n}": torch.zeros(s) for n, s in (("in", 10), ("out", 12))}
        weights = {**{k: v.double() for k, v in zeros.items()}, **weights}
        gradients = {name: torch.empty_like(weights[name]) for name in layout.shapes}
        pairs = [torch.from_numpy(n) for n in (a[i], b[i], (a[i] + b[i]) % 7)]
        loss = ExactPath(*pairs, 7, torch.float64).loss_and_gradients(weights, gradients)
        assert values[i].mean() == pytest.approx(loss, rel=1e-12)
        for name, ours in layout.views(gradient).items():
            np.testing.assert_allclose(ours[i], gradients[name], rtol=1e-9, atol=1e-13)


def test_a_coefficient_is_taken_only_by_name(small_run) -> None:
    names = ["learning_coefficient", "learning_coefficient_trace"]
    assert not {*names} & {*table.unasked(small_run)}
    assert {*names} <= {*table.available(small_run)}
    data = assemble(small_run, names, epochs=[0, 50], workers=0)
    trace = data["learning_coefficient_trace"]
    assert trace.dims == ("field_epoch", "chain", "stretch")
    burn_in = int(data["stretch"].attrs["burn_in"])
    after = trace.sel(stretch=slice(burn_in + 1, None)).mean("stretch")
    np.testing.assert_allclose(data["learning_coefficient"], after, rtol=1e-5, atol=1e-5)
    # no two chains, and no two checkpoints, draw the same numbers
    assert len(np.unique(data["learning_coefficient"])) == data["learning_coefficient"].size
    again = assemble(small_run, names[:1], epochs=[50], workers=0)
    xr.testing.assert_identical(
        again["learning_coefficient"], data["learning_coefficient"].isel(field_epoch=[1])
    )


def test_minibatches_and_all_pairs_agree(random_weights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both losses of a difference are of the same pairs, so few pairs do."""
    state, train = random_weights(p=13, d_model=8, heads=1), np.ones(169, dtype=bool)
    sampling = replace(coefficient.SAMPLING, chains=16)
    whole = coefficient.coefficient_trace(state, train, 0, sampling)
    monkeypatch.setattr(coefficient, "BATCH", 60)
    few = coefficient.coefficient_trace(state, train, 0, sampling)
    means = [estimate(one, sampling.burn_in) for one in (whole, few)]
    errors = [one.std(ddof=1) / 4 for one in means]
    assert means[1].mean() == pytest.approx(means[0].mean(), abs=5 * float(np.hypot(*errors)))


def test_weights_that_grow_beyond_numbers_have_none(random_weights) -> None:
    state = {name: 1e200 * array for name, array in random_weights().items()}
    trace = coefficient.coefficient_trace(state, np.ones(49, dtype=bool), 0)
    assert np.isnan(trace).any()


def test_a_run_that_does_not_say_its_split_is_refused(small_run, tmp_path) -> None:
    with RunWriter.create(tmp_path / "run", {"task": "modular-addition"}) as writer:
        writer.checkpoint(0, dict(small_run.weights(0)))
        writer.close(finished=True)
    with pytest.raises(InputError, match="has no training set; record the run with its train-fra"):
        assemble(open_run(tmp_path / "run"), ["learning_coefficient"])
