"""The scenes of the thread's story, in its order.

Scenes that do not exist or cannot be drawn are skipped, so a new scene needs only a line here.
"""

from __future__ import annotations

STORY = (
    # 1: a network that has memorised may generalise much later
    "grokking-curve",
    # 2 and 3: phase changes; with little data and regularisation they become grokking
    "induction-phase-change",
    "induction-grokking",
    "phase-change-to-grokking",
    "fraction-sweep",
    # 7: what such networks have learned
    "induction-heads",
    "clock",
    "fourier-multiplication",
    "algorithm",
    "chorus",
    "logit-waves",
    "ablation",
    # 9 and 10: where it can be seen
    "string-to-circle",
    "wave-circles",
    "embedding-waves",
    "waves-to-circles",
    "neuron-activations",
    "neuron-spectra",
    "neuron-wave",
    # 11: it is built long before the test loss falls
    "circuit-development",
    "progress-measures",
    "memorise-then-generalise",
    # 13: many phase changes make a smooth curve
    "digit-phase-changes",
    "digit-grokking",
    "many-small-steps",
    "smooth-from-many",
    # 14: the loss spikes are a rounding error
    "log-softmax-rounding",
    "rounding",
    "slingshots",
    # and training is no random walk
    "straight-path",
)
"""Scenes by name; the numbers are the tweets that they redraw."""

ANY_RUN = (
    # what was learned, as the loop logged it
    "metrics",
    # what of the network moved, when and where to
    "tensors",
    "steps",
    "path",
    "weight-norms",
    # what became of its weights
    "weights",
    "spectra",
    "matrix",
    "embedding-map",
    "heads",
    # what the loop recorded besides
    "arrays",
)
"""The scenes of a talk on a run whose task is not known."""
