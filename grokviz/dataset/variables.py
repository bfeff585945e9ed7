"""Rows of the labelled dataset's table: the parts that every run has, and the first of modular
addition. :mod:`grokviz.dataset.schema` puts all rows into one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

PAPER = "arXiv:2301.05217"


@dataclass(frozen=True)
class Variable:
    """One variable's dimensions, unit, definition and source, and the part that makes it."""

    name: str
    part: str
    dims: tuple[str, ...]
    long_name: str
    units: str
    definition: str
    source: str
    dtype: str = "float32"
    step: float = 0
    """Values are rounded to a multiple of this power of two; 0: not rounded."""
    bits: int = 0
    """Values are rounded to so many significant binary digits; 0: not rounded."""

    @property
    def attrs(self) -> dict[str, str]:
        """What the dataset says of the variable."""
        said = {
            "long_name": self.long_name,
            "units": self.units,
            "definition": self.definition,
            "source": self.source,
        }
        if self.step:
            said["precision"] = f"rounded to a multiple of 1/{1 / self.step:g}"
        elif self.bits:
            said["precision"] = f"rounded to {self.bits} significant binary digits"
        return said

    def stored(self, value: Any) -> np.ndarray:
        """``value`` as the dataset keeps it: in the variable's type, rounded as its row says.

        Rounded numbers stay plain floats, in memory and in the file, and compress well.
        """
        array = np.asarray(value)
        if self.step:
            array = np.round(array / self.step) * self.step
        elif self.bits:
            mantissa, exponent = np.frexp(array)
            array = np.ldexp(np.round(np.ldexp(mantissa, self.bits)), exponent - self.bits)
        return np.asarray(array, self.dtype)


def _run(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
         source: str, dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, "run", dims, long_name, units, definition, source, dtype)


def _core(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
          source: str, dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, "core", dims, long_name, units, definition, source, dtype)


def _fields(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
            source: str, dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, "fields", dims, long_name, units, definition, source, dtype)


ROWS = [
    _run("logged_train_loss", ("logged_epoch",), "training loss", "nats",
         "mean cross entropy over the training pairs as training logged it, all classes",
         f"{PAPER}, figure 2"),
    _run("logged_test_loss", ("tested_epoch",), "test loss", "nats",
         "mean cross entropy over the held-out pairs as training logged it, all classes",
         f"{PAPER}, figure 2"),
    _run("sum_squared_weights", ("epoch", "parameter"), "sum of squared weights", "1",
         "sum of the squares of all entries of a parameter", f"{PAPER}, figure 7"),
    _run("phase_end", ("phase",), "last epoch of each phase", "epochs",
         "from the test loss: memorisation ends at its maximum, circuit formation where it "
         "first is below half of that, clean-up where its logarithm has fallen 95 % of the way",
         f"phases after {PAPER}, section 5.2", "int64"),
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
            "frequency that explains most of the neuron's variance over (a, b), last checkpoint",
            f"{PAPER}, section 4", "int64"),
    _fields("neuron_variance_explained", ("neuron",), "variance explained", "1",
            "share of the neuron's variance over (a, b) within its frequency, last checkpoint",
            f"{PAPER}, figure 5"),
]  # fmt: skip
