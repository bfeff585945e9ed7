"""Composition in any finite group (arXiv:2302.03025, arXiv:2312.06581)."""

from collections.abc import Mapping
from typing import Any

from grokviz.task import Task


def about(settings: Mapping[str, Any]) -> list[str]:
    """Describe a run's group, its network and its amount of data."""
    network = {"mlp": "an MLP", "transformer": "a transformer"}[settings.get("model", "mlp")]
    return [
        # runs of a family may share no group
        f"composition in {settings.get('group', 'groups')}",
        network,
        f"trained on {float(settings['train-fraction']):.0%} of the pairs",
    ]


TASK = Task(
    name="group-composition",
    package=__name__,
    title="Composition in any group",
    settings="settings:GroupSettings",
    recipes="recipes:RECIPES",
    problem="problem:problem",
    about=about,
    amount_of_data="it trains on a share of all pairs; give train-fraction",
    measures=(".measures",),
    view="checkpoint:GroupRun",
    fall_is_change=False,  # a full batch only memorises where its training loss falls
    member="member:MEMBER",
    evidence="evidence:EVIDENCE",
    order=6,
)
