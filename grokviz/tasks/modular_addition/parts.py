"""The parts of the dataset that runs of modular addition have.

A part is a function from one checkpoint to that epoch's values, and one from the whole run
to what has no clock. All parts of a pass share each checkpoint, read once, and its forward
pass, computed once.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from grokviz.dataset import fourier, ties
from grokviz.dataset.part import Part, Values
from grokviz.tasks.any.slingshots import SlingshotsPart
from grokviz.tasks.modular_addition.checkpoint import (
    ModularAdditionCheckpoint,
    ModularAdditionRun,
)
from grokviz.tasks.modular_addition.forward import attention_scores, neuron_tables
from grokviz.tasks.modular_addition.measures import embedding, losses, neurons
from grokviz.tasks.modular_addition.measures.algorithm import AlgorithmPart

CHOSEN_NEURONS = 12


class CorePart(Part):
    """Losses, and the embedding in the Fourier basis."""

    heavy = True

    def coords(self, context: ModularAdditionRun) -> Values:
        """Frequencies, components, residues and singular values."""
        p = context.last.weights.p
        return {
            "split": list(losses.SETS),
            "component": fourier.component_names(p),
            "frequency": fourier.frequencies(p),
            "embedded_frequency": context.embedded,
            "residue": np.arange(p),
            "axis": ["cos", "sin"],
            "rank": np.arange(1, min(p, context.last.weights.d_model) + 1),
        }

    def at(self, context: ModularAdditionRun, checkpoint: ModularAdditionCheckpoint) -> Values:
        """Losses on each set, norms, planes, singular values and sparsity of the embedding."""
        numbers = checkpoint.weights.number_embedding
        components = fourier.component_norms(numbers)
        pairs = checkpoint.scores
        return {
            "loss": list(losses.by_set(pairs.loss, context.is_train).values()),
            "accuracy": list(losses.by_set(pairs.right, context.is_train).values()),
            "embedding_component_norm": components,
            "embedding_frequency_norm": fourier.frequency_norms(components),
            "embedding_plane": embedding.embedding_planes(numbers, context.embedded),
            "embedding_singular_value": embedding.embedding_singular_values(numbers),
            "gini_embedding": fourier.gini(components),
        }


class FieldsPart(Part):
    """What fields over (a, b) are rebuilt from: attention scores, and tables of chosen neurons."""

    def coords(self, context: ModularAdditionRun) -> Values:
        """Heads, rows and the chosen neurons."""
        p = context.last.weights.p
        rows = [*(f"a={n}" for n in range(p)), *(f"b={n}" for n in range(p)), "="]
        return {
            "head": np.arange(context.last.weights.heads),
            "row": rows,
            "neuron": self._index(context),
            "field_epoch": context.field_epochs,
        }

    def whole(self, context: ModularAdditionRun) -> Values:
        """Frequency and share of variance of the chosen neurons."""
        index, own_frequencies = self._index(context), context.neuron_frequencies
        return {
            "neuron_frequency": own_frequencies.frequency[index],
            "neuron_variance_explained": own_frequencies.fraction[index],
        }

    def at(self, context: ModularAdditionRun, checkpoint: ModularAdditionCheckpoint) -> Values:
        """Attention scores, at every epoch."""
        return {"attention_score": attention_scores(checkpoint.weights)}

    def field_at(
        self, context: ModularAdditionRun, checkpoint: ModularAdditionCheckpoint
    ) -> Values:
        """Token tables, on the field clock."""
        tables, offset = neuron_tables(checkpoint.weights, list(self._index(context)))
        return {"neuron_table": tables, "neuron_offset": offset}

    def _index(self, context: ModularAdditionRun) -> Int[np.ndarray, " neuron"]:
        return chosen_neurons(context.neuron_frequencies, CHOSEN_NEURONS)


class EmbeddingPart(Part):
    """The last checkpoint's embedding as it is stored."""

    def coords(self, context: ModularAdditionRun) -> Values:
        """Residues, and the directions of the residual stream."""
        weights = context.last.weights
        return {"residue": np.arange(weights.p), "dimension": np.arange(weights.d_model)}

    def whole(self, context: ModularAdditionRun) -> Values:
        """W_E without '='."""
        return {"embedding_matrix": context.last.weights.number_embedding}


def chosen_neurons(
    own_frequencies: neurons.NeuronFrequencies, count: int
) -> Int[np.ndarray, " neuron"]:
    """The neurons that show each frequency best: from each cluster in turn its cleanest one.

    Where clusters do not suffice, the neurons of the largest share of variance follow, those
    without a frequency last. Neurons of one share go by their number.
    """
    cleanest = ties.ordered(own_frequencies.fraction)
    turns = {
        k: iter(cleanest[own_frequencies.cluster[cleanest] == k])
        for k in neurons.key_frequencies(own_frequencies)
    }
    best: list[int] = []
    while len(best) < count and turns:
        for k in list(turns):
            neuron = next(turns[k], None)
            if neuron is None:
                del turns[k]
            elif len(best) < count:
                best.append(int(neuron))
    rest = [int(n) for n in cleanest if int(n) not in best]
    selection = np.array([*best, *rest][:count])
    frequency = own_frequencies.frequency[selection]
    place = ties.ranks(own_frequencies.fraction)[selection]
    return selection[np.lexsort((place, frequency, frequency == neurons.NO_FREQUENCY))]


PARTS: dict[str, Part] = {
    "slingshots": SlingshotsPart(),
    "core": CorePart(),
    "fields": FieldsPart(),
    "algorithm": AlgorithmPart(),
    "embedding": EmbeddingPart(),
}
