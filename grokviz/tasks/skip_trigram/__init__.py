"""Skip trigrams: find the one key token among noise."""

from collections.abc import Mapping
from typing import Any

from grokviz.task import Task
from grokviz.tasks._sequences.about import amount_of_data


def about(settings: Mapping[str, Any]) -> list[str]:
    """Describe a run's task and its amount of data."""
    noise = settings["length"] - 1
    return [
        f"name the one token among {noise} of noise",
        *amount_of_data(settings, "sequences"),
    ]


TASK = Task(
    name="skip-trigram",
    package=__name__,
    title="Skip trigrams",
    settings="settings:SkipTrigramSettings",
    recipes="recipes:RECIPES",
    problem="problem:problem",
    about=about,
    amount_of_data="its number of training sequences is examples, such as examples=100",
    measures=(".._sequences.measures", ".measures"),
    view="checkpoint:SkipTrigramRun",
    evidence="evidence:EVIDENCE",
    order=4,
)
