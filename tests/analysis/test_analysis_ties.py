"""What ties is decided by a rule: the same on every machine, however its sums are rounded."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from analysis_runs import pizza
from measured_state import Measured

from grokviz.dataset.cache import read
from grokviz.dataset.learning import Curve, learning
from grokviz.dataset.numerics import roundness, ties
from grokviz.dataset.numerics.fourier import fourier_basis
from grokviz.dataset.references import reference as bundled
from grokviz.tasks.any import path as paths
from grokviz.tasks.modular_addition.earlier import by_present_rules
from grokviz.tasks.modular_addition.formulas import (
    attention,
    embedding,
    losses,
    neurons,
    progress,
)
from grokviz.tasks.modular_addition.formulas.ablation import ablation_table
from grokviz.tasks.modular_addition.formulas.logits import cosine_waves
from grokviz.tasks.modular_addition.formulas.marginals import frequency_power, marginals
from grokviz.tasks.modular_addition.forward import forward
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights
from grokviz.tasks.repeated_subsequence.checkpoint import best_head

MACHINES = range(6)


def rounded(x: np.ndarray, machine: int, size: float = 3e-15) -> np.ndarray:
    """The same sums as another machine may round them; the first computes them exactly."""
    return x + size * np.abs(x).max() * _errors(x, machine)


def rounded_each(x: np.ndarray, machine: int) -> np.ndarray:
    """The same with errors in proportion to each number: what is 0 is so everywhere."""
    return x * (1 + 3e-15 * _errors(x, machine))


def own_frequencies(activations: np.ndarray) -> neurons.NeuronFrequencies:
    m = marginals(activations)
    return neurons.neuron_frequencies(m, frequency_power(m))


def _errors(x: np.ndarray, machine: int) -> np.ndarray:
    rng = np.random.default_rng(machine)
    return rng.uniform(-1, 1, x.shape) if machine else np.zeros(x.shape)


# --- the rules themselves ------------------------------------------------------------


def test_a_leader_leads_by_more_than_rounding() -> None:
    table = np.array([[3, 3, 0, 1, 2.0], [1, 3, 0, 1 + 1e-9, 2.1], [2, 1, 0, 1, 2.2]])
    assert ties.leader(table).tolist() == [0, -1, -1, -1, 2]
    assert ties.leader(table.T, axis=1).tolist() == [0, -1, -1, -1, 2]
    assert ties.leader(table, relative=1e-12).tolist() == [0, -1, -1, 1, 2]
    assert ties.leader(np.array([[0.5, 0.0]])).tolist() == [0, -1], "alone, above nothing"
    assert ties.leader(np.zeros((0, 2))).tolist() == [-1, -1]


def test_the_first_of_the_largest_is_taken() -> None:
    assert ties.first_largest(np.array([1, 2 - 1e-9, 2, 2 + 1e-9])) == 1
    assert ties.first_largest(np.array([1, 2 - 1e-3, 2])) == 2
    assert ties.first_largest(np.array([-3, -2.0, -2.0])) == 1
    assert ties.first_largest(np.zeros(3)) == 0


def test_what_ties_keeps_its_order() -> None:
    values = np.array([1, 5, 3 + 1e-9, 5 - 1e-8, 3, np.nan, 5, -2])
    assert ties.ordered(values).tolist() == [1, 3, 6, 2, 4, 0, 7, 5]
    assert ties.ordered(values, relative=1e-12).tolist() == [1, 6, 3, 2, 4, 0, 7, 5]
    assert ties.ranks(values).tolist() == [5, 0, 3, 1, 4, 7, 2, 6]
    assert ties.ordered(np.zeros(0)).tolist() == []
    assert ties.ordered(np.array([np.inf, 1, np.inf])).tolist() == [0, 2, 1]


def test_thresholds_are_reached_and_exceeded_within_rounding() -> None:
    near = 0.85 * np.array([1 - 1e-3, 1 - 1e-14, 1, 1 + 1e-14, 1 + 1e-3])
    assert ties.reaches(near, 0.85).tolist() == [False, True, True, True, True]
    assert ties.exceeds(near, 0.85).tolist() == [False, False, False, False, True]


def test_distinct_values_differ_by_more_than_rounding() -> None:
    third = np.array([0.3, 0.1 + 0.2, np.float32(0.3), 0.31, 0.9])
    assert ties.distinct(third).tolist() == [0.3, 0.31, 0.9]
    assert ties.distinct(np.zeros(0)).tolist() == []


def test_a_span_has_no_direction_of_rounding() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 9, 1))
    axes, _ = np.linalg.qr(np.hstack([a, b]))
    for vectors in (np.hstack([a, b]), np.hstack([a, 2 * a, b]), np.hstack([a, 0 * a, b, a - b])):
        span = ties.span(vectors)
        assert span.shape == (9, 2)
        np.testing.assert_allclose(span @ span.T, axes @ axes.T, atol=1e-12)
    assert ties.span(np.zeros((4, 3))).shape == (4, 0)
    assert ties.span(rng.normal(size=(2, 5))).shape == (2, 2)


# --- neurons and heads ---------------------------------------------------------------


P = 11


def pairs() -> tuple[np.ndarray, np.ndarray]:
    a, b = np.divmod(np.arange(P * P), P)
    return a, b


@pytest.fixture
def activations() -> np.ndarray:
    """A spike on one pair, one row, one diagonal; dead; always the same; a wave; half a wave."""
    a, b = pairs()
    wave = np.cos(2 * np.pi * 3 * a / P)
    columns = [
        2.0 * ((a == 4) & (b == 7)), 1.0 * (a == 4), 3.0 * ((a + b) % P == 2), 0.0 * a,
        0.1 + 0.0 * a, 1 + wave, 1 + wave + 1e-9 * np.cos(2 * np.pi * 4 * b / P),
        wave + np.cos(2 * np.pi * 5 * b / P),
    ]  # fmt: skip
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_neuron_that_no_frequency_explains_better_has_none(
    machine: int, activations: np.ndarray
) -> None:
    found = own_frequencies(rounded_each(activations, machine))
    assert found.frequency.tolist() == [0, 0, 0, 0, 0, 3, 3, 0]
    np.testing.assert_allclose(found.fraction, [0] * 5 + [1, 1, 0], atol=1e-12)
    assert found.cluster.tolist() == [-1] * 5 + [3, 3, -1]
    assert neurons.cluster_sizes(found.cluster) == {3: 2}
    assert neurons.cluster_sizes(found.cluster) == {3: 2}


def test_one_frequency_alone_is_no_tie() -> None:
    """With p = 3 there is one frequency, which all that varies has."""
    spike = np.zeros((9, 2))
    spike[4, 0] = 1
    found = own_frequencies(spike)
    assert found.frequency.tolist() == [1, 0]
    np.testing.assert_allclose(found.fraction, [1, 0])


@pytest.mark.parametrize("machine", MACHINES)
def test_a_share_that_reaches_the_threshold_by_construction_is_in_the_cluster(
    machine: int,
) -> None:
    a, b = pairs()
    part = np.sqrt(0.85) * np.cos(2 * np.pi * 2 * a / P)
    rest = np.sqrt(0.15) * np.cos(2 * np.pi * 5 * b / P)
    found = own_frequencies(rounded((part + rest)[:, None], machine))
    assert found.cluster.tolist() == [2]


@pytest.mark.parametrize("machine", MACHINES)
def test_chosen_neurons_of_one_share_go_by_their_number(
    machine: int, activations: np.ndarray
) -> None:
    wave = activations[:, 5:6]
    many = np.hstack([activations, *(wave * n for n in range(1, 9))])
    found = own_frequencies(rounded_each(many, machine))
    assert neurons.selected_neurons(found, 4).tolist() == [5, 6, 8, 9]
    all_of_them = neurons.selected_neurons(found, 20).tolist()
    assert all_of_them == [5, 6, *range(8, 16), 0, 1, 2, 3, 4, 7], "those without one last"


@pytest.mark.parametrize("machine", MACHINES)
def test_a_head_that_attends_evenly_has_no_frequency(machine: int) -> None:
    a, b = pairs()
    to_a = np.stack([
        np.full(P * P, 1 / 3),
        0.5 + 0.4 * np.cos(2 * np.pi * 4 * a / P) - 0.4 * np.cos(2 * np.pi * 4 * b / P),
        0.2 + 0.1 * (a == 3) - 0.1 * (b == 3),
    ])  # fmt: skip
    pattern = np.stack([to_a, 1 - to_a, 0 * to_a], axis=1)
    found = attention.head_frequencies(rounded(pattern, machine))
    assert found.frequency.tolist() == [0, 4, 0]
    np.testing.assert_allclose(found.fraction, [0, 1, 0], atol=1e-12)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_first_of_equal_heads_is_shown(machine: int) -> None:
    assert best_head(rounded(np.full((2, 3), 0.25), machine)) == (0, 0)
    scores = np.array([[0.1, 0.2, 0.7], [0.7, 0.3, 0.7]])
    assert best_head(rounded(scores, machine)) == (0, 2)


# --- embeddings ----------------------------------------------------------------------


def circles(amplitudes: dict[int, float], p: int = 23, d_model: int = 14) -> np.ndarray:
    axes, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(d_model, d_model)))
    W_E = np.repeat(axes[:, -1:], p, axis=1)
    for i, (k, amplitude) in enumerate(amplitudes.items()):
        W_E = W_E + amplitude * axes[:, 2 * i : 2 * i + 2] @ fourier_basis(p)[2 * k - 1 : 2 * k + 1]
    return W_E


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_that_are_embedded_alike_have_no_waves(machine: int) -> None:
    W_E = rounded(circles({}), machine)
    assert embedding.embedding_frequencies(W_E).tolist() == []
    assert roundness.circularity(W_E) == 0


@pytest.mark.parametrize("machine", MACHINES)
def test_a_wave_at_exactly_a_quarter_is_not_above_it(machine: int) -> None:
    W_E = rounded(circles({3: 4.0, 5: 1.0, 7: 1.001}), machine)
    assert embedding.embedding_frequencies(W_E).tolist() == [3, 7]


@pytest.mark.parametrize("machine", MACHINES)
def test_a_wave_along_one_direction_has_the_same_axes_everywhere(machine: int) -> None:
    p, k = 23, 3
    direction, off = np.eye(6)[:, :1], np.eye(6)[:, 1:2]
    W_E = direction * fourier_basis(p)[2 * k] + 0.5 * off * fourier_basis(p)[2 * 5]
    bases = embedding.plane_bases(rounded(W_E, machine), [k, 8])
    np.testing.assert_allclose(bases[0], np.hstack([0 * direction, direction]), atol=1e-12)
    assert (bases[1] == 0).all(), "a wave that is not there"


@pytest.mark.parametrize("machine", MACHINES)
def test_circles_of_one_size_are_circles(machine: int) -> None:
    """Their principal components are any turn of a space of four or six dimensions."""
    for keys in ((3, 5), (3, 5, 9)):
        W_E = rounded(circles(dict.fromkeys(keys, 2.0)), machine)
        assert roundness.circularity(W_E) == pytest.approx(1, abs=1e-9)
    mixed = np.zeros((4, 23))
    mixed[:2] = fourier_basis(23)[[5, 9]]  # a cosine of 3 and one of 5
    assert roundness.circularity(rounded(mixed, machine)) == pytest.approx(0.5, abs=1e-9)


# --- logits --------------------------------------------------------------------------


@pytest.mark.parametrize("machine", MACHINES)
def test_equal_logits_are_no_answer(machine: int) -> None:
    logits = np.full((P * P, P), 0.7)
    logits[5, losses.answers(P)[5]] += 1e-3
    scores = losses.pair_scores(rounded(logits, machine))
    assert np.flatnonzero(scores.right).tolist() == [5]
    assert (np.delete(scores.margin, 5) == 0).all()
    np.testing.assert_allclose(np.delete(scores.loss, 5), np.log(P))


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_is_right_once_all_that_there_was_is_taken_away(machine: int) -> None:
    waves = cosine_waves(np.full(P // 2, 40.0), P).sum(axis=0)
    logits = rounded(waves[losses.answers(P)], machine)
    assert losses.pair_scores(logits).right.all()
    without = progress.excluded(logits, waves[None], np.full(P * P, True))
    assert without.accuracy.tolist() == [0]
    np.testing.assert_allclose(without.loss, np.log(P))


@pytest.mark.parametrize("machine", MACHINES)
def test_key_directions_that_are_not_there_are_not_projected_on(machine: int) -> None:
    """Of a model that writes nothing for frequency 5, its directions are rounding."""
    state = pizza(13, [2, 5], gain=3)
    state["blocks.0.mlp.W_out"][:, 13:] = 0
    state = {name: rounded(array, machine) for name, array in state.items()}
    keys = np.array([2, 4, 5])
    rows = {row.name: row for row in ablation_table(ModularAdditionWeights.of(state), keys)}
    assert "the 2 key directions" in rows["key-directions"].what
    assert rows["key-directions"].ratio == pytest.approx(1, abs=1e-6)


# --- curves and paths ----------------------------------------------------------------


def test_of_equal_losses_the_first_counts() -> None:
    loss = np.array([1, 3, 5, 5, 5, 1, 0.1, 0.1, 0.1])
    nothing = Curve(np.zeros(0, dtype=int), np.zeros(0))
    assert learning(nothing, Curve(np.arange(9) * 10, loss)).ends == (20, 50, 60)


@pytest.fixture(params=["square", "there and back", "corner"])
def closed(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """A path whose axes tie, or whose end says no sign; and where it is drawn."""
    corners = {
        "square": ([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], None),
        "there and back": ([[0, 0], [2, 0], [1, 0], [0, 0]], [[0, 0], [2, 0], [1, 0], [0, 0]]),
        "corner": ([[0, 1], [0, 0], [1, 0]], [[0, 0], [1 / 2**0.5, -(1 / 2**0.5)], [2**0.5, 0]]),
    }
    points, drawn = corners[request.param]
    return np.array(points, float), drawn


@pytest.mark.parametrize("machine", MACHINES)
def test_a_path_is_drawn_the_same_way_round(machine: int, closed) -> None:
    points, drawn = closed

    def coordinates(machine: int) -> np.ndarray:
        products = paths.step_products([points])
        return paths.path(rounded(products, machine)).coordinates

    found = coordinates(machine)
    np.testing.assert_allclose(found, coordinates(0), atol=1e-6)
    if drawn is not None:
        np.testing.assert_allclose(np.abs(found), np.abs(drawn), atol=1e-6)


# --- whole checkpoints ---------------------------------------------------------------


@pytest.fixture(scope="module")
def half_dead() -> dict[str, np.ndarray]:
    """A pizza with a dead neuron, an always constant one, one that fires on a single pair."""
    state = pizza(13, [2, 5], gain=3)
    W_in, b_in = state["blocks.0.mlp.W_in"], np.zeros(26)
    W_in[[0, 1]] = 0
    b_in[[0, 1]] = -1, 0.1
    pre = forward(ModularAdditionWeights.of(state)).pre[:, 2]
    highest = np.sort(pre)[::-1]
    b_in[2] = -(highest[0] + highest[1]) / 2
    return {**state, "blocks.0.mlp.b_in": b_in}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_checkpoint_counts_no_neuron_without_a_frequency(
    machine: int, half_dead: dict[str, np.ndarray]
) -> None:
    state = {name: rounded(array, machine, 1e-16) for name, array in half_dead.items()}
    m = Measured(state, None)
    assert m.active_pairs[:3].tolist() == [0, 169, 1]
    assert m.all_neuron_frequency[:3].tolist() == [0, 0, 0]
    assert m.all_neuron_variance_explained[:3].tolist() == [0, 0, 0]
    assert (m.all_neuron_frequency[3:] > 0).all()
    assert m.head_frequency.tolist() == [0]
    assert m.head_variance_explained.tolist() == [0]


# --- files of earlier versions -------------------------------------------------------


@pytest.fixture
def parts_of_the_mainline() -> Iterator[Callable[[str], xr.DataArray]]:
    data = read(bundled.folder() / "modular-addition" / "algorithm.nc")
    return lambda name: data[name]


def test_a_bundled_spike_is_read_as_a_neuron_without_a_frequency(parts_of_the_mainline) -> None:
    frequency, share = (
        bundled.reference()[f"all_neuron_{name}"] for name in ("frequency", "variance_explained")
    )
    stored, active = (
        parts_of_the_mainline(name) for name in ("all_neuron_frequency", "active_pairs")
    )
    first = active.sel(field_epoch=0).values
    assert ((first == 0).sum(), (first == 1).sum()) == (71, 10)
    assert (stored.values[0][first == 1] > 0).all(), "a rounding error"
    np.testing.assert_array_equal(frequency.values[0] == 0, first <= 1)
    assert (share.values[frequency.values == 0] == 0).all()
    # nothing else is read otherwise than it is stored
    other = frequency.values != stored.values
    assert other.sum() == 10
    assert other[0][first == 1].all()
    assert (frequency.dtype, frequency.dims) == (stored.dtype, stored.dims)
    assert frequency.attrs == stored.attrs


def test_a_dataset_of_now_is_read_as_it_is() -> None:
    data = bundled.reference()
    assert by_present_rules(data) is data
    few = data.drop_vars("active_pairs")
    assert by_present_rules(few) is few


# --- what is left to the libraries ---------------------------------------------------


def test_every_order_is_stable() -> None:
    """NumPy's default sort puts equal numbers in another order with AVX2 than without."""
    root = Path(__file__).resolve().parents[2]
    unstable = [
        f"{file.relative_to(root)}:{node.lineno}"
        for folder in ("grokviz", "scenes")
        for file in sorted((root / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("argsort", "argpartition")
        and "kind" not in {keyword.arg for keyword in node.keywords}
    ]
    assert unstable == []
