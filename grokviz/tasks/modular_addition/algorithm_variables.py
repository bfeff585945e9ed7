"""Rows of the labelled dataset's table: the reverse-engineered algorithm.

"Key frequencies" are those of the last checkpoint, and so are the neurons' clusters; every
earlier checkpoint is measured with them, as in the paper.
"""

from __future__ import annotations

from typing import Any

from grokviz.dataset.variables import PAPER, Variable

NOTEBOOK = f"notebook of {PAPER}"
CLOCK_AND_PIZZA = "arXiv:2306.17844"


def _algorithm(name: str, dims: tuple[str, ...], *texts: Any, **rounding: Any) -> Variable:
    """A row of this part; ``texts`` are its name in words, unit, definition, source, and type."""
    return Variable(name, "algorithm", dims, *texts, **rounding)


_PROGRESS = [
    _algorithm("restricted_loss", ("epoch", "split"), "restricted loss", "nats",
               "loss with only cos and sin of w(a + b) at the key frequencies, and each class's "
               "mean logit", f"{PAPER}, section 5.1 and figure 7", "float64"),
    _algorithm("restricted_accuracy", ("epoch", "split"), "restricted accuracy", "1",
               "accuracy with only cos and sin of w(a + b) at the key frequencies, and each "
               "class's mean logit", f"{PAPER}, figure 10", "float64"),
    _algorithm("excluded_loss_2d", ("epoch",), "excluded loss", "nats",
               "train loss without cos and sin of w(a + b) at all key frequencies",
               f"{PAPER}, section 5.1 and figure 7", "float64"),
    _algorithm("excluded_accuracy_2d", ("epoch",), "excluded accuracy", "1",
               "train accuracy without cos and sin of w(a + b) at all key frequencies",
               f"{PAPER}, section 5.1", "float64"),
    _algorithm("excluded_loss_2d_by_frequency", ("epoch", "frequency"), "excluded loss", "nats",
               "train loss without cos and sin of w(a + b) at one frequency",
               f"{PAPER}, figures 12 and 15"),
    _algorithm("excluded_accuracy_2d_by_frequency", ("epoch", "frequency"), "excluded accuracy",
               "1", "train accuracy without cos and sin of w(a + b) at one frequency",
               f"{PAPER}, section 5.1"),
    _algorithm("excluded_loss_3d", ("epoch",), "excluded loss (3-D)", "nats",
               "train loss without cos w(a + b - c) at all key frequencies", NOTEBOOK, "float64"),
    _algorithm("excluded_accuracy_3d", ("epoch",), "excluded accuracy (3-D)", "1",
               "train accuracy without cos w(a + b - c) at all key frequencies", NOTEBOOK,
               "float64"),
    _algorithm("excluded_loss_3d_by_frequency", ("epoch", "frequency"), "excluded loss (3-D)",
               "nats", "train loss without cos w(a + b - c) at one frequency", NOTEBOOK),
    _algorithm("excluded_accuracy_3d_by_frequency", ("epoch", "frequency"),
               "excluded accuracy (3-D)", "1",
               "train accuracy without cos w(a + b - c) at one frequency", NOTEBOOK),
    _algorithm("memorising_share", ("epoch",), "memorising share", "1",
               "mean probability of the right answer on the training pairs, cos and sin of "
               "w(a + b) at the key frequencies excluded", f"after {PAPER}, section 5.1"),
    _algorithm("generalising_share", ("epoch",), "generalising share", "1",
               "mean probability of the right answer on the training pairs, restricted to the "
               "key frequencies", f"after {PAPER}, section 5.1"),
]  # fmt: skip

