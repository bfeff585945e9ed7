"""Addition by a network of two layers: what it begins with, computes, and is measured by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError
from grokviz.runs import open_run
from grokviz.task import recipe, task
from grokviz.tasks._scores import by_set
from grokviz.tasks.two_layer_addition.data import PairSums
from grokviz.tasks.two_layer_addition.formulas import answers, lottery, waves
from grokviz.tasks.two_layer_addition.formulas.analytic import analytic_weights, cosines
from grokviz.tasks.two_layer_addition.weights import W_IN, W_OUT, TwoLayerWeights

torch = pytest.importorskip("torch", reason="initial weights are drawn with the [train] extra")

RECIPE = "two-layer-addition"
CONCATENATED = {"inputs": "concatenated", "activation": "quadratic", "p": 11, "width": 24}


def problem_of(given: dict[str, Any] | None = None, *, exact_path: bool = True) -> Any:
    settings = recipe(RECIPE).read(given)
    return task(RECIPE).build_problem(settings, torch.device("cpu"), exact_path=exact_path)


def state_of(given: dict[str, Any] | None = None) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in problem_of(given).state.items()}


def gradients_of(problem: Any) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    gradients = {name: torch.empty_like(problem.state[name]) for name in problem.trained}
    metrics = problem.train_metrics(0, gradients) | problem.test_metrics(0)
    return metrics, {name: one.numpy() for name, one in gradients.items()}


# --- the published run -----------------------------------------------------------------


@pytest.fixture(scope="module")
def begun(trained: Callable[..., Path]) -> gv.Run:
    """The published run's first updates."""
    settings = {"epochs": 201, "checkpoint-every": "100", "test-every": 1}
    return open_run(trained(RECIPE, settings))


# the logs of its checkpoints, and for 201 the loss recomputed from the weights stored as 200
TABLE = {0: (3.135622, 3.135379), 200: (3.06474, None), 201: (3.06423, None)}


def test_the_published_run_begins_as_published(begun: gv.Run) -> None:
    """Stored weights are one update further than the losses that are stored with them."""
    for epoch, published in TABLE.items():
        for split, value in zip(("train", "test"), published, strict=True):
            epochs, losses = begun.metric(f"{split}_loss")
            if value is not None:
                assert losses[epochs == epoch] == pytest.approx(value, rel=5e-6)
    squares = sum(float((w.astype(float) ** 2).sum()) for w in begun.weights(0).values())
    assert squares**0.5 == pytest.approx(3.2092, rel=1e-5)


@pytest.mark.slow
def test_the_published_run_memorises_as_published(trained: Callable[..., Path]) -> None:
    """Until its training loss is low; rounding leads machines apart, by 2,000 to some 1e-4."""
    run = open_run(trained(RECIPE, {"epochs": 3310, "checkpoint-every": "1000", "test-every": 1}))
    (epochs, train), (_, test) = run.metric("train_loss"), run.metric("test_loss")
    for epoch, *losses, norm in (
        (1000, 2.259975, 3.401762, 14.234),
        (2000, 0.922118, 2.785774, 23.682),
    ):
        found = [float(values[epochs == epoch][0]) for values in (train, test)]
        assert found == pytest.approx(losses, rel=2e-3)
        squares = sum(float((w.astype(float) ** 2).sum()) for w in run.weights(epoch).values())
        assert squares**0.5 == pytest.approx(norm, rel=2e-3)
    assert epochs[np.flatnonzero(train < 0.1)[0]] == pytest.approx(3298, abs=20)
    assert test.max() == pytest.approx(3.40189, rel=5e-4)
    assert epochs[test.argmax()] == pytest.approx(983, abs=20)
    assert train.min() > 0.09


