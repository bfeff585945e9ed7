"""Clock, pizza and torus: how they begin, what they compute, and what tells them apart."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError
from grokviz.task import recipe, task
from grokviz.tasks._scores import by_set
from grokviz.tasks.clock_or_pizza.data import TwoTokenPairs
from grokviz.tasks.clock_or_pizza.formulas import answers, betti, circles, circuits, manifold
from grokviz.tasks.clock_or_pizza.forward import forward, input_gradients
from grokviz.tasks.clock_or_pizza.weights import weights_of

torch = pytest.importorskip("torch", reason="initial weights are drawn with the [train] extra")

RECIPE = "clock-59"
SMALL = {"p": 11, "d-model": 8, "d-mlp": 12, "heads": 2}
KINDS: list[dict[str, Any]] = [
    {"attention-rate": 0.0}, {"attention-rate": 0.3}, {"attention-rate": 1.0},
    {"network": "side-by-side"},
]  # fmt: skip


def settings_of(given: dict[str, Any]) -> Any:
    return recipe(RECIPE).read({**SMALL, **given})


def problem_of(given: dict[str, Any], *, exact_path: bool = True) -> Any:
    kind = task("clock-or-pizza")
    return kind.build_problem(settings_of(given), torch.device("cpu"), exact_path=exact_path)


def stirred(given: dict[str, Any], size: float = 1.0) -> Any:
    """The plain problem with larger weights than at first, and biases that are not zero."""
    problem, rng = problem_of(given, exact_path=False), torch.Generator().manual_seed(1)
    for name in problem.trained:
        tensor = problem.state[name]
        tensor.add_(size * torch.randn(tensor.shape, generator=rng))
    return problem


def state_of(problem: Any) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in problem.state.items()}


# --- the networks ----------------------------------------------------------------------


@pytest.mark.parametrize("given", KINDS)
def test_the_exact_path_is_the_plain_one(given: dict[str, Any]) -> None:
    found = []
    for exact in (True, False):
        problem = problem_of(given, exact_path=exact)
        gradients = {name: torch.full_like(problem.state[name], 9.0) for name in problem.trained}
        found.append((problem.train_metrics(0, gradients) | problem.test_metrics(0), gradients))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for name, slope in found[1][1].items():
        np.testing.assert_allclose(found[0][1][name], slope, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("given", KINDS)
def test_measures_run_the_network_that_is_trained(given: dict[str, Any]) -> None:
    settings, problem = settings_of(given), stirred(given, 0.3)
    gradients = {name: torch.empty_like(problem.state[name]) for name in problem.trained}
    logged = problem.train_metrics(0, gradients) | problem.test_metrics(0)
    logits = forward(weights_of(state_of(problem)), settings.attention_rate).logits
    train = settings.data.is_train
    losses = by_set(answers.losses(logits), train)
    right = by_set(answers.is_right(logits), train)
    assert losses[:2] == pytest.approx([logged["train_loss"], logged["test_loss"]], rel=1e-5)
    assert right[:2] == pytest.approx([logged["train_accuracy"], logged["test_accuracy"]])


@pytest.mark.parametrize("given", KINDS)
def test_gradients_are_those_of_autograd(given: dict[str, Any]) -> None:
    """By the embeddings, before positions are added, in float64."""
    settings, problem = settings_of(given), stirred(given, 0.3)
    weights = weights_of(state_of(problem))
    run = forward(weights, settings.attention_rate)
    some = circuits.triples(11)[:20]
    ours = input_gradients(weights, settings.attention_rate, run, some)
    model = problem.model.double()
    for (a, b, c), found in zip(some.tolist(), ours, strict=True):
        rows = model.embed["W_E"] if isinstance(model.embed, torch.nn.ParameterDict) else (
            model.embed.W_E)  # fmt: skip
        embedded = rows.detach().T[[a, b]].unsqueeze(0).requires_grad_()
        logits = model.logits(embedded)[0, c]
        slope = torch.autograd.grad(logits, embedded)[0][0].numpy()
        np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-9)


def test_networks_begin_as_published() -> None:
    """Normal numbers; W_in is narrower than in other tasks' transformers, biases are zero."""
    given = {"d-model": 64, "d-mlp": 256, "p": 59}
    state = state_of(problem_of(given))
    spreads = {name: float(array.std()) for name, array in state.items() if "W_" in name}
    wanted = {
        "embed.W_E": 64, "pos_embed.W_pos": 64, "unembed.W_U": 59, "blocks.0.mlp.W_in": 256,
        "blocks.0.mlp.W_out": 64, **{f"blocks.0.attn.W_{x}": 64 for x in "KQVO"},
    }  # fmt: skip
    assert spreads == pytest.approx({n: fan**-0.5 for n, fan in wanted.items()}, rel=0.15)
    assert not state["blocks.0.mlp.b_in"].any()
    assert not state["blocks.0.mlp.b_out"].any()


