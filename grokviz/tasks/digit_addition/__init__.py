"""Addition of numbers in decimal digits (arXiv:2301.05217, figures 21 to 23)."""

from collections.abc import Mapping
from typing import Any

from grokviz.task import Task
from grokviz.tasks._sequences.about import amount_of_data


def about(settings: Mapping[str, Any]) -> list[str]:
    """Describe a run's task and its amount of data."""
    return [f"addition of {settings['digits']}-digit numbers", *amount_of_data(settings, "sums")]


TASK = Task(
    name="digit-addition",
    package=__name__,
    title="Digit by digit",
    settings="settings:DigitAdditionSettings",
    recipes="recipes:RECIPES",
    problem="problem:problem",
    about=about,
    amount_of_data="its number of training sums is examples, such as examples=700",
    measures=(".._sequences.measures", ".measures"),
    view="checkpoint:DigitAdditionRun",
    evidence="evidence:EVIDENCE",
    order=3,
)
