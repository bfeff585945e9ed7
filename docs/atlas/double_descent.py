"""Double descent: 200 digits are fitted with more and more random features.

After Belkin, Hsu, Ma and Mandal (2019), https://arxiv.org/abs/1812.11118.
"""

import torch
from sklearn.datasets import load_digits
from torch.nn.functional import one_hot

import grokviz as gv

WIDTHS = (20, 50, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1000)
EXAMPLES, WRONG, STEPS, SEED = 200, 40, 4000, 0


def main(runs: str = "runs/double-descent", steps: int = STEPS) -> None:
    """Train a network of each width, and record it; one more run has the widths as its clock."""
    torch.set_num_threads(1)
    images, labels = load_digits(return_X_y=True)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SEED))
    images = torch.tensor(images, dtype=torch.float32)[order] / 16
    labels = torch.tensor(labels)[order]
    told = labels[:EXAMPLES].clone()
    told[:WRONG] = torch.randint(10, (WRONG,), generator=torch.Generator().manual_seed(SEED))
    with gv.record(f"{runs}/widths", counts="width", overwrite=True, seed=SEED) as by_width:
        for width in WIDTHS:
            torch.manual_seed(SEED)
            model = torch.nn.Sequential(
                torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Linear(width, 10)
            )
            torch.nn.init.zeros_(model[2].weight)
            # the first layer stays random
            optimiser = torch.optim.Adam(model[2].parameters(), lr=1e-2)
            slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.01, total_iters=STEPS)

            def loss_of(part: slice, answers: torch.Tensor, model=model) -> torch.Tensor:
                errors = model(images[part]) - one_hot(answers, 10)
                return errors.square().sum(dim=1).mean()

            run = f"{runs}/width={width}"
            with gv.record(run, counts="step", overwrite=True, width=width, seed=SEED) as record:
                for step in range(steps + 1):
                    loss = loss_of(slice(EXAMPLES), told)
                    if step % 200 == 0:
                        with torch.no_grad():
                            test = loss_of(slice(EXAMPLES, None), labels[EXAMPLES:])
                        record.step(step, model, train_loss=loss, test_loss=test)
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step()
                    slower.step()
            right = (model(images[EXAMPLES:]).argmax(dim=1) == labels[EXAMPLES:]).float().mean()
            by_width.step(width, train_loss=loss, test_loss=test, test_accuracy=right)


if __name__ == "__main__":
    main()
