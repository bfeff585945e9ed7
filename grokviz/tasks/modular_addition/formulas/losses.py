"""Losses, margins and accuracies over the p * p pairs (p classes, the '=' class dropped)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import modulus_of_pairs
from grokviz.errors import InputError

SETS = ("train", "test", "all")


@dataclass(frozen=True, eq=False)
class PairScores:
    """Loss and margin of each pair."""

    loss: Float[np.ndarray, " p*p"]
    """Cross entropy of the correct answer, in nats."""
    margin: Float[np.ndarray, " p*p"]
    """Logit of the correct answer minus the largest other logit; 0 if they tie."""

    @property
    def right(self) -> Bool[np.ndarray, " p*p"]:
        """Whether the correct answer has strictly the largest logit."""
        return self.margin > 0

    @property
    def probability(self) -> Float[np.ndarray, " p*p"]:
        """Probability of the correct answer, 0 to 1."""
        probability: Float[np.ndarray, " p*p"] = np.exp(-self.loss)
        return probability


@lru_cache(maxsize=8)
def answers(p: int) -> Int[np.ndarray, " p*p"]:
    """(a + b) mod p for the pairs a * p + b; read-only."""
    residues = np.arange(p)
    right = ((residues[:, None] + residues) % p).reshape(-1)
    right.flags.writeable = False
    return right


def set_masks(train: Bool[np.ndarray, " p*p"] | None, pairs: int) -> Bool[np.ndarray, "set p*p"]:
    """Which pairs are in train, test and all; neither of the first two if ``train`` is None."""
    masks = np.zeros((len(SETS), pairs), dtype=bool)
    masks[2] = True
    if train is not None:
        masks[0], masks[1] = train, ~train
    return masks


def check_train(train: Bool[np.ndarray, " p*p"], p: int) -> Bool[np.ndarray, " p*p"]:
    """The mask of training pairs as one axis; raises InputError unless it has p * p pairs."""
    mask = np.asarray(train)
    if mask.dtype != bool or mask.size != p * p:
        raise InputError(
            f"the split is {mask.dtype} of {mask.size} entries; it should say for each of the "
            f"{p * p} pairs whether it was trained on"
        )
    return mask.reshape(-1)


def pair_scores(logits: Float[np.ndarray, "p*p p"]) -> PairScores:
    """Cross entropy and margin of every pair.

    The loss is log(1 + sum over wrong classes of exp(their logit minus the correct one's)), which
    keeps full relative precision where the loss is 1e-9 and log-softmax would keep half of it.
    """
    return scores_against(logits, answers(modulus_of_pairs(len(logits))))


def mean_loss(logits: Float[np.ndarray, "p*p p"]) -> float:
    """Mean cross entropy over all pairs, in nats."""
    return float(pair_scores(logits).loss.mean())


def scores_against(
    logits: Float[np.ndarray, "input p"], right: Int[np.ndarray, " input"]
) -> PairScores:
    """Cross entropy and margin of any inputs with given correct answers.

    Two logits tie if they differ only by rounding, relative to the largest logit of all.
    """
    inputs = np.arange(len(logits))
    tie = ties.ROUNDING * np.abs(logits).max(initial=0)
    behind = logits - logits[inputs, right][:, None]
    behind[inputs, right] = -np.inf
    nearest = behind.max(axis=1)
    behind -= nearest[:, None]
    wrong = nearest + np.log(np.exp(behind, out=behind).sum(axis=1))
    margin = np.where(np.abs(nearest) <= tie, 0, -nearest)
    return PairScores(loss=np.logaddexp(0, wrong), margin=margin)


def by_set(
    values: Float[np.ndarray, " p*p"] | Bool[np.ndarray, " p*p"],
    train: Bool[np.ndarray, " p*p"] | None,
) -> dict[str, float]:
    """Mean of a value of each pair over the training pairs, the test pairs and all pairs.

    The mean of an empty set is NaN, and so are both of an unknown split.
    """
    return {
        name: float(values[mask].mean()) if mask.any() else float("nan")
        for name, mask in zip(SETS, set_masks(train, len(values)), strict=True)
    }
