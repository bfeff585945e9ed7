"""Summary of a run, as ``grokviz info`` prints it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from grokviz.buffers import is_buffer
from grokviz.runs.layout import RESUME, array_file, checkpoint_file, metric_file
from grokviz.runs.reader import Run


def info(run: Run, *, verify: bool = False) -> dict[str, Any]:
    """Summary of the run in JSON values.

    ``epochs`` is the last epoch with a checkpoint, arrays or a metric, ``checkpoints`` the number
    of checkpoints, ``arrays`` that of epochs with recorded arrays or None, ``parameters`` the
    number of weights (without buffers such as attention masks), ``bytes`` the total size of the
    files in the index. ``problems`` and ``notes`` are the findings of ``verify``, harmful and
    harmless, in sentences; without it both are empty.
    """
    shapes = run.shapes()
    ends = [
        run.epochs[-1:],
        run.array_epochs[-1:],
        *(run.metric(name)[0][-1:] for name in run.metrics),
    ]
    last = max((int(epoch) for end in ends for epoch in end), default=None)
    findings = run.verify() if verify else []
    files = [checkpoint_file(int(e)) for e in run.epochs] + [metric_file(n) for n in run.metrics]
    files += [array_file(int(e)) for e in run.array_epochs]
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
        "arrays": len(run.array_epochs) or None,
        "finished": run.finished,
        "metrics": run.metrics,
        "parameters": sum(
            math.prod(shape) for name, shape in shapes.items() if not is_buffer(name)
        ),
        "shapes": {name: list(shape) for name, shape in shapes.items()},
        "bytes": sum(_size(run.path / file) for file in [*files, RESUME]),
        "facts": dict(run.facts),
        "checksum": run.checksum,
        "problems": [str(finding) for finding in findings if not finding.note],
        "notes": [str(finding) for finding in findings if finding.note],
    }


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
