"""Modular addition: the input is ``a``, ``b`` and ``=``, the answer (a + b) mod p.

Source: arXiv:2301.05217 section 3; the split is the one of the published code.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from grokviz.errors import InputError
from grokviz.tasks._pairs import SplitPairs


@dataclass(frozen=True)
class ModularAddition(SplitPairs):
    """All p² pairs (a, b), of which a share ``train_fraction`` is the training set.

    Pairs are always in lexicographic order: pair number ``a * p + b``.
    The token of "=" is ``p``; the answer is scored at the last of the three positions.
    ``split_order`` selects the shuffle of the pairs: ``python`` (random.shuffle, as published)
    or ``torch`` (torch.randperm, as in the TransformerLens demo; it does not need torch). Or it
    holds the training pairs themselves, see :func:`order_of_pairs`, and the seed is not used.

    Raises ``InputError`` for an even or too small p and a fraction outside (0, 1).
    """

    p: int = 113
    train_fraction: float = 0.3
    split_seed: int = 0
    split_order: str = "python"

    examples = {"p": "113", "train-fraction": "0.3", "split-seed": "0"}  # noqa: RUF012

    def __post_init__(self) -> None:
        if self.split_order not in SHUFFLES and not self.split_order.startswith(PAIRS):
            raise InputError(
                f"split-order = {self.split_order} is unknown; give {' or '.join(SHUFFLES)}"
            )
        super().__post_init__()
        if not 0 < self.train_fraction < 1 or not 0 < self.train_pairs_count < self.p**2:
            raise InputError(
                f"train-fraction = {self.train_fraction:g} leaves no pairs to train or to test on; "
                "give a number between 0 and 1, such as 0.3"
            )

    @property
    def vocabulary(self) -> int:
        """Number of tokens: the residues and "="."""
        return self.p + 1

    @property
    def context(self) -> int:
        """Number of positions: a, b and "="."""
        return 3

    @property
    def train_pairs_count(self) -> int:
        """Number of training pairs, rounded down as in the published code."""
        if self.split_order.startswith(PAIRS):
            return int(_mask_of(self.split_order, self.p).sum())
        return super().train_pairs_count

    @cached_property
    def tokens(self) -> Int[np.ndarray, "pairs 3"]:
        """The input ``[a, b, =]`` of every pair."""
        a, b = np.divmod(np.arange(self.p**2), self.p)
        return np.stack([a, b, np.full_like(a, self.p)], axis=1)

    @cached_property
    def targets(self) -> Int[np.ndarray, " pairs"]:
        """(a + b) mod p of every pair."""
        answers: np.ndarray = self.tokens[:, :2].sum(axis=1) % self.p
        return answers

    @cached_property
    def permutation(self) -> Int[np.ndarray, " pairs"]:
        """Pair numbers in the order of the split, training pairs first."""
        if self.split_order.startswith(PAIRS):
            return np.argsort(~_mask_of(self.split_order, self.p), kind="stable")
        return SHUFFLES[self.split_order](self.p**2, self.split_seed)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> ModularAddition:
        """The task of a run, from its settings (``p``, ``train-fraction``, ``split-seed``)."""
        values = cls.stated(settings)
        return cls(
            int(values["p"]),
            float(values["train-fraction"]),
            int(values["split-seed"]),
            str(values.get("split-order", "python")),
        )


def _by_python(count: int, seed: int) -> Int[np.ndarray, " pairs"]:
    """``random.seed``, then ``random.shuffle``: the published split."""
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return np.array(order)


def _by_torch(count: int, seed: int) -> Int[np.ndarray, " pairs"]:
    """``torch.manual_seed``, then ``torch.randperm``, without torch, by its Mersenne Twister."""
    if seed >= 2**32:
        raise InputError(f"split-seed={seed} is too large for split-order=torch; stay below 2^32")
    draws = np.random.RandomState(seed).randint(0, 2**32, count - 1, dtype=np.uint32)
    order = list(range(count))
    for i, draw in enumerate(draws.tolist()):
        j = i + draw % (count - i)
        order[i], order[j] = order[j], order[i]
    return np.array(order)


SHUFFLES: dict[str, Callable[[int, int], np.ndarray]] = {"python": _by_python, "torch": _by_torch}


def order_of_pairs(p: int, train: Int[np.ndarray, " train"]) -> str:
    """The ``split_order`` of these training pairs, each a number a * p + b."""
    mask = np.zeros(p**2, dtype=bool)
    mask[train] = True
    return PAIRS + base64.b64encode(np.packbits(mask).tobytes()).decode()


def _mask_of(order: str, p: int) -> Bool[np.ndarray, " pairs"]:
    """Whether each pair is one of those in a ``split_order``."""
    try:
        data = base64.b64decode(order.removeprefix(PAIRS), validate=True)
    except ValueError:
        data = b""
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    if len(data) != -(-(p**2) // 8) or bits[p**2 :].any():
        raise InputError(
            f"split-order = {order[:20]}... does not hold a bit for each of the {p**2:,} pairs; "
            "give it as an import has written it"
        )
    return bits[: p**2].astype(bool)


PAIRS = "pairs:"
"""How a ``split_order`` begins that holds the training pairs, a bit for each pair."""
