"""The small run that the tests of this folder write and spoil."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from grokviz.runs import RunWriter


def weights_at(epoch: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(epoch)
    return {
        "embed.W_E": rng.normal(size=(4, 6)).astype(np.float32),
        "unembed.W_U": rng.normal(size=(4, 5)),
    }


def write_small_run(path: Path, **facts: Any) -> Path:
    """Epochs 0 to 9, checkpoints every 3, a resumable state at 6, finished."""
    with RunWriter.create(path, {"recipe": "small", "p": 5, **facts}) as writer:
        for epoch in range(10):
            if epoch % 3 == 0:
                writer.checkpoint(epoch, weights_at(epoch))
            if epoch == 6:
                writer.save_state(epoch, {"moment": np.arange(3.0)}, {"seed": 4})
            writer.log(epoch, train_loss=1.0 / (epoch + 1))
            if epoch % 2 == 0:
                writer.log(epoch, test_loss=float(epoch))
        writer.close(finished=True)
    return path


def contents(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != ".lock"
    }
