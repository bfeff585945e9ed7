"""Repeated subsequences: what an induction head predicts (arXiv:2301.05217, figures 24 and 25)."""

from collections.abc import Mapping
from typing import Any

from grokviz.task import Task
from grokviz.tasks._sequences.about import amount_of_data


def about(settings: Mapping[str, Any]) -> list[str]:
    """Describe a run's task and its amount of data."""
    return [
        f"continue {settings['subsequence']} tokens, repeated {settings['repeats']} times in a "
        f"sequence of {settings['length']}",
        *amount_of_data(settings, "sequences"),
    ]


TASK = Task(
    name="repeated-subsequence",
    package=__name__,
    title="Repeated subsequences",
    settings="settings:RepeatedSubsequenceSettings",
    recipes="recipes:RECIPES",
    problem="problem:problem",
    about=about,
    amount_of_data="its number of training sequences is examples, such as examples=512",
    measures=(".._sequences.measures", ".measures"),
    view="checkpoint:RepeatedSubsequenceRun",
    evidence="evidence:EVIDENCE",
    order=2,
)
