"""The sentences of the scenes of any task, of digits, induction and skip trigrams: on the data."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.any import _changes as changes
from grokviz.scenes.any import _marks, weight_norms
from grokviz.scenes.any._band_names import BandNames
from grokviz.scenes.digit_addition import digit_grokking, digit_phase_changes
from grokviz.scenes.repeated_subsequence import induction_phase_change
from matplotlib.figure import Figure
from matplotlib.text import Text

import grokviz as gv
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.media.theme import theme
from grokviz.scene import Claim, drawing_in, panels
from grokviz.scene.registry import scene
from grokviz.scene.style import noting_labels

LONGEST = 80

NAMES = (
    "digit-grokking", "digit-phase-changes", "grokking-curve", "induction-grokking",
    "induction-heads", "induction-phase-change", "log-softmax-rounding", "skip-trigram",
    "slingshots", "smooth-from-many", "straight-path", "weight-norms",
)  # fmt: skip

BOTH = ("logged_train_loss", "logged_test_loss")


@functools.cache
def _loaded(name: str) -> xr.Dataset:
    kind = scene(name)
    needs = kind.with_options().variables()
    data = load(None, needs, default=kind.reference)
    clock = [str(kind.clock)] if kind.clock in data.coords else []
    return data[[one for one in needs if one in data] + clock]


def reference(name: str) -> xr.Dataset:
    """What a scene needs of its own reference, to be changed at will."""
    return _loaded(name).copy(deep=True)


def claim(name: str, data: xr.Dataset) -> Claim:
    return scene(name).with_options().claim(data)


def changed(data: xr.Dataset, name: str, change: Callable[[np.ndarray], np.ndarray]) -> xr.Dataset:
    """The data with one variable's values passed through a function."""
    values = np.asarray(change(data[name].values.astype(float)))
    return data.assign({name: (data[name].dims, values)})


def memorised_only(data: xr.Dataset) -> xr.Dataset:
    """A run whose training loss falls while its test loss stays where it is, and no phases."""
    if "loss" in data:
        epochs = data["epoch"].values[:, None]
        values = np.where((epochs < 100) | (data["split"].values != "train"), 4.0, 1e-3)
        data["loss"] = (("epoch", "split"), values)
    else:
        data = changed(data, "logged_test_loss", lambda loss: np.full_like(loss, 20.0))
        clock = data["logged_epoch"].values
        data["logged_train_loss"] = ("logged_epoch", np.where(clock < 100, 4.0, 1e-3))
    for name in ("phase_end", "event_epoch"):
        if name in data:
            data[name] = xr.full_like(data[name], -1)
    return data


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_of_the_reference_holds_and_rests_on_numbers(name: str) -> None:
    own = claim(name, reference(name))
    assert own.holds
    assert len(own.sentence) <= LONGEST
    assert own.watch
    assert own.numbers
    assert np.isfinite(list(own.numbers.values())).all()


@pytest.mark.parametrize(
    "name", ["grokking-curve", "weight-norms", "digit-grokking", "induction-grokking"]
)
def test_a_run_that_memorised_only_is_said_to(name: str) -> None:
    own = claim(name, memorised_only(reference(name)))
    assert not own.holds
    assert own.sentence.startswith("Memorised by")
    assert "not generalised by" in own.sentence


@pytest.mark.parametrize("name", ["induction-phase-change", "skip-trigram"])
def test_a_run_on_few_examples_has_no_fall_on_fresh_data(name: str) -> None:
    few = {"induction-phase-change": "repeated-subsequence-320", "skip-trigram": "skip-trigram-50"}
    needs = scene(name).with_options().variables()
    own = claim(name, memorised_only(load(None, needs, default=few[name])))
    assert not own.holds
    assert "not generalised by" in own.sentence


# --- just short of the threshold, and just past it ---------------------------------


@pytest.mark.parametrize(("share", "holds"), [(0.49, True), (0.51, False)])
def test_the_squared_weights_fall_to_less_than_half(share: float, holds: bool) -> None:
    data = reference("weight-norms")
    ends = data["phase_end"].values
    squares = data["sum_squared_weights"]
    # a straight line from what memorising took to that share of it
    total = np.interp(data["epoch"].values, [ends[0], ends[2]], [1.0, share])
    data["sum_squared_weights"] = xr.ones_like(squares) * xr.DataArray(total, dims="epoch")
    own = claim("weight-norms", data)
    assert own.holds == holds
    assert own.numbers["end"] == pytest.approx(share * own.numbers["peak"], rel=0.02)


def test_weights_that_are_largest_at_the_start_only_shrink() -> None:
    data = reference("weight-norms")
    squares = data["sum_squared_weights"].copy(deep=True)
    squares[0] = 10 * squares.max("epoch")
    own = claim("weight-norms", data.assign(sum_squared_weights=squares))
    assert own.holds
    assert own.sentence == "The network generalises while its weights shrink to 2%"


