"""Addition mod p by transformers with LayerNorm, on which optimisers race."""

from collections.abc import Mapping
from typing import Any

from grokviz.task import Task


def about(settings: Mapping[str, Any]) -> list[str]:
    """Describe a run's task, its network and its amount of data."""
    layers = int(settings["layers"])
    return [
        f"addition mod {settings['p']}",
        f"{layers} layer{'' if layers == 1 else 's'} with LayerNorm",
        f"trained on {float(settings['train-fraction']):.0%} of the pairs",
    ]


TASK = Task(
    name="layernorm-addition",
    package=__name__,
    title="Addition with LayerNorm, by many optimisers",
    settings="settings:LayerNormSettings",
    recipes="recipes:RECIPES",
    problem="problem:problem",
    about=about,
    amount_of_data="it trains on a share of all pairs; give train-fraction",
    measures=(".measures",),
    view="checkpoint:LayerNormRun",
    fall_is_change=False,  # a full batch only memorises where its training loss falls
    member="member:MEMBER",
    evidence="evidence:EVIDENCE",
    order=6,
)
