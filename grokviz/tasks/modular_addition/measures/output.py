"""The neuron-logit map W_L, and what is lost with parts of the model."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from grokviz.dataset.contract import FLOAT64, Storage, measure
from grokviz.dataset.numerics import fourier
from grokviz.dataset.variables import PAPER
from grokviz.tasks.modular_addition.checkpoint import ModularAdditionCheckpoint, ModularAdditionRun
from grokviz.tasks.modular_addition.formulas import compositions
from grokviz.tasks.modular_addition.formulas.marginals import frequency_power, marginals, share
from grokviz.tasks.modular_addition.formulas.neurons import rows_of

NORM = Storage(bits=14)
FIGURE_3, FIGURE_5 = f"{PAPER}, figure 3", f"{PAPER}, figure 5"
SECTION = f"{PAPER}, section 4.2"
ABLATIONS = f"{PAPER}, section 4.4"


@measure("component", long_name="norm in the neuron-logit map", source=FIGURE_3, stored=NORM)
def neuron_logit_component_norm(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " component"]:
    """Norm over the neurons of W_L = W_U W_out along one row of the Fourier basis over the
    classes.
    """
    return at.neuron_logit_components


@measure("frequency", long_name="norm in the neuron-logit map", source=FIGURE_3, stored=NORM)
def neuron_logit_frequency_norm(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " frequency"]:
    """Root of the summed squares of a frequency's cosine and sine norms in W_L."""
    return fourier.frequency_norms(at.neuron_logit_components)


@measure("rank", long_name="singular value of W_L", source=SECTION, stored=NORM)
def neuron_logit_singular_value(at: ModularAdditionCheckpoint) -> Float[np.ndarray, " rank"]:
    """Singular values of the neuron-logit map; 0 beyond its own rank."""
    values = np.zeros(min(at.weights.p, at.weights.d_model))
    some = compositions.singular_values(at.neuron_logit_map)[: len(values)]
    values[: len(some)] = some
    return values


@measure(long_name="W_L outside its key components", source=SECTION)
def neuron_logit_residual(at: ModularAdditionCheckpoint, run: ModularAdditionRun) -> float:
    """Frobenius norm of W_L outside the key frequencies' components, over its whole norm."""
    return compositions.residual_share(at.neuron_logit_components, run.keys)


@measure(long_name="Gini coefficient of W_L", source=f"{PAPER} (third version), figure 7",
         stored=FLOAT64, published="gini_neuron_logit_map")  # fmt: skip
def gini_neuron_logit_map(at: ModularAdditionCheckpoint) -> float:
    """Gini coefficient of the p Fourier-component norms of W_L, the constant included."""
    return float(fourier.gini(at.neuron_logit_components))


@measure("component", "all_neuron", on="run", long_name="neuron-logit map", source=FIGURE_5,
         stored=Storage(bits=8))  # fmt: skip
def neuron_logit_fourier(run: ModularAdditionRun) -> Float[np.ndarray, "component all_neuron"]:
    """W_L in the Fourier basis over the classes, last checkpoint."""
    return fourier.fft1d(run.last.neuron_logit_map.T).T


@measure("key_component", "all_neuron", on="field_epoch", source=FIGURE_5,
         long_name="key rows of the neuron-logit map", stored=Storage(step=1 / 64))  # fmt: skip
def neuron_logit_key(
    at: ModularAdditionCheckpoint, run: ModularAdditionRun
) -> Float[np.ndarray, "key_component all_neuron"]:
    """W_L in the Fourier basis over the classes, rows of the key frequencies."""
    return compositions.key_rows(run.keys, at.weights.p) @ at.neuron_logit_map


@measure("key_component", on="run", long_name="variance explained", source=f"{PAPER}, table 1")
def key_direction_variance_explained(
    run: ModularAdditionRun,
) -> Float[np.ndarray, " key_component"]:
    """Share of the variance over (a, b) of the neurons along u_k (or v_k), the direction that W_L
    reads into cos wc (or sin wc), which cos and sin of w(a + b) explain, last checkpoint.
    """
    m = marginals(_along_key_directions(run))
    rows = np.repeat(rows_of(run.keys), 2)
    of_sum = frequency_power(m).of_sum[rows, np.arange(len(rows))]
    return share(of_sum, m.power)


@measure("key_component", "residue", "residue_b", on="run", source=f"{PAPER}, section 4.2",
         long_name="neurons along a key direction", stored=Storage(bits=7))  # fmt: skip
def key_direction_projection(
    run: ModularAdditionRun,
) -> Float[np.ndarray, "key_component residue residue_b"]:
    """The neurons of each pair (a, b) along u_k (or v_k), the direction that W_L reads into cos wc
    (or sin wc), less the mean over the pairs, last checkpoint.
    """
    along = _along_key_directions(run)
    pairs: Float[np.ndarray, "key_component residue residue_b"] = (along - along.mean(axis=0)).T
    return pairs.reshape(-1, run.p, run.p)


def _along_key_directions(run: ModularAdditionRun) -> Float[np.ndarray, "p*p key_component"]:
    """The last checkpoint's neurons of each pair along u_k and v_k of each key frequency."""
    directions = compositions.key_directions(run.last.neuron_logit_map, run.keys)
    along: Float[np.ndarray, "p*p key_component"] = run.last.forward.post @ directions.T
    return along


@measure("ablation", on="run", units="nats", long_name="loss after the ablation", source=ABLATIONS,
         stored=FLOAT64)  # fmt: skip
def ablation_loss(run: ModularAdditionRun) -> Float[np.ndarray, " ablation"]:
    """Mean cross entropy over all pairs with that part taken away, last checkpoint."""
    return np.array([one.loss for one in run.ablations])


@measure("ablation", on="run", long_name="loss over the unharmed model's", source=ABLATIONS,
         stored=FLOAT64)  # fmt: skip
def ablation_ratio(run: ModularAdditionRun) -> Float[np.ndarray, " ablation"]:
    """Loss after the ablation over the loss before: below 1 the model got better."""
    return np.array([one.ratio for one in run.ablations])


@measure("ablation", on="run", units="", long_name="what was taken away", source=ABLATIONS,
         stored=Storage("str"))  # fmt: skip
def ablation_what(run: ModularAdditionRun) -> list[str]:
    """The ablation in words."""
    return [one.what for one in run.ablations]
