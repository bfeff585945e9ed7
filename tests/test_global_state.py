"""The library leaves everything that belongs to the whole process as it was."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest

import grokviz as gv

torch = pytest.importorskip("torch", reason="a run is trained with the [train] extra")

SMALL = {"p": 7, "d-model": 8, "d-mlp": 8, "heads": 2, "epochs": 4, "checkpoint-every": "2"}


def state() -> dict[str, Any]:
    """What others in the same process may rely on, but for what beartype itself draws by chance."""
    handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    return {
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matrix products": torch.get_float32_matmul_precision(),
        "torch's seed": torch.get_rng_state().tolist(),
        "numpy's seed": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "floating point": np.geterr(),
        "matplotlib": dict(matplotlib.rcParams),
        "signals": handlers,
        "arguments": list(sys.argv),
        "imports from": list(sys.path),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
    }


def changed(before: dict[str, Any]) -> list[str]:
    after = state()
    return [name for name in before if before[name] != after[name]]


@pytest.fixture
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings that are nobody's defaults."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    with matplotlib.rc_context({"lines.linewidth": 7, "figure.dpi": 33}):
        torch.set_num_threads(threads + 1)
        torch.manual_seed(5)
        np.random.seed(5)  # noqa: NPY002
        yield
        torch.set_num_threads(threads)


def steps(folder: str) -> Iterator[str]:
    """Everything that a script does, one after another."""
    gv.train("modular-addition", f"{folder}/run", settings=SMALL)
    yield "trained"
    data = gv.analyze(f"{folder}/run")
    gv.measures(f"{folder}/run")
    yield "analysed"
    outs = [f"{folder}/a.{kind}" for kind in ("png", "svg", "gif")]
    gv.render("embedding-waves", data, outs, quality="l", duration=0.4)
    yield "drawn"
    gv.explore(data, f"{folder}/a.html")
    yield "explored"


@pytest.mark.usefixtures("_own_settings")
def test_training_and_drawing_leave_nothing_behind() -> None:
    assert list(steps("first"))  # other people's modules do as they like when they are imported
    before = state()
    for step in steps("second"):
        assert changed(before) == [], step
