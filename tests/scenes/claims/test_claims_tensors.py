"""The sentences of the scenes of any run's tensors, and how tensors are named and put in order."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any._spoken import spoken
from grokviz.scenes.any.path import both, walk_shares
from grokviz.scenes.any.steps import whole_cosines
from grokviz.scenes.any.weights import density, ridge
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import grokviz as gv
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene import Claim, drawing_in
from grokviz.scene.registry import scene
from grokviz.tasks.any import path as paths
from grokviz.tasks.any.steps import steps_of

LONGEST = 80
NAMES = ("tensors", "spectra", "steps", "weights", "path", "metrics")


@functools.cache
def _loaded(name: str) -> xr.Dataset:
    kind = scene(name)
    return load(None, kind.needs, default=kind.reference)


def reference(name: str) -> xr.Dataset:
    """What a scene needs of its own reference, to be changed at will."""
    return _loaded(name).copy(deep=True)


def claim(name: str, data: xr.Dataset, **options: object) -> Claim:
    return scene(name).with_options(options).claim(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_of_the_reference_holds_and_rests_on_numbers(name: str) -> None:
    own = claim(name, reference(name))
    assert own.holds
    assert len(own.sentence) <= LONGEST
    assert own.watch
    assert own.numbers
    assert np.isfinite(list(own.numbers.values())).all()


# --- what they are called ------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["embed.W_E", "blocks.0.attn.W_Q", "unembed.W_U"], ["W_E", "W_Q", "W_U"]),
        (["0.weight", "0.bias", "2.weight"], ["0.weight", "0.bias", "2.weight"]),
        (["net.fc1.weight", "net.fc2.weight"], ["fc1", "fc2"]),
        (["net.fc1.weight", "net.fc1.bias"], ["fc1", "fc1.bias"]),
        (["h.0.attn.weight", "h.1.attn.weight"], ["0.attn", "1.attn"]),
        (["a.w"], ["w"]),
        (["0.weight"], ["0.weight"]),
        (["a_very_long_name_of_a_tensor.weight"], ["a_very_lo…_a_tensor"]),
        (
            [
                *(f"bert.encoder.layer.0.attention.self.{x}.weight" for x in ("query", "key")),
                "bert.encoder.layer.0.attention.output.dense.weight",
                "bert.encoder.layer.0.output.dense.weight",
                "bert.embeddings.word_embeddings.weight",
                "bert.embeddings.position_embeddings.weight",
                "classifier.weight",
            ],
            [
                "0.attenti…elf.query",
                "0.attention.self.key",
                "0.attenti…put.dense",
                "0.output.dense",
                "word_embeddings",
                "position_embeddings",
                "classifier",
            ],
        ),
        (
            ["encoder.layers.1.linear1.weight", "decoder.layers.1.linear1.weight"],
            ["encoder.l…1.linear1", "decoder.l…1.linear1"],
        ),
    ],
)
def test_names_are_as_short_as_tells_them_apart(names: list[str], short: list[str]) -> None:
    assert tensors.short_names(names) == short


def test_tensors_are_in_the_order_of_the_model() -> None:
    ordered = [
        "transformer.wte.weight", "transformer.wpe.weight", "transformer.h.2.ln_1.weight",
        "transformer.h.2.attn.weight", "transformer.h.2.mlp.weight", "transformer.h.2.mlp.bias",
        "transformer.h.10.attn.weight", "transformer.ln_f.weight", "lm_head.weight",
    ]  # fmt: skip
    mixed = sorted(ordered)
    assert mixed != ordered
    places = tensors.model_order(mixed)
    assert {mixed[i] for i in places[:2]} == {*ordered[:2]}
    plain = ["out.weight", "conv1.weight", "conv2.weight", "attn.out.weight"]
    assert plain[tensors.model_order(plain)[-1]] == "out.weight"
    assert [mixed[i] for i in places[2:7]] == ordered[2:7]
    assert {mixed[i] for i in places[7:]} == {*ordered[7:]}
    ours = ["W_K", "W_O", "W_Q", "W_V"]
    assert [ours[i] for i in tensors.model_order(ours)] == ["W_Q", "W_K", "W_V", "W_O"]


def many(count: int) -> xr.Dataset:
    names = [f"h.{n}.{part}.{kind}" for n in range(count) for part in ("attn", "mlp")
             for kind in ("bias", "weight")]  # fmt: skip
    return xr.Dataset(coords={"parameter": names})


@pytest.mark.parametrize(("blocks", "rows"), [(2, 8), (5, 10), (9, 9), (40, 10), (24, 12)])
def test_too_many_tensors_are_parts(blocks: int, rows: int) -> None:
    data = many(blocks)
    found = tensors.rows_of(data, "*", 12)
    assert len(found.names) == len({*found.names}) == rows
    assert sorted(i for members in found.members for i in members) == list(range(4 * blocks))
    values = np.arange(8.0 * blocks).reshape(2, -1)
    together = tensors.together(values, found)
    first = np.sqrt((values[:, found.members[0]] ** 2).sum(axis=1))
    np.testing.assert_allclose(together[:, 0], first)
    np.testing.assert_allclose((together**2).sum(), (values**2).sum())


def test_neighbouring_blocks_are_one_where_all_would_be() -> None:
    found = tensors.rows_of(many(40), "*", 12)
    assert found.names[:2] == ["0–3", "4–7"]
    assert sorted(found.members[1]) == list(range(16, 32))
    named = xr.Dataset(coords={"parameter": [
        "m.wte.weight", *(f"m.h.{n}.{k}" for n in range(30) for k in "ab"), "m.head.weight",
    ]})  # fmt: skip
    names = tensors.rows_of(named, "*", 12).names
    assert names == ["wte", *(f"h.{n}–{n + 2}" for n in range(0, 30, 3)), "head"]


def test_a_pattern_chooses_tensors_and_one_that_fits_none_is_refused() -> None:
    found = tensors.rows_of(many(2), "*.attn.weight, h.1.mlp.*", 12)
    assert found.names == ["0.attn", "1.attn", "1.mlp", "1.mlp.bias"]
    for name in ("tensors", "spectra", "weights", "steps"):
        with pytest.raises(InputError, match="tensors=nothing is the name of no"):
            scene(name).with_options({"tensors": "nothing"}).draw(Figure(), reference(name))
    with pytest.raises(InputError, match="metrics=nothing is the name of no"):
        claim("metrics", reference("metrics"), metrics="nothing")


# --- just short of the threshold, and just past it -----------------------------------


@pytest.mark.parametrize(("late", "holds"), [(1.9, False), (2.1, True)])
def test_tensors_move_at_times_of_their_own(late: float, holds: bool) -> None:
    data = reference("tensors")
    epochs, sizes = data["step_epoch"].values, np.zeros(data["step_size"].shape)
    early = int(np.searchsorted(epochs, 1000))
    sizes[early] = 1.0
    sizes[early, 0] = 0.0
    sizes[int(np.searchsorted(epochs, 1000 * late)), 0] = 1.0
    data["step_size"] = (data["step_size"].dims, sizes)
    own = claim("tensors", data)
    assert own.holds == holds
    assert own.numbers["last"] / own.numbers["first"] == pytest.approx(late, rel=0.05)


def test_half_of_a_way_is_where_half_of_its_length_is_gone() -> None:
    data = reference("tensors")
    sizes, epochs = data["step_size"].values.astype(float), data["step_epoch"].values
    first = min(
        np.interp(np.nansum(one) / 2, np.cumsum(np.nan_to_num(one)), epochs) for one in sizes.T
    )
    assert claim("tensors", data).numbers["first"] == pytest.approx(first, rel=1e-6)


def test_the_first_to_be_half_way_is_the_first_ribbon() -> None:
    data = reference("tensors")
    data["step_size"] = data["step_size"][:, ::-1].drop_vars("parameter")
    figure = Figure()
    scene("tensors")().draw(figure, data)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    own = claim("tensors", data).sentence
    first, last = (spoken(name).removeprefix("the ") for name in (names[0], names[-1]))
    assert own == f"The first part half done is the {first}, the last the {last}"


@pytest.mark.parametrize(("share", "words"), [(0.45, "long before"), (0.55, "The first part")])
def test_parts_are_half_done_long_before_the_test_loss_halves(share: float, words: str) -> None:
    kind = scene("tensors")
    data = load(None, (*kind.needs, *kind.wishes), default=kind.reference).copy(deep=True)
    turn = kind().claim(data).numbers["turn"]
    epochs, sizes = data["step_epoch"].values, np.zeros(data["step_size"].shape)
    sizes[int(np.searchsorted(epochs, 0.1 * turn))] = 1.0
    sizes[:, 0] = 0.0
    sizes[int(np.searchsorted(epochs, share * turn)), 0] = 1.0
    data["step_size"] = (data["step_size"].dims, sizes)
    own = kind().claim(data)
    assert words in own.sentence
    assert ("always before the test loss halves" in own.watch) == (share > 0.5)
    # the gap is shaded from the last dot to the turn
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        kind().draw(figure, data).update(data.sizes["step_epoch"] - 1)
    (band,) = figure.axes[0].patches
    assert band.get_x() == pytest.approx(own.numbers["last"])
    assert band.get_x() + band.get_width() == pytest.approx(turn)
    assert f"test loss halved, epoch {turn:,.0f}" in {t.get_text() for t in figure.findobj(Text)}


def test_a_dot_comes_where_half_of_the_movement_is_over() -> None:
    data = reference("tensors")
    own = claim("tensors", data).numbers
    with drawing_in(gv.theme("dark", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = scene("tensors")().draw(figure, data)
    (axes,) = figure.axes
    epochs = data["step_epoch"].values
    texts = [text for text in axes.texts if text.get_text().startswith("epoch ")]
    assert {text.get_text() for text in texts} == {f"epoch {at:,.0f}" for at in own.values()}
    for i in (0, int(np.searchsorted(epochs, 600)), len(epochs) - 1):
        drawing.update(i)
        dots = [line for line in axes.lines if line.get_marker() == "o" and line.get_visible()]
        assert all(dot.get_xdata()[0] <= epochs[i] for dot in dots)
        assert sum(text.get_visible() for text in texts) == sum(
            epochs[i] >= at for at in own.values()
        )


@pytest.mark.parametrize(("share", "holds"), [(0.49, True), (0.51, False)])
def test_a_rank_falls_to_less_than_half(share: float, holds: bool) -> None:
    data = reference("spectra")
    ranks = np.ones(data["effective_rank"].shape)
    ranks[:, 0] = np.linspace(30, 30 * share, len(ranks))
    data["effective_rank"] = (data["effective_rank"].dims, ranks)
    own = claim("spectra", data)
    assert own.holds == holds
    assert own.numbers["last"] == pytest.approx(30 * share)
    assert ("outlive all others" in own.sentence) == holds
    assert ("No matrix loses half of its directions" in own.sentence) != holds


@pytest.mark.parametrize(("share", "left"), [(0.19, "One direction"), (0.21, "Two directions")])
def test_a_direction_is_left_above_a_fifth_of_the_largest(share: float, left: str) -> None:
    data = reference("spectra")
    place = [*data["parameter"].values].index("blocks.0.attn.W_Q")
    data["singular_value"].values[-1, place, 1] = share * data["singular_value"][-1, place, 0]
    assert claim("spectra", data).sentence.startswith(f"{left} of the query matrix outlive")


def test_the_matrix_of_the_sentence_is_drawn_whatever_others_do() -> None:
    data = reference("spectra")
    ranks = np.ones(data["effective_rank"].shape)
    # one gains directions by more than another loses
    ranks[-1, :2] = 50, 1
    ranks[0, 1] = 3
    data["effective_rank"] = (data["effective_rank"].dims, ranks)
    drawn = scene("spectra")()
    assert drawn._places(data) == [1]
    assert spoken(tensors.names_of(data)[1]) in drawn.claim(data).sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("W_Q", "the query matrix"), ("1.attn.W_Q", "the query matrix of layer 1"),
        ("fc1", "fc1"), ("0.weight", "0.weight"),
    ],
)  # fmt: skip
def test_tensors_of_the_published_model_are_called_by_words(name: str, words: str) -> None:
    assert spoken(name) == words


@pytest.mark.parametrize(("late", "holds"), [(1.9, False), (2.1, True)])
def test_directions_rise_in_turn(late: float, holds: bool) -> None:
    data = reference("spectra")
    clock = data["field_epoch"].values
    data["effective_rank"] = (data["effective_rank"].dims, np.ones(data["effective_rank"].shape))
    values = np.ones(data["singular_value"].shape)
    for k, risen in enumerate((1000, 1000, 1000 * late)):
        values[clock >= risen, 0, k] = 11.0
    data["singular_value"] = (data["singular_value"].dims, values)
    own = claim("spectra", data)
    assert own.holds == holds
    if holds:
        assert own.sentence.startswith("Three directions of")
        assert own.numbers["late"] / own.numbers["early"] == pytest.approx(late, rel=0.05)
        values[-1] = np.where(values[0] == values[-1], 1, 9.9)
        assert not claim("spectra", data).holds


@pytest.mark.parametrize(("share", "holds"), [(0.24, True), (0.26, False)])
def test_half_of_the_way_is_over_early(share: float, holds: bool) -> None:
    data = reference("steps")
    epochs, sizes = data["step_epoch"].values, np.full(data["step_size"].shape, 1e-9)
    sizes[0] = np.nan
    sizes[int(np.searchsorted(epochs, share * epochs[-1])), 0] = 1.0
    data["step_size"] = (data["step_size"].dims, sizes)
    own = claim("steps", data)
    assert own.holds == holds
    assert own.numbers["share"] == pytest.approx(share, abs=0.01)
    words = "cover half of their path in the first" if holds else "take"
    assert f"The weights {words} {100 * own.numbers['share']:.0f}% of training" in own.sentence


def test_strands_lead_from_time_to_the_way_that_is_gone() -> None:
    data = reference("steps")
    with drawing_in(gv.theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = scene("steps")().draw(figure, data)
    (axes,) = figure.axes
    strands = axes.collections[0]
    size = np.sqrt(np.nansum(np.square(data["step_size"].values), axis=1))
    gone, last = np.cumsum(size) / size.sum(), float(data["step_epoch"][-1])
    for i in (0, 30, data.sizes["step_epoch"] - 1):
        drawing.update(i)
        lines = strands.get_segments()
        assert len(lines) == i + 1
        assert lines[-1][0, 0] == pytest.approx(float(data["step_epoch"][i]))
        assert lines[-1][-1, 0] == pytest.approx(last * gone[i], rel=1e-4)


def entries(data: xr.Dataset, first: np.ndarray, last: np.ndarray) -> xr.Dataset:
    """All tensors with these quantiles at first, and one of them with others from the middle on."""
    values = np.broadcast_to(first, data["entry_quantile"].shape).copy()
    values[len(values) // 2 :, 0] = last
    kurtosis = np.zeros(data["entry_kurtosis"].shape)
    kurtosis[-1, 0] = 1
    return data.assign(
        entry_quantile=(data["entry_quantile"].dims, values),
        entry_kurtosis=(data["entry_kurtosis"].dims, kurtosis),
    )


@pytest.mark.parametrize(("wide", "verb"), [(1.4, ""), (1.6, "spread"), (0.6, "shrink")])
def test_entries_spread_or_shrink(wide: float, verb: str) -> None:
    data = reference("weights")
    even = np.linspace(-1, 1, data.sizes["level"]) ** 3
    own = claim("weights", entries(data, even, wide * even))
    assert own.holds == bool(verb)
    assert verb in own.sentence
    assert own.numbers["change"] == pytest.approx(wide)


@pytest.mark.parametrize(("apart", "split"), [(0.9, False), (3.0, True)])
def test_entries_split_where_few_are_between_two_peaks(apart: float, split: bool) -> None:
    data = reference("weights")
    rng = np.random.default_rng(0)
    one = rng.normal(size=4000)
    two = np.concatenate([one[:2000] - apart, one[2000:] + apart])
    levels = data["level"].values
    own = claim("weights", entries(data, np.quantile(one, levels), np.quantile(two, levels)))
    assert ("split into two groups" in own.sentence) == split
    # the tensor that changes is the one of the sentence, and the one drawn
    assert spoken(tensors.names_of(data)[0]) in own.sentence
    assert scene("weights")()._places(
        entries(data, np.quantile(one, levels), np.quantile(two, levels))
    ) == [0]
    if split:
        np.testing.assert_allclose([-own.numbers["left"], own.numbers["right"]], apart, rtol=0.15)


@pytest.mark.parametrize(("plane", "holds"), [(0.49, False), (0.51, True)])
def test_a_plane_holds_more_than_half(
    plane: float, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = reference("path")
    shares = np.full(data.sizes["path_component"], (1 - plane) / 8)
    shares[:2] = plane / 2
    data["whole_component_share"] = ("path_component", shares)
    # fewer steps, as of a walk that turns at each of them
    monkeypatch.setattr("grokviz.scenes.any.path.walk_shares", lambda data: np.array([0.2, 0.1]))
    own = claim("path", data)
    assert own.holds == holds
    assert f"{100 * plane:.0f}%" in own.sentence


@pytest.mark.parametrize(
    ("shares", "told"),
    [((0.657, 0.236), ("65.7%", "23.6%")), ((0.66, 0.24), ("66%", "24%")),
     ((0.6542, 0.2347), ("65.4%", "23.5%"))],
)  # fmt: skip
def test_shares_of_two_directions_add_up_to_that_of_the_plane(
    shares: tuple[float, float], told: tuple[str, str]
) -> None:
    data = reference("path")
    every = np.zeros(data.sizes["path_component"])
    every[:2] = shares
    data["whole_component_share"] = ("path_component", every)
    assert both(every) == told
    added = sum(float(one.rstrip("%")) for one in told)
    assert f"A plane holds {added:.0f}% of" in claim("path", data).sentence
    assert " and ".join(told) in scene("path")().description(data, 3)


def test_a_path_no_flatter_than_a_random_walk_is_not_claimed() -> None:
    data = reference("path")
    walk = float(walk_shares(data)[:2].sum())
    for above, holds in ((0.01, True), (-0.01, False)):
        shares = np.zeros(data.sizes["path_component"])
        shares[:2] = (walk + above) / 2
        own = claim("path", data.assign(whole_component_share=("path_component", shares)))
        assert own.holds == holds
        assert ("no more than of a random walk" in own.sentence) != holds


def test_what_the_losses_tell_is_marked_on_the_path() -> None:
    kind = scene("path")
    data = load(None, (*kind.needs, *kind.wishes), default=kind.reference)
    marks = {
        "memorised\n4% of training, 34% of the path",
        "test loss halved\n68% of training, 86% of the path",
    }
    for some, words in ((data, marks), (data.drop_vars(list(kind.wishes)), set[str]())):
        with drawing_in(gv.theme("light", "slide")):
            figure = Figure(figsize=(19.2, 10.8))
            kind().draw(figure, some).update(3)
        assert {text.get_text() for text in figure.findobj(Text)} & marks == words


@pytest.mark.parametrize(("share", "holds"), [(0.51, False), (0.49, True), (2.1, True)])
def test_a_metric_doubles_or_halves(share: float, holds: bool) -> None:
    data = reference("metrics")
    table = np.ones(data["logged_metric"].shape)
    table[-1, 0] = share
    data["logged_metric"] = (data["logged_metric"].dims, table)
    assert claim("metrics", data).holds == holds


@pytest.mark.parametrize(("high", "last", "peaks"), [(1.4, 0.6, 0), (1.6, 0.7, 1), (1.6, 0.9, 0)])
def test_a_metric_peaks_and_then_halves(high: float, last: float, peaks: bool) -> None:
    data = reference("metrics")
    table = np.ones(data["logged_metric"].shape)
    test = [*data["logged_name"].values].index("test_loss")
    table[len(table) // 2, test], table[-1, test] = high, last
    data["logged_metric"] = (data["logged_metric"].dims, table)
    own = claim("metrics", data)
    assert (own.sentence == f"The test loss rises to {high}, then falls") == peaks


@pytest.mark.parametrize(
    ("low", "last", "dips"), [(0.45, 0.95, 1), (0.55, 1.05, 0), (0.45, 0.8, 0)]
)
def test_a_metric_falls_and_then_doubles(low: float, last: float, dips: bool) -> None:
    data = reference("metrics")
    table = np.ones(data["logged_metric"].shape)
    test = [*data["logged_name"].values].index("test_loss")
    table[len(table) // 2, test], table[-1, test] = low, last
    data["logged_metric"] = (data["logged_metric"].dims, table)
    own = claim("metrics", data)
    assert (own.sentence == f"The test loss falls to {low}, then rises") == dips
    assert ("lowest value" in own.numbers) == dips


@pytest.mark.parametrize(("late", "holds"), [(1.45, False), (1.55, True)])
@pytest.mark.parametrize(("end", "verb"), [(0.2, ""), (3.0, " rises")])
def test_metrics_move_at_times_of_their_own(
    late: float, holds: bool, end: float, verb: str
) -> None:
    data = reference("metrics")
    table, clock = np.ones(data["logged_metric"].shape), data["metric_epoch"].values
    names = [*data["logged_name"].values]
    table[clock >= 1000, names.index("train_loss")] = 0.1
    table[clock >= 1000 * late, names.index("test_loss")] = end
    data["logged_metric"] = (data["logged_metric"].dims, table)
    own = claim("metrics", data)
    assert own.holds == holds
    kind = "highest" if end < 1 else "farthest"
    assert f"half way from the {kind} value to the last" in own.watch
    if holds:
        assert own.sentence.startswith(f"The training loss falls first, the test loss{verb} ")
        assert own.numbers["late"] - own.numbers["early"] == pytest.approx(1000 * late - 1000, 0.05)
    else:
        assert own.sentence == "What training logged moves at nearly the same time"


def test_the_first_metric_to_move_is_the_first_row() -> None:
    data = reference("metrics")
    table, clock = np.ones(data["logged_metric"].shape), data["metric_epoch"].values
    for name, at in (("train_loss", 3000), ("test_loss", 1000)):
        table[clock >= at, [*data["logged_name"].values].index(name)] = 0.1
    data["logged_metric"] = (data["logged_metric"].dims, table)
    figure = Figure(figsize=(19.2, 10.8))
    scene("metrics")().draw(figure, data)
    # of one unit they have one row
    assert [axes.get_label() for axes in figure.axes] == ["loss"]
    assert claim("metrics", data).sentence.startswith("The test loss falls first")
    # one that would be flat beside another has a row of its own
    for times, count in ((19, 1), (21, 2)):
        table[:, [*data["logged_name"].values].index("train_loss")] = times
        scene("metrics")().draw(figure := Figure(figsize=(19.2, 10.8)), data)
        assert len(figure.axes) == count
    table[clock >= 3000, [*data["logged_name"].values].index("train_loss")] = 0.1
    names = [{"train_loss": "size"}.get(str(name), name) for name in data["logged_name"].values]
    data = data.assign_coords(logged_name=np.array(names, dtype=object))
    figure = Figure(figsize=(19.2, 10.8))
    scene("metrics")().draw(figure, data)
    assert [axes.get_label() for axes in figure.axes] == ["test_loss", "size"]
    assert claim("metrics", data).watch.startswith("Each row has its own scale; dots: half way")


def test_the_owner_of_vectors_is_spelled_as_one_says_it() -> None:
    assert (tensors.owner("W_E"), tensors.owner("positions")) == ("W_E's", "positions'")


# --- what is computed to be drawn ----------------------------------------------------


def test_a_random_walk_has_the_shares_that_are_drawn_of_it() -> None:
    data = reference("path")
    steps = data.sizes["step_epoch"] - 1
    k = np.arange(1, 11)
    # the eigenvalues of sums of independent steps, less their mean
    values = 1 / np.sin(np.pi * k / (2 * (steps + 1))) ** 2
    every = 1 / np.sin(np.pi * np.arange(1, steps + 1) / (2 * (steps + 1))) ** 2
    np.testing.assert_allclose(walk_shares(data), values / every.sum(), rtol=1e-6)


def test_cosines_of_all_weights_are_made_of_those_of_the_tensors() -> None:
    rng = np.random.default_rng(0)
    parts = [np.cumsum(rng.normal(size=(6, size)), axis=0) for size in (3, 8)]
    products = [paths.step_products([part]) for part in parts]
    each = [steps_of(one) for one in products]
    whole = steps_of(sum(products))
    data = xr.Dataset(
        {
            name: (("step_epoch", "parameter"), np.stack([getattr(s, of) for s in each], axis=1))
            for name, of in (
                ("step_size", "size"), ("step_cosine", "cosine_last"),
                ("step_whole_cosine", "cosine_whole"), ("start_distance", "from_start"),
            )
        }
    )  # fmt: skip
    last, along = whole_cosines(data)
    np.testing.assert_allclose(last, whole.cosine_last)
    np.testing.assert_allclose(along, whole.cosine_whole)


def test_a_density_is_that_of_the_quantiles() -> None:
    levels = np.linspace(0, 1, 41)
    grid = np.linspace(-3, 3, 601)
    even = density(levels, np.linspace(-1, 1, 41), grid, 0.02)
    assert even[300] == pytest.approx(0.5, rel=1e-3)
    assert even[[0, 150, 450, 600]].max() < 1e-6
    assert even.sum() * 0.01 == pytest.approx(1, rel=1e-6)
    # half of the entries are equal
    half = density(levels, np.where(levels < 0.5, levels, 0.5), grid, 0.02)
    near = np.abs(grid - 0.5) < 0.1
    assert (half[near].sum() * 0.01) == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("spread", [0.003, 0.03])
def test_a_ridge_is_as_wide_as_its_entries(spread: float) -> None:
    levels = np.linspace(0, 1, 401)
    rng = np.random.default_rng(0)
    entries = np.concatenate([rng.normal(at, spread, 50_000) for at in (-0.15, 0.15)])
    grid = np.linspace(-0.5, 0.5, 960)
    mass = ridge(levels, np.quantile(entries, levels), grid)
    total = np.cumsum(mass) / mass.sum()
    low, high = np.interp([0.05, 0.95], total, grid)
    least, most = np.quantile(entries, [0.05, 0.95])
    assert high - low == pytest.approx(most - least, abs=0.3 * spread)
    inner = np.interp([0.3, 0.2], total, grid)
    assert -float(np.diff(inner)[0]) < 1.2 * (np.quantile(entries, 0.3) - np.quantile(entries, 0.2))


# --- headings ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["spectra", "weights"])
@pytest.mark.parametrize("wide", [3.3, 8.0])
def test_long_names_and_numbers_are_beside_no_other_and_on_the_page(name: str, wide: float) -> None:
    data = reference(name)
    names = [f"bert.encoder.layer.{k}.self.value.bias" for k in range(data.sizes["parameter"])]
    names[0] = "classifier.weight"
    data = data.assign_coords(parameter=np.array(names, dtype=object))
    if name == "weights":
        data["entry_quantile"] = 1e-8 * data["entry_quantile"]
    with drawing_in(gv.theme("light", "slide" if wide > 5 else "paper")):
        figure = Figure(figsize=(wide, 0.6 * wide), dpi=100)
        # a matrix alone has its name along its axis
        options = {"most": 2} if name == "spectra" else {}
        scene(name).with_options(options).draw(figure, data).update(data.sizes["field_epoch"] - 1)
        FigureCanvasAgg(figure).draw()
        for axes in figure.axes:
            texts = [text for text in axes.texts if text.get_text() and text.xy[1] == 1]
            one, other = (text.get_window_extent() for text in texts)
            beside = min(one.x1, other.x1) < max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert beside or height < one.height / 4, [text.get_text() for text in texts]
            assert max(one.x1, other.x1) <= figure.bbox.x1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "matrix",
            {"W_Q, epoch 0: 6% in one direction", "W_Q, epoch 5,600: over 99.9% in one direction"},
        ),
        ("weights", {"\u22120.055", "0.055"}),
        ("metrics", {"epoch 134", "epoch 3,750", "3,600 epochs later"}),
        ("heads", {"1.0 to look", "9.3 to write"}),
        ("spectra", {"one direction,\n460 times\nany other", "the other 63"}),
        ("grokking-curve", {" 150", "loss 0.1 ", "10,360 epochs"}),
        ("steps", {"12% of training", "epoch 675", "50%"}),
    ],
)
def test_numbers_of_the_title_stand_in_the_picture(name: str, words: set[str]) -> None:
    kind = scene(name)
    data = load(None, kind.needs, default=kind.reference)
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = kind.with_options().draw(figure, data)
        drawing.update(data.sizes[str(kind.clock)] - 1)
    seen = {text.get_text() for text in figure.findobj(Text) if text.get_visible()}
    assert words <= seen
    assert "stable" not in seen or name == "grokking-curve"


def test_heads_in_between_are_named_beside_their_own_lines() -> None:
    kind = scene("attention-drift")
    data = load(None, kind.needs, default=kind.reference)
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        kind.with_options().draw(figure, data).update(data.sizes["epoch"] - 1)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    to = data["attention_mean"].sel
    gap = (to(position="a") - to(position="b")).values
    names = [text for text in axes.texts if text.get_text().startswith("head ")]
    assert len(names) == data.sizes["head"]
    for text in names:
        x, y = text.xy
        own = gap[:, int(text.get_text().split()[1])]
        assert y == pytest.approx(float(np.interp(x, data["epoch"].values, own)), abs=1e-3)
        box, epochs = text.get_window_extent(), data["epoch"].values
        lines = [float(np.interp(x, epochs, gap[:, n])) for n in range(len(names))]
        heights = axes.transData.transform([(x, line) for line in lines])[:, 1]
        assert not any(box.y0 < at < box.y1 for at in heights), "no line runs through it"
        away = [min(abs(box.y0 - at), abs(box.y1 - at)) for at in heights]
        assert int(np.argmin(away)) == int(text.get_text().split()[1])
    # only the head that leans most is in ink
    colours = {text.get_text(): text.get_color() for text in names}
    most = f"head {np.abs(gap).max(axis=0).argmax()}"
    assert [name for name in colours if colours[name] == colours[most]] == [most]


@pytest.mark.parametrize("wide", [1.2, 1.4, 1.6, 2.4, 5.0])
def test_epoch_0_stands_apart_from_the_number_beside_it(wide: float) -> None:
    figure = Figure(figsize=(wide, 2), dpi=100)
    with drawing_in(gv.theme("light", "paper")):
        axes = figure.add_axes((0.2, 0.3, 0.75, 0.6))
        tensors.Moments.of(np.array([0, 100, 400, 5600]), log=True).frame(axes, "epoch")
        figure.draw_without_rendering()
        labels = [text for text in axes.get_xticklabels() if text.get_text()]
    assert labels[0].get_text() == "0"
    assert len(labels) > 1 or wide < 1.3
    boxes = [text.get_window_extent() for text in labels]
    apart = 0.3 * labels[0].get_fontsize() / 72 * figure.dpi
    assert all(b.x0 - a.x1 > apart for a, b in itertools.pairwise(boxes))
