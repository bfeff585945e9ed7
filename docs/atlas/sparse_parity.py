"""Sparse parity: a small network finds the 3 of 30 bits that a label depends on.

After Barak et al. (2022), https://arxiv.org/abs/2207.08799, and Merrill et al. (2023),
https://arxiv.org/abs/2303.11873.
"""

import torch
from torch.nn.functional import cross_entropy

import grokviz as gv

BITS, RELEVANT, EXAMPLES, HIDDEN, SEED = 30, (3, 14, 21), 1000, 128, 0


def bits(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random bits, -1 or 1, and the parity of the three that count."""
    inputs = torch.randint(2, (count, BITS)) * 2.0 - 1
    return inputs, (inputs[:, RELEVANT].prod(dim=1) > 0).long()


def main(run: str = "runs/sparse-parity", steps: int = 3000) -> None:
    """Train on all examples at once, and record the losses of every fifth step."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(BITS, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 2)
    )
    (train, answers), (test, truth) = bits(EXAMPLES), bits(2000)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.5)
    facts = {"bits": BITS, "relevant": list(RELEVANT), "examples": EXAMPLES, "seed": SEED}
    with gv.record(run, when="20", counts="step", overwrite=True, **facts) as record:
        for step in range(steps + 1):
            loss = cross_entropy(model(train), answers)
            if step % 5 == 0:
                with torch.no_grad():
                    said = model(test)
                record.step(
                    step,
                    model,
                    train_loss=loss,
                    test_loss=cross_entropy(said, truth),
                    test_accuracy=(said.argmax(dim=1) == truth).float().mean(),
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


if __name__ == "__main__":
    main()
