"""What has no frequency is drawn so, and counted with none."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.modular_addition import _neurons
from matplotlib.axes import Axes
from matplotlib.text import Text
from test_scenes_all import Drawn, index_of, of

from grokviz.errors import InputError
from grokviz.scene import frequencies
from grokviz.scene.registry import scenes


def without(name: str, **frequencies: int) -> xr.Dataset:
    """The scene's data with nothing left in the first so many entries of these variables."""
    data = of(name)
    for variable, count in frequencies.items():
        array = data[variable].copy(deep=True)
        array[..., :count] = 0
        data = data.assign({variable: array})
    return data


def words(drawn: Drawn, i: int) -> list[str]:
    return [written.text for written in drawn.show(i).texts]


@pytest.mark.parametrize("moment", ["0", "last"])
def test_neurons_without_a_frequency_stand_at_none(moment: str) -> None:
    drawn = Drawn("neuron-clusters", show="both")
    i = index_of(drawn.scene, drawn.data, moment)
    count = int((drawn.data["all_neuron_frequency"].values[i] == 0).sum())
    assert count == (81 if moment == "0" else 0)
    shown = words(drawn, i)
    assert "none" in shown
    assert ("81" in shown) == bool(count)
    bars = drawn.drawing.moving[1][0].get_paths()
    heights = [np.ptp(path.vertices[:, 0]) for path in bars]
    assert sum(heights) == pytest.approx(512 - count)
    said = drawn.scene.alt_text(drawn.data, i)
    assert ("81 have no frequency" in said) == bool(count)


def test_a_run_whose_neurons_all_have_one_is_drawn_without_none() -> None:
    data = of("neuron-clusters")
    frequency = data["all_neuron_frequency"]
    data = data.assign(all_neuron_frequency=frequency.clip(1))
    drawn = Drawn("neuron-clusters", data=data, show="both")
    shown = words(drawn, index_of(drawn.scene, drawn.data, "last"))
    assert "1" in shown
    assert "none" not in shown
    assert '"none"' not in drawn.scene.caption(drawn.data)


def test_a_run_whose_neurons_have_none_is_drawn() -> None:
    data = without("neuron-clusters", all_neuron_frequency=512)
    drawn = Drawn("neuron-clusters", data=data, show="both")
    assert "512" in words(drawn, 0)
    assert "512 have no frequency" in drawn.scene.alt_text(data, 0)


@pytest.mark.parametrize("name", ["neuron-activations", "neuron-spectra"])
@pytest.mark.parametrize("medium", ["slide", "narrow"])
def test_stored_neurons_without_a_frequency_come_last_and_are_named(name: str, medium: str) -> None:
    data = without(name, neuron_frequency=5)
    assert set(_neurons.neurons_in_turn(data, 7)) == set(range(5, 12))
    assert set(_neurons.neurons_in_turn(data, 10)[-3:]) < set(range(5))
    drawn = Drawn(name, medium, data=data, most=10)
    i = index_of(drawn.scene, data, "last")
    shown = words(drawn, i)
    if name == "neuron-activations":
        count = len(drawn.drawing.moving)
        assert sum(text == "no wave" for text in shown) == count - 7
    assert not {"frequency 0", "wave 0"} & set(shown)
    said = drawn.scene.alt_text(data, i)
    assert not re.search(r"frequenc(y|ies) \(?0\b", said), said
    nothing = without(name, neuron_frequency=12)
    drawn = Drawn(name, medium, data=nothing)
    drawn.show(i)
    said = drawn.scene.alt_text(nothing, i)
    assert re.search(r"none of which has a frequency|None of them has a frequency", said)


def test_a_head_without_a_frequency_is_said_to_have_none() -> None:
    data = without("attention-patterns", head_frequency=1, head_variance_explained=1)
    drawn = Drawn("attention-patterns", data=data)
    i = index_of(drawn.scene, data, "last")
    shown = words(drawn, i)
    assert {"no wave", "none"} & {*shown}  # by the room there is
    assert "0%" not in shown
    said = drawn.scene.alt_text(data, i)
    assert "no frequency explains how that varies better than another; head 1" in said


@pytest.mark.slow
def test_an_attention_map_of_nothing_has_no_frequency() -> None:
    data = without("attention-map")
    array = data["attention_map_fourier"].copy(deep=True)
    array[1] = 0
    array[2] = 0
    array[2, 3] = array[2, 8] = 1
    data = data.assign(attention_map_fourier=array)
    drawn = Drawn("attention-map", data=data)
    assert any(text.startswith("frequency") and text.endswith("%") for text in words(drawn, 0))
    for head in ("1", "2"):
        one = Drawn("attention-map", data=data, head=head)
        assert "no frequency" in words(one, 0)
        assert not one.scene.claim(data).holds
    assert "head 1 none; head 2 none" in drawn.scene.alt_text(data, 0)
    assert (
        Drawn("attention-map", data=data.assign(attention_map_fourier=0 * array))
        .show(0)
        .picture.any()
    )


def test_a_spectrum_stands_beside_itself_at_the_first_moment() -> None:
    drawn = Drawn("neuron-spectra")
    epochs = drawn.data["field_epoch"].values
    first, now = (axes.collections[0] for axes in drawn.figure.findobj(Axes) if axes.collections)
    before = np.array(first.get_offsets())
    for i in (0, len(epochs) - 1):
        shown = words(drawn, i)
        assert {f"epoch {epochs[0]:,}", f"epoch {epochs[i]:,}"} <= set(shown)
        assert np.array_equal(np.array(first.get_offsets()), before)
        assert np.array_equal(np.array(now.get_offsets()), before) == (i == 0)
    assert {f"wave {k}" for k in (14, 35, 41, 42, 52)} <= set(shown)


def test_neurons_of_one_frequency_have_one_name() -> None:
    data = of("neuron-spectra")
    frequency = data["neuron_frequency"].copy(deep=True)
    frequency[:] = 3
    drawn = Drawn("neuron-spectra", data=data.assign(neuron_frequency=frequency))
    named = [text.get_text() for text in drawn.figure.findobj(Text)]
    assert [text for text in named if text.startswith("wave ")] == ["wave 3"]


def test_a_film_of_a_neuron_needs_one_with_a_frequency() -> None:
    film = scenes(user=False)["neuron-wave"]()
    data = without("neuron-spectra", neuron_frequency=5)
    assert film.shown(data) >= 5
    first = film.with_options({"neuron": str(int(data["neuron"][0]))})
    with pytest.raises(InputError, match=r"neuron \d+ has no frequency"):
        first.shown(data)
    with pytest.raises(InputError, match=r"has no frequency.* train the run further"):
        film.shown(without("neuron-spectra", neuron_frequency=12))


def test_frequencies_of_one_size_keep_their_order() -> None:
    sizes = xr.DataArray(
        np.array([3, 5, 5 * (1 - 1e-8), 5 * (1 + 1e-8), 7]),
        dims="frequency", coords={"frequency": [1, 2, 3, 4, 5]},
    )  # fmt: skip
    assert frequencies.by_size([1, 2, 3, 4], sizes) == [2, 3, 4, 1]