_LOGITS = [
    _algorithm("cosine_coefficient", ("epoch", "frequency"), "cosine coefficient of the logits",
               "logits times sqrt(p^3)",
               "v_k, the product of the logits over (a, b, c) with cos w_k(a + b - c) of unit "
               "norm; v_k sqrt(2 / p^3) is that wave's height in logits",
               f"{PAPER}, figures 11 and 14"),
    _algorithm("logit_variance_explained", ("epoch",), "logits explained", "1",
               "sum over the key frequencies of v_k^2 over the summed squares of all logits",
               f"{PAPER}, section 4.2", "float64"),
    _algorithm("logit_wave", ("epoch", "residue"), "mean logit by a + b - c", "logits",
               "mean of the logits over all a, b, c with (a + b - c) mod p equal to the residue, "
               "less the mean of all logits", f"after {PAPER}, section 4.2", bits=11),
    _algorithm("logit_wave_spread", ("epoch", "residue"), "spread by a + b - c", "logits",
               "standard deviation of the logits over all a, b, c with that a + b - c",
               f"after {PAPER}, section 4.2", bits=11),
    _algorithm("logit_spectrum", ("field_epoch", "component", "component_b"),
               "norm of the logits' transform", "logits",
               "norm over the classes of the logits' 2-D Fourier transform over a (component) "
               "and b (component_b)", f"{PAPER}, figure 4", bits=6),
    _algorithm("trig_fraction_logits", ("epoch",), "trigonometric share of the logits", "1",
               "mean over the classes of the share of variance in cos and sin of w(a + b) at the "
               "key frequencies", f"{NOTEBOOK}, analysis during training", "float64"),
    _algorithm("margin", ("epoch", "extreme"), "margin", "logits",
               "lead of the right logit over the largest other, smallest, mean and largest over "
               "all pairs", "standard", "float64"),
    _algorithm("distance_irrelevance", ("epoch",), "distance irrelevance", "1",
               "mean over a - b of the standard deviation of the right logit over a + b, over "
               "its whole standard deviation", CLOCK_AND_PIZZA, "float64"),
]  # fmt: skip

_NEURONS = [
    _algorithm("trig_fraction_neurons_pre", ("epoch",),
               "trigonometric share of the neurons before the ReLU", "1",
               "mean over the neurons of the share of variance in cos and sin of w(a + b) at the "
               "key frequencies, before the ReLU", f"{NOTEBOOK}, analysis during training"),
    _algorithm("trig_fraction_neurons", ("epoch",), "trigonometric share of the neurons", "1",
               "mean over the neurons of the share of variance in cos and sin of w(a + b) at the "
               "key frequencies, after the ReLU", f"{NOTEBOOK}, analysis during training",
               "float64"),
    _algorithm("all_neuron_frequency", ("epoch", "all_neuron"), "frequency of the neuron", "1",
               "frequency that explains most of the neuron's variance over (a, b), after the "
               "ReLU, at that epoch; 0 for a neuron that no frequency explains better than another",
               f"{PAPER}, section 4.3", "int16"),
    _algorithm("all_neuron_variance_explained", ("epoch", "all_neuron"), "variance explained",
               "1", "share of the neuron's variance over (a, b) within that frequency; 0 for a "
               "neuron without one",
               f"{PAPER}, figure 5", step=1 / 256),
    _algorithm("all_neuron_cluster", ("all_neuron",), "cluster of the neuron", "1",
               "its frequency at the last checkpoint where that explains at least 0.85 of the "
               "variance, else -1", f"{PAPER}, section 4.3", "int16"),
    _algorithm("key_neurons", ("key_frequency",), "neurons of the key frequency", "neurons",
               "neurons of whose variance the key frequency explains at least 0.85, last "
               "checkpoint", f"{PAPER}, section 4.3", "int16"),
    _algorithm("neurons_per_frequency", ("epoch", "frequency"), "neurons of the frequency",
               "neurons", "neurons of whose variance that frequency explains at least 0.85, at "
               "that epoch", f"{PAPER}, section 4.3", "int16"),
    _algorithm("linear_share_pre", ("field_epoch", "all_neuron"),
               "linear share before the ReLU", "1",
               "share of variance in cos and sin of wa and of wb at the frequency of the "
               "neuron's cluster (of all frequencies for a neuron without), before the ReLU",
               f"{NOTEBOOK}, analysis during training", step=1 / 256),
    _algorithm("linear_share_post", ("field_epoch", "all_neuron"), "linear share after the ReLU",
               "1", "the same after the ReLU", f"{NOTEBOOK}, analysis during training",
               step=1 / 256),
    _algorithm("quadratic_share_pre", ("field_epoch", "all_neuron"),
               "quadratic share before the ReLU", "1",
               "share of variance in products of cos and sin of wa and of wb at the frequency of "
               "the neuron's cluster (of all frequencies for a neuron without), before the ReLU",
               f"{NOTEBOOK}, analysis during training", step=1 / 256),
    _algorithm("quadratic_share_post", ("field_epoch", "all_neuron"),
               "quadratic share after the ReLU", "1", "the same after the ReLU",
               f"{NOTEBOOK}, analysis during training", step=1 / 256),
    _algorithm("active_pairs", ("field_epoch", "all_neuron"), "pairs that activate the neuron",
               "pairs", "number of pairs (a, b) at which the neuron is above 0; 0 for a dead one",
               f"{NOTEBOOK}, analysis during training", "int32"),
]  # fmt: skip

