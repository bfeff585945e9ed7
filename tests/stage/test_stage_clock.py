"""Which checkpoint is meant, and which one each frame shows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from grokviz.dataset.numerics.curves import PHASES
from grokviz.dataset.references.reference import reference
from grokviz.errors import InputError
from grokviz.scene import clock
from grokviz.scene.phases import shade_phases


def at(data: Any, wanted: str | int | None) -> int:
    return int(data["epoch"].values[clock.index_of(data, "epoch", wanted)])


@pytest.mark.parametrize(
    ("wanted", "epoch"),
    [
        (None, 2000), ("last", 2000), (" last ", 2000), ("0", 0), (0, 0), ("700", 700),
        ("+700", 700), (649, 600), (651, 700), ("2000", 2000), ("grok", 1200), ("grok-500", 700),
        ("grok+300", 1500), ("grok-3000", 0), ("grok+9999", 2000), ("grok-0", 1200),
    ],
)  # fmt: skip
def test_the_nearest_checkpoint_is_meant(data: Any, wanted: Any, epoch: int) -> None:
    assert at(data, wanted) == epoch


@pytest.mark.parametrize(
    "wanted", ["", "lats", "grok3000", "grok-", "1.5", "1e3", "grok-3k", "first", "--5", "5 6", "x"]
)
def test_what_is_no_epoch_is_refused_with_examples(data: Any, wanted: str) -> None:
    with pytest.raises(InputError, match="is not an epoch; write a number, last, grok, grok-3000"):
        at(data, wanted)


@pytest.mark.parametrize("wanted", ["-1", "2001", 99999])
def test_an_epoch_outside_the_run_is_refused_with_its_ends(data: Any, wanted: Any) -> None:
    with pytest.raises(InputError, match="outside the run; give a number from 0 to 2000"):
        at(data, wanted)


@pytest.mark.parametrize("wanted", ["grok", "grok-3000"])
def test_a_run_that_did_not_grok_says_so(make_data: Any, wanted: str) -> None:
    data = make_data(np.linspace(5, 20, 21))
    assert clock.grok_epoch(data) is None
    assert clock.phase_ends(data) is None
    with pytest.raises(InputError, match="did not grok: its test loss did not come down"):
        at(data, wanted)


def test_grokking_is_found_in_the_logged_loss_where_no_other_is(data: Any) -> None:
    without = data.drop_vars("loss")
    assert clock.grok_epoch(without) == clock.grok_epoch(data) == 1200
    assert clock.grok_epoch(without.drop_vars("phase_end")) == 1200
    assert clock.grok_epoch(without.drop_vars(["phase_end", "logged_test_loss"])) is None


def test_what_was_logged_says_it_before_what_was_measured(data: Any) -> None:
    data = data.drop_vars("phase_end")
    level = data.assign(loss=data["loss"] * 0 + 1)
    assert clock.grok_epoch(level) == 1200
    assert clock.grok_epoch(level.isel(tested_epoch=[])) is None
    measured = data.isel(tested_epoch=[])
    assert clock.grok_epoch(measured) is None, "its training loss is low only later"
    memorised = measured["loss"].where(measured["split"] != "train", 0.01)
    assert clock.grok_epoch(measured.assign(loss=memorised)) == 1200
    assert clock.has_test_loss(measured)
    assert not clock.has_test_loss(measured.drop_vars("loss"))


def test_the_reference_groks_where_its_loss_says() -> None:
    data = reference()
    found = clock.grok_epoch(data)
    epochs, loss = data["epoch"].values, data["loss"].sel(split="test").values
    later = epochs > epochs[loss.argmax()]
    # the losses were logged every ten epochs, and measured every 25 here
    assert found == pytest.approx(epochs[later & (loss < loss.max() / 2)][0], abs=10)


@pytest.mark.parametrize(
    ("span", "kept"),
    [
        (None, (0, 2000, 21)), (":", (0, 2000, 21)), ("300:", (300, 2000, 18)),
        (":300", (0, 300, 4)), ("250:650", (300, 600, 4)), ("0:2000:500", (0, 2000, 5)),
        ("::200", (0, 2000, 11)), ("300:900:300", (300, 900, 3)), ("500:500", (500, 500, 1)),
    ],
)  # fmt: skip
def test_a_span_keeps_its_checkpoints(data: Any, span: str | None, kept: Any) -> None:
    values = clock.select(data, "epoch", span)["epoch"].values
    assert (values[0], values[-1], len(values)) == kept


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ("500", "is not a range; write A:B or A:B:STEP"), ("a:b", "is not a range"),
        ("1:2:3:4", "is not a range"), ("0:9:0", "has a step below 1"),
        ("0:9:-100", "has a step below 1"), ("900:300", "shows no moment of this run"),
        ("5000:6000", "epochs go from 0 to 2000"), ("10:20", "shows no moment"),
    ],
)  # fmt: skip
def test_a_wrong_span_is_refused(data: Any, span: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        clock.select(data, "epoch", span)


clocks = st.lists(st.integers(0, 50_000), min_size=1, max_size=80, unique=True).map(sorted)


@given(values=clocks, frames=st.integers(2, 300), data=st.data())
def test_a_film_runs_forward_from_the_first_to_the_last(
    values: Any, frames: int, data: Any
) -> None:
    held = data.draw(st.integers(0, frames - 2))
    ends = data.draw(
        st.none() | st.lists(st.integers(0, 50_000), min_size=3, max_size=3, unique=True)
    )
    array = np.array(values)
    index = clock.schedule(array, frames, held, () if ends is None else sorted(ends))
    assert index.shape == (frames,)
    assert (np.diff(index) >= 0).all()
    assert index[0] == 0
    assert (index[frames - held - 1 :] == len(values) - 1).all()
    assert set(index.tolist()) <= set(range(len(values)))


def test_a_clock_is_called_what_the_run_counted(data: Any) -> None:
    assert clock.word(data) == clock.word(data, "field_epoch") == "epoch"
    steps = data.assign_attrs(counts="step")
    assert clock.word(steps) == clock.word(steps, "logged_epoch") == "step"
    assert clock.word(steps, "fraction") == "fraction"
    with pytest.raises(InputError, match="its steps go from 0 to 2000"):
        clock.select(steps, "epoch", "9000:9100")


@pytest.mark.parametrize(("cleaned", "phases"), [(1700, 4), (1850, 3), (2000, 3)])
def test_the_last_records_of_a_fall_are_no_stable_phase(
    data: Any, cleaned: int, phases: int
) -> None:
    data["phase_end"] = ("phase", [400, 1200, cleaned])
    edges = clock.phase_edges(data)
    assert edges == [0, 400, 1200, *([cleaned] if phases == 4 else []), 2000]
    axes = Figure(figsize=(8, 4)).add_subplot()
    axes.set_xlim(0, 2000)
    shades = shade_phases(axes, data, names=True)
    assert len(shades.spans) == phases
    names = [text.get_text().replace("\n", " ") for _, text in shades.names]
    assert names == list(PHASES[:phases])
    assert shades.spans[-1].get_x() + shades.spans[-1].get_width() == 2000


def test_a_frame_shows_the_last_checkpoint_up_to_its_moment() -> None:
    values = np.array([0, 10, 40, 100])
    index = clock.schedule(values, 11, 0)  # at 0, 10, 20, ... 100
    assert values[index].tolist() == [0, 10, 10, 10, 40, 40, 40, 40, 40, 40, 100]


def test_phases_share_the_time() -> None:
    values = np.arange(0, 20_001, 10)
    ends = np.array([1400, 8400, 10_000])
    shown = values[clock.schedule(values, 1000, 0, ends)]
    edges = [-1, *ends, 20_000]
    parts = [np.mean((shown > a) & (shown <= b)) for a, b in pairwise(edges)]
    assert parts == pytest.approx(clock.SHARES, abs=0.01)


def test_a_span_that_ends_early_keeps_the_tempo_of_its_phases() -> None:
    ends = np.array([1400, 8400, 10_000])
    values = np.arange(0, 8401, 10)
    shown = values[clock.schedule(values, 1000, 0, ends)]
    first, second = clock.SHARES[:2]
    assert np.mean(shown <= 1400) == pytest.approx(first / (first + second), abs=0.01)


def test_one_frame_shows_the_start_and_one_checkpoint_is_a_film() -> None:
    assert clock.schedule(np.array([0, 5, 9]), 1, 0).tolist() == [0]
    assert clock.schedule(np.array([7]), 5, 2).tolist() == [0] * 5


# --- clocks that do not count training ---------------------------------------------


def along(clock_name: str, values: Any) -> Any:
    import xarray as xr

    return xr.Dataset(coords={clock_name: np.asarray(values)})


FRACTIONS = [0.95, 0.9, 0.6, 0.3, 0.25]


@pytest.mark.parametrize(
    ("wanted", "value"), [("0.3", 0.3), ("last", 0.25), (None, 0.25), (0.88, 0.9)]
)
def test_a_clock_may_run_down(wanted: Any, value: float) -> None:
    assert FRACTIONS[clock.index_of(along("fraction", FRACTIONS), "fraction", wanted)] == value


@pytest.mark.parametrize("wanted", ["0.2", "1", "grok", "nan", "half"])
def test_it_takes_numbers_of_its_own(wanted: str) -> None:
    with pytest.raises(InputError, match=r"moves along fraction; give a number from 0.25 to 0.95"):
        clock.index_of(along("fraction", FRACTIONS), "fraction", wanted)


@pytest.mark.parametrize(
    ("span", "kept"),
    [
        (":", FRACTIONS),
        ("0.9:0.3", [0.9, 0.6, 0.3]),
        ("0.3:0.9", [0.9, 0.6, 0.3]),
        ("0.6:", [0.6, 0.3, 0.25]),
    ],
)
def test_a_span_of_it_is_between_two_values(span: str, kept: Any) -> None:
    data = along("fraction", FRACTIONS)
    assert clock.select(data, "fraction", span)["fraction"].values.tolist() == kept


@pytest.mark.parametrize("span", ["a:b", "0.3", "0.1:0.2", "0.3:0.9:0.1"])
def test_a_span_that_shows_nothing_is_refused(span: str) -> None:
    with pytest.raises(InputError, match="--epochs"):
        clock.select(along("fraction", FRACTIONS), "fraction", span)


COMMA = "\u2007\u2007\u2005\u2007\u2007"
"""Spaces as wide as 40,00."""


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("fraction", FRACTIONS, ["fraction 95%", "fraction 90%", "fraction 25%"]),
        ("x", [15.0, 15.0025, 16.5], ["x 15.0000", "x 15.0025", "x 16.5000"]),
        ("count", [1, 2, 12], ["\u2007mean of 1", "\u2007mean of 2", "mean of 12"]),
        ("epoch", [0, 500, 40000], [f"{COMMA}epoch 0", f"{COMMA[:-2]}epoch 500", "epoch 40,000"]),
    ],
)
def test_a_moment_is_written_equally_wide(name: str, values: Any, said: list[str]) -> None:
    data = along(name, values)
    written = [clock.moment(data, name, i) for i in (0, 1, len(values) - 1)]
    assert written == said
    assert len({*map(len, written)}) == 1


def test_film_time_is_shared_as_the_clock_wants() -> None:
    fractions = clock.schedule(clock.pace(np.array(FRACTIONS), "fraction"), 100, 20)
    assert np.bincount(fractions).tolist() == [20, 20, 20, 19, 21]
    counts = clock.schedule(clock.pace(np.arange(1, 65), "count"), 121, 1)
    shown = np.bincount(counts)
    assert np.argmax(counts >= 7) == 60, "the first eight have half of the time"
    assert shown[0] > shown[1] > shown[3] > shown[10] > 0


@pytest.mark.parametrize(("epochs", "grokked"), [([900, 20, -1], 20), ([-1, -1], None)])
def test_of_many_runs_the_first_to_generalise_is_meant(epochs: Any, grokked: int | None) -> None:
    import xarray as xr

    runs = {"generalised_epoch": ("member", np.array(epochs))}
    data = xr.Dataset(runs, coords={"epoch": np.arange(0, 31)})
    assert clock.grok_epoch(data) == grokked
