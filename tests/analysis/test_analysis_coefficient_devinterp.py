"""The local learning coefficient as devinterp samples it: run by ``make libraries``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokviz.dataset.numerics.langevin import Sampling, estimate, langevin

sampled = pytest.importorskip("devinterp.slt.llc", reason="devinterp is not installed")
datasets = pytest.importorskip("datasets")
torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.slow,
    # its own libraries'
    pytest.mark.filterwarnings("default"),
]

N_BETA = 200.0


def theirs(
    model: Any, loss: Any, rows: np.ndarray, sampling: Sampling, place: Path, batch: int
) -> np.ndarray:
    """devinterp's estimate of each chain, its burn-in left out as ours is."""
    data = datasets.Dataset.from_dict({"input_ids": rows.tolist()}).with_format("torch")
    made = sampled.llc(
        model, data, {}, lr=sampling.step, n_beta=N_BETA, localization=sampling.pull,
        num_chains=sampling.chains, num_draws=sampling.stretch * sampling.stretches,
        batch_size=batch, num_init_loss_batches=max(1, len(rows) // batch), device="cpu",
        match_sampling_input_ids_across_chains=False, loss_fn=loss, output_path=place / "samples",
    )  # fmt: skip
    trace = made["loss_trace"].values[:, sampling.burn_in * sampling.stretch :].mean(axis=1)
    return N_BETA * (trace - float(made["init_loss"]))


class Copies(torch.nn.Module):
    """The weights of many independent copies, which are as many chains."""

    def __init__(self, copies: int, size: int) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros(copies, size, dtype=torch.float64))


@pytest.mark.parametrize("powers", [(2,), (4,), (2, 2), (2, 4)])
def test_a_normal_crossing(powers: tuple[int, ...], tmp_path: Path) -> None:
    """L = the product of w_i to these powers."""
    copies = 1000
    sampling = Sampling(step=5e-4, pull=20.0, chains=1, stretch=50, stretches=20, burn_in=8)

    def loss(model: Any, rows: Any) -> Any:
        return (model.w ** torch.tensor(powers)).prod(dim=1).sum().expand(len(rows), 1)

    rows = np.zeros((4, 2), dtype=int)
    their = theirs(Copies(copies, len(powers)), loss, rows, sampling, tmp_path, 4)[0] / copies

    def slope(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        each, gradient = w ** np.array(powers), np.empty_like(w)
        for i, power in enumerate(powers):
            others = np.delete(each, i, axis=1).prod(axis=1)
            gradient[:, i] = power * w[:, i] ** (power - 1) * others
        return each.prod(axis=1), gradient

    trace = langevin(
        slope, np.zeros(len(powers)), N_BETA, replace(sampling, chains=copies),
        np.random.default_rng(0),
    )  # fmt: skip
    ours = estimate(trace, sampling.burn_in)
    error = ours.std() / copies**0.5
    print(f"L = {powers}: ours {ours.mean():.4f} +- {error:.4f}, theirs {their:.4f}")
    assert error < 0.05 * ours.mean()
    # theirs is as uncertain as ours
    assert ours.mean() == pytest.approx(their, abs=6 * error)


def test_a_network_that_adds(tmp_path: Path) -> None:
    """The same chains, by our gradient and by autograd through the plain transformer."""
    from grokviz.models.transformer import Shape, Transformer
    from grokviz.tasks.modular_addition.data import ModularAddition
    from grokviz.tasks.modular_addition.formulas import coefficient

    data = ModularAddition(p=11, train_fraction=0.5)
    model = Transformer(Shape(vocabulary=12, context=3, d_model=16, heads=2, d_mlp=32), seed=0)
    tokens = torch.as_tensor(data.tokens[data.train])
    targets = torch.as_tensor(data.targets[data.train])
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    for _ in range(120):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(tokens)[:, -1], targets).backward()
        optimiser.step()

    def loss(model: Any, rows: Any) -> Any:
        logits = model(torch.cat([rows, torch.full_like(rows[:, :1], 11)], dim=1))[:, -1]
        answers = rows.sum(dim=1) % 11
        return torch.nn.functional.cross_entropy(logits, answers, reduction="none")[:, None]

    sampling = Sampling(step=5e-5, pull=1000.0, chains=4, stretch=20, stretches=20, burn_in=4)
    state = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    trace = coefficient.coefficient_trace(state, data.is_train, 0, sampling, N_BETA)
    ours = estimate(trace, sampling.burn_in)
    their = theirs(model, loss, data.tokens[data.train][:, :2], sampling, tmp_path, len(data.train))
    print(f"a network: ours {ours.round(2)}, theirs {their.round(2)}")
    spread = float(np.hypot(ours.std(ddof=1), their.std(ddof=1)))
    assert spread < 0.15 * ours.mean()
    assert ours.mean() == pytest.approx(their.mean(), abs=3 * spread)
