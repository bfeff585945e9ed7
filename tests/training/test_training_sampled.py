"""Training on drawn sequences: what is logged, resumed, repeated and refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grokviz.errors import InputError
from grokviz.options import json_values
from grokviz.runs import open_run, verify_run
from grokviz.task import recipe, recipes, task
from grokviz.tasks.modular_addition.problem import problem as modular_addition
from grokviz.training.loop import Progress, train
from grokviz.training.sampled import SampledProblem

SMALL: dict[str, dict[str, Any]] = {
    "repeated-subsequence": {
        "vocabulary": 11, "length": 19, "subsequence": 4, "d-model": 12, "heads": 3,
    },
    "digit-addition": {"digits": 2, "d-model": 16, "d-mlp": 20, "heads": 2},
    "skip-trigram": {"noise": 5, "length": 9, "d-model": 8},
}  # fmt: skip
FINITE = {"examples": 24, "batch": 8, "test-examples": 20, "test-every": 4}


def small(name: str, out: Path, epochs: int, **more: Any) -> Path:
    given = {key.replace("_", "-"): value for key, value in more.items()}
    settings = {"batch": 8, "checkpoint-every": "10", **SMALL[name], **given, "epochs": epochs}
    return train(name, out, settings=settings, device="cpu").path


def curves(path: Path) -> dict[str, list[float]]:
    run = open_run(path)
    return {name: run.metric(name)[1].tolist() for name in run.metrics}


@pytest.mark.parametrize("name", SMALL)
def test_fresh_data_has_no_test_loss_and_counts_steps(name: str, tmp_path: Path) -> None:
    run = open_run(small(name, tmp_path / "run", 20))
    assert verify_run(run.path) == []
    assert "test_loss" not in run.metrics
    assert run.facts["counts"] == "step"
    assert run.facts["task"] == name
    assert run.epochs.tolist() == [0, 10, 20]


@pytest.mark.parametrize("name", SMALL)
def test_a_stopped_run_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    for finite in ({}, {"examples": 24, "test_examples": 20, "test_every": 4}):
        whole = small(name, tmp_path / f"whole{len(finite)}", 30, **finite)
        part = small(name, tmp_path / f"part{len(finite)}", 13, **finite)
        part = small(name, part, 30, **finite)
        for key, values in curves(whole).items():
            # the stop measured the test loss once more
            assert set(values) <= set(curves(part)[key]), key
        ours, theirs = open_run(whole).weights(30), open_run(part).weights(30)
        assert all(np.array_equal(ours[key], theirs[key]) for key in ours)


def test_finite_data_is_seen_whole_before_any_of_it_comes_again() -> None:
    settings = recipe("skip-trigram").read({**SMALL["skip-trigram"], **FINITE})
    problem: Any = task("skip-trigram").build_problem(settings, torch.device("cpu"))
    assert problem.counts == "step"
    first = [problem._batch_at(i).tokens for i in range(3)]
    second = [problem._batch_at(i).tokens for i in range(3, 6)]
    rows = {tuple(row) for batch in first for row in batch}
    assert rows == {tuple(row) for batch in second for row in batch}
    assert any((a != b).any() for a, b in zip(first, second, strict=True))


def test_a_full_batch_counts_epochs() -> None:
    settings = recipe("skip-trigram").read({**SMALL["skip-trigram"], **FINITE, "batch": 24})
    assert task("skip-trigram").build_problem(settings, torch.device("cpu")).counts == "epoch"


def test_held_out_sequences_are_others_than_those_trained_on() -> None:
    settings = recipe("repeated-subsequence").read(FINITE)
    problem: Any = task("repeated-subsequence").build_problem(settings, torch.device("cpu"))
    assert isinstance(problem, SampledProblem)
    assert problem._examples is not None
    test = problem.test_metrics(0)
    gradients = {name: problem.state[name].clone() for name in problem.trained}
    assert list(test) == ["test_loss"]
    assert test["test_loss"] == pytest.approx(4.98, abs=0.1)
    assert test["test_loss"] != problem.train_metrics(0, gradients)["train_loss"]


def test_batches_that_do_not_divide_the_data_are_refused_with_one_that_does() -> None:
    settings = recipe("digit-addition").read({"examples": 500, "batch": 64})
    with pytest.raises(InputError, match="batch that divides it, such as 50"):
        task("digit-addition").build_problem(settings, torch.device("cpu"))


@pytest.mark.parametrize(
    ("name", "given", "remedy"),
    [
        ("digit-addition", {"digits": "0"}, "digits=0 is not a whole number of at least 1"),
        ("modular-addition", {"train-fraction": "1.5"}, "below 1"),
        ("modular-addition", {"examples": "512"}, "give train-fraction"),
        ("repeated-subsequence", {"sequences": "512"}, "examples=512"),
    ],
)
def test_wrong_combinations_are_one_sentence(name: str, given: dict[str, str], remedy: str) -> None:
    with pytest.raises(InputError, match=remedy) as said:
        recipe(name).read(given)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_says_what_it_costs_and_reads_its_own_defaults(name: str) -> None:
    chosen = recipe(name)
    settings = json_values(chosen.read())
    assert json_values(chosen.read(settings)) == settings
    assert settings["loss-precision"] in ("float64", "float32")
    assert re.search(r"2 CPU cores|a CPU core", chosen.cost)
    assert chosen.source
    if settings.get("examples"):
        assert settings["examples"] % settings["batch"] == 0


def test_norms_are_logged_where_asked(tmp_path: Path) -> None:
    given = {
        "p": 13, "d-model": 16, "d-mlp": 32, "heads": 2, "train-fraction": 0.5, "epochs": 12,
        "record-norms": True,
    }  # fmt: skip
    path = train("modular-addition", tmp_path / "run", settings=given, device="cpu").path
    run = open_run(path)
    epochs, norms = run.metric("unembedding_norm")
    assert epochs.tolist() == list(range(13))
    assert norms[-1] == pytest.approx(np.linalg.norm(run.weights(12)["unembed.W_U"]), rel=1e-6)
    assert abs(run.metric("logit_gradient_sum")[1]).max() < 1e-6


def test_the_sum_of_gradients_leaves_zero_where_float32_loses_the_right_class() -> None:
    """A margin of 24 among 113 classes: float32 keeps only the wrong classes' gradient."""
    sums = {}
    for precision in ("float32", "float64"):
        settings = recipe("modular-addition").read(
            {"loss-precision": precision, "record-norms": True}
        )
        problem = modular_addition(settings, torch.device("cpu"))
        for name, value in problem.state.items():
            if name.endswith("mask"):
                continue
            value.zero_()
        task_right = problem.train.targets.squeeze(1)  # type: ignore[attr-defined]
        only = task_right == task_right[0]
        # one class is far ahead everywhere: right for some pairs, lost for the others
        problem.state["pos_embed.W_pos"][2, 0] = 1.0
        problem.state["unembed.W_U"][0, task_right[0]] = 24.0
        gradients = {name: problem.state[name].clone() for name in problem.trained}
        problem.train_metrics(0, gradients)
        _, d_logits = problem.train.loss_tensors(problem.state, gradients)
        assert d_logits is not None
        sums[precision] = d_logits[only].to(torch.float64).sum().item() * len(task_right)
    share = int(only.sum()) * 113 * np.exp(-24)
    assert sums["float32"] == pytest.approx(share, rel=0.05)
    assert abs(sums["float64"]) < 1e-3 * share


