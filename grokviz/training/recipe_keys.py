"""The keys of each task's recipes, with the published values of its main recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.training import keys as k
from grokviz.training.keys import Key


def _keys(*keys: Key) -> dict[str, Key]:
    return {key.name: key for key in keys}


def preset(keys: Mapping[str, Key], **values: Any) -> dict[str, Key]:
    """The same keys with other defaults, ``_`` standing for ``-``."""
    changed = {name.replace("_", "-"): value for name, value in values.items()}
    unknown = set(changed) - set(keys)
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    return {
        name: Key(name, key.value(changed.get(name, key.default)), key.read, key.allowed, key.help)
        for name, key in keys.items()
    }


def _training(
    *, epochs: int, every: str, decay: float, rate: float, betas: list[float], warm_up: int,
    precision: str, test_every: int = 10,
) -> tuple[Key, ...]:  # fmt: skip
    """What every recipe has: how long, how often, AdamW, and the precision of the loss."""
    return (
        Key("epochs", epochs, *k.whole(), "updates"),
        Key("checkpoint-every", every, *k.schedule(), "updates between kept weights"),
        Key("test-every", test_every, *k.whole(), "updates between measurements of the test loss"),
        Key("learning-rate", rate, *k.real(0, open_ends=True), "AdamW's step size after warm-up"),
        Key("weight-decay", decay, *k.real(0), "AdamW's decoupled decay, on every parameter"),
        Key("betas", betas, *k.pair(), "AdamW's averaging rates"),
        Key("warm-up", warm_up, *k.whole(0), "updates over which the step size rises from 0"),
        Key("loss-precision", precision, *k.choice("float64", "float32"), "dtype of log-softmax"),
    )


MODULAR_ADDITION = _keys(
    Key("p", 113, *k.whole(3), "number of residues (odd)"),
    Key("train-fraction", 0.3, *k.real(0, 1, open_ends=True), "share of the p² pairs trained on"),
    Key("split-seed", 0, *k.whole(0), "seed of the split into train and test"),
    Key("split-order", "python", *k.choice("python", "torch"), "whose shuffle makes the split"),
    Key("seed", 0, *k.whole(0), "seed of the initial weights"),
    Key("init", "published", *k.choice("published", "transformerlens"), "spread of the weights"),
    Key("d-model", 128, *k.whole(), "width of the residual stream"),
    Key("d-mlp", 512, *k.whole(), "number of MLP neurons"),
    Key("heads", 4, *k.whole(), "number of attention heads"),
    *_training(
        epochs=50_000, every="100", decay=1.0, rate=1e-3, betas=[0.9, 0.98], warm_up=10,
        precision="float64",
    ),
    Key("mlp-biases", True, *k.switch(), "whether the MLP has biases"),
    Key("equals-class", True, *k.switch(), 'whether "=" is one of the classes'),
    Key("record-norms", False, *k.switch(), "log ||W_U|| and the sum of the logits' gradients"),
)  # fmt: skip


def _drawn(
    examples: int, batch: int, test_examples: int, data_seed: int, seed: int = 0
) -> tuple[Key, ...]:
    """How sequences are drawn."""
    return (
        Key("examples", examples, *k.whole(0), "training sequences; 0 for fresh ones every time"),
        Key("batch", batch, *k.whole(), "sequences in an update"),
        Key("test-examples", test_examples, *k.whole(), "held-out sequences, if data is finite"),
        Key("data-seed", data_seed, *k.whole(0), "seed of everything drawn but the weights"),
        Key("seed", seed, *k.whole(0), "seed of the initial weights"),
    )


REPEATED_SUBSEQUENCE = _keys(
    Key("vocabulary", 128, *k.whole(2), "number of tokens, the beginning's included"),
    Key("length", 85, *k.whole(3), "tokens in a sequence, the beginning's included"),
    Key("subsequence", 16, *k.whole(2), "tokens that are repeated"),
    Key("repeats", 3, *k.whole(2), "how often they stand in a sequence"),
    *_drawn(0, 128, 640, data_seed=1, seed=1),
    Key("d-model", 48, *k.whole(), "width of the residual stream"),
    Key("heads", 4, *k.whole(), "number of attention heads in each of the two layers"),
    Key("double-residual", True, *k.switch(), "carry the residual stream twice, as published"),
    *_training(
        epochs=6_000, every="50,10@600:1400", decay=1.0, rate=1e-3, betas=[0.9, 0.999],
        warm_up=100, precision="float32",
    ),
)  # fmt: skip

DIGIT_ADDITION = _keys(
    Key("digits", 5, *k.whole(), "digits of each of the two numbers"),
    *_drawn(0, 64, 1024, 129000),
    Key("d-model", 512, *k.whole(), "width of the residual stream"),
    Key("d-mlp", 2048, *k.whole(), "number of MLP neurons"),
    Key("heads", 4, *k.whole(), "number of attention heads"),
    *_training(
        epochs=3_000, every="100", decay=0.1, rate=1e-4, betas=[0.9, 0.98], warm_up=10,
        precision="float64",
    ),
)  # fmt: skip

SKIP_TRIGRAM = _keys(
    Key("noise", 10, *k.whole(2), "number of noise tokens, and of key tokens"),
    Key("length", 40, *k.whole(), "tokens between the first and the last"),
    *_drawn(0, 256, 1024, 6798),
    Key("d-model", 32, *k.whole(), "width of the residual stream"),
    Key("d-head", 8, *k.whole(), "width of a head"),
    Key("heads", 1, *k.whole(), "number of attention heads"),
    *_training(
        epochs=3_000, every="50,10@0:600", decay=0.1, rate=1e-3, betas=[0.9, 0.98], warm_up=10,
        precision="float64",
    ),
)  # fmt: skip
