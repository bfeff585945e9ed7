"""Addition with LayerNorm: its network, its two paths, its measures and its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz.dataset.families.trajectory import trajectory
from grokviz.errors import InputError
from grokviz.runs import open_run
from grokviz.task import recipe, recipes, task
from grokviz.tasks.layernorm_addition.checkpoint import residues
from grokviz.tasks.layernorm_addition.data import PairTokens
from grokviz.tasks.layernorm_addition.evidence import EVIDENCE
from grokviz.tasks.layernorm_addition.forward import all_logits, gelu

torch = pytest.importorskip("torch", reason="initial weights are drawn with the [train] extra")

NAME = "layernorm-addition"
WAY = {
    "hidden_weight_norm": "member_weight_norm",
    "embedding_wave_count": "member_wave_count",
    "hidden_step_cosine": "member_step_cosine",
}
SMALL = {"p": 7, "d-model": 8, "heads": 2, "train-fraction": 0.5}


def problem_of(given: dict[str, Any], *, exact_path: bool = True) -> Any:
    settings = recipe("layernorm-59").read({**SMALL, **given})
    return task(NAME).build_problem(settings, torch.device("cpu"), exact_path=exact_path)


def gradients_of(problem: Any) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    gradients = {name: torch.empty_like(problem.state[name]) for name in problem.trained}
    metrics = problem.train_metrics(0, gradients) | problem.test_metrics(0)
    return metrics, {name: one.numpy() for name, one in gradients.items()}


def test_it_has_the_published_number_of_parameters_and_the_published_norm() -> None:
    model = task(NAME).build_problem(recipe(NAME).settings, torch.device("cpu")).model
    assert sum(p.numel() for p in model.parameters()) == 419_968
    squares = sum(
        float(tensor.double().square().sum())
        for name, tensor in model.state_dict().items()
        if tensor.ndim == 2 and "embed" not in name
    )
    # published: 12.53, of other draws
    assert squares**0.5 == pytest.approx(12.53, rel=0.005)


@pytest.mark.parametrize(
    "given", [{}, {"layers": 2}, {"loss": "stablemax"}, {"loss-precision": "float32"}]
)
def test_the_exact_path_is_the_plain_one(given: dict[str, Any]) -> None:
    given = {**given, "scale": 10.0}  # so that attention is far from uniform
    exact, plain = (gradients_of(problem_of(given, exact_path=on)) for on in (True, False))
    assert exact[0] == pytest.approx(plain[0], rel=2e-6)
    for name, slope in plain[1].items():
        np.testing.assert_allclose(
            exact[1][name], slope, rtol=1e-4, atol=1e-5 * max(np.abs(slope).max(), 1e-9)
        )


def test_positions_see_nothing_that_comes_later() -> None:
    model = problem_of({"scale": 10.0}).model
    one, other = torch.tensor([[1, 2, 7]]), torch.tensor([[1, 3, 7]])
    with torch.no_grad():
        first, second = model(one), model(other)
    torch.testing.assert_close(first[:, 0], second[:, 0])
    assert (first[:, 1:] - second[:, 1:]).abs().max() > 1e-3


def test_every_recipe_is_a_published_one_or_says_of_what_it_is_a_smaller_sibling() -> None:
    own = {n: r for n, r in recipes().items() if r.task == NAME}
    assert [n for n, r in own.items() if not r.sibling_of] == [
        NAME, f"{NAME}-muon", f"{NAME}-hidden-sgd",
    ]  # fmt: skip
    published = [f"{NAME}{n.removeprefix('layernorm-59')}" for n, r in own.items() if r.sibling_of]
    expected = [name if name in own else NAME for name in published]
    assert [r.sibling_of for r in own.values() if r.sibling_of] == expected
    for one in own.values():
        assert (one.settings.layers == 2) == (not one.sibling_of)


@pytest.mark.parametrize("layers", [1, 2])
def test_its_logits_are_the_networks(layers: int) -> None:
    problem = problem_of({"layers": layers, "scale": 10.0})
    model, tokens = problem.model.double(), PairTokens(7).tokens
    state = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        expected = model(torch.as_tensor(tokens))[:, -1].numpy()
    np.testing.assert_allclose(all_logits(state, tokens, 2), expected, rtol=1e-9, atol=1e-10)
    with pytest.raises(InputError, match="does not divide into 3 heads"):
        all_logits(state, tokens, 3)
    del state["ln.bias"]
    with pytest.raises(InputError, match=r"no ln\.bias"):
        all_logits(state, tokens, 2)


def test_its_neurons_are_torchs_gelu() -> None:
    x = np.concatenate([np.linspace(-10, 10, 10_001), [-1e3, 1e3, np.inf, np.nan]])
    expected = torch.nn.functional.gelu(torch.as_tensor(x)).numpy()
    np.testing.assert_allclose(gelu(x), expected, atol=1e-12)


def test_an_imported_state_dict_is_measured_as_a_member_of_a_family_is(tmp_path: Path) -> None:
    problem = problem_of({"scale": 10.0})
    torch.save(problem.state, tmp_path / "model.pt")
    split = {"train-fraction": 0.5, "split-seed": 0, "heads": 2}
    gv.import_run(tmp_path / "model.pt", tmp_path / "run", settings=split)
    run = open_run(tmp_path / "run")
    data = gv.analyze(run, ["loss", "accuracy", "embedding_frequency_norm", *WAY])
    logged = gradients_of(problem)[0]
    for split_name in ("train", "test"):
        for name in ("loss", "accuracy"):
            value = float(data[name].sel(split=split_name).values[0])
            assert value == pytest.approx(logged[f"{split_name}_{name}"], rel=1e-5)
    record = trajectory(run, lambda state: data["embedding_frequency_norm"].values[0])
    for name, of_member in WAY.items():
        np.testing.assert_allclose(data[name].values, record[of_member], rtol=1e-5)
    printed = gv.measures(run)
    assert printed["loss_test"] == pytest.approx(logged["test_loss"], rel=1e-5)
    assert {"accuracy_train", "hidden_weight_norm", "embedding_wave_count"} <= printed.keys()


@pytest.mark.slow
def test_its_runs_measure_their_waves_and_when_they_learnt(
    trained: Callable[..., Path], tmp_path: Path
) -> None:
    run = open_run(trained("layernorm-59", {**SMALL, "epochs": 4, "checkpoint-every": "2"}))
    data = gv.analyze(run, ["embedding_frequency_norm", "stage_end", "loss", *WAY])
    logged = run.metric("train_loss")[1][::2]
    np.testing.assert_allclose(data["loss"].values[:, 0], logged, rtol=1e-5)
    assert data["embedding_frequency_norm"].shape == (3, 3)
    embedding = run.weights(4)["embed.weight"][:7].astype(float)
    centred = ((embedding - embedding.mean(axis=0)) ** 2).sum()
    assert (data["embedding_frequency_norm"].values[-1] ** 2).sum() == pytest.approx(centred)
    assert data["stage_end"].values.tolist() == [-1, -1]
    family = gv.load([str(run.path)], ["member_frequency_norm"])
    np.testing.assert_allclose(
        family["member_frequency_norm"].values[0], data["embedding_frequency_norm"].values[-1]
    )
    family = gv.load([str(run.path)], [*WAY.values()])
    for name, of_member in WAY.items():
        np.testing.assert_allclose(data[name].values, family[of_member].values[0], rtol=1e-5)


def test_its_files_are_known_by_their_tensors() -> None:
    state = {n: t.numpy() for n, t in problem_of({"layers": 2}).state.items()}
    assert EVIDENCE.own_model(state)
    assert EVIDENCE.settings({}, state) == {"p": 7, "d-model": 8, "layers": 2}
    with pytest.raises(InputError, match=r"no unembed\.weight"):
        residues({n: t for n, t in state.items() if n != "unembed.weight"})
    assert not EVIDENCE.own_model({**state, "unembed.weight": state["unembed.weight"][:5]})
    with pytest.raises(InputError, match="leaves no pairs"):
        recipe(NAME).read({"train-fraction": 1e-6}).data  # noqa: B018
    with pytest.raises(InputError, match="does not divide into 3 heads"):
        recipe(NAME).read({"heads": 3})
