"""Recipes with LayerNorm: the published race of optimisers, and smaller siblings."""

from __future__ import annotations

from functools import partial
from typing import Any

from grokviz.task import Recipe
from grokviz.tasks.layernorm_addition.settings import LayerNormSettings

RACE = "PeterPonyu/muon-norm-cap-grokking, results/mech"
GROKFAST = "arXiv:2405.20233"
STABLE = "arXiv:2501.04697"

_small = partial(LayerNormSettings, p=59, d_model=64, layers=1, train_fraction=0.5, epochs=1_000)


def _sibling(ending: str, title: str, source: str, of: str = "", **settings: Any) -> Recipe:
    return Recipe(
        f"layernorm-59{ending}",
        title,
        f"ours, after {source}",
        "about half a minute on a CPU core",
        _small(**settings),
        sibling_of=f"layernorm-addition{of}",
    )


RECIPES = (
    Recipe(
        "layernorm-addition",
        "a + b mod 97 with two layers and LayerNorm, by AdamW",
        f"{RACE}, AdamW with weight decay 1",
        "about 20 minutes on 2 CPU cores, seconds on a GPU",
        LayerNormSettings(),
    ),
    Recipe(
        "layernorm-addition-muon",
        "the same by Muon on hidden matrices: a tenth of the updates",
        f"{RACE}, Muon with weight decay 1",
        "about 5 minutes on 2 CPU cores, seconds on a GPU",
        LayerNormSettings(optimiser="muon", epochs=200, checkpoint_every="5"),
    ),
    Recipe(
        "layernorm-addition-hidden-sgd",
        "the same by gradient descent on hidden matrices, without decay",
        f"{RACE}, SGDM without weight decay",
        "about 25 minutes on 2 CPU cores, seconds on a GPU",
        LayerNormSettings(optimiser="hidden-sgd", weight_decay=0.0, epochs=1_500),
    ),
    _sibling("", "the race in small, a + b mod 59 in one layer: AdamW", RACE),
    _sibling("-muon", "the race in small: Muon", RACE, "-muon", optimiser="muon", epochs=300,
             checkpoint_every="10"),
    _sibling(
        "-hidden-sgd", "the race in small: gradient descent on hidden matrices", RACE,
        "-hidden-sgd", optimiser="hidden-sgd", weight_decay=0.0, epochs=400, checkpoint_every="10",
    ),
    _sibling(
        "-stablemax", "the race in small: StableMax and orthogonal gradients, no decay", STABLE,
        optimiser="orthogonal", loss="stablemax", weight_decay=0.0, epochs=300,
        checkpoint_every="10",
    ),
    _sibling("-grokfast", "the race in small: Grokfast", GROKFAST,
             optimiser="grokfast", epochs=700),
    _sibling("-no-decay", "the race in small: AdamW without weight decay", RACE,
             weight_decay=0.0, epochs=500),
    _sibling(
        "-nesterov", "gradient descent on every weight, with a step too large to last",
        "nothing published: a failure that teaches",
        optimiser="nesterov", learning_rate=0.1, momentum=0.9, weight_decay=1e-3, epochs=800,
    ),
)  # fmt: skip
