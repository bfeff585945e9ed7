"""Sentences over pictures of attention, neurons, progress, seeds and fractions are tested on data.

Each holds on its own reference, flips where the data are moved just past its threshold, and gives
way to what is true of a run that only memorised.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.modular_addition import _neurons
from grokviz.scenes.modular_addition._claims import film_end
from grokviz.scenes.modular_addition.neurons import (
    _columns,
    attention_drift,
    attention_map,
    attention_patterns,
    neuron_spectra,
    quadratic_share,
)
from grokviz.scenes.modular_addition.progress import (
    circuit_development,
    excluded_loss,
    fraction_sweep,
    memorise_then_generalise,
    progress_measures,
)
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

import grokviz as gv
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene import Claim, drawing_in, frequencies, members
from grokviz.scene.registry import scenes
from grokviz.tasks.modular_addition import fields

SCENES = scenes(user=False)
OF_RUNS = (
    "attention-drift", "attention-patterns", "neuron-activations", "neuron-clusters",
    "neuron-logit-map", "neuron-spectra", "quadratic-share", "circuit-development",
    "excluded-loss", "memorise-then-generalise", "progress-measures",
)  # fmt: skip
ALL = (*OF_RUNS, "attention-map", "fraction-sweep", "seeds")
OTHERWISE = ({"show": "accuracies"}, {"show": "cosines"})

Change = Callable[[xr.Dataset, float], xr.Dataset]


@lru_cache(maxsize=2)
def reference(name: str) -> xr.Dataset:
    """The variables of a scene on its reference."""
    return load(None, SCENES[name].needs, default=SCENES[name].reference)


def claim(name: str, data: xr.Dataset, **options: str) -> Claim:
    return SCENES[name].with_options(options).claim(data)


def memorised_only(data: xr.Dataset) -> xr.Dataset:
    """The run as it would be had it stayed as it was at the end of memorisation."""
    end, changed = int(data["phase_end"].values[0]), {}
    for name in data.data_vars:
        values = data[name]
        for clock in ("epoch", "field_epoch", "logged_epoch", "tested_epoch"):
            if clock in values.dims:
                last = int(np.flatnonzero(values[clock].values <= end)[-1])
                still = values.isel({clock: np.arange(values.sizes[clock]).clip(max=last)})
                values = values.copy(data=still.values)
        changed[name] = values
    changed["phase_end"] = xr.full_like(data["phase_end"], -1)
    if "all_neuron_cluster" in data:
        changed["all_neuron_cluster"] = xr.full_like(data["all_neuron_cluster"], -1)
    return data.assign(changed)


@pytest.mark.parametrize("name", ALL)
def test_the_sentence_holds_on_its_reference_and_rests_on_numbers(name: str) -> None:
    said = claim(name, reference(name))
    assert said.holds
    assert len(said.sentence) <= 80
    assert said.numbers


@pytest.mark.parametrize("options", OTHERWISE)
def test_other_panels_of_progress_have_sentences_of_their_own(options: dict[str, str]) -> None:
    said = claim("progress-measures", reference("progress-measures"), **options)
    assert said.holds
    assert said.sentence != claim("progress-measures", reference("progress-measures")).sentence


@pytest.mark.parametrize(("times", "holds"), [(1.01, True), (0.99, False)])
def test_the_key_waves_alone_are_ahead_in_accuracy(times: float, holds: bool) -> None:
    data = reference("progress-measures")
    last = int(np.abs(data["epoch"].values - 8380).argmin())
    alone = data["restricted_accuracy"].copy(deep=True)
    test = float(data["accuracy"].sel(split="test")[last])
    alone[last] = test + times * progress_measures.AHEAD
    told = claim("progress-measures", data.assign(restricted_accuracy=alone), show="accuracies")
    assert told.holds is holds


@pytest.mark.parametrize(
    ("first", "last", "holds"), [(0.5, 1.01, True), (0.5, 0.99, False), (0.51, 1.01, False)]
)
def test_cosines_grow_to_heights(first: float, last: float, holds: bool) -> None:
    data = reference("progress-measures")
    p = 2 * data.sizes["frequency"] + 1
    heights = data["cosine_coefficient"].copy(deep=True)
    heights[0], heights[-1] = (h * (p**3 / 2) ** 0.5 for h in (first, last))
    told = claim("progress-measures", data.assign(cosine_coefficient=heights), show="cosines")
    assert told.holds is holds


def test_the_waves_are_ahead_by_what_is_between_where_both_losses_are_those_of_a_half() -> None:
    data = reference("progress-measures")
    own = claim("progress-measures", data)
    epochs, level = data["epoch"].values, circuit_development.RIGHT
    below = []
    for loss in (data["restricted_loss"].sel(split="all"), data["loss"].sel(split="test")):
        last = int(np.flatnonzero(loss.values > level)[-1])
        step = float((loss[last] - level) / (loss[last] - loss[last + 1]))
        below.append(epochs[last] + step * (epochs[last + 1] - epochs[last]))
    assert own.numbers["lead"] == pytest.approx(below[1] - below[0], rel=1e-6)
    assert f"{float(f'{below[1] - below[0]:.2g}'):,.0f} epochs before" in own.sentence
    # where the test loss is the first, or a loss never passes it, nothing is said to be ahead
    for name in ("restricted_loss", "loss"):
        high = data.assign({name: data[name].copy(deep=True)})
        high[name][-1] = high[name].max()
        assert "lead" not in claim("progress-measures", high).numbers


def test_both_losses_of_the_sentence_are_in_nats_until_both_are_right() -> None:
    data, scene = reference("progress-measures"), SCENES["progress-measures"].with_options()
    at = scene.index_of(data, None)
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(at)
    (axes,) = figure.axes
    assert scene.film_span(data)[1] == data["epoch"].values[at] == axes.get_xlim()[1]
    drawn = [np.asarray(line.get_ydata()) for line in axes.lines]
    for loss in (data["restricted_loss"].sel(split="all"), data["loss"].sel(split="test")):
        assert any(len(y) == at + 1 and np.allclose(y, loss.values[: at + 1]) for y in drawn)


def test_measures_are_drawn_as_shares_of_their_largest() -> None:
    data = reference("progress-measures")
    scene = SCENES["progress-measures"].with_options({"others": True})
    at = scene.index_of(data, None)
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(at)
    (axes,) = figure.axes
    measures = {
        "test": data["loss"].sel(split="test"), "key waves alone": data["restricted_loss"].sel(
            split="all"), "without them": data["excluded_loss_2d"],
        "sparsity of the embedding": data["gini_embedding"],
    }  # fmt: skip
    drawn = [np.asarray(line.get_ydata()) for line in axes.lines]
    for values in measures.values():
        past = 100 * values.values[: at + 1] / values.values.max()
        assert any(len(y) == at + 1 and np.allclose(y, past, rtol=1e-5) for y in drawn)
    assert measures.keys() <= {t.get_text() for t in axes.texts}


def test_attention_is_said_to_be_lopsided_when_it_is() -> None:
    data = reference("attention-drift")
    to = data["attention_mean"].sel
    gap = np.abs((to(position="a") - to(position="b")).values).max(axis=1)
    epochs = data["epoch"].values
    at = int(epochs[gap.argmax()])
    own = claim("attention-drift", data)
    assert own.sentence == "Heads lean to one of the two numbers at first, later to neither"
    assert own.watch.endswith("heads still lean to a or b when the test loss halves")
    assert own.numbers["largest"] == pytest.approx(gap[epochs.searchsorted(at)])
    assert gap[0] < 0.01, "it is not at first"


@pytest.mark.parametrize("name", OF_RUNS)
def test_a_run_that_only_memorised_is_said_to_have(name: str) -> None:
    said = claim(name, memorised_only(reference(name)))
    assert not said.holds
    assert said.sentence.startswith("Memorised by epoch 150; not generalised by epoch 40,000")
    assert not said.watch


def last_gap(data: xr.Dataset, by: float) -> xr.Dataset:
    mean, end = data["attention_mean"].copy(deep=True), film_end(data)
    mean[end] = 0.3
    mean.loc[{"epoch": data["epoch"].values[end], "position": "a", "head": 2}] = 0.3 + by
    return data.assign(attention_mean=mean)


def map_share(data: xr.Dataset, share: float) -> xr.Dataset:
    values = np.zeros_like(data["attention_map_fourier"].values, dtype=float)
    values[:, 1], values[:, 3] = share**0.5, (1 - share) ** 0.5
    return data.assign(attention_map_fourier=(data["attention_map_fourier"].dims, values))


def last_share(name: str, *, film: bool = False) -> Change:
    """A share of this size at the last moment; with ``film`` at the last that a film shows."""

    def change(data: xr.Dataset, share: float) -> xr.Dataset:
        values = data[name].copy(deep=True)
        clock = str(values.dims[0])
        values[{clock: film_end(data, clock) if film else -1}] = share
        return data.assign({name: values})

    return change


def clustered(data: xr.Dataset, share: float) -> xr.Dataset:
    values = np.where(np.arange(512) < round(512 * share), 14, -1)
    return data.assign(all_neuron_cluster=("all_neuron", values))


def clean_when_it_generalises(data: xr.Dataset, share: float) -> xr.Dataset:
    """So many of the neurons that end in a cluster are there when the run generalises."""
    values = data["all_neuron_variance_explained"].copy(deep=True)
    ends = np.flatnonzero(values.values[film_end(data)] >= 0.85)
    at = int(np.abs(data["epoch"].values - 10510).argmin())
    values[at] = 0
    values[at, ends[: round(len(ends) * share)]] = 0.9
    return data.assign(all_neuron_variance_explained=values)


def own_rows(data: xr.Dataset, share: float) -> xr.Dataset:
    """Each cluster writes this share of its squares into the two rows of its own wave."""
    rows, keys = data["neuron_logit_key"].copy(deep=True), data["key_frequency"].values
    for n, k in enumerate(keys):
        columns = np.flatnonzero(data["all_neuron_cluster"].values == k)
        rows[-1, :, columns] = ((1 - share) / (2 * len(keys) - 2)) ** 0.5
        rows[-1, 2 * n : 2 * n + 2, columns] = (share / 2) ** 0.5
    return data.assign(neuron_logit_key=rows)


def raised(data: xr.Dataset, times: float) -> xr.Dataset:
    """The products after the ReLU are so many times those before it, when a film ends."""
    before = last_share("quadratic_share_pre", film=True)(data, 0.1)
    return last_share("quadratic_share_post", film=True)(before, 0.1 * times)


def alone_at_grok(data: xr.Dataset, times: float) -> xr.Dataset:
    """The restricted loss is so many times the test loss at the field epoch where the run groks."""
    at = int(np.abs(data["epoch"].values - 8325).argmin())
    test = np.interp(8325, data["tested_epoch"].values, data["logged_test_loss"].values)
    loss = data["restricted_loss"].copy(deep=True)
    loss[at] = times * test
    return data.assign(restricted_loss=loss)


@pytest.mark.parametrize(("share", "words"), [(0.051, "know the answers"), (0.054, "still 13")])
def test_waves_know_the_answers_once_these_are_as_likely_as_not(share: float, words: str) -> None:
    data = reference("circuit-development")
    own = claim("circuit-development", alone_at_grok(data, share))
    assert own.holds
    assert words in own.sentence
    assert (own.numbers["restricted"] <= circuit_development.RIGHT) == (words != "still 13")


def leant_on(data: xr.Dataset, times: float) -> xr.Dataset:
    """Without three of the key waves the loss is so many times that without any other."""
    at = int(np.abs(data["epoch"].values - 8380).argmin())
    loss, keys = data["excluded_loss_2d_by_frequency"].copy(deep=True), (14, 35, 41, 42, 52)
    loss[at] = 1e-7
    for k in keys[:3]:
        loss.loc[{"epoch": data["epoch"].values[at], "frequency": k}] = times * 1e-7
    return data.assign(excluded_loss_2d_by_frequency=loss)


def loss_at_even(data: xr.Dataset, share: float) -> xr.Dataset:
    """The test loss is this share of its largest where the shares are equal."""
    loss = data["loss"].copy(deep=True)
    largest = float(loss.sel(split="test").max())
    loss.loc[{"epoch": 7400, "split": "test"}] = share * largest
    return data.assign(loss=loss)


def restricted_falls(data: xr.Dataset, times: float) -> xr.Dataset:
    """Until the run groks the restricted loss falls so many times as far as the test loss."""
    first, last = (int(np.abs(data["epoch"].values - e).argmin()) for e in (1420, 8380))
    test = data["loss"].sel(split="test").values
    loss = data["restricted_loss"].copy(deep=True)
    loss[last] = loss[first] * test[last] / test[first] / times
    return data.assign(restricted_loss=loss)


def slower(data: xr.Dataset, times: float) -> xr.Dataset:
    """The smallest fraction takes so many times as long to generalise as the largest."""
    epochs = data["generalised_epoch"].copy(deep=True)
    epochs[int(np.argmin(data["member_fraction"].values))] = round(160 * times)
    return data.assign(generalised_epoch=epochs)


def first_groks(data: xr.Dataset, times: float) -> xr.Dataset:
    """The first run generalises at so many times the epoch at which it memorised."""
    epochs = data["generalised_epoch"].copy(deep=True)
    epochs[0] = round(int(data["memorised_epoch"][0]) * times)
    return data.assign(generalised_epoch=epochs)


def lopsided(data: xr.Dataset, by: float) -> xr.Dataset:
    """A head prefers a by so much for a while, and none does before or after."""
    mean = xr.full_like(data["attention_mean"], 0.3)
    mean.loc[{"epoch": data["epoch"].values[9:30], "position": "a", "head": 2}] = 0.3 + by
    return data.assign(attention_mean=mean)


def first_share(name: str) -> Change:
    """A share of this size at the first moment."""

    def change(data: xr.Dataset, share: float) -> xr.Dataset:
        values = data[name].copy(deep=True)
        values[0] = share
        return data.assign({name: values})

    return change


def key_waves(at: int, *, of_last: bool = False) -> Change:
    """The key waves hold this share of the map at a moment, or this share of what they end with."""

    def change(data: xr.Dataset, share: float) -> xr.Dataset:
        norms, epochs = data["neuron_logit_component_norm"].copy(deep=True), data["field_epoch"]
        keys = data["key_frequency"].values
        columns = np.concatenate([2 * keys - 1, 2 * keys])
        last = np.square(norms.sel(epoch=epochs.values[-1]).values.astype(float))
        target = share * last[columns].sum() / last.sum() if of_last else share
        squares = np.ones(norms.sizes["component"])
        squares[0] = 0
        rest = squares.sum() - len(columns)
        squares[columns] = target / (1 - target) * rest / len(columns)
        norms.loc[{"epoch": epochs.values[at]}] = squares**0.5
        return data.assign(neuron_logit_component_norm=norms)

    return change


def products(data: xr.Dataset, share: float) -> xr.Dataset:
    """The products hold this share after the ReLU and next to none before it."""
    before = last_share("quadratic_share_pre", film=True)(data, 1e-6)
    return last_share("quadratic_share_post", film=True)(before, share)


THRESHOLDS: list[tuple[str, Change, float, float]] = [
    ("attention-drift", last_gap, attention_drift.EVEN, -1),
    ("attention-map", map_share, attention_map.ONE_WAVE, 1),
    (
        "attention-patterns",
        last_share("head_variance_explained"),
        attention_patterns.ONE_WAVE,
        1,
    ),
    ("attention-drift", lopsided, attention_drift.LOPSIDED, 1),
    (
        "attention-patterns",
        first_share("head_variance_explained"),
        attention_patterns.ONE_WAVE / 2,
        -1,
    ),
    ("neuron-activations", clustered, 0.5, 1),
    ("neuron-clusters", clean_when_it_generalises, 0.5, -1),
    ("neuron-logit-map", own_rows, 0.9, 1),
    ("neuron-logit-map", key_waves(-1), 0.9, 1),
    ("neuron-logit-map", key_waves(0, of_last=True), 0.5, -1),
    ("quadratic-share", raised, quadratic_share.RAISED, 1),
    ("quadratic-share", products, quadratic_share.LEAST, 1),
    ("circuit-development", alone_at_grok, circuit_development.AHEAD, -1),
    ("excluded-loss", leant_on, excluded_loss.LEANS, 1),
    ("memorise-then-generalise", loss_at_even, memorise_then_generalise.HIGH, 1),
    ("progress-measures", restricted_falls, progress_measures.FASTER, 1),
    ("fraction-sweep", slower, fraction_sweep.SLOWER, 1),
    ("seeds", first_groks, 2.0, 1),
]
"""Of each scene how its data are moved, the threshold, and on which side of it the claim holds."""


@pytest.mark.parametrize(("name", "change", "threshold", "side"), THRESHOLDS)
def test_data_just_past_the_threshold_flip_the_sentence(
    name: str, change: Change, threshold: float, side: float
) -> None:
    data, own = reference(name), claim(name, reference(name))
    assert claim(name, change(data, threshold * (1 + 0.02 * side))).holds
    past = claim(name, change(data, threshold * (1 - 0.02 * side)))
    assert not past.holds
    assert past.sentence != own.sentence


def test_neurons_whose_frequency_holds_less_than_most_of_them_are_no_three_cells() -> None:
    data = reference("neuron-spectra")
    for share, holds in ((0.81, True), (0.79, False)):
        assert pytest.approx(0.8) == neuron_spectra.THREE_CELLS
        values = xr.full_like(data["neuron_variance_explained"], share)
        assert claim("neuron-spectra", data.assign(neuron_variance_explained=values)).holds == holds


def test_the_clearest_heads_are_drawn_in_counting_order_and_all_in_that_of_their_wave() -> None:
    data, scene = reference("attention-patterns"), SCENES["attention-patterns"].with_options()
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(data.sizes["epoch"] - 1)
    images = [image for ax in figure.axes for image in ax.images if image.get_size() == (113, 113)]
    attention = fields.attention(data, data.sizes["epoch"] - 1)[:, 0]
    clearest = np.argsort(-data["head_variance_explained"].values[-1], kind="stable")[:2]
    assert len(images) == len(attention) + len(clearest)
    shown = [np.asarray(image.get_array()) for image in images]
    for head, (pattern, k) in enumerate(
        zip(attention, data["head_frequency"].values[-1], strict=True)
    ):
        a, b = 5, 77
        assert any(one[b * int(k) % 113, a * int(k) % 113] == pattern[a, b] for one in shown)
        counted = any(np.array_equal(one, pattern.T) for one in shown)
        assert counted == (head in clearest)
    assert "sorted by" in scene.claim(data).watch
    alone = SCENES["attention-patterns"].with_options({"order": "number"})
    assert "sorted by" not in alone.claim(data).watch


def test_heads_that_settle_late_are_counted_for_those_who_cannot_see() -> None:
    data, scene = reference("attention-patterns"), SCENES["attention-patterns"].with_options()
    assert "2 of 4 heads settle on theirs after the clean-up" in scene.description(data, -1)
    frequency = data["head_frequency"].copy(deep=True)
    frequency[:] = frequency[-1]
    assert "settle" not in scene.description(data.assign(head_frequency=frequency), -1)


def test_no_head_has_a_smaller_share_on_the_picture_than_in_the_sentence() -> None:
    data, scene = reference("attention-patterns"), SCENES["attention-patterns"].with_options()
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(data.sizes["epoch"] - 1)
        words = [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text"))]
    shares = [int(part) for word in words for part in re.findall(r"(\d+)%", word)]
    assert len(shares) == data.sizes["head"]
    assert min(shares) == int(100 * scene.claim(data).numbers["share"])
    assert {f"head {n}" for n in range(4)} <= set(words)


@pytest.mark.parametrize("head", [None, "0"])
def test_dots_of_an_attention_map_are_its_scores_and_the_line_its_largest_wave(
    head: str | None,
) -> None:
    data = reference("attention-map")
    scene = SCENES["attention-map"].with_options({} if head is None else {"head": head})
    n, k = (2, 52) if head is None else (0, 35)
    row = data["attention_map_fourier"].values.astype(float)[n]
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data)
    above, ways, below = figure.axes
    counted, places = (_dots(axes) for axes in (above, below))
    scores = counted[:, 1]
    assert counted[:, 0].tolist() == list(range(113))
    assert places[np.arange(113) * k % 113, 1] == pytest.approx(scores)
    assert np.square(scores).sum() == pytest.approx(np.square(row[1:]).sum())
    threads = [path.vertices for lines in ways.collections for path in lines.get_paths()]
    ends = sorted((line[0, 0], line[-1, 0]) for line in threads)
    assert np.array(ends) == pytest.approx(np.array([(a, a * k % 113) for a in range(113)]))
    order, wave = below.lines[-1].get_data()
    assert np.all(np.diff(order) == 1)
    share = 1 - np.square(places[:, 1] - wave).sum() / np.square(scores).sum()
    assert share == pytest.approx(
        np.square(row[2 * k - 1 : 2 * k + 1]).sum() / (row[1:] ** 2).sum()
    )
    assert f"head {n}'s scores are {int(100 * share)}% one wave" in scene.claim(data).sentence


def _dots(axes: Any) -> np.ndarray:
    """Places and scores of the dots of both kinds, by place."""
    dots = np.concatenate([np.column_stack(line.get_data()) for line in axes.lines[:2]])
    ordered: np.ndarray = dots[np.argsort(dots[:, 0])]
    return ordered


def test_an_attention_map_has_only_the_heads_of_its_run() -> None:
    data, scene = reference("attention-map"), SCENES["attention-map"]
    with pytest.raises(InputError, match="there is no head 9; there are 0, 1, 2, 3"):
        scene.with_options({"head": "9"}).claim(data)


def test_runs_that_share_all_frequencies_have_none_of_their_own() -> None:
    data = reference("seeds")
    key = data["member_key_frequency"].copy(deep=True)
    key[1] = key[0]
    said = claim("seeds", data.assign(member_key_frequency=key))
    assert not said.holds
    assert said.sentence == "All 5 runs grok, from epoch 4,230 to 10,510"
    same = xr.full_like(data["generalised_epoch"], 9000)
    said = claim("seeds", data.assign(generalised_epoch=same))
    assert not said.holds, "none has a time of its own"
    never = xr.full_like(data["generalised_epoch"], -1)
    said = claim("seeds", data.assign(generalised_epoch=never))
    assert said.sentence == "0 of 5 runs generalise, 0 of them by grokking"


def test_a_still_of_seeds_stays_on_its_axis() -> None:
    data, seeds = reference("seeds"), SCENES["seeds"].with_options()
    at = int(data["epoch"].values[seeds.index_of(data, None)])
    assert 10510 < at <= seeds.film_span(data)[1] < data["epoch"].values[-1]


def test_descriptions_and_definitions_hold_no_sentence_of_the_claim() -> None:
    for name in ("circuit-development", "progress-measures", "neuron-logit-map"):
        data, scene = reference(name), SCENES[name].with_options()
        own = scene.claim(data).sentence
        assert own not in scene.description(data, 0)
        assert own not in scene.definition(data)


def test_bands_are_as_thick_as_their_shares_and_end_where_the_film_is() -> None:
    data = reference("circuit-development")
    scene = SCENES["circuit-development"].with_options({"waves": True})
    with drawing_in(gv.theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = scene.draw(figure, data)
    epochs, keys = data["field_epoch"].values, frequencies.key_frequencies(data)
    squares = np.square(data["embedding_frequency_norm"].values.astype(float))
    shares = 100 * squares / squares.sum(axis=1, keepdims=True)
    bands = [c for c in figure.axes[-1].findobj(PolyCollection) if c.get_visible()]
    assert len(bands) == len(keys) == 5
    for i in (0, int(np.abs(epochs - 8380).argmin()), len(epochs) - 1):
        drawing.update(i)
        at = int(np.searchsorted(data["epoch"].values, epochs[i], side="right")) - 1
        for band, k in zip(bands, keys, strict=True):
            (points,) = (path.vertices for path in band.get_paths())
            assert points[:, 0].max() == data["epoch"].values[at]
            edges = points[points[:, 0] == points[:, 0].max(), 1]
            assert np.ptp(edges) == pytest.approx(shares[at, k - 1], rel=1e-5)
    written = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    assert "34%" in written


def test_what_the_whole_network_lags_behind_its_key_waves_is_shaded_so_far() -> None:
    data, scene = reference("circuit-development"), SCENES["circuit-development"].with_options()
    with drawing_in(gv.theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = scene.draw(figure, data)
    (ground,) = figure.findobj(PolyCollection)
    at = int(np.abs(data["field_epoch"].values - 8380).argmin())
    drawing.update(at)
    points = ground.get_paths()[0].vertices
    edges = points[points[:, 0] == points[:, 0].max(), 1]
    turn = scene.claim(data).numbers
    assert edges.max() == pytest.approx(turn["test"], rel=0.05)
    assert edges.min() == pytest.approx(turn["restricted"], abs=0.05)


def test_a_run_without_key_waves_has_no_bands() -> None:
    data = reference("circuit-development")
    scene = SCENES["circuit-development"].with_options({"waves": True})
    none = data.isel(key_frequency=[]) if "key_frequency" in data.dims else data
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, none).update(0)
    assert not figure.axes[-1].findobj(PolyCollection)
    assert frequencies.NONE in [text.get_text() for text in figure.findobj(Text)]


ON_PICTURE = (
    ("memorise-then-generalise", "equal at\nepoch 7,400"),
    ("memorise-then-generalise", "test loss\nhalves"),
    ("attention-drift", "0.86"),
    ("attention-drift", "0.003"),
    ("neuron-clusters", "wave 41: 121"),
    ("neuron-clusters", "no wave: 55"),
    ("neuron-clusters", "generalised"),
    ("progress-measures", "3,200 epochs"),
    ("circuit-development", "13"),
    ("circuit-development", "0.19"),
    ("neuron-logit-map", "63 neurons"),
    ("excluded-loss", "test loss halves"),
    ("neuron-spectra", "wave 35"),
    ("neuron-activations", "95% wave 14"),
    ("quadratic-share", "after the ReLU\n18% on average"),
)


@pytest.mark.parametrize(("name", "text"), ON_PICTURE)
def test_what_the_sentence_says_is_marked_once_it_has_happened(name: str, text: str) -> None:
    data, scene = reference(name), SCENES[name].with_options()
    with drawing_in(gv.theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = scene.draw(figure, data)
        written = []
        for i in (0, film_end(data, str(scene.clock))):
            drawing.update(i)
            texts = figure.findobj(lambda a: hasattr(a, "get_text"))
            written.append([t.get_text() for t in texts if t.get_visible()])
    assert text not in written[0]
    assert text in written[1]


def test_bands_are_named_with_their_counts_which_add_up_to_all_neurons() -> None:
    data, scene = reference("neuron-clusters"), SCENES["neuron-clusters"].with_options()
    share = data["all_neuron_variance_explained"].values
    frequency = data["all_neuron_frequency"].values
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = scene.draw(figure, data)
    for i in (0, 500, film_end(data)):
        drawing.update(i)
        named = [text.get_text().split(": ") for text in figure.axes[0].texts]
        counts = {name[0]: int(name[1]) for name in named if len(name) == 2}
        for k in frequencies.key_frequencies(data):
            expected = int(((share[i] >= 0.85) & (frequency[i] == k)).sum())
            assert counts[f"wave {k}"] == expected
        assert sum(counts.values()) == data.sizes["all_neuron"]


def test_columns_hold_the_clusters_others_are_below_and_pale_are_those_that_were_early() -> None:
    data = reference("neuron-clusters")
    scene, end = SCENES["neuron-clusters"].with_options({"show": "columns"}), film_end(data)
    share, frequency = (
        data[f"all_neuron_{name}"].values for name in ("variance_explained", "frequency")
    )
    with drawing_in(gv.theme("dark", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = scene.draw(figure, data)
    rest, dots = figure.axes[0].collections
    early = share[int(np.abs(data["epoch"].values - 10510).argmin())] >= 0.85
    for i in (0, end):
        drawing.update(i)
        places = np.asarray(dots.get_offsets())
        clean = (share[i] >= 0.85) & (frequency[i] > 0)
        assert len(np.unique(places.round(6), axis=0)) == clean.sum()
        below = np.asarray(rest.get_offsets())
        assert len(np.unique(below.round(6), axis=0)) == (~clean).sum()
        assert (below[:, 1] < 0).all()
        # the key frequencies' places are wider
        keys = frequencies.key_frequencies(data)
        edges = _columns.slots(1, data.sizes["frequency"], keys)
        columns = np.sort(np.searchsorted(edges, places[:, 0]), kind="stable")
        assert columns.tolist() == sorted(frequency[i][clean].tolist())
        white = (dots.get_facecolor()[:, :3] >= _columns.PALE).all(axis=1)
        assert white.sum() == (early & (share[i] >= 0.85)).sum()
    assert 0 < white.sum() < (share[end] >= 0.85).sum() / 2


def test_each_neuron_is_counted_before_the_relu_and_after_it() -> None:
    data, scene = reference("quadratic-share"), SCENES["quadratic-share"].with_options()
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = scene.draw(figure, data)
    inside = data["all_neuron_cluster"].values > 0
    for i in (0, film_end(data, "field_epoch")):
        drawing.update(i)
        heights = []
        for bars in figure.axes[0].collections:
            corners = np.array([path.vertices[:4] for path in bars.get_paths()])
            heights.append(corners[:, 1, 1])
        assert np.max(heights) == pytest.approx(1)
        for side, height in zip(quadratic_share.SIDES, heights, strict=True):
            own = data[f"quadratic_share_{side}"].values[i, inside]
            counts = np.histogram(own, quadratic_share._edges(float(own.max())))[0]
            ratio = height[: len(counts)] * inside.sum() / height.sum()
            np.testing.assert_allclose(ratio, counts, atol=1e-4)
        words = [text.get_text() for text in figure.findobj(Text)]
        for side, where in zip(quadratic_share.SIDES, ("before", "after"), strict=True):
            mean = 100 * float(data[f"quadratic_share_{side}"].values[i, inside].mean())
            said = f"{mean:.1f}%" if mean < 9.95 else f"{mean:.0f}%"
            assert f"{where} the ReLU\n{said} on average" in words
    assert any(text.endswith("ReLU(cos a + cos b): 22%") for text in words)


def _inactive(text: Text) -> bool:
    return text.get_text() == "inactive" and bool(text.get_visible())


@pytest.mark.parametrize(("most", "above"), [(5, 5), (10, 0)])
def test_each_neuron_has_the_share_of_its_wave_above_it(most: int, above: int) -> None:
    data = reference("neuron-activations")
    drawn = SCENES["neuron-activations"].with_options({"most": most})
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = drawn.draw(figure, data)
        shares, silent = [], []
        for i in (0, -1):
            drawing.update(i % data.sizes["field_epoch"])
            words = [text.get_text() for text in figure.findobj(Text)]
            shares.append([int(w.split("%")[0]) for w in words if "% wave" in w])
            silent.append(sum(map(_inactive, figure.findobj(Text))))
    # what is inactive has no variance to explain
    assert [len(shares[n]) + silent[n] for n in (0, 1)] == [most + above, most + above]
    assert silent[0] > silent[1] == 0
    assert max(shares[0]) < 10
    # those above stop where the run has memorised
    stop = int(np.flatnonzero(data["field_epoch"].values >= 150)[0])
    field, frequency = fields.activations(data, stop), data["neuron_frequency"].values
    own = [_neurons.own_share(field[n], int(frequency[n])) for n in range(len(field))]
    assert set(shares[1][:above]) <= {int(100 * share) for share in own}
    least = f"explains {min(shares[1][above:])}% to"
    assert least in drawn.description(data, -1)
    assert any(word.startswith("once memorised\nepoch") for word in words) == bool(above)


def test_bands_are_the_neurons_that_follow_each_wave() -> None:
    data = reference("neuron-activations")
    scene = SCENES["neuron-activations"].with_options({"counts": True})
    at = data.sizes["field_epoch"] - 1
    with drawing_in(gv.theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(at)
    bands = figure.axes[-1].collections
    keys = frequencies.key_frequencies(data)
    ends = []
    for band in bands:
        (path,) = band.get_paths()
        points = path.vertices
        ends.append(float(np.ptp(points[points[:, 0] == points[:, 0].max(), 1])))
    clean = data["all_neuron_variance_explained"].values[-1] >= 0.85
    counts = [int((clean & (data["all_neuron_frequency"].values[-1] == k)).sum()) for k in keys]
    assert counts == [int((data["all_neuron_cluster"].values == k).sum()) for k in keys]
    np.testing.assert_allclose(ends[:5], 100 * np.array(counts) / clean.size)
    share = f"{100 * clean.mean():.0f}% of the neurons\nfollow one wave"
    assert share in [text.get_text() for text in figure.axes[-1].texts]


def test_a_run_that_never_memorised_has_its_first_moment_above() -> None:
    data = reference("neuron-activations")
    high = xr.full_like(data["logged_train_loss"], 4.0)
    scene = SCENES["neuron-activations"].with_options()
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data.assign(logged_train_loss=high)).update(5)
    words = [text.get_text() for text in figure.findobj(Text)]
    assert "epoch 0" in words
    assert not any("memorised" in word for word in words)


def test_discs_in_a_row_are_what_each_frequency_holds_of_its_neuron() -> None:
    data = reference("neuron-spectra")
    scene = SCENES["neuron-spectra"].with_options({"most": 7})
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(-1)
    neurons = scene._neurons(data)
    frequency = data["neuron_frequency"].values[neurons]
    order = np.argsort(frequency, kind="stable")
    for axes, i in zip(figure.axes, (0, -1), strict=True):
        (discs,) = axes.collections
        (x, row), sizes = np.asarray(discs.get_offsets()).T, discs.get_sizes()
        field = fields.activations(data, i)
        shares = [[_neurons.own_share(field[n], k) for k in range(1, 57)] for n in neurons[order]]
        drawn = np.zeros((7, 56))
        drawn[row.astype(int), x.astype(int) - 1] = sizes
        expected = np.where(np.array(shares) > neuron_spectra.DUST, shares, 0)
        np.testing.assert_allclose(drawn / sizes.max(), expected / expected.max(), atol=1e-4)
    # at the end the largest of each row is its own
    assert (1 + drawn.argmax(axis=1)).tolist() == frequency[order].tolist()


def test_discs_of_a_spectrum_are_shares_of_the_neurons_at_their_places() -> None:
    data = reference("neuron-spectra")
    scene = SCENES["neuron-spectra"].with_options({"plane": True})
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(-1)
    for axes, i in zip(figure.axes, (0, -1), strict=True):
        (discs,) = axes.collections
        places, sizes = discs.get_offsets(), discs.get_sizes()
        field = fields.activations(data, i)
        shares = [_neurons.shares_by_frequency(field[n]) for n in scene._neurons(data)]
        kept = [np.argwhere(share > neuron_spectra.DUST) for share in shares]
        assert sorted(map(tuple, places.tolist())) == sorted(
            tuple(map(float, place)) for at in kept for place in at
        )
        total = sum(share[share > neuron_spectra.DUST].sum() for share in shares)
        whole = sizes.max() / max(share.max() for share in shares)
        assert sizes.sum() / whole == pytest.approx(total, rel=1e-6)


def test_how_many_neurons_are_like_those_shown_is_said() -> None:
    data = reference("neuron-spectra")
    clean = int((data["all_neuron_cluster"].values > 0).sum())
    assert f"in {clean} of all 512 one ends with 85% or more" in claim("neuron-spectra", data).watch
    fewer = data["all_neuron_cluster"].where(data["all_neuron_cluster"] != 14, -1)
    told = claim("neuron-spectra", data.assign(all_neuron_cluster=fewer)).watch
    assert f"in {clean - 63} of all" in told


def test_seeds_stand_in_the_order_in_which_they_generalise() -> None:
    data = reference("seeds")
    words = SCENES["seeds"].with_options().description(data, 0)
    places = [words.index(f"seed {n}:") for n in (2, 4, 3, 1, 0)]
    assert places == sorted(places)
    learnt = data["generalised_epoch"].copy(deep=True)
    learnt[2] = -1
    words = SCENES["seeds"].with_options().description(data.assign(generalised_epoch=learnt), 0)
    assert words.index("seed 0:") < words.index("seed 2:"), "one that never does is the last"


def test_bars_begin_where_training_leans_on_a_wave() -> None:
    data, scene = reference("excluded-loss"), SCENES["excluded-loss"].with_options()
    with drawing_in(gv.theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(data.sizes["epoch"] - 1)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [f"wave {k}" for k in (14, 42, 52, 35, 41)] + ["test loss"]
    loss = data["excluded_loss_2d_by_frequency"]
    epochs, rest = data["epoch"].values, loss.drop_sel(frequency=[14, 35, 41, 42, 52]).values
    dots = [line.get_xydata()[0] for line in axes.lines if line.get_marker() == "o"]
    bars = {int(y): x for x, y in dots}
    # samples of how thick a bar is, each for so many times the loss
    scale = {t.get_text() for t in axes.texts}
    assert {"\u00d710", "\u00d71 million"} <= scale
    for row, k in enumerate(int(name[5:]) for name in names[:-1]):
        leans = (loss.sel(frequency=k).values >= 2 * rest.max(axis=1)) & (epochs >= 1400)
        assert bars[row] == epochs[leans][0]


def moved(name: str, fractions: dict[float, int]) -> xr.Dataset:
    """The sweep, had its runs on some fractions had this epoch."""
    data = reference("fraction-sweep")
    epochs, known = data[name].copy(deep=True), data["member_fraction"].values
    for fraction, epoch in fractions.items():
        epochs[int(np.flatnonzero(known == fraction)[0])] = epoch
    return data.assign({name: epochs})


def test_less_data_is_said_to_take_longer_where_most_fractions_do() -> None:
    told = claim("fraction-sweep", moved("generalised_epoch", {0.3: 150, 0.28: 150}))
    assert told.sentence == "10 of 10 training fractions generalise"
    assert not told.holds


def test_a_smaller_fraction_that_is_sooner_is_owned_to() -> None:
    told = claim("fraction-sweep", reference("fraction-sweep"))
    assert told.watch.endswith("not in strict order: 25% came before 28%")
    told = claim("fraction-sweep", moved("generalised_epoch", {0.28: 12_000, 0.4: 11_000}))
    assert told.watch.endswith("not in strict order: 30% came before 40%")
    fractions = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.28, 0.25)
    in_order = {fraction: 100 * (n + 1) for n, fraction in enumerate(fractions)}
    told = claim("fraction-sweep", moved("generalised_epoch", in_order))
    assert told.holds
    assert "order" not in told.watch


def test_memorising_is_said_to_be_as_fast_where_it_is() -> None:
    assert "memorises as fast" in claim("fraction-sweep", reference("fraction-sweep")).sentence
    told = claim("fraction-sweep", moved("memorised_epoch", {0.25: 260}))
    assert told.sentence == "With less data it generalises far later"
    assert told.holds


def test_hills_of_a_sweep_are_its_test_losses_and_end_at_their_epochs() -> None:
    data, scene = reference("fraction-sweep"), SCENES["fraction-sweep"].with_options()
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        scene.draw(figure, data).update(data.sizes["fraction"] - 1)
    (axes,) = figure.axes
    dots = [(*map(float, line.get_xydata()[0]),) for line in axes.lines if line.get_marker() == "o"]
    member = data["fraction_member"].sel(source="ours").values
    learnt = data["generalised_epoch"].values[member]
    assert dots == [(float(epoch), float(row)) for row, epoch in enumerate(learnt)]
    curve = members.losses(data, int(member[-1]))["test"]
    (hill,) = axes.collections[-2].get_paths()
    row, top = len(member) - 1, np.log10(fraction_sweep._highest(data) / 0.1)
    heights = (row - hill.vertices[1 : len(curve.x) + 1, 1]) / fraction_sweep.RISE * top
    np.testing.assert_allclose(0.1 * 10**heights, np.maximum(curve.y, 0.1), rtol=1e-4)


def test_published_losses_behind_ours_are_not_told_at_our_epochs() -> None:
    drawn = scenes(user=False)["progress-measures"].with_options({"published": True})
    data = load(None, drawn.variables())
    last = data.sizes["epoch"] - 1
    assert drawn.description(data, last).count("restricted") == 1


def test_a_hill_ends_where_its_run_generalised_between_kept_moments() -> None:
    from grokviz.scenes.modular_addition.progress import seeds

    from grokviz.scene import panels

    curve = panels.Curve.of([0, 100, 200], [9.0, 5.0, 0.01], "black")
    through = seeds._through(curve, 150)
    assert through.x.tolist() == [0, 100, 150, 200]
    assert through.y[2] == seeds.LOW
    assert seeds._through(curve, 200) is curve
