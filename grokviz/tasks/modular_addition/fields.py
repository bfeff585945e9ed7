"""Fields over (a, b), rebuilt from a dataset: activations, spectra, attention, waves.

A dataset does not store the fields but their components: attention scores at every epoch, and
the token tables of some neurons on the field clock. All values over the p * p pairs follow
exactly, since the layer's input has only 2p + 1 distinct rows. Neither the weights nor torch are
needed.

An index ``i`` is on the stated clock: ``epoch`` for attention and logits,
``field_epoch`` for neurons. :func:`field_index` finds the field epoch nearest to an epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from grokviz.dataset.numerics import fourier
from grokviz.errors import InputError
from grokviz.tasks.modular_addition import forward
from grokviz.tasks.modular_addition.formulas.logits import cosine_waves

if TYPE_CHECKING:
    import xarray as xr

Position = Literal["a", "b", "="]


def field_index(data: xr.Dataset, epoch: float) -> int:
    """Index on ``field_epoch`` of the field epoch nearest to ``epoch``.

    In a dataset restricted to some epochs, only field epochs among them count, because a neuron's
    activations need the attention of the same epoch.
    """
    fields = data["field_epoch"].values
    both = np.flatnonzero(np.isin(fields, data["epoch"].values))
    if not both.size:
        raise InputError("no field epoch is among the dataset's epochs; cut it to more of them")
    return int(both[np.abs(fields[both] - epoch).argmin()])


def attention_pattern(
    data: xr.Dataset, head: int, i: int, to: Position = "a"
) -> Float[np.ndarray, "a b"]:
    """Attention from '=' to a, to b or to itself, for every pair: numbers between 0 and 1.

    Args:
        data: with ``attention_score``.
        head: the head's number.
        i: index on ``epoch``.
        to: the key, ``a``, ``b`` or ``=``; the three sum to 1.

    Source: arXiv:2301.05217, figure 4.

    """
    scores = data["attention_score"].isel(epoch=i).sel(head=_check_listed(data, "head", head))
    pattern = forward.attention_pattern(scores.values[None].astype(np.float64))
    p = scores.sizes["row"] // 2
    field: Float[np.ndarray, "a b"] = pattern[0, ("a", "b", "=").index(to)].reshape(p, p)
    return field


def attention(data: xr.Dataset, i: int) -> Float[np.ndarray, "head position a b"]:
    """:func:`attention_pattern` of all heads, to a, to b and to '='; ``i`` on ``epoch``."""
    scores = data["attention_score"].isel(epoch=i).values.astype(np.float64)
    heads, p = len(scores), scores.shape[1] // 2
    fields: Float[np.ndarray, "head position a b"] = forward.attention_pattern(scores).reshape(
        heads, 3, p, p
    )
    return fields


def activations(data: xr.Dataset, i: int, *, pre: bool = False) -> Float[np.ndarray, "neuron a b"]:
    """Activations over (a, b) of all stored neurons, in the dataset's order.

    Args:
        data: with ``attention_score``, ``neuron_table`` and ``neuron_offset``.
        i: index on ``field_epoch``.
        pre: before the ReLU rather than after it.

    Source: arXiv:2301.05217, figure 4.

    """
    return _activations(data, i, slice(None), pre)


def neuron_activations(
    data: xr.Dataset, neuron: int, i: int, *, pre: bool = False
) -> Float[np.ndarray, "a b"]:
    """Activations over (a, b) of one stored neuron, by its number; see :func:`activations`."""
    at = list(data["neuron"].values).index(_check_listed(data, "neuron", neuron))
    field: Float[np.ndarray, "a b"] = _activations(data, i, slice(at, at + 1), pre)[0]
    return field


def neuron_spectrum(
    data: xr.Dataset, neuron: int, i: int, *, pre: bool = False
) -> Float[np.ndarray, "component component_b"]:
    """2-D Fourier transform over (a, b) of a neuron's activations, less their mean.

    Entry [i, j] is the coefficient of component i of a times component j of b, in the
    activations' unit; the squares sum to p * p times the variance.
    Source: arXiv:2301.05217, notebook ("fft2d"), and the thread's tweet 10.
    """
    field = neuron_activations(data, neuron, i, pre=pre)
    spectrum: Float[np.ndarray, "component component_b"] = fourier.fft2d(
        (field - field.mean()).reshape(-1)
    )
    return spectrum


def logit_waves(data: xr.Dataset, i: int) -> Float[np.ndarray, "key_frequency residue"]:
    """The fitted cos w(a + b - c) of each key frequency by (a + b - c) mod p, in logits.

    Their sum is the least-squares fit of the logits with the key cosines: beside
    ``logit_wave`` it leaves the residual. ``i`` is an index on ``epoch``.
    Source: arXiv:2301.05217, section 4.2.
    """
    p = data.sizes["residue"]
    coefficients = data["cosine_coefficient"].isel(epoch=i).values.astype(np.float64)
    waves: Float[np.ndarray, "key_frequency residue"] = cosine_waves(coefficients, p)[
        data["key_frequency"].values - 1
    ][..., 0]
    return waves


LAST_LAYER = (
    "attention_score", "head_output", "neuron_input", "neuron_start", "neuron_logit_map",
    "stream_logit_map", "logit_start",
)  # fmt: skip
"""What :func:`pair_logits` reads."""


def pair_logits(data: xr.Dataset, a: int, b: int) -> Float[np.ndarray, " residue"]:
    """The network's own logits of the numbers for one sum, at the last checkpoint.

    They are those of its forward pass, but for the rounding of the tables that a dataset keeps.

    Args:
        data: with the variables of :data:`LAST_LAYER`.
        a, b: the two numbers, from 0 to p - 1.

    Source: arXiv:2301.05217, section 3.

    """
    p = data.sizes["residue"]
    table = {name: data[name].values.astype(np.float64) for name in LAST_LAYER[1:]}
    scores = data["attention_score"].isel(epoch=-1).values.astype(np.float64)
    rows = [a, p + b, 2 * p]
    weight = np.exp(scores[:, rows] - scores[:, rows].max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    heads = np.einsum("hr,hrm->m", weight, table["head_output"][:, rows])
    neurons = np.maximum(table["neuron_start"] + table["neuron_input"] @ heads, 0)
    logits: Float[np.ndarray, " residue"] = (
        table["logit_start"] + table["stream_logit_map"] @ heads
        + table["neuron_logit_map"] @ neurons
    )  # fmt: skip
    return logits


def _activations(
    data: xr.Dataset, i: int, neurons: slice, pre: bool
) -> Float[np.ndarray, "neuron a b"]:
    epoch = data["field_epoch"].values[i]
    if epoch not in data["epoch"].values:
        raise InputError(
            f"the attention of epoch {epoch} is not in the dataset; cut it to epochs that hold it"
        )
    scores = data["attention_score"].sel(epoch=epoch).values
    now = data.isel(field_epoch=i, neuron=neurons)
    tables, offset = now["neuron_table"].values, now["neuron_offset"].values
    p = scores.shape[1] // 2
    pre_activations = forward.activations_from_tables(scores, tables, offset).T.reshape(-1, p, p)
    fields: Float[np.ndarray, "neuron a b"] = (
        pre_activations if pre else np.maximum(pre_activations, 0)
    )
    return fields


def _check_listed(data: xr.Dataset, dim: str, number: int) -> int:
    if number not in data[dim].values:
        listed = ", ".join(map(str, data[dim].values))
        raise InputError(f"there is no {dim} {number} in the dataset; there are {listed}")
    return number
