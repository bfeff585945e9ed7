"""What can be trained: each recipe names its hyperparameters and where they were published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grokviz.errors import InputError, nearest
from grokviz.training import keys as k
from grokviz.training.keys import Key
from grokviz.training.recipe_keys import (
    DIGIT_ADDITION,
    MODULAR_ADDITION,
    REPEATED_SUBSEQUENCE,
    SKIP_TRIGRAM,
    preset,
)

PAPER = "arXiv:2301.05217"
NOTEBOOK = "the non-modular notebook of the grokking work"


@dataclass(frozen=True)
class Recipe:
    """A named set of hyperparameters of one task."""

    name: str
    task: str
    title: str
    source: str
    cost: str
    keys: Mapping[str, Key] = field(repr=False)

    def settings(self, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """All hyperparameters, with those ``given`` in place of the published ones."""
        given = given or {}
        for name in given:
            hint = FINITE.get(self.task) if name in ("examples", "sequences") else None
            if hint and name not in self.keys:
                raise InputError(f"{self.name} has no key {name}: {hint}")
        return k.settings(self.keys, given)

    def describe(self) -> dict[str, Any]:
        """The recipe as plain data, for ``grokviz recipes --json``."""
        return {
            "name": self.name,
            "task": self.task,
            "title": self.title,
            "source": self.source,
            "cost": self.cost,
            "keys": {
                key.name: {"default": key.default, "allowed": key.allowed, "help": key.help}
                for key in self.keys.values()
            },
        }


FINITE = {
    "modular-addition": "it trains on a share of all pairs; give train-fraction",
    "repeated-subsequence": "its number of training sequences is examples, such as examples=512",
    "digit-addition": "its number of training sums is examples, such as examples=700",
    "skip-trigram": "its number of training sequences is examples, such as examples=100",
}
"""How each task says how much data it has, for whoever looks for another word."""


def _addition(name: str, title: str, source: str, cost: str, **values: Any) -> Recipe:
    return Recipe(name, "modular-addition", title, source, cost, preset(MODULAR_ADDITION, **values))


_MODULAR = [
    _addition(
        "modular-addition",
        "a + b mod 113 with a one-layer transformer: the mainline run of the grokking work",
        f"{PAPER} section 3 and appendix A; the paper analyses epoch 40,000 of 50,000",
        "about 15 minutes for 40,000 epochs on 2 CPU cores, 0.4 GB of disk",
    ),
    _addition(
        "modular-addition-no-weight-decay",
        "without weight decay, on nine tenths of the pairs",
        "published run mod_addition_no_wd (its fraction inferred from its losses)",
        "about 5 minutes on 2 CPU cores",
        weight_decay=0, train_fraction=0.9, epochs=5_000,
    ),
    _addition(
        "modular-addition-weight-decay-0.1",
        "a tenth of the weight decay: grokking takes ten times as long",
        "published run wd_10-1_mod_addition_loss_curve",
        "about 45 minutes on 2 CPU cores, 0.3 GB of disk",
        weight_decay=0.1, seed=1, split_seed=1, epochs=107_790, checkpoint_every="500",
    ),
    _addition(
        "modular-addition-float32",
        "log-softmax in float32: the loss spikes called slingshots",
        "thread, tweet 14; published run low_precision_mod_addition (weight decay inferred)",
        "about 20 minutes on 2 CPU cores, 0.1 GB of disk",
        loss_precision="float32", seed=1, split_seed=1, checkpoint_every="500",
        record_norms=True,
    ),
    _addition(
        "modular-addition-no-biases",
        "without biases in the MLP",
        f"{PAPER} (its later versions leave the biases out)",
        "about 20 minutes on 2 CPU cores, 0.5 GB of disk",
        mlp_biases=False,
    ),
    _addition(
        "modular-addition-transformerlens",
        "as in the TransformerLens demo: its split, its initial spread, no biases, no warm-up",
        "TransformerLens, Grokking_Demo.ipynb (the same seeds, but weights drawn in our order)",
        "about 10 minutes on 2 CPU cores, 0.25 GB of disk",
        seed=999, split_seed=598, split_order="torch", init="transformerlens", mlp_biases=False,
        equals_class=False, warm_up=0, epochs=25_000,
    ),
    _addition(
        "modular-addition-53",
        "a + b mod 53, with the weight decay of 5 that it needs to grok",
        f"{PAPER} appendix D",
        "about 4 minutes on 2 CPU cores",
        p=53, weight_decay=5, epochs=40_000,
    ),
    _addition(
        "modular-addition-109",
        "a + b mod 109: much like 113",
        f"{PAPER} appendix D",
        "about 14 minutes on 2 CPU cores, 0.4 GB of disk",
        p=109, epochs=40_000,
    ),
    _addition(
        "modular-addition-401",
        "a + b mod 401: enough data that nothing is delayed",
        f"{PAPER} appendix D",
        "about 2 hours for 5,000 epochs on 2 CPU cores, and 6 GB of memory",
        p=401, epochs=5_000,
    ),
    _addition(
        "modular-addition-59",
        "a + b mod 59 with half the width: a smaller sibling for sweeps and first tries",
        "ours, for trying things out and for sweeps on a CPU",
        "about 2 minutes on 2 CPU cores",
        p=59, d_model=64, d_mlp=256, train_fraction=0.4, epochs=12_000,
    ),
    _addition(
        "modular-addition-59-float32",
        "the smaller sibling with log-softmax in float32: slingshots in minutes",
        "ours, after thread, tweet 14",
        "about 2 minutes on 2 CPU cores",
        p=59, d_model=64, d_mlp=256, train_fraction=0.4, epochs=12_000,
        loss_precision="float32", seed=1, split_seed=1, record_norms=True,
    ),
]  # fmt: skip

_OTHERS = [
    Recipe(
        "repeated-subsequence",
        "repeated-subsequence",
        "predict a repeated subsequence, fresh data: induction heads form at an abrupt drop",
        f"{PAPER} figure 24; thread, tweet 2; {NOTEBOOK}",
        "about 7 minutes on 2 CPU cores",
        REPEATED_SUBSEQUENCE,
    ),
    Recipe(
        "repeated-subsequence-512",
        "repeated-subsequence",
        "the same on 512 sequences: the phase change becomes grokking",
        f"{PAPER} figure 25; thread, tweet 3; {NOTEBOOK}",
        "about 4 hours on 2 CPU cores; minutes on a GPU",
        preset(
            REPEATED_SUBSEQUENCE, examples=512, epochs=285_820, test_every=40,
            checkpoint_every="1000",
        ),
    ),
    Recipe(
        "repeated-subsequence-320",
        "repeated-subsequence",
        "a smaller sibling on 320 shorter sequences that groks in minutes",
        f"ours, after {PAPER} figure 25",
        "about 5 minutes on 2 CPU cores",
        preset(
            REPEATED_SUBSEQUENCE, vocabulary=64, length=41, subsequence=8, heads=3, examples=320,
            batch=160, epochs=10_000, checkpoint_every="50",
        ),
    ),
    Recipe(
        "digit-addition",
        "digit-addition",
        "5-digit addition, fresh data: one phase change for each digit of the answer",
        f"{PAPER} figures 21 and 22; thread, tweet 13; {NOTEBOOK}",
        "about 7 minutes on 2 CPU cores, 0.4 GB of disk",
        DIGIT_ADDITION,
    ),
    Recipe(
        "digit-addition-700",
        "digit-addition",
        "the same on 700 sums: grokking",
        f"{PAPER} figure 23 (the notebook has 750); {NOTEBOOK}",
        "about 6 hours on 2 CPU cores; minutes on a GPU",
        preset(
            DIGIT_ADDITION, examples=700, batch=700, epochs=18_000, checkpoint_every="1000",
        ),
    ),
    Recipe(
        "digit-addition-small",
        "digit-addition",
        "5-digit addition at a quarter of the width: the same phase changes in half a minute",
        f"ours, after {PAPER} figure 22; the published file of this name has this width",
        "under a minute on 2 CPU cores",
        preset(DIGIT_ADDITION, d_model=128, d_mlp=512, learning_rate=1e-3, checkpoint_every="25"),
    ),
    Recipe(
        "digit-addition-small-500",
        "digit-addition",
        "the smaller sibling on 500 sums in batches of 100, weight decay 1: grokking in minutes",
        f"ours, after {PAPER} figure 23",
        "about 3 minutes on 2 CPU cores",
        preset(
            DIGIT_ADDITION, d_model=128, d_mlp=512, learning_rate=1e-3, weight_decay=1,
            examples=500, batch=100, epochs=10_000, checkpoint_every="50",
        ),
    ),
    Recipe(
        "skip-trigram",
        "skip-trigram",
        "find the one key token among noise, fresh data",
        NOTEBOOK,
        "under a minute on 2 CPU cores",
        SKIP_TRIGRAM,
    ),
    Recipe(
        "skip-trigram-100",
        "skip-trigram",
        "the same on 100 sequences",
        NOTEBOOK,
        "under a minute on 2 CPU cores",
        preset(SKIP_TRIGRAM, examples=100, batch=100, epochs=5_000),
    ),
    Recipe(
        "skip-trigram-50",
        "skip-trigram",
        "on 50 sequences with weight decay 0.3: a smaller sibling that overfits first",
        f"ours, after {NOTEBOOK}",
        "under a minute on 2 CPU cores",
        preset(SKIP_TRIGRAM, examples=50, batch=50, weight_decay=0.3, epochs=5_000),
    ),
]  # fmt: skip

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in [*_MODULAR, *_OTHERS]}


def recipe(name: str) -> Recipe:
    """The recipe of that name, or an ``InputError`` naming the nearest one."""
    if name not in RECIPES:
        raise InputError(f"there is no recipe {name}: {nearest(name, list(RECIPES))}")
    return RECIPES[name]
