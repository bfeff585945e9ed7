"""What the published numbers are measures of, where the paper's text leaves it open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import FLOAT64, Published, measure
from grokviz.dataset.variables import PAPER
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionRun
from grokviz.tasks.modular_addition.formulas import definitions

if TYPE_CHECKING:
    import xarray as xr

SECTION = f"{PAPER}, section 4.4, under a definition that was found by recomputing its numbers"
CANDIDATE = f"{PAPER}, section 4.4; a candidate that a search found, since no source says it"


def _by_key(values: xr.DataArray, data: xr.Dataset, epoch: int) -> dict[str, Any]:
    keys = data["key_frequency"].values
    losses = {str(k): values.sel(key_frequency=k).values.tolist() for k in keys}
    return {"final_cluster_loss_by_frequency": losses}


@measure("key_frequency", on="run", units="nats", stored=FLOAT64, source=SECTION,
         long_name="loss without a cluster of neurons",
         published=Published(_by_key, ("key_frequency",)))  # fmt: skip
def cluster_loss(run: ModularAdditionRun) -> Float[np.ndarray, " key_frequency"]:
    """Loss over all pairs without the neurons of one key frequency, last checkpoint: clustered
    neurons keep only the terms of their own frequency, and the logits are read off the neurons
    alone, with each class's mean as it was.
    """
    return _clusters(run)[1:]


@measure(on="run", units="nats", stored=FLOAT64, source=SECTION,
         long_name="loss of the neurons cut to their frequencies",
         published="final_clusters_kept_loss")  # fmt: skip
def clusters_kept_loss(run: ModularAdditionRun) -> float:
    """The loss that cluster_loss is to be compared with: no cluster is left out."""
    return float(_clusters(run)[0])


@measure(on="run", units="nats", stored=FLOAT64, source=SECTION,
         long_name="loss of the means and key cosines of the logits",
         published="final_cosine_fit_means_loss")  # fmt: skip
def cosine_fit_means_loss(run: ModularAdditionRun) -> float:
    """Loss over all pairs, last checkpoint, where the logits keep only each class's mean, and their
    fit with cos w(a + b - c) at the key frequencies; the ablation cosine-fit has no means.
    """
    return definitions.cosine_fit_means_loss(run.last.forward, run.keys)


@measure(on="run", units="nats", stored=FLOAT64, source=CANDIDATE,
         long_name="loss with the MLP before the heads",
         published="final_past_heads_loss")  # fmt: skip
def past_heads_loss(run: ModularAdditionRun) -> float:
    """Loss over all pairs, last checkpoint, where the MLP reads only what was there before the
    heads, and only the heads' output goes past the MLP.
    """
    return definitions.past_heads_loss(run.last.weights, run.last.forward)


@measure(on="run", units="nats", stored=FLOAT64, source=CANDIDATE,
         long_name="loss off the key directions",
         published="final_off_directions_loss")  # fmt: skip
def off_directions_loss(run: ModularAdditionRun) -> float:
    """Loss over all pairs, last checkpoint, of the neurons off the key directions of W_L where only
    what was there before the heads goes past the MLP, without its output bias.
    """
    return definitions.off_directions_loss(run.last.weights, run.last.forward, run.keys)


@measure("head", on="run", stored=FLOAT64, source=f"{PAPER}, section 4.2",
         long_name="share of the squared attention explained",
         published="final_head_squares_explained")  # fmt: skip
def head_squares_explained(run: ModularAdditionRun) -> Float[np.ndarray, " head"]:
    """Share of the squares of a head's attention to a, not less its mean, that a constant, and cos
    and sin of a and of b at the head's frequency explain, last checkpoint; 0 without a frequency.
    """
    to_a = np.ascontiguousarray(run.last.forward.pattern[:, 0].T)
    return definitions.uncentred_share(to_a, run.last.head_frequencies.frequency)


def _clusters(run: ModularAdditionRun) -> Float[np.ndarray, " none_and_key"]:
    known = run.memo.get("cluster losses")
    if known is None:
        known = definitions.cluster_losses(run.last.weights, run.last.forward, run.keys)
        run.memo["cluster losses"] = known
    losses: Float[np.ndarray, " none_and_key"] = known
    return losses
