"""Addition mod p by networks that are clocks, pizzas or tori (arXiv:2306.17844, 2512.25060)."""

from collections.abc import Mapping
from typing import Any

from grokviz.task import Task


def about(settings: Mapping[str, Any]) -> list[str]:
    """Describe a run's task, its network and its amount of data."""
    if settings["network"] == "attention":
        network = f"attention at a rate of {float(settings['attention-rate']):g}"
    else:
        network = "a layer that reads a and b side by side"
    return [
        f"addition mod {settings['p']}",
        network,
        f"trained on {float(settings['train-fraction']):.0%} of the pairs",
    ]


TASK = Task(
    name="clock-or-pizza",
    package=__name__,
    title="Clock, pizza, torus",
    settings="settings:ClockOrPizzaSettings",
    recipes="recipes:RECIPES",
    problem="problem:problem",
    about=about,
    amount_of_data="it trains on a share of all pairs; give train-fraction",
    measures=(".measures",),
    view="checkpoint:ClockOrPizzaRun",
    member="member:MEMBER",
    evidence="evidence:EVIDENCE",
    fall_is_change=False,  # a full batch only memorises where its training loss falls
    order=6,
)
