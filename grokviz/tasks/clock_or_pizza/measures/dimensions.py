"""What the measures of clocks, pizzas and tori run along."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from grokviz.dataset.contract import dimension
from grokviz.tasks._scores import SETS
from grokviz.tasks.clock_or_pizza.checkpoint import ClockOrPizzaRun
from grokviz.tasks.clock_or_pizza.formulas import betti
from grokviz.tasks.clock_or_pizza.formulas.manifold import AXES


@dimension
def split(run: ClockOrPizzaRun) -> list[str]:
    """Which pairs: train, test or all."""
    return list(SETS)


@dimension
def neuron(run: ClockOrPizzaRun) -> Int[np.ndarray, " neuron"]:
    """Numbers of the neurons."""
    return np.arange(run.last.weights.width)


@dimension
def residue(run: ClockOrPizzaRun) -> Int[np.ndarray, " residue"]:
    """The numbers 0 to p - 1."""
    return np.arange(run.p)


@dimension
def number(run: ClockOrPizzaRun) -> list[str]:
    """Which of the two numbers of a sum."""
    return ["a", "b"]


@dimension
def axis(run: ClockOrPizzaRun) -> Int[np.ndarray, " axis"]:
    """Directions among the neurons: the plane in which a goes round, and what is left of b's."""
    return np.arange(AXES)


@dimension
def hour(run: ClockOrPizzaRun) -> Int[np.ndarray, " hour"]:
    """Answers that lie around the circle as the hours of a dial."""
    return run.hours


@dimension
def difference(run: ClockOrPizzaRun) -> Int[np.ndarray, " difference"]:
    """a - b mod p."""
    return np.arange(run.p)


@dimension
def pointer(run: ClockOrPizzaRun) -> list[str]:
    """Where a hand points: along the cosine and the sine of its answer's angle."""
    return ["cosine", "sine"]


@dimension
def degree(run: ClockOrPizzaRun) -> list[int]:
    """Degree of a Betti number: 0 for pieces, 1 for loops, 2 for hollows."""
    return list(betti.DEGREES)
