"""Scored positions only, against the plain models: the same loss, the same gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from grokviz.task import recipe, task
from grokviz.training.sampled import SampledProblem

SMALL: dict[str, dict[str, Any]] = {
    "repeated-subsequence": {
        "vocabulary": 11, "length": 19, "subsequence": 4, "d-model": 12, "heads": 3, "batch": 7,
    },
    "digit-addition": {"digits": 3, "d-model": 16, "d-mlp": 20, "heads": 2, "batch": 9},
    "skip-trigram": {"noise": 5, "length": 9, "d-model": 8, "d-head": 3, "heads": 2, "batch": 6},
}  # fmt: skip


def problem(name: str, *, exact: bool, **more: Any) -> SampledProblem:
    given = {**SMALL[name], **{key.replace("_", "-"): value for key, value in more.items()}}
    settings = recipe(name).read(given)
    return task(name).build_problem(settings, torch.device("cpu"), exact_path=exact)


def gradients(of: SampledProblem, update: int) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    into = {name: torch.full_like(of.state[name], 1e3) for name in of.trained}
    return of.train_metrics(update, into), into


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_loss_and_gradients_are_the_plain_models(name: str, precision: str) -> None:
    exact = problem(name, exact=True, loss_precision=precision)
    plain = problem(name, exact=False, loss_precision=precision)
    for update in (0, 3):
        metrics, found = gradients(exact, update)
        expected, wanted = gradients(plain, update)
        assert metrics == pytest.approx(expected, rel=1e-5)
        for key, gradient in wanted.items():
            assert (found[key] - gradient).norm() <= 3e-6 * gradient.norm(), key


def test_the_residual_stream_is_carried_twice_as_published() -> None:
    twice = problem("repeated-subsequence", exact=False)
    once = problem("repeated-subsequence", exact=False, double_residual=False)
    tokens, positions, _ = twice._inputs
    w = twice.state
    x = w["embed.W_E"].T[tokens] + w["pos_embed.W_pos"][: tokens.shape[1]]
    for block in twice.model.attn_blocks:  # type: ignore[union-attr]
        x = 2 * x + block.attn(x)  # type: ignore[operator, union-attr]
    rows = torch.arange(len(tokens)).unsqueeze(1)
    logits = (x @ w["unembed.W_U"])[rows, positions]
    assert torch.allclose(logits, twice.model(tokens)[rows, positions], atol=1e-5)
    assert twice.train_metrics(0, {n: w[n].clone() for n in twice.trained}) != once.train_metrics(
        0, {n: once.state[n].clone() for n in once.trained}
    )


def test_the_loss_of_addition_is_the_mean_of_its_digits() -> None:
    metrics, _ = gradients(problem("digit-addition", exact=True), 0)
    tokens = [metrics[f"train_loss_token_{i}"] for i in range(4)]
    assert metrics["train_loss"] == pytest.approx(sum(tokens) / 4)
    assert len(metrics) == 5
