"""Recipes of repeated subsequences: the published sizes, and smaller siblings."""

from __future__ import annotations

from grokviz.task import Recipe
from grokviz.tasks.repeated_subsequence.settings import RepeatedSubsequenceSettings

PAPER = "arXiv:2301.05217"
NOTEBOOK = "the non-modular notebook of the grokking work"

RECIPES = (
    Recipe(
        "repeated-subsequence",
        "predict a repeated subsequence, fresh data: induction heads form at an abrupt drop",
        f"{PAPER} figure 24; thread, tweet 2; {NOTEBOOK}",
        "about 7 minutes on 2 CPU cores",
        RepeatedSubsequenceSettings(),
    ),
    Recipe(
        "repeated-subsequence-512",
        "the same on 512 sequences: the phase change becomes grokking",
        f"{PAPER} figure 25; thread, tweet 3; {NOTEBOOK}",
        "about 4 hours on 2 CPU cores; minutes on a GPU",
        RepeatedSubsequenceSettings(
            examples=512, epochs=285_820, test_every=40, checkpoint_every="1000"
        ),
    ),
    Recipe(
        "repeated-subsequence-320",
        "a smaller sibling on 320 shorter sequences that groks in minutes",
        f"ours, after {PAPER} figure 25",
        "about 5 minutes on 2 CPU cores",
        RepeatedSubsequenceSettings(
            vocabulary=64,
            length=41,
            subsequence=8,
            heads=3,
            examples=320,
            batch=160,
            epochs=10_000,
            checkpoint_every="50",
        ),
        sibling_of="repeated-subsequence-512",
    ),
)
