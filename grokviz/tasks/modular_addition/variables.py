"""Rows of the dataset's table that modular addition adds, of one run and of families."""

from __future__ import annotations

from grokviz.dataset.variables import PAPER, Variable
from grokviz.tasks.any.variables import SLINGSHOT_ROWS
from grokviz.tasks.modular_addition import algorithm_variables

SWEEP = f"{PAPER}, appendix D; published run mod_addition_frac_train_sweep"


def _core(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
          source: str, dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, "core", dims, long_name, units, definition, source, dtype)


def _fields(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
            source: str, dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, "fields", dims, long_name, units, definition, source, dtype)


def _family(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
            source: str = SWEEP, dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, "family", dims, long_name, units, definition, source, dtype)


_RUN = [
    _core("loss", ("epoch", "split"), "loss", "nats",
          "mean cross entropy over the p number classes ('=' left out), in float64",
          f"{PAPER}, section 3", "float64"),
    _core("accuracy", ("epoch", "split"), "accuracy", "1",
          "share of pairs whose largest logit is the right one", f"{PAPER}, figure 2", "float64"),
    _core("embedding_component_norm", ("epoch", "component"), "norm in the embedding", "1",
          "Euclidean norm of W_E (without '=') along one row of the Fourier basis",
          f"{PAPER}, figure 3; thread, tweet 9"),
    _core("embedding_frequency_norm", ("epoch", "frequency"), "norm in the embedding", "1",
          "root of the summed squares of a frequency's cosine and sine norms",
          f"{PAPER}, figure 3; thread, tweet 9"),
    _core("embedding_plane", ("epoch", "embedded_frequency", "residue", "axis"),
          "coordinates in the frequency's plane", "1",
          "embedding of each residue, less the mean, in the plane spanned by W_E cos_k and "
          "W_E sin_k (axes by the polar factor)", "notebook, embedding section"),
    _core("embedding_singular_value", ("epoch", "rank"), "singular value of W_E", "1",
          "singular values of the embedding of the p residues",
          "notebook, analysis during training"),
    Variable("embedding_matrix", "embedding", ("dimension", "residue"), "embedding", "1",
             "W_E as it is stored, without '=': a column a number, last checkpoint",
             f"{PAPER}, section 3", bits=10),
    _core("gini_embedding", ("epoch",), "Gini coefficient of W_E", "1",
          "Gini coefficient of the p Fourier-component norms of W_E, the constant included",
          f"{PAPER} (third version), figure 7"),
    _fields("attention_score", ("epoch", "head", "row"), "attention score from '='", "1",
            "score of '=' for each number as a, each number as b, and itself, before the softmax",
            f"{PAPER}, section 4"),
    _fields("neuron_table", ("field_epoch", "neuron", "head", "row"), "neuron's token table", "1",
            "what a head adds to the neuron's pre-activation when it attends to one row alone",
            f"{PAPER}, section 4"),
    _fields("neuron_offset", ("field_epoch", "neuron"), "neuron's offset", "1",
            "the neuron's pre-activation without attention", f"{PAPER}, section 4"),
    _fields("neuron_frequency", ("neuron",), "frequency of the neuron", "1",
            "frequency that explains most of the neuron's variance over (a, b), last checkpoint; 0 "
            "for a neuron that no frequency explains better than another",
            f"{PAPER}, section 4", "int64"),
    _fields("neuron_variance_explained", ("neuron",), "variance explained", "1",
            "share of the neuron's variance over (a, b) within its frequency, last checkpoint; 0 "
            "for a neuron without one",
            f"{PAPER}, figure 5"),
]  # fmt: skip

_FAMILY = [
    _family("member_loss", ("member", "split"), "loss of the last checkpoint", "nats",
            "mean cross entropy over the p number classes, in float64, from the last weights; "
            "NaN without weights of modular addition", f"{PAPER}, section 3", "float64"),
    _family("member_accuracy", ("member", "split"), "accuracy of the last checkpoint", "1",
            "share of pairs whose largest logit is the right one; NaN without such weights",
            f"{PAPER}, section 3", "float64"),
    _family("member_frequency_norm", ("member", "frequency"), "norm in the embedding", "1",
            "norm of each frequency in W_E of the last checkpoint; NaN without such weights",
            f"{PAPER}, figure 3 and appendix C"),
    _family("member_key_frequency", ("member", "frequency"), "whether it is a key frequency", "1",
            "1 for the frequencies that at least five neurons of the last checkpoint compute with "
            "(for those that stand out in W_E where no neurons do), 0 for others, -1 unknown",
            f"{PAPER}, section 4.1 and appendix C", "int8"),
    _family("fraction_member", ("fraction", "source"), "run of each fraction", "1",
            "number of the first run of modular addition at a training fraction, by where it "
            "comes from; -1 where there is none", dtype="int64"),
]  # fmt: skip

ROWS = [*_RUN, *algorithm_variables.ROWS, *SLINGSHOT_ROWS, *_FAMILY]

DIMENSIONS = {
    "split": "which pairs: train, test or all",
    "component": "rows of the Fourier basis over the residues: Const, cos 1, sin 1, ...",
    "frequency": "whole turns of a wave over the p residues",
    "embedded_frequency": "frequencies that stand out in the last checkpoint's embedding",
    "residue": "the numbers 0 to p - 1",
    "dimension": "directions of the residual stream, in the order of the weights",
    "axis": "the cosine and the sine axis of a frequency's plane",
    "rank": "singular values, the largest first",
    "head": "attention heads",
    "row": "what a head can attend to: each number as a, each number as b, and '='",
    "neuron": "numbers of the chosen MLP neurons",
    "all_neuron": "numbers of all MLP neurons",
    "key_frequency": "frequencies that the trained model computes with",
    "key_component": "cosine and sine of each key frequency, as rows of the Fourier basis",
    "component_b": "rows of the Fourier basis over b, as component is over a",
    "position": "what '=' attends to: a, b, or itself",
    "extreme": "smallest, mean and largest over the pairs",
    "ablation": "what was taken away from the last checkpoint, by a short name",
}
