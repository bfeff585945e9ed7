"""A toy model of superposition: five sparse features are written into two dimensions.

After Elhage et al. (2022), https://transformer-circuits.pub/2022/toy_model.
"""

import torch

import grokviz as gv

FEATURES, DIMENSIONS, SPARSITY, BATCH, SEED = 5, 2, 0.95, 1024, 0


def examples(count: int) -> torch.Tensor:
    """Features (count, 5) between 0 and 1, of which 95 % are 0."""
    return torch.rand(count, FEATURES) * (torch.rand(count, FEATURES) > SPARSITY)


def loss_of(features: torch.Tensor, W: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Mean squared length of what is lost on the way through two dimensions and back."""
    return (torch.relu(features @ W @ W.T + bias) - features).square().sum(dim=1).mean()


def main(run: str = "runs/superposition", steps: int = 6000) -> None:
    """Train on ever fresh features, and record every 25th step."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    W = torch.nn.Parameter(torch.randn(FEATURES, DIMENSIONS) * 0.1)
    bias = torch.nn.Parameter(torch.zeros(FEATURES))
    held_out = examples(20_000)
    optimiser = torch.optim.Adam([W, bias], lr=1e-3)
    facts = {"features": FEATURES, "sparsity": SPARSITY, "seed": SEED}
    with gv.record(run, counts="step", overwrite=True, **facts) as record:
        for step in range(steps + 1):
            loss = loss_of(examples(BATCH), W, bias)
            if step % 25 == 0:
                with torch.no_grad():
                    record.step(
                        step,
                        {"W": W, "bias": bias},
                        loss=loss_of(held_out, W, bias),
                        shortest_vector=W.norm(dim=1).min(),
                    )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


if __name__ == "__main__":
    main()