def test_without_a_rate_every_weight_is_one() -> None:
    """So that a and b may change places, but for what their positions add."""
    state = state_of(stirred({"attention-rate": 0.0}))
    state["pos_embed.W_pos"][:] = 0
    state["blocks.0.attn.W_V"] *= 3
    for name in "KQ":
        state[f"blocks.0.attn.W_{name}"] *= 50
    rows = state["embed.W_E"].T.astype(float)
    written = np.einsum(
        "pd,hid,hei->pe", rows, state["blocks.0.attn.W_V"],
        weights_of(state).output_by_head, optimize=True,
    )  # fmt: skip
    before = (written[:, None] + written + rows) @ state["blocks.0.mlp.W_in"].T
    before = before + state["blocks.0.mlp.b_in"]
    found = forward(weights_of(state), 0.0).before
    np.testing.assert_allclose(found, before, rtol=1e-6, atol=1e-6)


def test_the_split_is_a_shuffle_of_all_pairs() -> None:
    pairs = TwoTokenPairs()
    assert pairs.train_pairs_count == int(0.8 * 59**2)
    assert sorted(pairs.permutation.tolist()) == list(range(59**2))
    assert (pairs.targets == pairs.tokens.sum(axis=1) % 59).all()
    for fraction in (0.0, 1.0):
        with pytest.raises(InputError, match="leaves no pairs"):
            TwoTokenPairs(59, fraction)


def test_other_weights_are_refused() -> None:
    state = state_of(problem_of({}))
    for change, sentence in (
        ({"blocks.1.mlp.W_in": state["blocks.0.mlp.W_in"]}, "of one layer"),
        ({"unembed.W_U": state["unembed.W_U"][:, :10]}, "10 answers for 11 numbers"),
        ({"pos_embed.W_pos": np.zeros((3, 8))}, "3 positions"),
        ({"blocks.0.attn.W_O": np.zeros((8, 9))}, r"W_O has shape \(8, 9\)"),
    ):
        with pytest.raises(InputError, match=sentence):
            weights_of({**state, **change})


# --- what tells them apart -------------------------------------------------------------


def ideal(p: int, k: int, *, is_pizza: bool) -> np.ndarray:
    """Logits of the formulas of arXiv:2306.17844."""
    a, b, c = np.indices((p, p, p))
    logits = np.cos(2 * np.pi * k * (a + b - c) / p)
    return logits * np.abs(np.cos(np.pi * k * (a - b) / p)) if is_pizza else logits


@pytest.mark.parametrize("is_pizza", [False, True])
def test_the_published_formulas_measure_so(is_pizza: bool) -> None:
    p, k = 31, 7
    logits = 40 * ideal(p, k, is_pizza=is_pizza) + 3.0
    clock, pizza = circles.explained(logits, k)
    assert (pizza if is_pizza else clock) == pytest.approx(1)
    assert (clock if is_pizza else pizza) < 0.9
    assert circles.leading_frequency(logits) == k
    pointers = circles.hands(logits, k)
    a, b = np.indices((p, p))
    assert np.angle(pointers[a == b] * np.exp(-2j * np.pi * k * 2 * np.arange(p) / p)) == (
        pytest.approx(np.zeros(p), abs=1e-9)
    )
    lengths = np.abs(pointers)
    assert lengths.max() == pytest.approx(40)
    assert lengths.min() == pytest.approx(40 * np.cos(np.pi * 15 / 31) if is_pizza else 40)
    right, _ = circuits.right_and_best_wrong(logits)
    if is_pizza:
        assert circuits.distance_irrelevance(right) == pytest.approx(0, abs=1e-9)


