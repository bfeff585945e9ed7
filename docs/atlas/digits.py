"""A convolutional network learns scikit-learn's digits."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.nn.functional import cross_entropy

import grokviz as gv

BATCH, SEED = 32, 0


def main(run: str = "runs/digits", steps: int = 1000) -> None:
    """Train on four fifths of the 1,797 images, and record every tenth step."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    train, test, answers, truth = train_test_split(
        images, torch.tensor(labels), test_size=0.2, random_state=SEED, stratify=labels
    )
    model = torch.nn.Sequential()
    model.add_module("conv1", torch.nn.Conv2d(1, 16, 3, padding=1))
    model.add_module("relu1", torch.nn.ReLU())
    model.add_module("pool1", torch.nn.MaxPool2d(2))
    model.add_module("conv2", torch.nn.Conv2d(16, 32, 3, padding=1))
    model.add_module("relu2", torch.nn.ReLU())
    model.add_module("pool2", torch.nn.MaxPool2d(2))
    model.add_module("flat", torch.nn.Flatten())
    model.add_module("out", torch.nn.Linear(128, 10))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with gv.record(run, when="10", counts="step", overwrite=True, seed=SEED) as record:
        for step in range(steps + 1):
            batch = torch.randint(len(train), (BATCH,))
            loss = cross_entropy(model(train[batch]), answers[batch])
            if step % 10 == 0:
                with torch.no_grad():
                    said, known = model(test), model(train)
                record.step(
                    step,
                    model,
                    train_loss=cross_entropy(known, answers),
                    test_loss=cross_entropy(said, truth),
                    train_accuracy=(known.argmax(dim=1) == answers).float().mean(),
                    test_accuracy=(said.argmax(dim=1) == truth).float().mean(),
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


if __name__ == "__main__":
    main()