def test_its_initial_weights_measure_as_published(begun: gv.Run) -> None:
    found = gv.measures(begun, 0)
    assert found["participation_single"] == pytest.approx(0.1205, rel=1e-3)
    assert found["same_frequency_share"] == pytest.approx(0.10, abs=0.005)
    weights = TwoLayerWeights.of(begun.weights(0))
    power = np.abs(waves.waves(weights.of_a)) ** 2
    paired = ((power**2).sum(axis=1) / power.sum(axis=1) ** 2).mean()
    assert paired == pytest.approx(0.169, abs=5e-4)
    assert found["mean_misalignment"] == pytest.approx(1.583, rel=1e-3)


def test_its_split_is_pythons_shuffle_of_the_pairs() -> None:
    import random

    pairs = [(a, b) for a in range(23) for b in range(23)]
    random.Random(42).shuffle(pairs)
    data = PairSums()
    assert data.train_pairs_count == 396
    assert [divmod(int(n), 23) for n in data.permutation] == pairs
    with pytest.raises(InputError, match="odd p"):
        PairSums(24)
    with pytest.raises(InputError, match="leaves no pairs"):
        PairSums(23, 0.0001)


# --- the network -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [{}, {"activation": "quadratic"}, CONCATENATED, {"train-fraction": 1.0},
     {"loss-precision": "float64"}],
)  # fmt: skip
def test_the_exact_path_is_the_plain_one(given: dict[str, Any]) -> None:
    exact, plain = (gradients_of(problem_of(given, exact_path=on)) for on in (True, False))
    assert exact[0] == pytest.approx(plain[0], rel=2e-6)
    for name, slope in plain[1].items():
        np.testing.assert_allclose(exact[1][name], slope, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("given", [{}, {"activation": "quadratic"}, CONCATENATED])
def test_measures_run_the_network_that_is_trained(given: dict[str, Any]) -> None:
    settings, problem = recipe(RECIPE).read(given), problem_of(given)
    logged, _ = gradients_of(problem)
    weights = TwoLayerWeights.of({n: t.numpy() for n, t in problem.state.items()})
    logits = answers.all_logits(weights, settings.activation)
    losses = by_set(answers.losses(logits), settings.data.is_train)
    right = by_set(answers.margins(logits) > 0, settings.data.is_train)
    assert losses[:2] == pytest.approx([logged["train_loss"], logged["test_loss"]], rel=1e-5)
    assert right[:2] == pytest.approx([logged["train_accuracy"], logged["test_accuracy"]])


def test_single_waves_are_single_and_dealt_evenly() -> None:
    given = {"init": "single", "scale": 0.02, "width": 33}
    weights = TwoLayerWeights.of(state_of(given))
    power = np.abs(waves.waves(weights.layers)) ** 2
    assert power.max(axis=2) == pytest.approx(power.sum(axis=2), rel=1e-4)
    assert (power.argmax(axis=2)[0] == power.argmax(axis=2)[1]).all()
    assert (
        np.bincount(waves.own_frequency(waves.waves(weights.layers[:1]))).tolist() == [0] + [3] * 11
    )
    assert np.sqrt((weights.layers**2).sum(axis=2)) == pytest.approx(
        0.02 * (23 / 2) ** 0.5, rel=1e-4
    )


def test_other_weights_are_refused() -> None:
    state = state_of()
    with pytest.raises(InputError, match=r"no mlp\.W_out"):
        TwoLayerWeights.of({W_IN: state[W_IN]})
    with pytest.raises(InputError, match="should be"):
        TwoLayerWeights.of({W_IN: state[W_IN][:9], W_OUT: state[W_OUT]})
    with pytest.raises(InputError, match="columns for 23 answers"):
        TwoLayerWeights.of({W_IN: state[W_IN][:, :20], W_OUT: state[W_OUT]})
    kept = TwoLayerWeights.of(state_of(CONCATENATED))
    again = TwoLayerWeights.of(kept.state())
    np.testing.assert_array_equal(kept.layers, again.layers)
    assert not again.summed


# --- waves -----------------------------------------------------------------------------


def test_weights_are_the_sum_of_their_waves() -> None:
    weights = TwoLayerWeights.of(state_of({"p": 11, "width": 7}))
    found = waves.waves(weights.layers)
    rebuilt = weights.layers.mean(axis=2, keepdims=True) + sum(
        np.abs(found[..., k - 1, None])
        * np.cos(2 * np.pi * k * np.arange(11) / 11 + np.angle(found[..., k - 1, None]))
        for k in range(1, 6)
    )
    np.testing.assert_allclose(rebuilt, weights.layers, atol=1e-9)


def test_a_neuron_of_one_wave_measures_so() -> None:
    phases = np.array([[0.3, -2.0], [0.6, -4.0]])
    layers = cosines(np.array([2, 5]), phases, 13)
    assert waves.own_frequency(waves.waves(layers[:1])).tolist() == [2, 5]
    own = waves.at_frequency(waves.waves(layers), np.array([2, 5]))
    assert np.abs(own) == pytest.approx(1)
    assert waves.misalignment(own) == pytest.approx([0, 0], abs=1e-9)
    assert waves.paired_participation(layers) == pytest.approx(1)
    assert waves.single_participation(layers) < 0.95
    # a quarter of a turn further
    turned = np.stack([layers[0], cosines(np.array([2, 5]), phases[1:] + np.pi / 2, 13)[0]])
    off = waves.misalignment(waves.at_frequency(waves.waves(turned), np.array([2, 5])))
    assert off == pytest.approx([np.pi / 2] * 2)
    silent = np.zeros((2, 1, 13))
    assert waves.own_frequency(waves.waves(silent[:1])).tolist() == [0]


# --- the solution that is written down ---------------------------------------------------


@pytest.mark.parametrize("p", [23, 59, 97])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_solution_written_down_answers_everything(p: int, seed: int) -> None:
    weights = analytic_weights(p, 500, np.random.default_rng(seed))
    logits = answers.all_logits(weights, "quadratic")
    assert (answers.margins(logits) > 0).all()
    assert answers.by_distance(logits)[0] == pytest.approx(0.5, abs=1e-9)
    # of other answers only what the drawn phases leave
    assert np.abs(answers.by_distance(logits)[1:]).max() < 0.1


def test_too_few_neurons_do_not_cancel() -> None:
    right = [
        (answers.margins(answers.all_logits(
            analytic_weights(23, 22, np.random.default_rng(seed)), "quadratic")) > 0).mean()
        for seed in range(3)
    ]  # fmt: skip
    assert max(right) < 0.95, right


# --- the lottery -------------------------------------------------------------------------


def published_flow(alpha: float, beta: float, off: float, p: int, until: float) -> float:
    """The published equations by small steps of Euler's: the time at which alpha is there."""
    time, step = 0.0, 2e-5
    while alpha < until:
        alpha, beta, off = (
            alpha + step * 2 * p * alpha * beta * np.cos(off),
            beta + step * p * alpha**2 * np.cos(off),
            off - step * (4 * p * beta + p * alpha**2 / beta) * np.sin(off),
        )
        time += step
    return time


def test_waves_grow_as_the_published_equations_say() -> None:
    alpha, beta = np.array([0.05, 0.03, 0.04]), np.array([0.05, 0.06, 0.02])
    inputs, off = np.array([0.4, -1.0, 2.0]), np.array([0.2, 2.5, -1.4])
    start = np.stack([alpha * np.exp(1j * inputs), beta * np.exp(1j * (2 * inputs + off))])
    found = lottery.crossing_times(start[:, None], 23, summed=True)[0]
    wanted = [
        published_flow(a, b, d, 23, lottery.CROSSING)
        for a, b, d in zip(alpha, beta, off, strict=True)
    ]
    assert found == pytest.approx(wanted, rel=2e-3)
    assert lottery.forecast(found[None]).tolist() == [1 + int(np.argmin(wanted))]


def test_waves_of_concatenated_inputs_grow_half_as_fast() -> None:
    """With equal a and b they are summed ones whose first layer learns at half the rate."""
    start = np.array([0.02, 0.02, 0.03]).reshape(3, 1, 1).astype(complex)
    one = lottery.crossing_times(start, 23, summed=False)
    # with C = sqrt(2) B the equations of summed inputs at 1 / sqrt(2) of the speed
    two = lottery.crossing_times(np.stack([start[0], start[2] / 2**0.5]), 23, summed=True)
    assert one[0, 0] == pytest.approx(2**0.5 * two[0, 0], rel=5e-4)


def test_what_is_large_has_arrived_and_what_is_not_there_never_does() -> None:
    start = np.array([[0.2, 0.0], [0.1, 0.0]], dtype=complex).reshape(2, 1, 2)
    assert lottery.crossing_times(start, 23, summed=True).tolist() == [[0.0, np.inf]]
    assert lottery.forecast(np.array([[np.inf, np.inf], [3.0, 2.0]])).tolist() == [0, 2]


# --- other people's files ------------------------------------------------------------------


def own_measures(state: dict[str, np.ndarray]) -> dict[str, float]:
    """The published measures of W_in and W_out, neuron by neuron and wave by wave."""
    p, j = 23, np.arange(23)
    first, second = state[W_IN].astype(float), state[W_OUT].T.astype(float)

    def coefficients(weights: np.ndarray) -> list[tuple[float, float]]:
        angles = [2 * np.pi * k * j / p for k in range(1, 12)]
        return [(float(2 / p * weights @ np.cos(w)), float(2 / p * weights @ np.sin(w)))
                for w in angles]  # fmt: skip

    off, same, single, paired = [], [], [], []
    for one, other in zip(first, second, strict=True):
        phases, largest = [], []
        for weights in (one, other):
            waves_of = coefficients(weights)
            sizes = [c * c + s * s for c, s in waves_of]
            largest.append(int(np.argmax(sizes)))
            c, s = waves_of[largest[0]]  # of the first layer's largest wave
            phases.append(np.arctan2(-s, c))
            parts = np.array([*(p / 2 * x * x for pair in waves_of for x in pair),
                              weights.sum() ** 2 / p])  # fmt: skip
            single.append((parts**2).sum() / parts.sum() ** 2)
            paired.append(sum(x * x for x in sizes) / sum(sizes) ** 2)
        off.append(np.angle(np.exp(1j * (phases[1] - 2 * phases[0]))))
        same.append(largest[0] == largest[1])
    return {
        "mean_misalignment": float(np.abs(off).mean()),
        "mean_sine_misalignment": float(np.abs(np.sin(off)).mean()),
        "same_frequency_share": float(np.mean(same)),
        "participation_single": float(np.mean(single)),
        "participation_paired": float(np.mean(paired)),
    }


def test_a_published_checkpoint_is_imported(tmp_path: Path) -> None:
    state = state_of()
    file = tmp_path / "p_23_dmlp_512" / "final.pth"
    file.parent.mkdir()
    basis = torch.eye(23)
    model = {name: torch.from_numpy(one) for name, one in state.items()} | {"mlp.basis": basis}
    torch.save({"model": model, "epoch": 0, "train_loss": 3.135622}, file)
    gv.import_run(file, tmp_path / "run", settings={"train-fraction": 0.75, "split-seed": 42})
    run = open_run(tmp_path / "run")
    assert run.facts["task"] == RECIPE
    assert run.facts["settings"].items() >= {"p": 23, "width": 512, "inputs": "summed"}.items()
    found = gv.measures(run, 0)
    assert found["loss_train"] == pytest.approx(3.135622, rel=1e-5)
    assert found["mean_misalignment"] == pytest.approx(1.583, rel=1e-3)
    for name, wanted in own_measures(state).items():
        assert found[name] == pytest.approx(wanted, rel=1e-6), name
    by_frequency = found["neurons_per_frequency"]
    assert {*by_frequency} <= {str(k) for k in range(1, 12)}
    assert sum(by_frequency.values()) == 512
