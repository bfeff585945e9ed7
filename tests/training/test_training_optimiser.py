from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from grokviz.errors import InputError
from grokviz.task import recipe, recipes, task
from grokviz.training import objectives
from grokviz.training.loop import train
from grokviz.training.optimiser import Optimiser
from grokviz.training.optimisers import names
from grokviz.training.optimisers.rule import hidden_matrices

SHAPES = {"a": (5, 3), "b": (4,), "embed.W_E": (3, 7), "heads.W_Q": (2, 2, 3)}
HIDDEN = {"a": (5, 3), "heads.W_Q": (4, 3)}


def begin(**given: object) -> Optimiser:
    settings = recipe("modular-addition").read({k.replace("_", "-"): given[k] for k in given})
    rng = torch.Generator().manual_seed(1)
    weights = {n: torch.randn(*s, generator=rng) for n, s in SHAPES.items()}
    return Optimiser(weights, settings)


def gradient_at(update: int) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(update)
    return {n: torch.randn(*shape, generator=rng) for n, shape in SHAPES.items()}


def go_on(optimiser: Optimiser, updates: int) -> None:
    for _ in range(updates):
        for name, gradient in gradient_at(optimiser.updates).items():
            optimiser.gradients[name].copy_(gradient)
        optimiser.step()


def kept(optimiser: Optimiser) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in optimiser.arrays().items()}


def test_updates_are_adamw_with_a_warm_up_from_zero() -> None:
    """Against the definition, in float64."""
    optimiser = begin(learning_rate=0.01, weight_decay=0.5, betas=(0.8, 0.9), warm_up=4)
    w = optimiser.parameters["a"].double().clone()
    m, v = torch.zeros_like(w), torch.zeros_like(w)
    for t in range(10):
        go_on(optimiser, 1)
        g = optimiser.gradients["a"].double()
        rate = 0.01 * min(t / 4, 1)
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        m_hat, v_hat = m / (1 - 0.8 ** (t + 1)), v / (1 - 0.9 ** (t + 1))
        w = w * (1 - rate * 0.5) - rate * m_hat / (v_hat.sqrt() + 1e-8)
        torch.testing.assert_close(optimiser.parameters["a"].double(), w, rtol=1e-5, atol=1e-6)


def test_the_first_update_changes_nothing_but_the_moments() -> None:
    optimiser = begin()
    before = kept(optimiser)
    go_on(optimiser, 1)
    after = kept(optimiser)
    assert np.array_equal(before["weights.a"], after["weights.a"])
    assert after["exp_avg.a"].any()


def test_without_a_warm_up_the_first_update_counts() -> None:
    optimiser = begin(warm_up=0)
    before = kept(optimiser)
    go_on(optimiser, 1)
    assert not np.array_equal(before["weights.a"], kept(optimiser)["weights.a"])


