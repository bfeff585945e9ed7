"""Addition mod p by a network of two layers (arXiv:2602.16849, arXiv:2301.02679)."""

from collections.abc import Mapping
from typing import Any

from grokviz.task import Task


def about(settings: Mapping[str, Any]) -> list[str]:
    """Describe a run's task, its network and its amount of data."""
    activation = {"relu": "ReLU", "quadratic": "quadratic"}[settings["activation"]]
    fraction = float(settings["train-fraction"])
    pairs = "all pairs" if fraction == 1 else f"{fraction:.0%} of the pairs"
    return [
        f"addition mod {settings['p']}",
        f"two layers, {settings['width']} {activation} neurons",
        f"trained on {pairs}",
    ]


TASK = Task(
    name="two-layer-addition",
    package=__name__,
    title="Addition in two layers, neuron by neuron",
    settings="settings:TwoLayerSettings",
    recipes="recipes:RECIPES",
    problem="problem:problem",
    about=about,
    amount_of_data="it trains on a share of all pairs; give train-fraction",
    measures=(".measures",),
    view="checkpoint:TwoLayerRun",
    fall_is_change=False,  # a full batch only memorises where its training loss falls
    evidence="evidence:EVIDENCE",
    order=5,
)