def test_the_split_of_the_transformerlens_demo_is_torchs_own() -> None:
    settings = recipe("modular-addition-transformerlens").read()
    torch.manual_seed(598)
    wanted = torch.randperm(113 * 113).numpy()
    assert np.array_equal(settings.data.permutation, wanted)
    problem = modular_addition(settings, torch.device("cpu"))
    assert problem.state["unembed.W_U"].shape == (128, 113)
    assert problem.state["embed.W_E"].std().item() == pytest.approx(0.8 / 128**0.5, rel=0.02)
    assert not any("b_" in name for name in problem.trained)


def test_a_run_begun_before_a_key_came_goes_on(tmp_path: Path) -> None:
    given = {"p": 13, "d-model": 16, "d-mlp": 32, "heads": 2, "train-fraction": 0.5, "epochs": 5}
    path = train("modular-addition", tmp_path / "run", settings=given, device="cpu").path
    from grokviz.runs import RunWriter

    with RunWriter.resume(path) as writer:
        old = {k: v for k, v in writer.facts["settings"].items() if k != "record-norms"}
        writer.update_facts(settings=old)
    told: list[Progress] = []
    train("modular-addition", path, settings={**given, "epochs": 9}, report=told.append)
    assert open_run(path).metric("train_loss")[0].tolist() == list(range(10))
    assert told[-1].counts == "epoch"
