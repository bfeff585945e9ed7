"""A run in a few lines: what ``grokviz info`` prints."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from grokviz.buffers import is_buffer
from grokviz.runs.layout import RESUME, checkpoint_file, metric_file
from grokviz.runs.reader import Run


def info(run: Run, *, verify: bool = False) -> dict[str, Any]:
    """The run as plain JSON values.

    ``epochs`` is the last epoch known (of checkpoints and metrics), ``checkpoints`` their
    number, ``parameters`` the number of weights (an attention mask is none), ``bytes`` the
    size of the files in the index.
    ``problems`` are sentences and ``notes`` harmless findings; both are empty unless
    ``verify`` read every byte.
    """
    shapes = run.shapes()
    ends = [run.metric(name)[0][-1:] for name in run.metrics]
    last = max([int(e) for end in [*ends, run.epochs[-1:]] for e in end], default=None)
    problems = run.verify() if verify else []
    files = [checkpoint_file(int(e)) for e in run.epochs] + [metric_file(n) for n in run.metrics]
    return {
        "name": run.name,
        "path": str(run.path),
        "recipe": run.facts.get("recipe"),
        "task": run.facts.get("task"),
        "precision": run.facts.get("precision"),
        "epochs": last,
        "checkpoints": len(run.epochs),
        "first_checkpoint": int(run.epochs[0]) if run.epochs.size else None,
        "last_checkpoint": int(run.epochs[-1]) if run.epochs.size else None,
        "finished": run.finished,
        "metrics": run.metrics,
        "parameters": sum(
            math.prod(shape) for name, shape in shapes.items() if not is_buffer(name)
        ),
        "shapes": {name: list(shape) for name, shape in shapes.items()},
        "bytes": sum(_size(run.path / file) for file in [*files, RESUME]),
        "facts": dict(run.facts),
        "checksum": run.checksum,
        "problems": [str(p) for p in problems if not p.note],
        "notes": [str(p) for p in problems if p.note],
    }


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
