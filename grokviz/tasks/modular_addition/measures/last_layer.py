"""The last checkpoint's layer as tables, from which its logits of any one sum follow."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import Storage, measure
from grokviz.dataset.variables import PAPER
from grokviz.tasks.modular_addition import forward
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionRun

SECTION = f"{PAPER}, section 3, the layer from the heads to the logits"
TABLE = Storage(bits=12)
"""Rounded so that a logit is off by less than a hundredth of their spread."""


@measure("head", "row", "dimension", on="run", source=SECTION, stored=TABLE,
         long_name="output of a head")  # fmt: skip
def head_output(run: ModularAdditionRun) -> Float[np.ndarray, "head row dimension"]:
    """What each head adds to the residual stream at '=' if it attends to a single row, last
    checkpoint.
    """
    return forward.head_outputs(run.last.weights)


@measure("all_neuron", "dimension", on="run", source=SECTION, stored=TABLE,
         long_name="input weight of a neuron")  # fmt: skip
def neuron_input(run: ModularAdditionRun) -> Float[np.ndarray, "all_neuron dimension"]:
    """W_in: what each neuron reads from the residual stream, last checkpoint."""
    weights: Float[np.ndarray, "all_neuron dimension"] = run.last.weights.W_in
    return weights


@measure("all_neuron", on="run", source=SECTION, stored=TABLE,
         long_name="pre-activation without attention")  # fmt: skip
def neuron_start(run: ModularAdditionRun) -> Float[np.ndarray, " all_neuron"]:
    """Each neuron before its ReLU where no head adds anything, last checkpoint."""
    w = run.last.weights
    start: Float[np.ndarray, " all_neuron"] = w.W_in @ w.equals + w.b_in
    return start


@measure("residue", "all_neuron", on="run", units="logits", source=SECTION, stored=TABLE,
         long_name="neuron-logit map by class")  # fmt: skip
def neuron_logit_map(run: ModularAdditionRun) -> Float[np.ndarray, "residue all_neuron"]:
    """W_L = W_U W_out: what an active neuron adds to each number's logit, last checkpoint."""
    return run.last.neuron_logit_map


@measure("residue", "dimension", on="run", units="logits", source=SECTION, stored=TABLE,
         long_name="unembedding by class")  # fmt: skip
def stream_logit_map(run: ModularAdditionRun) -> Float[np.ndarray, "residue dimension"]:
    """W_U: what each direction of the residual stream adds to each number's logit, last
    checkpoint.
    """
    weights: Float[np.ndarray, "residue dimension"] = run.last.weights.W_U.T
    return weights


@measure("residue", on="run", units="logits", source=SECTION, stored=TABLE,
         long_name="logit without heads and neurons")  # fmt: skip
def logit_start(run: ModularAdditionRun) -> Float[np.ndarray, " residue"]:
    """Each number's logit where neither heads nor neurons add anything, last checkpoint."""
    w = run.last.weights
    start: Float[np.ndarray, " residue"] = (w.equals + w.b_out) @ w.W_U
    return start
