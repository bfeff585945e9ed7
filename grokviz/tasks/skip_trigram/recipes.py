"""Recipes of skip trigrams: the published sizes, and smaller siblings."""

from __future__ import annotations

from grokviz.task import Recipe
from grokviz.tasks.skip_trigram.settings import SkipTrigramSettings

NOTEBOOK = "the non-modular notebook of the grokking work"

RECIPES = (
    Recipe(
        "skip-trigram",
        "find the one key token among noise, fresh data",
        NOTEBOOK,
        "under a minute on 2 CPU cores",
        SkipTrigramSettings(),
    ),
    Recipe(
        "skip-trigram-100",
        "the same on 100 sequences",
        NOTEBOOK,
        "under a minute on 2 CPU cores",
        SkipTrigramSettings(examples=100, batch=100, epochs=5_000),
    ),
    Recipe(
        "skip-trigram-50",
        "on 50 sequences with weight decay 0.3: a smaller sibling that overfits first",
        f"ours, after {NOTEBOOK}",
        "under a minute on 2 CPU cores",
        SkipTrigramSettings(examples=50, batch=50, weight_decay=0.3, epochs=5_000),
        sibling_of="skip-trigram-100",
    ),
)
