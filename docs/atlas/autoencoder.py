"""A linear autoencoder of digits learns one direction after another, the strongest first.

After Saxe, McClelland and Ganguli (2013), https://arxiv.org/abs/1312.6120.
"""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import grokviz as gv

CODE, SEED = 16, 0


def main(run: str = "runs/autoencoder", steps: int = 1500) -> None:
    """Descend the gradient of all images at once from small weights."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    images = torch.tensor(load_digits().data, dtype=torch.float32) / 16
    train, test = train_test_split(images, test_size=0.2, random_state=SEED)
    mean = train.mean(dim=0)
    train, test = train - mean, test - mean
    model = torch.nn.Sequential(
        torch.nn.Linear(64, CODE, bias=False), torch.nn.Linear(CODE, 64, bias=False)
    )
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=1e-3)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
    with gv.record(run, when="10", counts="step", overwrite=True, seed=SEED, code=CODE) as record:
        for step in range(steps + 1):
            # of each image the squared error of all 64 pixels together
            loss = (model(train) - train).square().sum(dim=1).mean()
            with torch.no_grad():
                test_loss = (model(test) - test).square().sum(dim=1).mean()
            record.step(step, model, train_loss=loss, test_loss=test_loss)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


if __name__ == "__main__":
    main()