def test_sgd_goes_against_the_gradient_and_the_weights_it_decays() -> None:
    optimiser = begin(optimiser="sgd", learning_rate=0.01, weight_decay=0.5, warm_up=4)
    w = optimiser.parameters["a"].double().clone()
    for t in range(10):
        go_on(optimiser, 1)
        w = w - 0.01 * min(t / 4, 1) * (optimiser.gradients["a"].double() + 0.5 * w)
        torch.testing.assert_close(optimiser.parameters["a"].double(), w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("stop", [0, 1, 7, 12])
def test_restored_it_goes_on_bit_for_bit(stop: int, name: str) -> None:
    through, first, second = (begin(optimiser=name) for _ in range(3))
    go_on(through, 25)
    go_on(first, stop)
    saved = kept(first)
    second.parameters["a"].zero_()  # what it holds before must not matter
    second.restore(saved, updates=stop)
    go_on(second, 25 - stop)
    expected, found = kept(through), kept(second)
    assert expected.keys() == found.keys()
    assert all(expected[n].tobytes() == found[n].tobytes() for n in expected)


@pytest.mark.parametrize("name", names())
def test_every_weight_is_kept_and_all_that_torch_keeps_of_it(name: str) -> None:
    optimiser = begin(optimiser=name)
    go_on(optimiser, 2)
    expected = {f"weights.{n}" for n in SHAPES}
    for part in optimiser._parts:
        for of, tensor in part.tensors.items():
            state = part.optimiser.state.get(tensor, {})
            expected |= {f"{kind}.{of}" for kind, value in state.items() if kind != "step"
                         and value is not None}  # fmt: skip
            assert part.counts_updates == ("step" in state)
    assert set(optimiser.arrays()) == expected
    assert sorted(n for part in optimiser._parts for n in part.tensors) == sorted(SHAPES)


def test_adam_adds_the_decay_to_the_gradient() -> None:
    adam, plain = begin(optimiser="adam", warm_up=0), begin(optimiser="adamw", warm_up=0)
    start = adam.parameters["a"].clone()
    # all gradients are the decay's: Adam's first step has the size of its rate
    adam.step()
    torch.testing.assert_close(adam.parameters["a"], start - 1e-3 * start.sign(), rtol=1e-4,
                               atol=1e-7)  # fmt: skip
    plain.step()
    torch.testing.assert_close(plain.parameters["a"], start * (1 - 1e-3))


def test_nesterovs_momentum_is_as_defined() -> None:
    optimiser = begin(
        optimiser="nesterov", momentum=0.9, learning_rate=0.01, weight_decay=0, warm_up=0
    )
    w = optimiser.parameters["a"].double().clone()
    momentum = torch.zeros_like(w)
    for _ in range(6):
        go_on(optimiser, 1)
        g = optimiser.gradients["a"].double()
        momentum = 0.9 * momentum + g
        w = w - 0.01 * (g + 0.9 * momentum)
        torch.testing.assert_close(optimiser.parameters["a"].double(), w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["muon", "hidden-sgd"])
def test_hidden_matrices_have_an_update_and_a_rate_of_their_own(name: str) -> None:
    """Embeddings and vectors are AdamW's, and the matrices of all heads are one matrix."""
    optimiser, adamw = (begin(optimiser=n, warm_up=4, hidden_rate=0.5) for n in (name, "adamw"))
    hidden, rest = optimiser._parts
    assert {n: tuple(t.shape) for n, t in hidden.tensors.items()} == HIDDEN
    before = kept(optimiser)
    for each in (optimiser, adamw):
        go_on(each, 3)
    after, other = kept(optimiser), kept(adamw)
    assert set(rest.tensors) == set(SHAPES) - set(HIDDEN)
    for n in rest.tensors:
        assert after[f"weights.{n}"].tobytes() == other[f"weights.{n}"].tobytes()
    assert all((before[f"weights.{n}"] != after[f"weights.{n}"]).any() for n in HIDDEN)
    assert [part.optimiser.param_groups[0]["lr"] for part in optimiser._parts] == [0.25, 5e-4]


def test_muons_update_has_singular_values_that_are_alike() -> None:
    optimiser = begin(optimiser="muon", warm_up=0, hidden_rate=1.0, weight_decay=0)
    before = optimiser.parameters["a"].clone()
    go_on(optimiser, 1)
    update = optimiser.parameters["a"] - before
    values = torch.linalg.svdvals(update) / (5 / 3) ** 0.5
    assert values.min() > 0.5
    assert values.max() < 1.4
    plain = torch.linalg.svdvals(optimiser.gradients["a"])
    assert plain.max() / plain.min() > 2 * values.max() / values.min()


ATTENTION = ("attn.W_K", "attn.W_Q", "attn.W_V", "attn.W_O")
NEURONS = ("mlp.W_in", "mlp.W_out")
BLOCK = [f"blocks.0.{name}" for name in (*ATTENTION, *NEURONS)]
MINIMISES: dict[str, dict[str, object]] = {
    "modular-addition-59": {"p": 7},
    "repeated-subsequence-320": {"batch": 8, "examples": 0},
    "digit-addition-small": {"batch": 8},
    "skip-trigram-50": {"batch": 8, "examples": 0},
    "two-layer-addition": {"p": 7},
    "layernorm-59": {"p": 7},
    "clock-59": {"p": 7},
    "torus-59": {"p": 7},
    "group-composition-D10": {},
    "group-composition-S4": {"model": "transformer"},
}
OF_MUON = {
    ("modular-addition-59", ""): BLOCK,
    ("repeated-subsequence-320", ""): [f"attn_blocks.{n}.{x}" for n in (0, 1) for x in ATTENTION],
    ("digit-addition-small", ""): BLOCK,
    ("skip-trigram-50", ""): [f"attn_blocks.0.{name}" for name in ATTENTION],
    ("two-layer-addition", ""): [],
    ("two-layer-addition", "inputs=concatenated"): [],
    ("clock-59", ""): BLOCK,
    ("torus-59", ""): ["mlp.W_in"],
    ("group-composition-D10", ""): ["W"],
    ("group-composition-D10", "output-bias=on"): ["W"],
    ("group-composition-D10", "model=transformer"): BLOCK,
    ("layernorm-59", ""): [f"blocks.0.{x}.weight" for x in ("qkv", "proj", "fc1", "fc2")],
}


@pytest.mark.parametrize(("name", "given"), OF_MUON)
def test_what_reads_tokens_or_writes_logits_is_not_muons(name: str, given: str) -> None:
    made = recipe(name)
    settings = made.read(dict([given.split("=")]) if given else {})
    problem = task(made.task).build_problem(settings, torch.device("cpu"))
    parameters = {n: problem.state[n] for n in problem.trained}
    for tensor in parameters.values():
        tensor.grad = torch.zeros_like(tensor)
    names = getattr(problem, "embedding_names", None)
    assert names is None or set(names) <= set(parameters)
    hidden = OF_MUON[name, given]
    if hidden:
        assert list(hidden_matrices(parameters, names)) == hidden
    else:
        with pytest.raises(InputError, match="matrices that are not embeddings"):
            hidden_matrices(parameters, names)


@pytest.mark.parametrize("exact_path", [True, False])
@pytest.mark.parametrize("name", [*MINIMISES])
def test_both_paths_take_the_gradient_of_what_is_minimised(name: str, exact_path: bool) -> None:
    made, gradients, logged = recipe(name), [], []
    for loss in objectives.names():
        settings = made.read({"loss": loss, **MINIMISES[name]})
        problem = task(made.task).build_problem(
            settings, torch.device("cpu"), exact_path=exact_path
        )
        slopes = {n: torch.empty_like(problem.state[n]) for n in problem.trained}
        logged.append(problem.train_metrics(0, slopes)["train_loss"])
        gradients.append(torch.cat([one.flatten() for one in slopes.values()]))
    assert len(set(logged)) == 1  # cross entropy, whatever is minimised
    assert not torch.equal(*gradients)


def test_every_task_that_can_be_trained_says_what_is_muons() -> None:
    trained = {entry.task for entry in recipes().values()}
    assert trained == {recipe(name).task for name, _ in OF_MUON}


@pytest.mark.parametrize("name", ["muon", "hidden-sgd"])
def test_without_hidden_matrices_nothing_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="matrices that are not embeddings"):
        train("two-layer-addition", tmp_path / "run", settings={"optimiser": name})
    assert list(tmp_path.iterdir()) == []


