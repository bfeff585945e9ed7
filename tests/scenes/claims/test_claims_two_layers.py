"""What pictures of two-layer networks say, on their references and on data that say otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene.registry import scene


def of(name: str) -> xr.Dataset:
    one = scene(name)
    return load(None, one.needs, default=one.reference).copy(deep=True)


# --- lottery ---------------------------------------------------------------------------


def test_the_published_forecast_comes_true_as_published() -> None:
    data = of("lottery")
    claim = scene("lottery")().claim(data)
    assert claim.holds
    # of 512 neurons of the published run, by its own files: 93.8 %, 48.8 % and 9.1 %
    assert claim.numbers["forecast"] == pytest.approx(0.938, abs=0.001)
    assert claim.numbers["largest"] == pytest.approx(0.488, abs=0.001)
    assert claim.numbers["chance"] == pytest.approx(1 / 11)


def test_a_forecast_that_fails_is_said_to() -> None:
    data = of("lottery")
    rng = np.random.default_rng(0)
    data["forecast_frequency"].values = rng.permutation(data["forecast_frequency"].values)
    claim = scene("lottery")().claim(data)
    assert not claim.holds
    share = claim.numbers["forecast"]
    assert share < 0.2
    assert f"{100 * share:.0f}%" in claim.sentence
    assert "before training" not in claim.sentence


def test_without_initial_weights_there_is_no_forecast() -> None:
    data = of("lottery")
    data["forecast_frequency"][:] = -1
    with pytest.raises(InputError, match="initial weights"):
        scene("lottery").check(data)


# --- phase-alignment -------------------------------------------------------------------


def test_phases_fall_onto_the_line() -> None:
    data = of("phase-alignment")
    claim = scene("phase-alignment")().claim(data)
    assert claim.holds
    # 0.0449 radians are 2.6 degrees in the published run, without weights
    assert claim.numbers["last"] < 5
    assert claim.numbers["first"] > 55


def test_it_is_counted_of_how_many_neurons_the_phases_lie_there() -> None:
    data = of("phase-alignment")
    start = scene("phase-alignment")().claim(data).sentence.split(" double")[0]
    count = int((data["final_frequency"] > 0).sum())
    off = data["neuron_phase"].values[-1]
    # some are a quarter of a turn off, and so small that they weigh nothing
    data["neuron_magnitude"][-1, :, : count // 4] *= 1e-3
    off[-1] = off[0] + off[-2]
    assert scene("phase-alignment")().claim(data).sentence.startswith("Each neuron doubles")
    off[-1, : count // 4] += np.pi / 2
    claim = scene("phase-alignment")().claim(data)
    kept = int((data["final_frequency"].values[count // 4 :] > 0).sum())
    assert claim.sentence.startswith(f"{kept} of {count} neurons double")
    assert start in {"Each neuron", "Nearly all neurons"}


def test_phases_that_stay_where_they_were_are_not_on_the_line() -> None:
    data = of("phase-alignment")
    data["neuron_phase"][-1] = data["neuron_phase"][0]
    data["neuron_magnitude"][-1] = data["neuron_magnitude"][0]
    claim = scene("phase-alignment")().claim(data)
    assert not claim.holds
    assert f"{claim.numbers['last']:.0f}° from the line in the end" in claim.sentence


def test_phases_that_were_on_the_line_from_the_first_did_not_fall_there() -> None:
    data = of("phase-alignment")
    data["neuron_phase"][0] = data["neuron_phase"][-1]
    claim = scene("phase-alignment")().claim(data)
    assert not claim.holds
    assert claim.sentence.endswith("from the first checkpoint on")


def test_the_neuron_drawn_beside_them_is_on_the_line_where_one_is() -> None:
    from grokviz.scenes.two_layer_addition import phase_alignment

    data = of("phase-alignment")
    low, high = phase_alignment.MARKED
    at = phase_alignment._example(data)
    phase = np.degrees(data["neuron_phase"].values[-1, :, at])
    assert low <= phase[0] <= high
    assert phase[-1] == pytest.approx(2 * phase[0], abs=phase_alignment.ALIGNED)
    data["neuron_phase"][-1, 0] = 0
    strongest = int(np.argmax(phase_alignment._weights(data)[-1]))
    assert phase_alignment._example(data) == strongest


def test_half_a_turn_is_as_far_as_can_be() -> None:
    data = of("phase-alignment")
    data["neuron_phase"][-1, -1] = data["neuron_phase"][-1, -1] + np.pi
    assert scene("phase-alignment")().claim(data).numbers["last"] > 170


# --- written-by-hand -------------------------------------------------------------------


def test_the_trained_weights_are_waves_as_those_written_down() -> None:
    data = of("written-by-hand")
    claim = scene("written-by-hand")().claim(data)
    assert claim.holds
    assert claim.numbers["share"] > 0.8
    assert claim.numbers["accuracy"] == claim.numbers["by hand"] == 1


def test_both_have_the_same_blocks_and_the_match_is_measured() -> None:
    from grokviz.scenes.two_layer_addition import written_by_hand

    trained, written = np.array([0, 1, 1, 1, 2, 2, 4]), np.array([1, 1, 2, 2, 2, 3, 4])
    blocks = written_by_hand._blocks(trained, written, 2)
    assert list(trained[blocks.trained]) == list(written[blocks.written]) == [1, 1, 2, 2]
    alone = written_by_hand._blocks(np.array([5, 5]), np.array([1, 1, 2]), 1)
    assert (list(alone.trained), list(alone.written)) == ([0, 1], [0, 1])
    data = of("written-by-hand")
    phase = data["neuron_phase"].values[-1, 0]
    angle = 2 * np.pi * data["final_frequency"].values[:, None] * np.arange(23) / 23
    pure = np.cos(angle + phase[:, None])
    each = [
        np.corrcoef(*both)[0, 1] for both in zip(pure, data["input_weight"].values[-1], strict=True)
    ]
    assert written_by_hand._correlation(data, -1) == pytest.approx(np.mean(each), abs=1e-4)


def test_weights_that_are_no_waves_are_not_said_to_be() -> None:
    data = of("written-by-hand")
    rng = np.random.default_rng(0)
    data["input_weight"].values = rng.normal(size=data["input_weight"].shape)
    claim = scene("written-by-hand")().claim(data)
    assert not claim.holds
    assert f"{claim.numbers['share']:.0%}" in claim.sentence


def test_waves_that_answer_wrong_are_not_the_solution() -> None:
    data = of("written-by-hand")
    data["accuracy"][:] = 0.5
    assert not scene("written-by-hand")().claim(data).holds