def test_hands_stand_by_answer_and_difference() -> None:
    p, k = 13, 5
    answers_drawn = circles.hours(p, k)
    places = k * answers_drawn % p
    assert (np.diff(places) > 0).all()
    assert len(answers_drawn) == 12
    a, b = np.indices((p, p))
    found = circles.hands_of_hours((100 * a + b).astype(complex), answers_drawn).real.astype(int)
    assert ((found // 100 + found % 100) % p == answers_drawn[:, None]).all()
    assert ((found // 100 - found % 100) % p == np.arange(p)).all()
    assert circles.hours(5, 1).tolist() == [0, 1, 2, 3, 4]


def test_distance_irrelevance_is_the_published_ratio() -> None:
    rng = np.random.default_rng(0)
    p, values = 7, rng.normal(size=(7, 7))
    table = np.zeros((p, p))
    for a in range(p):
        for b in range(p):
            table[(a + b) % p, (a - b) % p] = values[a, b]
    wanted = np.mean(np.std(table, axis=0)) / np.std(table)
    assert circuits.distance_irrelevance(values) == pytest.approx(wanted)
    by_difference = (np.subtract.outer(np.arange(p), np.arange(p)) % p) ** 2.0
    assert circuits.distance_irrelevance(by_difference) == 0
    assert circuits.distance_irrelevance(np.full((p, p), 0.1)) == 0
    logits = rng.normal(size=(p, p, p))
    right, wrong = circuits.right_and_best_wrong(logits)
    assert right[2, 6] == logits[2, 6, 1]
    assert wrong[2, 6] == max(logits[2, 6, c] for c in range(p) if c != 1)


def test_gradients_are_compared_at_a_hundred_triples() -> None:
    assert circuits.gradient_symmetricity(np.ones((3, 2, 4))) == pytest.approx(1)
    assert np.isnan(circuits.gradient_symmetricity(np.zeros((3, 2, 4))))
    order = circuits.triples(11)
    assert len({tuple(row) for row in order.tolist()}) == 100


# --- surfaces --------------------------------------------------------------------------


def neurons_of(left: np.ndarray, right: np.ndarray, p: int = 31, k: int = 4) -> np.ndarray:
    """The inputs cos(w a + left) + cos(w b + right) of neurons, over all pairs, and a constant."""
    angle = 2 * np.pi * k * np.arange(p) / p
    of_a, of_b = (np.cos(angle[:, None] + phase) for phase in (left, right))
    return of_a[:, None] + of_b + 0.7


@pytest.mark.parametrize("is_torus", [False, True])
def test_phases_make_a_disc_or_a_torus(is_torus: bool) -> None:
    count = 40
    left = 2 * np.pi * np.arange(count) / count
    right = 2 * np.pi * (np.arange(count) * 7 % count) / count if is_torus else left
    found = manifold.parts(neurons_of(left, right))
    assert found.share == pytest.approx(1)
    amplitudes = manifold.waves(found.tables)
    frequency = manifold.own_frequency(amplitudes)
    assert (frequency == 4).all()
    assert manifold.largest_group(amplitudes, frequency) == 4
    own = manifold.at_frequency(amplitudes, frequency)
    differences = manifold.phase_differences(own)
    assert np.exp(1j * differences) == pytest.approx(np.exp(1j * (left - right)))
    axes, outside = manifold.planes(own)
    assert outside == pytest.approx(1.0 if is_torus else 0.0, abs=1e-9)
    placed = manifold.surface(found.tables, axes)
    points = placed[0][:, None] + placed[1]
    assert (points**2).sum(axis=-1).mean() == pytest.approx(1)
    angle = 2 * np.pi * 4 * np.arange(31) / 31
    if is_torus:  # a goes round in the first plane, b in the second
        assert np.linalg.norm(points[..., :2], axis=-1) == pytest.approx(0.5**0.5)
        assert np.linalg.norm(points[..., 2:], axis=-1) == pytest.approx(0.5**0.5)
    else:  # a and b are added: all is in one plane
        assert points[..., 2:] == pytest.approx(0)
        reach = np.abs(np.cos((angle[:, None] - angle) / 2))
        size = np.linalg.norm(points, axis=-1)
        assert size / size.max() == pytest.approx(reach / reach.max())
    pointed = np.angle(placed[0, 5, 0] + 1j * placed[0, 5, 1])
    assert np.exp(1j * pointed) == pytest.approx(np.exp(1j * angle[5]))


@pytest.mark.skipif(not betti.is_installed(), reason="Betti numbers are found by ripser")
@pytest.mark.parametrize(("is_torus", "wanted"), [(True, [1, 2, 1]), (False, [1, 0, 0])])
def test_a_torus_has_two_loops_and_a_hollow(is_torus: bool, wanted: list[int]) -> None:
    angle = 2 * np.pi * np.arange(31) / 31
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    a, b = np.indices((31, 31))
    points = np.concatenate([circle[a], circle[b]], axis=-1) if is_torus else circle[a] + circle[b]
    assert betti.betti_numbers(points.reshape(961, -1)).tolist() == wanted


# --- runs ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(trained: Callable[..., Path]) -> Path:
    settings = {**SMALL, "epochs": 40, "checkpoint-every": "20"}
    return trained("pizza-59", settings)


def test_a_run_has_all_measures(run: Path) -> None:
    names = ["hand", "surface", "outside_share", "mean_phase_difference", "phase_difference"]
    data = gv.analyze(run, names, cache=False)
    assert data["hand"].sizes == {"field_epoch": 3, "hour": 11, "difference": 11, "pointer": 2}
    assert data["surface"].sizes == {"field_epoch": 3, "number": 2, "residue": 11, "axis": 4}
    sizes = np.abs(data["phase_difference"].values).mean(axis=1)
    assert data["mean_phase_difference"].values == pytest.approx(sizes, abs=1 / 128)
    inside = 1 - data["outside_share"].values
    assert ((inside >= 0) & (inside <= 1)).all()


def own_logits(state: dict[str, np.ndarray], rate: float, rows: np.ndarray) -> np.ndarray:
    """The published network, read at b, of two embeddings without positions."""
    w = {name.rsplit(".", 1)[-1]: one.astype(float) for name, one in state.items()}
    x = rows + w["W_pos"]
    heads, width, _ = w["W_K"].shape
    after = x[1].copy()
    for h in range(heads):
        scores = np.exp(x @ w["W_K"][h].T @ (w["W_Q"][h] @ x[1]) / np.sqrt(width))
        weights = rate * scores / scores.sum() + 1 - rate
        after += w["W_O"][:, h * width : (h + 1) * width] @ w["W_V"][h] @ (weights @ x)
    neurons = np.maximum(w["W_in"] @ after + w["b_in"], 0)
    return np.asarray(w["W_U"].T @ (after + w["W_out"] @ neurons + w["b_out"]))


def own_measures(state: dict[str, np.ndarray], rate: float, p: int) -> dict[str, float]:
    """The published measures: slopes by differences, tables cell by cell, axes of a covariance."""
    rows = state["embed.W_E"].T.astype(float)
    every = [(a, b, c) for a in range(p) for b in range(p) for c in range(p)]
    random.Random(42).shuffle(every)
    cosines, step = [], 1e-5
    for a, b, c in every[:100]:
        slopes = np.zeros((2, rows.shape[1]))
        for at, k in np.ndindex(slopes.shape):
            for sign in (1, -1):
                moved = rows[[a, b]]
                moved[at, k] += sign * step
                slopes[at, k] += sign * own_logits(state, rate, moved)[c]
        cosines.append(slopes[0] @ slopes[1] / np.prod(np.linalg.norm(slopes, axis=1)))
    right, wrong = np.empty((p, p)), np.empty((p, p))
    for a, b in np.ndindex(p, p):
        logits, place = own_logits(state, rate, rows[[a, b]]), ((a + b) % p, (a - b) % p)
        right[place] = logits[place[0]]
        wrong[place] = np.delete(logits, place[0]).max()
    centred = rows - rows.mean(axis=0)
    sizes, axes = np.linalg.eigh(centred @ centred.T)
    waves = np.abs(np.fft.rfft(axes[:, np.argsort(-sizes, kind="stable")[:4]], axis=0)) ** 2
    return {
        "gradient_symmetricity": float(np.mean(cosines)),
        "distance_irrelevance": float(right.std(axis=0).mean() / right.std()),
        "wrong_distance_irrelevance": float(wrong.std(axis=0).mean() / wrong.std()),
        "circularity": float((2 * waves[1:].max(axis=0) / p).mean()),
    }


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_a_published_model_is_imported_with_its_rate(rate: float, tmp_path: Path) -> None:
    given = {"attention-rate": rate}
    problem = stirred(given, 0.2)
    torch.save(problem.model.state_dict(), tmp_path / "model_abc.pt")
    config = {"attn_coeff": rate, "frac": 0.8, "act_fn": "relu", "C": 11}
    (tmp_path / "config_abc.json").write_text(json.dumps(config))
    gv.import_run(tmp_path / "model_abc.pt", tmp_path / "run")
    found = gv.measures(tmp_path / "run")
    gradients = {name: torch.empty_like(problem.state[name]) for name in problem.trained}
    logged = problem.train_metrics(0, gradients)
    assert found["loss_train"] == pytest.approx(logged["train_loss"], rel=1e-5)
    for name, wanted in own_measures(state_of(problem), rate, 11).items():
        assert found[name] == pytest.approx(wanted, rel=1e-5), name