@pytest.mark.parametrize(("times", "grows"), [(1.01, True), (0.99, False)])
def test_memorising_is_said_to_grow_the_weights_where_it_does(times: float, grows: bool) -> None:
    data = reference("weight-norms")
    squares = data["sum_squared_weights"].copy(deep=True).astype(float)
    at = int(np.searchsorted(data["epoch"].values, 150))
    squares[0] = squares[at] / (times * weight_norms.GROWN)
    own = claim("weight-norms", data.assign(sum_squared_weights=squares))
    assert own.holds
    assert own.sentence.startswith("Memorising takes large weights") is grows


def test_bands_are_stacked_to_the_sum_whose_two_ends_are_marked_once_they_are_reached() -> None:
    data, drawn = reference("weight-norms"), scene("weight-norms").with_options()
    own = claim("weight-norms", data)
    before, after = (f"{own.numbers[end]:,.0f}" for end in ("peak", "end"))
    total = data["sum_squared_weights"].sum("parameter").values
    assert before == f"{float(total.max()):,.0f}"
    assert own.watch.endswith(f"falls from {before} to {after}")
    with drawing_in(gv.theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = drawn.draw(figure, data)
        seen = []
        for epoch in (0, 2_000, 13_000):
            i = int(np.searchsorted(data["epoch"].values, epoch))
            drawing.update(i)
            texts = figure.findobj(lambda a: hasattr(a, "get_text"))
            seen.append({t.get_text().strip() for t in texts if t.get_visible()})
            tops = [c.get_paths()[0].vertices for c in figure.axes[0].collections]
            highest = max(v[v[:, 0] == v[:, 0].max(), 1].max() for v in tops)
            assert highest == pytest.approx(total[i], rel=0.02)
    assert [f"peak: {before}" in words for words in seen] == [False, True, True]
    assert [after in words for words in seen] == [False, False, True]


def test_a_name_stands_in_its_band_or_beside_the_highest() -> None:
    epochs = np.arange(11.0)
    thick = np.interp(epochs, [0, 4, 10], [4.0, 4.0, 0.2])
    edges = np.cumsum([0 * epochs, thick, 0.1 * thick, np.where(epochs < 2, 4, 0.01)], axis=0)
    with drawing_in(gv.theme("light", "slide")):
        axes = Figure(figsize=(12, 6)).add_axes((0.1, 0.1, 0.8, 0.8))
        axes.set(xlim=(0, 10), ylim=(0, 10))
        names = BandNames(axes, ["thick", "thin", "a long name at the top"], (epochs, edges))
        names.place()
    assert names.others == ["thin"]
    inside, beside = names.places["thick"], names.places["a long name at the top"]
    assert inside.tip is None
    assert 0 < inside.y < np.interp(inside.end, epochs, edges[1])
    assert beside.tip is not None
    assert beside.tip < beside.x
    assert beside.y > np.interp(beside.x, epochs, edges[-1])


@pytest.mark.parametrize(("angle", "holds"), [(44.0, True), (46.0, False)])
def test_training_turns_by_less_than_half_a_right_angle(angle: float, holds: bool) -> None:
    data = reference("straight-path")
    data = changed(data, "path_cosine", lambda c: np.full_like(c, np.cos(np.radians(angle))))
    own = claim("straight-path", data)
    assert own.holds == holds
    assert ("under" in own.sentence) == holds
    assert f"{angle + holds:.0f}°" in own.sentence


@pytest.mark.parametrize("count", [0, 1])
def test_the_second_precision_never_spikes(count: int) -> None:
    data = reference("slingshots")
    loss = data["member_train_loss"].values.copy()
    # a spike: above 0.001 after it was below 0.0001
    at = int(np.searchsorted(data["member_epoch"].values[1], 15000))
    loss[1, at : at + 3] = 0.5 if count else loss[1, at]
    data["member_train_loss"] = (data["member_train_loss"].dims, loss)
    own = claim("slingshots", data)
    assert own.holds == (count == 0)
    assert ("with 64 never" in own.sentence) == (count == 0)
    assert (f"float64: {count} spike" in own.sentence) == (count > 0)


def test_a_single_spike_is_not_said_to_come_again() -> None:
    data = reference("slingshots")
    epochs, loss = data["member_epoch"].values[0], data["member_train_loss"].values.copy()
    # it is high until it has fallen, and once more later
    loss[0] = np.where((epochs < 1000) | (np.abs(epochs - 9000) < 100), 0.5, 1e-6)
    data["member_train_loss"] = (data["member_train_loss"].dims, loss)
    own = claim("slingshots", data)
    assert own.sentence.startswith("With 32 bits the loss spikes once, with 64 never")


def test_every_spike_has_its_dot_and_each_run_its_moment_once_it_has_happened() -> None:
    data, drawn = reference("slingshots"), scene("slingshots").with_options({"rounding": True})
    with drawing_in(theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = drawn.draw(figure, data)
    losses, calm, rounding = figure.axes
    assert rounding.get_ylabel() == "rounding\nerror"
    epochs = data["epoch"].values
    counts = []
    for epoch in (1000, 5000, 20000):
        drawing.update(int(np.searchsorted(epochs, epoch, side="right")) - 1)
        dots = [line for line in losses.lines if line.get_marker() == "o" and line.get_zorder() > 4]
        tops = dots[-1].get_xydata()
        counts.append(len(tops))
        assert all(height > 1e-3 for _, height in tops)
        words = [text.get_text() for text in losses.texts]
        so_far = "" if epoch == 20000 else " so far"  # where the film ends
        assert f"32 bits: {len(tops) or 'no'} spikes{so_far}" in words
        assert f"64 bits: no spikes{so_far}" in [text.get_text() for text in calm.texts]
        for axes, at in ((losses, 9210), (calm, 9840)):
            seen = [text for text in axes.texts if text.get_text() == "generalises"]
            assert [text.get_visible() for text in seen] == [epoch >= at]
            assert seen[0].xy[0] == at
    assert counts == [0, 3, 14]


@pytest.mark.parametrize("norm", [True, False])
def test_the_last_layer_is_drawn_where_it_is_asked_for(norm: bool) -> None:
    data = reference("slingshots")
    figure = Figure(figsize=(19.2, 10.8))
    scene("slingshots").with_options({"norm": norm}).draw(figure, data)
    assert ("norm of $W_U$" in [axes.get_ylabel() for axes in figure.axes]) == norm


def test_spikes_are_counted_as_far_as_the_axes_go() -> None:
    data = reference("slingshots")
    assert claim("slingshots", data).numbers["spikes in float32"] == 14
    every = scene("slingshots").with_options({"until": None}).claim(data)
    assert every.numbers["spikes in float32"] == 38


def test_runs_from_other_starts_are_not_compared_by_precision() -> None:
    data = reference("slingshots")
    data["member_seed"] = ("member", np.array([1, 2]))
    own = claim("slingshots", data)
    assert not own.holds
    assert "The same initial weights" not in scene("slingshots").with_options().definition(data)


def test_a_run_that_never_generalises_is_counted() -> None:
    data = reference("slingshots")
    data["generalised_epoch"] = ("member", np.array([-1, 9840]))
    assert claim("slingshots", data).sentence.endswith("1 of 2 generalise")


def test_a_still_of_slingshots_ends_with_its_axes() -> None:
    data = reference("slingshots")
    drawn = scene("slingshots").with_options()
    assert data["epoch"].values[drawn.index_of(data, None)] <= 20000
    assert drawn.index_of(data, "last") == data.sizes["epoch"] - 1


@pytest.mark.parametrize(("share", "holds"), [(0.49, True), (0.51, False)])
def test_the_mean_falls_by_less_than_half_as_much(share: float, holds: bool) -> None:
    data = reference("smooth-from-many")
    alone = claim("smooth-from-many", data).numbers["alone"]
    falls = data["mean_steepest_fall"].values
    data = changed(
        data, "mean_steepest_fall", lambda _: np.array([alone, *falls[1:-1], share * alone])
    )
    assert claim("smooth-from-many", data).holds == holds


def test_the_number_of_the_first_curve_is_that_of_the_film_of_many_small_steps() -> None:
    kind = scene("many-small-steps")
    film = kind.with_options().claim(load(None, kind.needs, default=kind.reference))
    own = claim("smooth-from-many", reference("smooth-from-many"))
    assert own.numbers["alone"] == pytest.approx(film.numbers["one"])
    assert own.sentence == "One loss drops suddenly, the mean of 79 smoothly"
    assert own.watch == "the 79 losses: 74 of one digit of a sum, 5 of a whole run on fresh data"
    with drawing_in(theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        drawn = scene("smooth-from-many").with_options({"fall": True})
        drawn.draw(figure, reference("smooth-from-many"))
    words = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    assert {"one loss: 72%", "mean: 13%"} <= set(words)


def test_equal_curves_have_a_mean_as_steep() -> None:
    data = reference("smooth-from-many")
    first = data["piece_loss"].values[:1]
    data = changed(data, "piece_loss", lambda loss: np.repeat(first, len(loss), axis=0))
    steep = float(data["mean_steepest_fall"].values[0])
    data = changed(data, "mean_steepest_fall", lambda fall: np.full_like(fall, steep))
    assert not claim("smooth-from-many", data).holds


def test_float32_that_never_loses_the_loss_is_said_to() -> None:
    data = reference("log-softmax-rounding")
    single = data["precision"].values == "float32"
    table = data["log_softmax_value"]
    axis = table.get_axis_num("precision")
    where = np.expand_dims(single, tuple(set(range(table.ndim)) - {axis}))
    last = np.take(table.values, [-1], axis=table.get_axis_num("x"))
    own = claim("log-softmax-rounding", data)
    assert own.holds
    assert (
        own.watch == "Once the right answer leads by 16.64, its loss is 0; in 64 bits it is 5.9e-8"
    )
    shown = scene("log-softmax-rounding").with_options().index_of(data, None)
    assert f"leads by {data['x'].values[shown]:g}," in own.watch
    exact = np.log1p(np.exp(-own.numbers["lead"]))
    assert own.numbers["rest"] == pytest.approx(exact, rel=1e-6)
    assert (last[where & np.ones_like(last, bool)] == 0).all()
    data["log_softmax_value"] = (table.dims, np.where(where, -1e-7, table.values))
    own = claim("log-softmax-rounding", data)
    assert not own.holds
    assert own.sentence == "Up to a lead of 17.4975 float32 still returns a loss"
    last = scene("log-softmax-rounding").with_options().index_of(data.sel(x=slice(17, 18)), None)
    assert data.sel(x=slice(17, 18))["x"].values[last] == data["x"].values[-1]


@pytest.mark.parametrize(("share", "holds"), [(0.24, True), (0.26, False)])
@pytest.mark.parametrize("name", ["digit-grokking", "induction-grokking"])
def test_the_test_loss_comes_down_to_a_quarter(name: str, share: float, holds: bool) -> None:
    data = reference(name)
    clock = data["tested_epoch"].values
    end = 0.9 * clock[-1]
    loss = np.interp(clock, [0, 2000, 3000, end], [4.0, 20.0, 20.0, 20.0 * share])
    data["logged_test_loss"] = ("tested_epoch", loss)
    assert claim(name, data).holds == holds


@pytest.mark.parametrize("finds", [True, False])
def test_numbers_are_on_the_curves_where_the_title_has_them(finds: bool) -> None:
    data, kind = reference("skip-trigram"), scene("skip-trigram")
    numbers = claim("skip-trigram", data).numbers
    if not finds:
        data = changed(data, "key_attention", lambda share: 0.4 * share)
        numbers = {name: 0.4 * numbers[name] for name in ("before", "after")}
    said = {f"{100 * numbers[share]:.0f}%" for share in ("before", "after")}
    written = []
    with drawing_in(theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = kind.with_options().draw(figure, data)
        for i in (0, data.sizes[kind.clock] - 1):
            drawing.update(i)
            texts = figure.findobj(lambda artist: hasattr(artist, "get_text"))
            written.append({text.get_text() for text in texts if text.get_visible()})
    assert not written[0] & said
    assert written[1] & said == (set() if finds else said)
    (axes,) = figure.axes
    shares = [max(line.get_ydata(), default=0) for line in axes.lines if len(line.get_xdata()) > 9]
    assert len(shares) == 2
    assert axes.get_ylim()[1] >= max(shares) >= 100, "the loss begins at about 100 per cent"


def test_what_a_head_learns_on_few_sequences_is_marked_once_it_has() -> None:
    data, kind = (
        reference("induction-grokking"),
        scene("induction-grokking").with_options({"others": True}),
    )
    assert kind.claim(data).sentence == "As a head learns what to copy, the test loss comes down"
    written = []
    with drawing_in(theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        drawing = kind.draw(figure, data)
        for i in (0, data.sizes["epoch"] - 1):
            drawing.update(i)
            texts = figure.findobj(lambda artist: hasattr(artist, "get_text"))
            written.append({text.get_text() for text in texts if text.get_visible()})
        figure.draw_without_rendering()
    marks = {"memorised at step 584", "15%", "65%", "26%", "peak 13.6", "1.85"}
    assert not written[0] & marks
    assert written[1] >= marks
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["test loss", "one head", "best other"]
    row = axes.get_yticks()[1]
    strong = [line for line in axes.lines if np.array_equal(line.get_xdata(), data["epoch"].values)]
    score = data["induction_score"].values[:, 1, 0]
    unit = (row - strong[0].get_ydata()) / score
    assert np.ptp(unit) < 1e-6, "a head is as high above its row as it looks there"
    others = np.delete(data["induction_score"].values.reshape(len(score), -1), 3, axis=1)
    row = axes.get_yticks()[2]
    np.testing.assert_allclose((row - strong[1].get_ydata()) / unit[0], others.max(axis=1))
    assert len(strong) == 2


@pytest.mark.parametrize(("rise", "holds"), [(0.24, False), (0.26, True)])
@pytest.mark.parametrize("name", ["induction-grokking", "induction-phase-change"])
def test_induction_rises_with_the_change(name: str, rise: float, holds: bool) -> None:
    data = reference(name)
    epochs = data["epoch"].values
    begin, end = (600, 9000) if name == "induction-grokking" else (620, 940)
    score = np.interp(epochs, [begin, end], [0.1, 0.1 + rise])
    shape = data["induction_score"].shape
    data = changed(data, "induction_score", lambda _: np.broadcast_to(score[:, None, None], shape))
    assert claim(name, data).holds == holds


def test_drops_are_said_to_come_with_spikes_where_each_does() -> None:
    data, name = reference("induction-grokking"), "induction-grokking"
    told = "each of the 8 drops of the test loss comes with a spike of the train loss"
    kind = scene(name)
    assert kind.with_options({"spikes": True}).claim(data).watch == told
    assert claim(name, data).watch == kind.watch
    assert changes.slingshots(data, 600) == sorted(changes.slingshots(data, 600))
    epochs = data["logged_epoch"].values
    near = np.abs(epochs - changes.slingshots(data, 600)[3]) <= 100
    quiet = changed(data, "logged_train_loss", lambda loss: np.where(near, 0.02, loss))
    noisy = changed(data, "logged_train_loss", lambda loss: loss * (1 + 9 * (epochs % 3 == 0)))
    for other in (quiet, noisy):
        assert "drops" not in kind.with_options({"spikes": True}).claim(other).watch
        assert changes.slingshots(other, 600) == []


@pytest.mark.parametrize(("spikes", "panels_drawn"), [(False, 1), (True, 3)])
def test_the_line_of_memorising_goes_through_all_panels(spikes: bool, panels_drawn: int) -> None:
    data = reference("induction-grokking")
    figure = Figure(figsize=(19.2, 10.8))
    with drawing_in(theme("light", "slide")):
        scene("induction-grokking").with_options({"spikes": spikes}).draw(figure, data)
    assert len(figure.axes) == panels_drawn
    for axes in figure.axes:
        across = [line for line in axes.lines if list(line.get_xdata()) == [584, 584]]
        assert len(across) == 1


@pytest.mark.parametrize("together", [True, False])
def test_heads_that_learn_it_alike_stand_on_one_row(together: bool) -> None:
    data = reference("induction-phase-change")
    kind = scene("induction-phase-change").with_options({"together": together})
    with drawing_in(theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        kind.draw(figure, data).update(data.sizes["epoch"] - 1)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    each = [f"head 1.{n}" for n in range(4)]
    assert names == ["loss", *(["four heads"] if together else each), "best other"]
    row, moment = axes.get_yticks()[1], kind.moments(data)[1]
    scores = data["induction_score"].values[:, 1].astype(float)
    rise = induction_phase_change.RISES * (induction_phase_change.TALL if together else 1)
    drawn = [np.asarray(line.get_ydata()) for line in axes.lines if len(line.get_ydata()) > 50]
    for head in range(4 if together else 1):
        assert any(
            len(y) == len(scores) and np.allclose(row - y, rise * scores[:, head]) for y in drawn
        )
    shares = [float(np.interp(moment, data["epoch"].values, scores[:, n])) for n in range(4)]
    written = [text.get_text() for text in axes.texts]
    assert (f"{min(shares):.0%}"[:-1] + f"\u2013{max(shares):.0%}" in written) is together


def test_a_loss_that_does_not_fall_is_not_said_to() -> None:
    data = reference("induction-phase-change")
    data = changed(data, "logged_train_loss", lambda loss: np.full_like(loss, 4.0))
    assert not claim("induction-phase-change", data).holds
    data["event_epoch"] = xr.full_like(data["event_epoch"], -1)
    own = claim("induction-phase-change", data)
    assert own.sentence == "The loss on fresh data goes from 4 to 4"


@pytest.mark.parametrize(
    ("first", "last", "verb"),
    [(0.01, 0.24, "hardly looks"), (0.01, 0.26, "learns to look"), (0.26, 0.3, "looks")],
)
def test_a_head_is_said_to_learn_what_it_did_not_do_at_first(
    first: float, last: float, verb: str
) -> None:
    data = reference("induction-heads")
    pattern = np.full(data["attention_pattern"].shape, last / 1.5)
    pattern[0] = first / 1.5  # over the later copies, one and two earlier ones are looked at
    data["attention_pattern"] = (data["attention_pattern"].dims, pattern)
    own = claim("induction-heads", data)
    assert own.holds == (verb == "learns to look")
    if own.holds:
        assert own.sentence == scene("induction-heads").title
        return
    past = f"from {100 * first:.0f}% to {100 * last:.0f}%"
    assert own.sentence.startswith(f"Head 1.1 {verb} at what followed a copy")
    assert own.sentence.endswith(past)


def test_the_percentage_of_the_claim_is_the_one_over_the_still() -> None:
    kind, data = scene("induction-heads").with_options(), reference("induction-heads")
    said = kind.description(data, kind.index_of(data, None))
    share = f"{100 * claim('induction-heads', data).numbers['last']:.0f}%"
    assert f"Head 1.1 gives {share} to the tokens that followed" in said


def test_squares_are_where_a_copy_looks_at_an_earlier_one_at_first_and_now() -> None:
    kind, data = scene("induction-heads").with_options(), reference("induction-heads")
    source = data["shown_source"].values
    (later,) = np.nonzero(source >= 0)
    copies = np.split(later, np.flatnonzero(np.diff(later) > 1) + 1)
    at = list(data["shown_head"].values).index("induction")
    pattern = data["attention_pattern"].values[:, at].astype(float)
    i, keys = kind.index_of(data, None), source[copies[0]]  # both look at the first copy alone
    assert pattern[i, copies[0], keys].mean() > pattern[i, copies[1], keys].mean()
    # the example is where the head looks most
    most = int(pattern[i, copies[0], keys].argmax())
    tokens = data["shown_token"].values
    from_token, to_token = tokens[copies[0][most]], tokens[keys[most]]
    assert f"at {from_token} the head looks at {to_token}, which" in kind.claim(data).watch
    figure = close_up(data, i)
    squares = figure.axes[:2]
    words = {text.get_text() for text in figure.findobj(Text)}
    assert "looks from copy 2" in words
    rows = copies[0]
    for axes, moment in zip(squares, (0, i), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), pattern[moment])
        assert axes.get_xticklabels()[0].get_text() == f"looks at {to_token} in copy 1"
        assert axes.get_yticklabels()[0].get_text() == str(from_token)
        frame, cell = axes.patches
        assert cell.get_xy() == (keys[most] - 0.5, copies[0][most] - 0.5)
        (x, y), wide, high = frame.get_xy(), frame.get_width(), frame.get_height()
        # from corner to corner: the last token of a copy looks one past that copy
        assert (x, y) == (keys[0] - 0.5, rows[0] - 0.5)
        assert wide == high == len(rows) + 1
        assert f"{pattern[moment, rows, keys].mean():.0%} on the diagonal" in words
        step = int(data["field_epoch"].values[moment])
        assert f"head 1.1 at step {step:,}" in words


def test_the_clearest_copies_are_shown() -> None:
    kind, data = scene("induction-heads").with_options(), reference("induction-heads")
    source = data["shown_source"].values
    (later,) = np.nonzero(source >= 0)
    second, third = np.split(later, np.flatnonzero(np.diff(later) > 1) + 1)

    def look(pattern: np.ndarray) -> np.ndarray:
        turned = 0 * pattern
        turned[1:, :, third, second + 1] = 1
        return turned

    data = changed(data, "attention_pattern", look)
    figure = close_up(data, kind.index_of(data, None))
    for axes in figure.axes[:2]:
        assert axes.get_xticklabels()[0].get_text().endswith("in copy 2")
    assert "looks from copy 3" in {text.get_text() for text in figure.findobj(Text)}
    data["shown_source"] = xr.full_like(data["shown_source"], -1)
    assert "in a frame" in claim("induction-heads", data).watch
    assert claim("induction-heads", data).numbers["last"] == pytest.approx(0.68, abs=5e-3)


def close_up(data: xr.Dataset, i: int) -> Figure:
    kind = scene("induction-heads").with_options()
    with drawing_in(theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        kind.draw(figure, data).update(i)
    return figure


@pytest.mark.parametrize(
    ("rise", "words"),
    [(0.24, "tells goes"), (0.26, "tells rises"), (0.49, "tells rises"), (0.51, "finds")],
)
def test_attention_turns_to_the_key_token(rise: float, words: str) -> None:
    data = reference("skip-trigram")
    attention = np.interp(data["epoch"].values, [130, 220], [0.1, 0.1 + rise])
    data["key_attention"] = ("epoch", attention)
    own = claim("skip-trigram", data)
    assert words in own.sentence
    assert own.holds == (words == "finds")


def stairs(steps: list[int | None]) -> xr.Dataset:
    """Losses of the digits that fall from 2 to 0 at these steps, never for None."""
    data = reference("digit-phase-changes")
    clock = data["logged_epoch"].values[:, None]
    at = np.array([9999 if step is None else step for step in steps])
    data["token_train_loss"] = (data["token_train_loss"].dims, np.where(clock < at, 2.0, 0.0))
    return data


@pytest.mark.parametrize(
    ("steps", "holds", "sentence"),
    [
        (
            [300, 600, 900, 1200, 1500, 1590],
            True,
            "The digits of a sum are learned one after another",
        ),
        ([300, 600, 900, 1200, 1500, 1550], False, "All 6 digits are learned, some together, "),
        ([300, 600, 900, 1200, 1500, None], False, "5 of 6 digits are learned, between steps "),
        ([None] * 6, False, "No digit's loss comes down to half by step 3,000"),
    ],
)
def test_digits_are_learned_one_by_one(steps: list[int | None], holds: bool, sentence: str) -> None:
    own = claim("digit-phase-changes", stairs(steps))
    assert own.holds == holds
    assert own.sentence.startswith(sentence)


def test_hills_of_digits_stand_in_the_order_in_which_they_drop() -> None:
    data, kind = reference("digit-phase-changes"), scene("digit-phase-changes").with_options()
    with drawing_in(theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        kind.draw(figure, data).update(data.sizes["epoch"] - 1)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    steps = digit_phase_changes.drops(data)
    names = changes.digit_names(data)
    order = sorted(steps, key=lambda k: steps[k][0])
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["mean", *(names[k] for k in order)]
    dots = [line.get_xydata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert [x for x, _ in dots] == [steps[k][0] for k in order]
    # a dot is as high above its row as the loss there, on one scale
    heights = [row + 1 - y for row, (_, y) in enumerate(dots)]
    losses = [steps[k][1] for k in order]
    assert np.ptp(np.array(heights) / np.array(losses)) < 1e-9


def test_the_number_of_few_sums_is_where_the_line_ends() -> None:
    data, digits = (
        reference("digit-grokking"),
        scene("digit-grokking").with_options({"digits": True}),
    )
    own = digits.claim(data)
    assert "the ones come down for good first" in own.watch
    assert own.watch.endswith("the hundreds last")
    assert "digits" not in claim("digit-grokking", data).watch, "they are spoken of where drawn"
    early = data["tested_epoch"].values <= 9500
    data["token_test_loss"] = data["token_test_loss"].where(early[:, None], 1.0)
    assert "first" not in digits.claim(data).watch
    assert own.numbers["last"] == pytest.approx(0.187, abs=1e-3)


def test_spikes_of_few_sums_are_counted_where_both_losses_rise() -> None:
    data = reference("digit-grokking")
    told = "At 29 spikes the training loss jumps and both losses rise"
    assert told in scene("digit-grokking").with_options().description(data, 5)
    smooth = np.sort(data["logged_test_loss"].values)[::-1]
    data["logged_test_loss"] = ("tested_epoch", smooth)
    assert changes.jumps(data, 860) == 0


def test_what_is_shaded_is_the_gap_between_both_losses_up_to_the_moment() -> None:
    data = reference("digit-grokking")
    with drawing_in(theme("light", "slide"), ghost=False):
        figure = Figure(figsize=(19.2, 10.8))
        scene("digit-grokking").with_options().draw(figure, data).update(40)
    (ground,) = figure.axes[0].collections
    x = data["tested_epoch"].values[:41]
    train = np.interp(x, data["logged_epoch"].values, data["logged_train_loss"].values)
    both = np.concatenate([train, data["logged_test_loss"].values[:41]])
    corners = ground.get_paths()[0].vertices
    assert corners[:, 0].max() == x[-1]
    assert corners[:, 1].min() == pytest.approx(both.min())
    assert corners[:, 1].max() == pytest.approx(both.max())


def test_losses_below_that_of_a_guess_have_no_line_of_it() -> None:
    for scale, drawn in ((1.0, True), (0.5, False)):
        data = reference("digit-grokking")
        for split in ("train", "test"):
            data[f"logged_{split}_loss"] = scale * data[f"logged_{split}_loss"]
        with drawing_in(theme("light", "slide")):
            figure = Figure(figsize=(19.2, 10.8))
            scene("digit-grokking").with_options().draw(figure, data)
        (axes,) = figure.axes
        assert ("guessing: 2.3" in [text.get_text() for text in axes.texts]) is drawn


def test_digits_on_few_sums_may_be_memorised() -> None:
    needs = scene("digit-phase-changes").with_options().variables()
    own = claim("digit-phase-changes", load(None, needs, default="digit-addition-small-500"))
    assert not own.holds
    assert own.sentence == "Memorised by step 860; not generalised by step 10,000"


@pytest.mark.parametrize(
    "name",
    ["grokking-curve", "digit-grokking", "induction-grokking", "induction-phase-change",
     "skip-trigram"],
)  # fmt: skip
def test_without_a_loss_there_is_nothing_to_draw(name: str) -> None:
    data = reference(name)
    for loss in BOTH:
        data = changed(data, loss, lambda values: np.full_like(values, np.nan))
    with pytest.raises(InputError, match="none that is a number"):
        scene(name).check(data)


@pytest.mark.parametrize("name", ["weight-norms", "induction-grokking", "skip-trigram"])
def test_one_checkpoint_has_no_change_to_draw(name: str) -> None:
    with pytest.raises(InputError, match="there is only one"):
        scene(name).check(reference(name).isel(epoch=[-1]))


def test_weights_that_take_no_step_have_no_turn() -> None:
    data = changed(reference("straight-path"), "path_cosine", lambda c: np.full_like(c, np.nan))
    with pytest.raises(InputError, match="take no two steps"):
        scene("straight-path").check(data)


def test_a_number_stands_where_no_curve_passes_and_nearest_its_own_dot() -> None:
    with drawing_in(gv.theme("light", "slide")):
        axes = Figure(figsize=(8, 4)).add_axes((0.1, 0.1, 0.8, 0.8))
        axes.set(xlim=(0, 10), ylim=(0, 10))
        free, falling = _marks.Mark(5, 5, "0.17", "red"), panels.Curve.of([5, 6], [5, 0], "red")
        across = panels.Curve.of([5, 10], [5, 6], "red")
        assert _marks.clear(axes, [free], []) == [free]
        (moved,) = _marks.clear(axes, [free], [falling, across])
        assert (moved.ha, moved.lift) == ("right", 0.8)
        one, two = _marks.clear(axes, [free, free._replace(x=5.1)], [])
        assert (one.ha, two.ha) == ("right", "left")


def test_a_name_stands_on_its_own_curve_or_not_at_all() -> None:
    level = {name: panels.Curve.of([0, 10], [y, y], "red") for name, y in (("a", 2), ("b", 7))}
    with drawing_in(gv.theme("light", "slide")):
        axes = Figure(figsize=(8, 4)).add_axes((0.1, 0.1, 0.8, 0.8))
        axes.set(xlim=(0, 10), ylim=(0, 10))
        names = _marks.OnCurves(axes, level, level.values(), ())
        assert not names.others
        for text in names.moving:
            apart = {name: abs(text.get_position()[1] - c.y[0]) for name, c in level.items()}
            assert min(apart, key=lambda name: apart[name]) == text.get_text()
        comb = panels.Curve.of(np.linspace(0, 10, 200), np.tile([0.0, 10.0], 100), "red")
        assert _marks.OnCurves(axes, level, [*level.values(), comb], ()).others == ["a", "b"]


@pytest.mark.parametrize(("colours", "count"), [("all", 6), ("ends", 3), ("only", 2)])
def test_hills_of_few_sums_are_its_losses_in_their_order(colours: str, count: int) -> None:
    data = reference("digit-grokking")
    kind = scene("digit-grokking").with_options({"colours": colours, "digits": True})
    with drawing_in(theme("light", "slide")):
        figure = Figure(figsize=(19.2, 10.8))
        kind.draw(figure, data).update(data.sizes["tested_epoch"] - 1)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    labels = axes.get_yticklabels()
    names = [label.get_text() for label in labels]
    assert names[:2] == ["train", "test"]
    # without their colours the others are all of one grey
    assert len({label.get_color() for label in labels[2:]}) == count
    low = digit_grokking._low(data)
    digits = changes.digit_names(data)
    steps = [low[digits.index(name)] for name in names[2:]]
    assert len(steps) == (2 if colours == "only" else 6)
    said = kind.claim(data).watch
    assert colours != "only" or all(name in said for name in names[2:])
    assert steps == sorted(steps)
    written = {text.get_text() for text in axes.texts}
    assert {"memorised at step 860", *(f"{step:,}" for step in steps)} <= written
    rows = axes.get_yticks()
    hills = [line for line in axes.lines if line.get_color() == labels[1].get_color()]
    test = data["logged_test_loss"].values
    heights = rows[1] - np.asarray(hills[-1].get_ydata())
    top = max(test.max(), data["logged_train_loss"].values.max())
    np.testing.assert_allclose(heights, digit_grokking.HIGH * test / top, rtol=1e-6)


@pytest.mark.parametrize("name", ["digit-grokking", "induction-grokking"])
def test_a_last_loss_has_its_number_where_a_legend_has_the_names(name: str) -> None:
    data, kind = reference(name), scene(name)
    with drawing_in(theme("light", "slide")), noting_labels() as labels:
        figure = Figure(figsize=(19.2, 10.8))
        options = {"digits": "off"} if name == "digit-grokking" else {}
        drawing = kind.with_options(options).draw(figure, data)
        for label in labels:
            label.leave_out()
        drawing.update(data.sizes[kind.clock] - 1)
        figure.draw_without_rendering()
    last = "0.19" if name == "digit-grokking" else "1.85"
    assert last in [text.get_text() for text in figure.axes[0].texts]


def test_pictures_of_sequences_say_on_how_many_the_loss_was_measured() -> None:
    for name, words in (("induction-grokking", "640"), ("digit-grokking", "1,024")):
        kind = scene(name)
        data = gv.load(kind.reference, kind.needs)
        told = f"The test loss is of {words} fresh sequences."
        assert told in kind.with_options().definition(data)
        assert told not in kind.with_options().definition(data.assign_attrs(settings="{}"))
    kind = scene("induction-grokking")
    data = gv.load(kind.reference, kind.needs)
    assert "the few fresh sequences" in kind.with_options().description(data, 3)
    now = kind.with_options().description(data.assign(held_out_sequences=2048), 3)
    assert "the loss on 2,048 fresh sequences is" in now