def test_a_state_kept_of_other_tensors_is_refused() -> None:
    optimiser = begin(optimiser="muon")
    go_on(optimiser, 1)
    state = kept(optimiser)
    del state["exp_avg.b"]
    with pytest.raises(InputError, match=r"exp_avg\.b was not kept"):
        optimiser.restore(state, updates=1)


def test_a_model_of_embeddings_alone_has_no_hidden_matrices() -> None:
    settings = recipe("modular-addition").read({"optimiser": "muon"})
    with pytest.raises(InputError, match="matrices that are not embeddings"):
        Optimiser({"embed.W_E": torch.ones(3, 4)}, settings)


def test_grokfast_gives_adamw_the_gradient_and_twice_its_slow_average() -> None:
    fast, plain = begin(optimiser="grokfast"), begin(optimiser="adamw")
    average = None
    for t in range(8):
        go_on(fast, 1)
        for name, gradient in plain.gradients.items():
            gradient.copy_(gradient_at(t)[name])
        new = {n: g.clone() for n, g in plain.gradients.items()}
        average = new if average is None else {n: 0.98 * average[n] + 0.02 * new[n] for n in new}
        for name, gradient in plain.gradients.items():
            gradient.add_(average[name], alpha=2)
        plain.step()
    torch.testing.assert_close(fast.parameters, plain.parameters, rtol=1e-4, atol=1e-6)


def test_an_orthogonal_gradient_neither_grows_nor_shrinks() -> None:
    """Of each tensor the gradient keeps its length and loses what lies along the weights."""
    optimiser = begin(optimiser="orthogonal")
    before = {n: p.clone() for n, p in optimiser.parameters.items()}
    go_on(optimiser, 1)
    for name, gradient in optimiser.gradients.items():
        along = (gradient * before[name]).sum() / gradient.norm() / before[name].norm()
        assert abs(along) < 1e-5
        drawn = gradient_at(0)[name]
        assert gradient.norm() == pytest.approx(float(drawn.norm()), rel=1e-5)
        assert abs((drawn * before[name]).sum()) > 1e-3
