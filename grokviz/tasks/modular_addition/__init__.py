"""Modular addition (arXiv:2301.05217): data, weights, and every measure of its algorithm."""

from collections.abc import Mapping
from typing import Any

from grokviz.task import Task


def about(settings: Mapping[str, Any]) -> list[str]:
    """Describe a run's task and its amount of data."""
    words = [f"addition mod {settings['p']}"]
    if "train-fraction" in settings:
        words.append(f"trained on {float(settings['train-fraction']):.0%} of the pairs")
    return words


TASK = Task(
    name="modular-addition",
    package=__name__,
    title="Modular addition, taken apart",
    settings="settings:ModularAdditionSettings",
    recipes="recipes:RECIPES",
    problem="problem:problem",
    about=about,
    amount_of_data="it trains on a share of all pairs; give train-fraction",
    measures=(".measures",),
    view="checkpoint:ModularAdditionRun",
    fall_is_change=False,  # a full batch only memorises where its training loss falls
    member="member:MEMBER",
    evidence="evidence:EVIDENCE",
    by_present_rules="earlier:by_present_rules",
    ruled=("all_neuron_frequency", "all_neuron_variance_explained", "active_pairs"),
    shared=("key_frequency", "embedded_frequency"),
    order=1,
)
