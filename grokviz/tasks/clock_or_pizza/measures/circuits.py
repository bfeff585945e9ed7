"""Scores, and the published measures that tell a clock from a pizza."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import FLOAT64, Storage, dear, measure
from grokviz.dataset.numerics import roundness
from grokviz.tasks._scores import by_set
from grokviz.tasks.clock_or_pizza.checkpoint import ClockOrPizzaCheckpoint, ClockOrPizzaRun
from grokviz.tasks.clock_or_pizza.formulas import answers, circles, circuits

PAPER = "arXiv:2306.17844"


@measure("split", units="nats", source=PAPER, stored=FLOAT64, published="loss_{split}")
def loss(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> Float[np.ndarray, " split"]:
    """Mean cross entropy over the p answers, in float64."""
    return by_set(answers.losses(at.forward(run.rate).logits), run.is_train)


@measure("split", source=PAPER, stored=FLOAT64, published="accuracy_{split}")
def accuracy(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> Float[np.ndarray, " split"]:
    """Share of pairs whose largest logit is the right one."""
    return by_set(answers.is_right(at.forward(run.rate).logits), run.is_train)


@measure(source=f"{PAPER}, section 4.1", stored=FLOAT64, published="gradient_symmetricity")
def gradient_symmetricity(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> float:
    """Mean cosine between the gradients of a logit by the embeddings of a and of b, over 100
    triples (a, b, c) drawn once as in the published code; 1 where a and b enter alike.
    """
    return circuits.gradient_symmetricity(at.gradients(run.rate))


@measure(source=f"{PAPER}, section 4.2", stored=FLOAT64, published="distance_irrelevance")
def distance_irrelevance(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> float:
    """Mean over a - b of the spread of the right logit over a + b, divided by its spread over all
    pairs: small where it hangs on a - b.
    """
    right, _ = circuits.right_and_best_wrong(at.forward(run.rate).logits)
    return circuits.distance_irrelevance(right)


@measure(source=f"{PAPER}, the column distance_irrelevance of its table", stored=FLOAT64,
         published="wrong_distance_irrelevance")  # fmt: skip
def wrong_distance_irrelevance(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> float:
    """The same of the largest logit of a wrong answer, which the published table holds under the
    other's name.
    """
    _, wrong = circuits.right_and_best_wrong(at.forward(run.rate).logits)
    return circuits.distance_irrelevance(wrong)


@measure(source=f"{PAPER}, section 4", stored=FLOAT64, published="circularity")
def circularity(at: ClockOrPizzaCheckpoint) -> float:
    """Mean over the first four principal components of the embedding of the largest share of each
    that one frequency has; 1 for circles.
    """
    return roundness.circularity(at.weights.W_E)


@measure(on="run", source=PAPER, stored=Storage("int16"), long_name="frequency of the dial")
def dial_frequency(run: ClockOrPizzaRun) -> int:
    """Frequency by which the logits of the last checkpoint point at the answers most, on average;
    0 for none.
    """
    return run.circle


@measure(source=f"{PAPER}, table 1", stored=FLOAT64, published="clock_share",
         long_name="share that a clock explains")  # fmt: skip
def clock_share(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> float:
    """Share of the variance of the logits that cos(w (a + b - c)) explains, where the embedding is
    left its mean and its waves of the circle's frequency alone.
    """
    return _explained(at, run)[0]


@measure(source=f"{PAPER}, table 1", stored=FLOAT64, published="pizza_share",
         long_name="share that a pizza explains")  # fmt: skip
def pizza_share(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> float:
    """The same for cos(w (a + b - c)) times the size of cos(w (a - b) / 2)."""
    return _explained(at, run)[1]


@measure("hour", "difference", "pointer", on="field_epoch", units="logits", source=PAPER,
         stored=Storage(bits=7), long_name="hands of the isolated circle")  # fmt: skip
@dear
def hand(
    at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun
) -> Float[np.ndarray, "hour difference pointer"]:
    """Twice the mean over c of the logit of c times cos(w c), and times sin(w c), for pairs (a, b)
    by their answer and their difference, where the embedding is left its mean and its waves of the
    circle's frequency alone.
    """
    k = max(run.circle, 1)
    pointers = circles.hands(at.isolated(run.rate, k), k)
    some = circles.hands_of_hours(pointers, run.hours)
    return np.stack([some.real, some.imag], axis=-1)


def _explained(at: ClockOrPizzaCheckpoint, run: ClockOrPizzaRun) -> tuple[float, float]:
    k = max(run.circle, 1)
    return circles.explained(at.isolated(run.rate, k), k)
