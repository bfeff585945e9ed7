"""Recipes of digit addition: the published sizes, and smaller siblings."""

from __future__ import annotations

from grokviz.task import Recipe
from grokviz.tasks.digit_addition.settings import DigitAdditionSettings

PAPER = "arXiv:2301.05217"
NOTEBOOK = "the non-modular notebook of the grokking work"

RECIPES = (
    Recipe(
        "digit-addition",
        "5-digit addition, fresh data: one phase change for each digit of the answer",
        f"{PAPER} figures 21 and 22; thread, tweet 13; {NOTEBOOK}",
        "about 7 minutes on 2 CPU cores, 0.4 GB of disk",
        DigitAdditionSettings(),
    ),
    Recipe(
        "digit-addition-700",
        "the same on 700 sums, where the published run, which began otherwise, groks",
        f"after {PAPER} figure 23 (the notebook has 750); {NOTEBOOK}",
        "about 6 hours on 2 CPU cores; minutes on a GPU",
        DigitAdditionSettings(examples=700, batch=700, epochs=18_000, checkpoint_every="1000"),
    ),
    Recipe(
        "digit-addition-small",
        "5-digit addition at a quarter of the width: the same phase changes in half a minute",
        f"ours, after {PAPER} figure 22; the published file of this name has this width",
        "under a minute on 2 CPU cores",
        DigitAdditionSettings(d_model=128, d_mlp=512, learning_rate=1e-3, checkpoint_every="25"),
        sibling_of="digit-addition",
    ),
    Recipe(
        "digit-addition-small-500",
        "the smaller sibling on 500 sums in batches of 100, weight decay 1: grokking in minutes",
        f"ours, after {PAPER} figure 23",
        "about 3 minutes on 2 CPU cores",
        DigitAdditionSettings(
            d_model=128,
            d_mlp=512,
            learning_rate=1e-3,
            weight_decay=1.0,
            examples=500,
            batch=100,
            epochs=10_000,
            checkpoint_every="50",
        ),
        sibling_of="digit-addition-700",
    ),
)
