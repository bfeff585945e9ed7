"""A two-layer transformer learns the text of Python's own help, a character at a time.

The text is that of ``help()`` in the standard library's ``pydoc_data.topics``.
"""

from pydoc_data.topics import topics

import torch
from torch.nn.functional import cross_entropy

import grokviz as gv

CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
LENGTH, WIDTH, HEADS, BATCH, SEED = 64, 64, 4, 32, 0


class Model(torch.nn.Module):
    """Embeddings, two layers of attention and MLP, and the logits of the next character."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(len(CHARACTERS), WIDTH)
        self.positions = torch.nn.Embedding(LENGTH, WIDTH)
        self.layers = torch.nn.ModuleList(
            torch.nn.TransformerEncoderLayer(
                WIDTH, HEADS, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
            )
            for _ in range(2)
        )
        self.unembed = torch.nn.Linear(WIDTH, len(CHARACTERS))
        for table in (self.embed, self.positions):
            torch.nn.init.normal_(table.weight, std=0.02)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Logits (batch, position, character) of what comes next."""
        past = torch.nn.Transformer.generate_square_subsequent_mask(text.shape[1])
        x = self.embed(text) + self.positions.weight[: text.shape[1]]
        for layer in self.layers:
            x = layer(x, src_mask=past, is_causal=True)
        return self.unembed(x)


def loss_of(model: Model, text: torch.Tensor) -> torch.Tensor:
    """Mean loss of the next character, in nats, over texts (batch, position)."""
    return cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())


def main(run: str = "runs/language", steps: int = 3000) -> None:
    """Train on nine tenths of the text; the last tenth is the test."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    text = "".join(topics.values())
    text = torch.tensor([CHARACTERS.index(c) for c in text if c in CHARACTERS])
    train, test = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]
    held_out = test[: len(test) // (LENGTH + 1) * (LENGTH + 1)].view(-1, LENGTH + 1)[:128]
    model = Model()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    facts = {"heads": HEADS, "characters": len(text), "seed": SEED}
    with gv.record(run, when=50, counts="step", overwrite=True, **facts) as record:
        for step in range(steps + 1):
            start = torch.randint(len(train) - LENGTH, (BATCH, 1))
            batch = train[start + torch.arange(LENGTH + 1)]
            loss = loss_of(model, batch)
            record.step(step, model, train_loss=loss)
            if step % 50 == 0:
                with torch.no_grad():
                    record.step(step, test_loss=loss_of(model, held_out))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


if __name__ == "__main__":
    main()
