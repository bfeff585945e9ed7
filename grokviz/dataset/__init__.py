"""From a run to a labelled dataset: what a measure is, the pass over checkpoints, the cache.

Here belong what every task's measures share, bundled references and families of runs. The
measures themselves lie with their task, and nothing here draws or trains.
"""

from __future__ import annotations

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.contract import (
    Coordinate,
    Published,
    Storage,
    dear,
    dimension,
    gathers,
    logged,
    measure,
    requires,
)

__all__ = [
    "Checkpoint",
    "Coordinate",
    "Published",
    "RunView",
    "Storage",
    "dear",
    "dimension",
    "gathers",
    "logged",
    "measure",
    "requires",
]
