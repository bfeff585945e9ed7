"""Parts of a dataset: what each is made of, for each task.

A part is a function from one checkpoint to that epoch's values, and one from the whole run
to what has no clock. All parts of a pass share each checkpoint, read once, and its forward
pass, computed once. To add a part: a class here, its rows in the schema, its name in ``PARTS``.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from grokviz.dataset import curves
from grokviz.dataset.part import Checkpoint, Context, Part, Values, metric
from grokviz.runs import Run
from grokviz.tasks._sequences.sequence_parts import (
    DigitAnswersPart,
    DigitLossPart,
    HeadsPart,
    HeldOutPart,
    KeyPart,
)
from grokviz.tasks.any import norms
from grokviz.tasks.any.events import EventsPart
from grokviz.tasks.any.route import PathPart
from grokviz.tasks.any.spikes import SlingshotsPart
from grokviz.tasks.modular_addition.forward import attention_scores, neuron_tables
from grokviz.tasks.modular_addition.measures import embedding, fourier, losses, neurons
from grokviz.tasks.modular_addition.measures.algorithm import AlgorithmPart

CHOSEN_NEURONS = 12


class RunPart(Part):
    """What every run has, whatever it learns; of loss curves alone all but the weights' norms."""

    def lacks(self, run: Run) -> str:
        """Nothing."""
        return ""

    def coords(self, context: Context) -> Values:
        """Clocks of the logged losses, names of phases and parameters."""
        found: Values = {
            "logged_epoch": metric(context.run, "train_loss")[0],
            "tested_epoch": metric(context.run, "test_loss")[0],
            "phase": list(curves.PHASES[:3]),
        }
        if context.has_weights:
            found["parameter"] = list(norms.sums_of_squares(context.last.state))
        return found

    def whole(self, context: Context) -> Values:
        """The logged curves, and where the phases end by them."""
        tested, test_loss = metric(context.run, "test_loss")
        ends = curves.phase_ends(tested, test_loss)
        return {
            "logged_train_loss": metric(context.run, "train_loss")[1],
            "logged_test_loss": test_loss,
            "phase_end": np.full(3, -1) if ends is None else ends,
        }

    def at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Sums of squared weights."""
        return {"sum_squared_weights": list(norms.sums_of_squares(checkpoint.state).values())}


class CorePart(Part):
    """Losses, and the embedding in the Fourier basis."""

    heavy = True

    def coords(self, context: Context) -> Values:
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

    def at(self, context: Context, checkpoint: Checkpoint) -> Values:
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

    def coords(self, context: Context) -> Values:
        """Heads, rows and the chosen neurons."""
        p = context.last.weights.p
        rows = [*(f"a={n}" for n in range(p)), *(f"b={n}" for n in range(p)), "="]
        return {
            "head": np.arange(context.last.weights.heads),
            "row": rows,
            "neuron": self._chosen(context),
            "field_epoch": context.field_epochs,
        }

    def whole(self, context: Context) -> Values:
        """Frequency and share of variance of the chosen neurons."""
        chosen, found = self._chosen(context), context.neuron_frequencies
        return {
            "neuron_frequency": found.frequency[chosen],
            "neuron_variance_explained": found.fraction[chosen],
        }

    def at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Attention scores, at every epoch."""
        return {"attention_score": attention_scores(checkpoint.weights)}

    def field_at(self, context: Context, checkpoint: Checkpoint) -> Values:
        """Token tables, on the field clock."""
        tables, offset = neuron_tables(checkpoint.weights, list(self._chosen(context)))
        return {"neuron_table": tables, "neuron_offset": offset}

    def _chosen(self, context: Context) -> Int[np.ndarray, " neuron"]:
        return chosen_neurons(context.neuron_frequencies, CHOSEN_NEURONS)


class EmbeddingPart(Part):
    """The last checkpoint's embedding as it is stored."""

    def coords(self, context: Context) -> Values:
        """Residues, and the directions of the residual stream."""
        weights = context.last.weights
        return {"residue": np.arange(weights.p), "dimension": np.arange(weights.d_model)}

    def whole(self, context: Context) -> Values:
        """W_E without '='."""
        return {"embedding_matrix": context.last.weights.number_embedding}


def chosen_neurons(found: neurons.NeuronFrequencies, count: int) -> Int[np.ndarray, " neuron"]:
    """The neurons that show each frequency best: from each cluster in turn its cleanest one.

    Where clusters do not suffice, the neurons of the largest share of variance follow.
    """
    cleanest = np.argsort(-found.fraction, kind="stable")
    turns = {
        k: iter(cleanest[found.cluster[cleanest] == k]) for k in neurons.key_frequencies(found)
    }
    chosen: list[int] = []
    while len(chosen) < count and turns:
        for k in list(turns):
            neuron = next(turns[k], None)
            if neuron is None:
                del turns[k]
            elif len(chosen) < count:
                chosen.append(int(neuron))
    rest = [int(n) for n in cleanest if int(n) not in chosen]
    found_all = [*chosen, *rest][:count]
    return np.array(sorted(found_all, key=lambda n: (found.frequency[n], -found.fraction[n])))


_ANY: dict[str, Part] = {"run": RunPart(), "events": EventsPart(), "path": PathPart()}

PARTS: dict[str, dict[str, Part]] = {
    "": _ANY,
    "modular-addition": {
        **_ANY,
        "slingshots": SlingshotsPart(),
        "core": CorePart(),
        "fields": FieldsPart(),
        "algorithm": AlgorithmPart(),
        "embedding": EmbeddingPart(),
    },
    "repeated-subsequence": {**_ANY, "held_out": HeldOutPart(), "heads": HeadsPart()},
    "digit-addition": {
        **_ANY,
        "digits": DigitLossPart(),
        "held_out": HeldOutPart(),
        "digit_answers": DigitAnswersPart(),
    },
    "skip-trigram": {**_ANY, "held_out": HeldOutPart(), "key": KeyPart()},
}


def tasks_of(part: str) -> list[str]:
    """The tasks whose runs can have a part of this name."""
    return [task for task, parts in PARTS.items() if task and part in parts]