_ATTENTION = [
    _algorithm("attention_mean", ("epoch", "head", "position"), "mean attention from '='", "1",
               "mean over all pairs of the attention from '=' to a, to b and to itself",
               f"{NOTEBOOK}, analysis during training", "float64"),
    _algorithm("head_frequency", ("epoch", "head"), "frequency of the head", "1",
               "frequency that explains most of the variance over (a, b) of the head's attention "
               "to a; 0 where no frequency explains it better than another",
               f"{PAPER}, section 4.3", "int16"),
    _algorithm("head_variance_explained", ("epoch", "head"), "variance explained", "1",
               "share of the variance of the head's attention to a that "
               "const + alpha (cos wa - cos wb) + beta (sin wa - sin wb) explains at that "
               "frequency; 0 for a head without one", f"{PAPER}, section 4.3"),
    _algorithm("attention_map_fourier", ("head", "component"), "attention map", "score units",
               "C_j = r W_Q^T W_K W_E in the Fourier basis, r the residual stream at '=': what "
               "draws head j's attention to a number, last checkpoint", f"{PAPER}, figure 8"),
    _algorithm("neuron_input_component_norm", ("head", "component"), "norm in the neuron input",
               "1", "norm over the neurons of W_in W_O W_V W_E along one row of the Fourier "
               "basis, by head, last checkpoint", NOTEBOOK),
]  # fmt: skip

_MAP = [
    _algorithm("neuron_logit_component_norm", ("epoch", "component"),
               "norm in the neuron-logit map", "1",
               "norm over the neurons of W_L = W_U W_out along one row of the Fourier basis over "
               "the classes", f"{PAPER}, figure 3", bits=14),
    _algorithm("neuron_logit_frequency_norm", ("epoch", "frequency"),
               "norm in the neuron-logit map", "1",
               "root of the summed squares of a frequency's cosine and sine norms in W_L",
               f"{PAPER}, figure 3", bits=14),
    _algorithm("neuron_logit_singular_value", ("epoch", "rank"), "singular value of W_L", "1",
               "singular values of the neuron-logit map; 0 beyond its own rank",
               f"{PAPER}, section 4.2", bits=14),
    _algorithm("neuron_logit_residual", ("epoch",), "W_L outside its key components", "1",
               "Frobenius norm of W_L outside the key frequencies' components, over its whole "
               "norm", f"{PAPER}, section 4.2"),
    _algorithm("gini_neuron_logit_map", ("epoch",), "Gini coefficient of W_L", "1",
               "Gini coefficient of the p Fourier-component norms of W_L, the constant included",
               f"{PAPER} (third version), figure 7", "float64"),
    _algorithm("circularity", ("epoch",), "circularity of the embedding", "1",
               "mean over W_E's first four principal components of the share of its best single "
               "wave", CLOCK_AND_PIZZA, "float64"),
    _algorithm("neuron_logit_fourier", ("component", "all_neuron"), "neuron-logit map", "1",
               "W_L in the Fourier basis over the classes, last checkpoint",
               f"{PAPER}, figure 5", bits=8),
    _algorithm("neuron_logit_key", ("field_epoch", "key_component", "all_neuron"),
               "key rows of the neuron-logit map", "1",
               "W_L in the Fourier basis over the classes, rows of the key frequencies",
               f"{PAPER}, figure 5", step=1 / 64),
    _algorithm("key_direction_variance_explained", ("key_component",), "variance explained", "1",
               "share of the variance over (a, b) of the neurons along u_k (or v_k), the "
               "direction that W_L reads into cos wc (or sin wc), which cos and sin of w(a + b) "
               "explain, last checkpoint", f"{PAPER}, table 1"),
]  # fmt: skip

_ABLATION = [
    _algorithm("ablation_loss", ("ablation",), "loss after the ablation", "nats",
               "mean cross entropy over all pairs with that part taken away, last checkpoint",
               f"{PAPER}, section 4.4", "float64"),
    _algorithm("ablation_ratio", ("ablation",), "loss over the unharmed model's", "1",
               "loss after the ablation over the loss before: below 1 the model got better",
               f"{PAPER}, section 4.4", "float64"),
    _algorithm("ablation_what", ("ablation",), "what was taken away", "",
               "the ablation in words", f"{PAPER}, section 4.4", "str"),
]  # fmt: skip

ROWS = [*_PROGRESS, *_LOGITS, *_NEURONS, *_ATTENTION, *_MAP, *_ABLATION]
