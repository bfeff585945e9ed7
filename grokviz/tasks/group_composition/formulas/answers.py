"""How a network scores on all pairs, and what of its logits is in its key representations.

Source: arXiv:2302.03025. The logits of x, y and z are compared with the character of xyz⁻¹.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from grokviz.dataset.numerics import ties
from grokviz.tasks.group_composition.formulas.groups import Group
from grokviz.tasks.group_composition.formulas.representations import representations

Logits = Float[np.ndarray, "pairs order"]


@dataclass(frozen=True, eq=False)
class Similarities:
    """How like each character logits are.

    Attributes:
        cosines: of the logits, less their mean over the answers, with each character.
        coefficients: of each character where the logits are written as a sum of them and a rest.

    """

    cosines: Float[np.ndarray, " representation"]
    coefficients: Float[np.ndarray, " representation"]


def centred(logits: Logits) -> Logits:
    """The logits of each pair less their mean."""
    less: Logits = logits - logits.mean(axis=1, keepdims=True)
    return less


def similarities(logits: Logits, group: Group) -> Similarities:
    """The similarity of the logits with each character; none with the trivial one."""
    less = centred(logits)
    by_product = np.zeros((group.order, group.order))
    for x, rows in enumerate(less.reshape(group.order, group.order, -1)):
        by_product[group.table[x]] += rows
    # for every g the answers z = g⁻¹h of the products h = xy
    h = np.arange(group.order)
    by_quotient = by_product[h, group.table[group.inverse]].sum(axis=1)
    norm = float(np.sqrt((less**2).sum()))
    cosines, coefficients = [], []
    for one in representations(group):
        product = float(by_quotient @ one.character)
        square = group.order**2 * float((one.character**2).sum())
        is_trivial = one.name == "trivial"
        cosines.append(0.0 if is_trivial or norm == 0 else product / (norm * square**0.5))
        coefficients.append(0.0 if is_trivial else product / square)
    return Similarities(np.array(cosines), np.array(coefficients))


def in_characters(
    coefficients: Float[np.ndarray, " representation"],
    key: Bool[np.ndarray, " representation"],
    group: Group,
) -> Logits:
    """The part of the logits in some characters: the sum of these times their coefficients."""
    characters = np.stack([one.character for one in representations(group)])
    by_quotient = (coefficients * key) @ characters
    # row xy, column z
    part: Logits = by_quotient[group.table[:, group.inverse]][group.table.ravel()]
    return part


def losses(logits: Logits, group: Group) -> Float[np.ndarray, " pairs"]:
    """Cross entropy of the right answer of each pair, in nats."""
    behind = logits - logits[np.arange(len(logits)), group.table.ravel()][:, None]
    loss: Float[np.ndarray, " pairs"] = np.logaddexp.reduce(behind, axis=1)
    return loss


def right(logits: Logits, group: Group) -> Bool[np.ndarray, " pairs"]:
    """Whether the right answer of each pair leads; not where it ties but for rounding."""
    rows, targets = np.arange(len(logits)), group.table.ravel()
    others = logits.copy()
    others[rows, targets] = -np.inf
    lead = logits[rows, targets] - others.max(axis=1)
    leads: Bool[np.ndarray, " pairs"] = lead > ties.ROUNDING * np.abs(logits).max(initial=0)
    return leads
