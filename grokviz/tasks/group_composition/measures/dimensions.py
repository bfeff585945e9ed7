"""What the measures of group composition run along."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from grokviz.dataset.contract import dimension
from grokviz.tasks._scores import SETS
from grokviz.tasks.group_composition.checkpoint import GroupRun
from grokviz.tasks.group_composition.formulas.cosets import SIDES
from grokviz.tasks.group_composition.formulas.representations import representations

STAGES = ("memorised", "generalised")
PARTS = ("left", "right", "hidden x", "hidden y", "hidden xy", "answers")


@dimension
def split(run: GroupRun) -> list[str]:
    """Which pairs: train, test or all."""
    return list(SETS)


@dimension
def stage(run: GroupRun) -> list[str]:
    """What has been learnt at the end of a stage."""
    return list(STAGES)


@dimension
def representation(run: GroupRun) -> list[str]:
    """The real irreducible representations of the group by name."""
    return [one.name for one in representations(run.group)]


@dimension
def part(run: GroupRun) -> list[str]:
    """Where in the network: what x and y give the neurons, neurons as functions of x, of y and of
    their product, and what gives the answers.
    """
    return list(PARTS)


@dimension
def side(run: GroupRun) -> list[str]:
    """The side from which an element enters: left as x, right as y."""
    return list(SIDES)


@dimension
def cosets(run: GroupRun) -> list[str]:
    """Those that match a side, right ones Hg the left and left ones gH the right, or the others."""
    return ["matching", "other"]


@dimension
def neuron(run: GroupRun) -> Int[np.ndarray, " neuron"]:
    """Numbers of the neurons of an MLP, or of a transformer's MLP."""
    return np.arange(run.last.weights.inputs["left"].shape[1])


@dimension
def x(run: GroupRun) -> list[str]:
    """The first element by name."""
    names: list[str] = run.group.words
    return names


@dimension
def y(run: GroupRun) -> list[str]:
    """The second element by name."""
    names: list[str] = run.group.words
    return names
