"""Attention that finds the key token: the probe of a skip trigram's head."""

from __future__ import annotations

import numpy as np

from grokviz.tasks._sequences.sample import Probe
from grokviz.training.batch import Batch


def key_token(batch: Batch) -> Probe:
    """The probe of a skip trigram's head: the last position attends to the key token."""
    key = batch.tokens.argmax(axis=1)
    rows = np.arange(len(batch))
    return Probe(rows, batch.positions[:, 0], key, len(batch))
