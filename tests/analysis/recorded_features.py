"""A toy model of superposition, trained by an ordinary loop: five features in two dimensions.

Source: Elhage et al. (2022), https://transformer-circuits.pub/2022/toy_model/index.html.
"""

from __future__ import annotations

from pathlib import Path

import torch

import grokviz as gv

FEATURES, DIRECTIONS, BATCH = 5, 2, 1024
SPARSITY, IMPORTANCE = 0.9, 0.9
"""Share of the features that are 0, and how much less each counts than the one before it."""


def loop(place: str | Path, steps: int = 600, seed: int = 1) -> None:
    """Train the model, and record its weights and what they say."""
    draw = torch.Generator().manual_seed(seed)
    weight = (0.3 * torch.randn(FEATURES, DIRECTIONS, generator=draw)).requires_grad_()
    bias = torch.zeros(FEATURES, requires_grad=True)
    counts = IMPORTANCE ** torch.arange(FEATURES)
    optimiser = torch.optim.Adam([weight, bias], lr=1e-2)
    facts = {"features": FEATURES, "sparsity": SPARSITY, "importance": IMPORTANCE, "seed": seed,
             "about": "toy model of superposition: five features in two directions"}  # fmt: skip
    with gv.record(place, counts="step", epochs=steps, **facts) as run:
        for step in range(steps + 1):
            there = torch.rand(BATCH, FEATURES, generator=draw) > SPARSITY
            x = torch.rand(BATCH, FEATURES, generator=draw) * there
            loss = (counts * (torch.relu(x @ weight @ weight.T + bias) - x) ** 2).mean()
            keep = step % 6 == 0
            run.step(
                step,
                {"features": weight, "bias": bias} if keep else None,
                arrays=arrays_of(weight) if keep else None,
                train_loss=loss.detach(),
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


def arrays_of(weight: torch.Tensor) -> dict[str, torch.Tensor]:
    """Where the features lie, the overlap of each two, and how long each one is."""
    weight = weight.detach()
    return {
        "features": weight.clone(), "dot products": weight @ weight.T,
        "lengths": weight.norm(dim=1),
    }  # fmt: skip


if __name__ == "__main__":
    loop("runs/recorded-features")
