"""The sentences of the scenes of any run's tensors, and how tensors are named and put in order."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.any import _tensors as tensors
from grokviz.scenes.any.path import walk_shares
from grokviz.scenes.any.steps import whole_cosines
from grokviz.scenes.any.weights import density
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
def test_a_sentence_of_the_reference_holds_and_has_a_number(name: str) -> None:
    own = claim(name, reference(name))
    assert own.holds
    assert len(own.sentence) <= LONGEST
    assert any(letter.isdigit() for letter in own.sentence)
    assert own.watch
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
    assert own.startswith(f"{names[0]} moves first, {names[-1]} last")


@pytest.mark.parametrize(("share", "holds"), [(0.49, True), (0.51, False)])
def test_a_rank_falls_to_less_than_half(share: float, holds: bool) -> None:
    data = reference("spectra")
    ranks = np.ones(data["effective_rank"].shape)
    ranks[:, 0] = np.linspace(30, 30 * share, len(ranks))
    data["effective_rank"] = (data["effective_rank"].dims, ranks)
    own = claim("spectra", data)
    assert own.holds == holds
    assert f"{30 * share:.3g}" in own.sentence


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
        assert own.sentence.startswith("3 directions of")
        assert own.numbers["late"] / own.numbers["early"] == pytest.approx(late, rel=0.05)
        values[-1] = np.where(values[0] == values[-1], 1, 9.9)
        assert not claim("spectra", data).holds


@pytest.mark.parametrize(("share", "holds"), [(0.49, True), (0.51, False)])
def test_steps_become_less_than_half_as_large(share: float, holds: bool) -> None:
    data = reference("steps")
    sizes = np.ones(data["step_size"].shape)
    sizes[0], sizes[len(sizes) // 2 :] = np.nan, share
    data["step_size"] = (data["step_size"].dims, sizes)
    own = claim("steps", data)
    assert own.holds == holds
    assert ("Steps shrink 2-fold" in own.sentence) == holds
    assert ("Steps do not shrink: their length per epoch is" in own.sentence) != holds


@pytest.mark.parametrize(("cosine", "angle"), [(-0.5, 120), (0.0, 90), (0.5, 60)])
@pytest.mark.parametrize(("last", "grows"), [(1.09, False), (1.11, True)])
def test_how_far_the_last_steps_turn_is_said(
    cosine: float, angle: int, last: float, grows: bool
) -> None:
    data = reference("steps")
    size, whole = (data[name].values.astype(float) for name in ("step_size", "step_whole_cosine"))
    # of one tensor, whose cosines are those of all weights
    size[:, 1:], data["start_distance"].values[:, 1:] = 0, 0
    size[:, 0] = 0.1
    size[0], size[1, 0], size[-1, 0], whole[-1, 0] = np.nan, 1.0, 0.1 * last, cosine
    data["step_size"] = (data["step_size"].dims, size)
    data["step_whole_cosine"] = (data["step_whole_cosine"].dims, whole)
    own = claim("steps", data)
    again = ", then grow" if grows else ""
    assert own.sentence.startswith(f"Steps shrink 10-fold{again}; the last are")
    assert own.sentence.endswith(f"at {angle}\u00b0 to the whole way")
    assert own.numbers["angle"] == pytest.approx(angle, abs=0.1)


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
    assert own.numbers["last"] == pytest.approx(wide * own.numbers["first"])


@pytest.mark.parametrize(("apart", "split"), [(0.9, False), (3.0, True)])
def test_entries_split_where_few_are_between_two_peaks(apart: float, split: bool) -> None:
    data = reference("weights")
    rng = np.random.default_rng(0)
    one = rng.normal(size=4000)
    two = np.concatenate([one[:2000] - apart, one[2000:] + apart])
    levels = data["level"].values
    own = claim("weights", entries(data, np.quantile(one, levels), np.quantile(two, levels)))
    assert ("split into two groups" in own.sentence) == split
    if split:
        np.testing.assert_allclose([-own.numbers["left"], own.numbers["right"]], apart, rtol=0.15)


@pytest.mark.parametrize(("plane", "holds"), [(0.49, False), (0.51, True)])
def test_two_directions_hold_more_than_half(plane: float, holds: bool) -> None:
    data = reference("path")
    shares = np.full(data.sizes["path_component"], (1 - plane) / 8)
    shares[:2] = plane / 2
    data["whole_component_share"] = ("path_component", shares)
    own = claim("path", data)
    assert own.holds == holds
    assert f"{100 * plane:.0f}%" in own.sentence


@pytest.mark.parametrize(("share", "holds"), [(0.51, False), (0.49, True), (2.1, True)])
def test_a_metric_doubles_or_halves(share: float, holds: bool) -> None:
    data = reference("metrics")
    table = np.ones(data["logged_metric"].shape)
    table[-1, 0] = share
    data["logged_metric"] = (data["logged_metric"].dims, table)
    assert claim("metrics", data).holds == holds


@pytest.mark.parametrize(("high", "last", "peaks"), [(1.4, 0.2, 0), (1.6, 0.7, 1), (1.6, 0.9, 0)])
def test_a_metric_peaks_and_then_halves(high: float, last: float, peaks: bool) -> None:
    data = reference("metrics")
    table = np.ones(data["logged_metric"].shape)
    test = [*data["logged_name"].values].index("test_loss")
    table[len(table) // 2, test], table[-1, test] = high, last
    data["logged_metric"] = (data["logged_metric"].dims, table)
    own = claim("metrics", data)
    assert (f"peaks at {high}, then falls to {last}" in own.sentence) == peaks
    assert own.holds == (peaks or last < 0.5)


@pytest.mark.parametrize(("low", "last", "dips"), [(0.45, 0.95, 1), (0.55, 1.2, 0), (0.45, 0.8, 0)])
def test_a_metric_falls_and_then_doubles(low: float, last: float, dips: bool) -> None:
    data = reference("metrics")
    table = np.ones(data["logged_metric"].shape)
    test = [*data["logged_name"].values].index("test_loss")
    table[len(table) // 2, test], table[-1, test] = low, last
    data["logged_metric"] = (data["logged_metric"].dims, table)
    own = claim("metrics", data)
    assert (f"falls to {low}, then rises to {last}" in own.sentence) == dips
    assert own.holds == dips
    assert ("lowest value" in own.numbers) == dips


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
        scene(name).with_options({}).draw(figure, data).update(data.sizes["field_epoch"] - 1)
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
            {"W_Q, epoch 0: 6% in one direction", "W_Q, epoch 5,600: 100% in one direction"},
        ),
        ("weights", {"\u22120.055", "0.055"}),
        ("grokking-curve", {" 150", "loss 0.1 ", "10,360 epochs"}),
        ("steps", {"circuit formation", "0.21", "0.0067", "31-fold", "\u22120.06: 93\u00b0"}),
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


def test_heads_in_between_are_named_on_their_own_lines() -> None:
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
    on_lines = 0
    for text in names:
        x, y = text.xy
        own = gap[:, int(text.get_text().split()[1])]
        assert y == pytest.approx(float(np.interp(x, data["epoch"].values, own)), abs=1e-3)
        box, at = text.get_window_extent(), axes.transData.transform((x, y))[1]
        on_lines += bool(box.y0 < at < box.y1)
    assert on_lines == len(names) - 2
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
