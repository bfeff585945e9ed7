"""What the page of what others say tells in words, against the bundled data.

Its numbers are computed, and tests/docs/test_docs_numbers.py holds them.
"""

from __future__ import annotations

import grokviz as gv


def test_spikes_are_in_float32_and_in_one_seed_alone() -> None:
    runs = gv.load("slingshots", ("member_spike_count", "member_precision", "member_train_loss"))
    counts = dict(
        zip(runs["member_precision"].values, runs["member_spike_count"].values, strict=True)
    )
    assert counts["float64"] == 0 < counts["float32"]
    assert not (runs["member_train_loss"].values == 0).any()
    seeds = gv.load("seeds", ("member_spike_count",))["member_spike_count"].values
    assert (seeds > 0).sum() == 1


def test_the_weights_shrink_and_are_larger_at_the_turn_than_before_training() -> None:
    data = gv.load("modular-addition", ("sum_squared_weights", "phase_end"))
    squares = data["sum_squared_weights"].sum("parameter")
    start, turn = (float(squares.sel(epoch=t, method="nearest")) for t in (0, 8380))
    assert float(squares[-1]) < start < turn < float(squares.sel(epoch=200))
