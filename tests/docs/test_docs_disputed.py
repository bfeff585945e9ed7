"""The numbers of the page of what others say, against the bundled data."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import grokviz as gv

PAGE = (Path(__file__).parents[2] / "docs" / "disputed.md").read_text("utf-8")


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    names = ("sum_squared_weights", "distance_irrelevance", "circularity", "key_neurons",
             "embedding_frequency_norm")  # fmt: skip
    return gv.load("modular-addition", names)


def test_the_sums_of_squares_are_those_of_the_run(data: xr.Dataset) -> None:
    (sentence,) = re.findall(r"the sum of squared weights is .*? at the end\.", PAGE)
    squares, epochs = data["sum_squared_weights"].sum("parameter").values, data["epoch"].values
    said = re.findall(r"([\d,]+) at epoch ([\d,]+)", sentence)
    assert len(said) == 4
    for value, epoch in said:
        at = int(np.flatnonzero(epochs == int(epoch.replace(",", "")))[0])
        assert f"{squares[at]:,.0f}" == value
    assert f"and {squares[-1]:,.0f} at the end" in sentence


def test_clock_neurons_and_spikes_are_those_of_the_runs(data: xr.Dataset) -> None:
    irrelevance, circular = (float(data[n][-1]) for n in ("distance_irrelevance", "circularity"))
    assert f"distance irrelevance {irrelevance:.2f}, circularity {circular:.2f}" in PAGE
    runs = gv.load("slingshots", ("member_spike_count", "member_precision", "member_train_loss"))
    counts = dict(
        zip(runs["member_precision"].values, runs["member_spike_count"].values, strict=True)
    )
    assert f"leaps {counts['float32']} times in 50,000 epochs" in PAGE
    assert counts["float64"] == 0
    assert not (runs["member_train_loss"].values == 0).any()
    seeds = gv.load("seeds", ("member_spike_count",))["member_spike_count"].values
    assert sorted(seeds)[-2:] == [0, 4]
