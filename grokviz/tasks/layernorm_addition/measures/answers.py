"""Losses and accuracies over all pairs, of any checkpoint, whether or not training logged them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import FLOAT64, dimension, measure
from grokviz.tasks._scores import SETS, by_set
from grokviz.tasks.layernorm_addition.checkpoint import LayerNormCheckpoint, LayerNormRun
from grokviz.tasks.layernorm_addition.data import PairTokens

RACE = "PeterPonyu/muon-norm-cap-grokking, results/mech"


@dimension
def split(run: LayerNormRun) -> list[str]:
    """Which pairs: train, test or all."""
    return list(SETS)


@measure("split", units="nats", source=RACE, stored=FLOAT64, published="loss_{split}")
def loss(at: LayerNormCheckpoint, run: LayerNormRun) -> Float[np.ndarray, " split"]:
    """Mean cross entropy over all p + 1 tokens as answers, in float64."""
    logits, targets = at.logits(run.heads), PairTokens(run.p).targets
    lowered = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(lowered).sum(axis=1)) - lowered[np.arange(len(targets)), targets]
    return by_set(losses, run.is_train)


@measure("split", source=RACE, stored=FLOAT64, published="accuracy_{split}")
def accuracy(at: LayerNormCheckpoint, run: LayerNormRun) -> Float[np.ndarray, " split"]:
    """Share of pairs whose largest logit is the right one."""
    right = at.logits(run.heads).argmax(axis=1) == PairTokens(run.p).targets
    return by_set(right, run.is_train)
