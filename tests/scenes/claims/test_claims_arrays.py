"""The sentences of recorded arrays, and how each is drawn by its shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.any import _array_views as views
from grokviz.scenes.any import _recorded as recorded
from matplotlib.figure import Figure

import grokviz as gv
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene.about import about
from grokviz.scene.registry import scene

ARRAYS = scene("arrays")


def data_of(place: Path, arrays: dict[str, np.ndarray], epochs: Any = None) -> xr.Dataset:
    """The dataset of a run that recorded these arrays, whose first dimension is time."""
    count = len(next(iter(arrays.values())))
    with gv.record(place / "run", overwrite=True) as run:
        for step, epoch in enumerate(range(count) if epochs is None else epochs):
            run.step(epoch, arrays={name: values[step] for name, values in arrays.items()})
    return gv.load(place / "run", ARRAYS.needs)


def claim(data: xr.Dataset, **options: Any) -> Any:
    return ARRAYS.with_options(options).claim(data)


def test_the_sentence_of_the_reference_holds() -> None:
    data = load(None, ARRAYS.needs, default=ARRAYS.reference)
    own = claim(data)
    assert own.holds
    assert own.sentence == "The five features settle into a pentagon by step 204"
    assert own.watch.startswith("From step 204 (rings) on, all five together stay within 10% of")
    every = claim(data, most=3)
    assert every.sentence == "Dot products, features and lengths settled by step 222"
    place = data["recorded_array"].values.tolist().index("features")
    entries = data["array_entry"].values[:, place, :10].astype(float)
    apart = np.linalg.norm(entries - entries[-1], axis=1) / np.linalg.norm(entries[-1])
    at = data["array_epoch"].values.tolist().index(own.numbers["near"])
    assert apart[at - 1] > 0.1
    assert (apart[at:] <= 0.1).all()


def test_the_footer_is_what_the_run_says_of_itself() -> None:
    data = gv.load("recorded-features", ("array_entry",))
    assert about(data) == "toy model of superposition: five features in two directions"
    data.attrs["settings"] = "{}"
    assert about(data) == "recorded-features"


def test_what_comes_late_or_never_was_away_is_not_claimed(tmp_path: Path) -> None:
    late = np.ones((10, 3)) * np.array([0.0] * 7 + [1.0] * 3)[:, None]
    own = claim(data_of(tmp_path, {"late": late}))
    assert not own.holds
    assert own.sentence == "Late settled only by epoch 7"
    still = np.ones((10, 3)) + 0.01 * np.arange(10)[:, None]
    own = claim(data_of(tmp_path, {"still": still}))
    assert not own.holds
    assert own.sentence == "Still stayed within 8% of the last form at every epoch"


@pytest.mark.parametrize(
    ("shape", "count", "formed"),
    [("corners", 5, True), ("always", 5, False), ("dented", 5, False), ("corners", 7, False)],
)
def test_rows_that_become_the_corners_of_a_polygon(
    shape: str, count: int, formed: bool, tmp_path: Path
) -> None:
    turns = 2 * np.pi * np.arange(count) / count
    last = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    if shape == "dented":
        last[0] *= 0.2
    first = last.copy() if shape == "always" else last * np.linspace(0.1, 1, count)[:, None]
    first[0] *= 1.0 if shape == "always" else 0.0
    share = np.minimum(np.arange(11) / 4, 1)[:, None, None]
    data = data_of(tmp_path, {"row": (1 - share) * 0.1 * first + share * last})
    own = claim(data)
    assert own.holds
    assert own.sentence.startswith("The five rows of row settle into a pentagon") == formed
    assert (views.corners(last) is None) == (shape == "dented")


def test_of_several_arrays_the_last_one_to_take_its_form_is_spoken_of(tmp_path: Path) -> None:
    forms = {
        name: np.ones((10, 3)) * (np.arange(10) >= since)[:, None]
        for name, since in (("first", 2), ("second", 4))
    }
    own = claim(data_of(tmp_path / "both", forms), most=2)
    assert own.holds
    assert own.sentence == "First and second settled by epoch 4"
    forms["second"] = np.ones((10, 3)) + 0.01 * np.arange(10)[:, None]  # it was never away
    own = claim(data_of(tmp_path / "one", forms), most=2)
    assert own.sentence == "First settled by epoch 2"


def test_an_array_of_one_moment_and_one_that_ends_at_0(tmp_path: Path) -> None:
    assert claim(data_of(tmp_path, {"a": np.ones((1, 3))})).sentence == (
        "A was recorded at epoch 0 alone"
    )
    gone = np.ones((4, 3)) * np.array([3.0, 2, 1, 0])[:, None]
    assert claim(data_of(tmp_path, {"gone": gone})).sentence == "Gone is 0 at epoch 3, its last"


@pytest.mark.parametrize(
    ("shape", "kind"),
    [((), "curves"), ((5,), "curves"), ((4, 3), "heatmap"), ((4, 2), "scatter"),
     ((2, 2), "heatmap"), ((3, 1), "curves"), ((2, 4, 3), "heatmap"), ((2, 2, 4, 2), "scatter")],
)  # fmt: skip
def test_an_array_is_drawn_by_its_shape(shape: tuple[int, ...], kind: str, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(3, *shape))
    data = data_of(tmp_path, {"a": values})
    (one,) = recorded.recorded(data, "*", "")
    assert one.kind == kind
    part = values[(slice(None), *(0,) * max(len(shape) - 2, 0))]
    np.testing.assert_allclose(one.values, part, rtol=1e-6)
    assert one.name == "a" + {3: "[0]", 4: "[0,0]"}.get(len(shape), "")
    ARRAYS().draw(Figure((8, 5)), data).update(1)


def test_a_part_of_more_dimensions_is_chosen(tmp_path: Path) -> None:
    values = np.arange(3 * 2 * 4 * 3 * 5.0).reshape(3, 2, 4, 3, 5)
    data = data_of(tmp_path, {"a": values})
    (one,) = recorded.recorded(data, "a", "1,-1")
    assert one.name == "a[1,3]"
    np.testing.assert_array_equal(one.values, values[:, 1, 3])
    for part, words in (
        ("1,4", "dimension 1 of a has 4 places; give a number from 0 to 3"),
        ("0,0,0", "is of 3 dimensions, and a has 4, of which the last two are drawn; give 2"),
        ("x", "no index; give whole numbers"),
    ):
        with pytest.raises(InputError, match=words):
            recorded.recorded(data, "a", part)
    with pytest.raises(InputError, match="array=b is the name of no recorded array"):
        recorded.recorded(data, "b", "")
    with pytest.raises(InputError, match="no array of three rows or more and two columns"):
        claim(data, show="scatter")


def test_a_heatmap_leaves_empty_what_is_no_number_and_a_curve_shows_it_now(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(3, 4, 4))
    values[1, 2, 3] = np.nan
    (one,) = recorded.recorded(data_of(tmp_path, {"a": values}), "*", "")
    axes = Figure().add_subplot()
    drawing = views.heatmap(axes, one)
    drawing.update(1)
    (image,) = axes.images
    assert np.ma.getmaskarray(image.get_array()).nonzero() == ([2], [3])
    assert image.get_clim()[1] == pytest.approx(np.nanmax(np.abs(values)), rel=1e-6)
    long = data_of(tmp_path, {"a": np.arange(90.0).reshape(3, 30)})
    (one,) = recorded.recorded(long, "*", "")
    axes = Figure().add_subplot()
    views.curves(axes, long, one, 12).update(1)
    np.testing.assert_array_equal(axes.lines[-1].get_ydata(), np.arange(30.0, 60.0))


def test_how_much_of_a_large_array_is_drawn_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grokviz.tasks.any.measures import arrays as measures

    monkeypatch.setattr(measures, "ENTRIES", 100)
    monkeypatch.setattr(measures, "FEWEST", 100)
    data = data_of(tmp_path, {"a": np.random.default_rng(0).normal(size=(2, 40, 40))})
    assert "a (40 by 40) at 10 by 10 evenly spread places" in ARRAYS().caption(data)
    assert recorded.recorded(data, "*", "")[0].counted(0, "rows") == "10 of 40 rows"
