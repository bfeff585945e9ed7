"""The numbers of docs/science.md that pictures show too are those of the bundled run."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset.references.reference import DEFAULT, load
from grokviz.scene import frequencies
from grokviz.scene.panels import horizon
from grokviz.tasks.modular_addition.formulas.neurons import THRESHOLD

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "science.md").read_text("utf-8")
NUMBER = re.compile(r"\d[\d.,]*(?:e-?\d+)?")


@cache
def run() -> xr.Dataset:
    return load(None, None, default=DEFAULT)


def row(name: str) -> list[list[float]]:
    """The numbers of each cell of the row that begins so, after its name."""
    lines = [line for line in PAGE.splitlines() if line.startswith(f"| {name} |")]
    assert len(lines) == 1, name
    cells = lines[0].strip("| ").split(" | ")[1:]
    return [[float(n.rstrip(".,").replace(",", "")) for n in NUMBER.findall(c)] for c in cells]


def power(matrix: str, i: int, waves: list[int]) -> float:
    squares = np.square(run()[f"{matrix}_frequency_norm"].values[i].astype(float))
    return float(squares[np.array(waves) - 1].sum() / squares.sum())


def shares(i: int) -> dict[str, float]:
    data, now = run(), run().isel(epoch=i)
    keys = frequencies.key_frequencies(data)
    return {
        "W_E's power in the five key frequencies": power("embedding", i, keys),
        "W_E's power in the six embedded frequencies, 31 among them":
            power("embedding", i, frequencies.embedded(data)),
        "W_L's power in the five key frequencies": power("neuron_logit", i, keys),
        "squared logits, over all pairs and answers, in the key cosines of a + b - c":
            float(now["logit_variance_explained"]),
        "variance of the logits over the pairs, in cos and sin of w(a + b): mean over the answers":
            float(now["trig_fraction_logits"]),
        "the same of the neurons: mean over the neurons": float(now["trig_fraction_neurons"]),
    }  # fmt: skip


def test_shares_are_those_of_both_epochs() -> None:
    epochs = run()["epoch"].values
    end = int(np.searchsorted(epochs, horizon(run()), side="right")) - 1
    assert epochs[end] == 19_000
    assert epochs[-1] == 40_000
    for n, i in enumerate((end, -1)):
        for name, share in shares(i).items():
            assert row(name)[n] == [pytest.approx(100 * share, abs=0.051)], name
        total = float(run()["sum_squared_weights"].isel(epoch=i).sum())
        assert row("sum of all squared weights")[n] == [round(total)]
        explained = run()["all_neuron_variance_explained"].values[i]
        counts = [int((explained >= THRESHOLD).sum()), explained.size]
        assert (
            row("neurons of a cluster, with 85 % of their variance in one frequency")[n] == counts
        )


def test_losses_without_a_frequency_are_those_over_all_pairs() -> None:
    keys = frequencies.key_frequencies(run())
    losses = [float(run()["ablation_loss"].sel(ablation=f"without-frequency-{k}")) for k in keys]
    assert row("the same over all pairs, as `ablation` draws it")[0] == [
        pytest.approx(loss, rel=0.03) for loss in losses
    ]
