"""The published run's curves behind ours: what they say, and of which runs they are drawn."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.dataset.table import table_of
from grokviz.errors import InputError
from grokviz.runs import RunWriter, open_run
from grokviz.scene import published
from grokviz.scene.registry import scenes
from grokviz.tasks.modular_addition.settings import ModularAdditionSettings

SCENES = ("grokking-curve", "progress-measures", "excluded-loss")


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    return gv.load("modular-addition")


def test_both_runs_begin_alike_and_end_alike(data: xr.Dataset) -> None:
    at, test = data["published_epoch"].values, data["published_test_loss"].values
    own = np.interp(at, data["tested_epoch"].values, data["logged_test_loss"].values)
    assert test[0] == pytest.approx(own[0], rel=5e-3)
    assert test.max() == pytest.approx(own.max(), rel=1e-2)
    assert test[-1] == pytest.approx(own[-1], rel=6e-2)
    twelve = int(np.searchsorted(at, 12_000))
    assert (round(test[twelve], 5), round(own[twelve], 7)) == (1.7e-4, 5.9e-6)
    keys = data["published_frequency"].values
    assert list(keys) == list(data["key_frequency"].values)


def test_waves_that_come_earlier_and_later_than_published(data: xr.Dataset) -> None:
    theirs = data["published_excluded_loss_by_frequency"]
    ours = data["excluded_loss_2d_by_frequency"]
    later = []
    for k in theirs["published_frequency"].values:
        rows = [theirs.sel(published_frequency=k), ours.sel(frequency=k)]
        first = []
        for row in rows:
            epochs = row[row.dims[0]].values
            first.append(epochs[(row.values > 1e-5) & (epochs > 2000)][0])
        later.append(int(first[0] - first[1]))
    assert dict(zip(theirs["published_frequency"].values.tolist(), later, strict=True)) == {
        14: 0, 35: 675, 41: 300, 42: -800, 52: -700,
    }  # fmt: skip


@pytest.mark.parametrize("name", SCENES)
def test_published_curves_are_dashed_and_said(name: str, data: xr.Dataset) -> None:
    from matplotlib.figure import Figure

    scene = scenes(user=False)[name].with_options({"published": "on"})
    assert published.WORDS in scene.claim(data).watch
    assert "neelnanda-io/Grokking" in scene.definition(data)
    figure = Figure()
    scene.draw(figure, data).update(20)
    lines = [line for axes in figure.axes for line in axes.get_lines()]
    drawn = [line for line in lines if np.array_equal(
        line.get_xdata(), data["published_epoch"].values)]  # fmt: skip
    values = [line.get_ydata() for line in drawn]
    for variable in (published.TRAIN, published.TEST):
        assert any(np.array_equal(value, data[variable].values) for value in values)
    assert all(line.get_linestyle() == "--" for line in drawn)
    plain = scenes(user=False)[name]()
    assert published.WORDS not in plain.claim(data).watch + plain.definition(data)


def test_the_published_excluded_loss_is_behind_that_without_all_waves(data: xr.Dataset) -> None:
    from matplotlib.figure import Figure

    scene = scenes(user=False)["excluded-loss"].with_options({"removed": "all", "published": "on"})
    assert "published_excluded_loss" in scene.variables()
    figure = Figure()
    scene.draw(figure, data).update(data.sizes["epoch"] - 1)
    lines = [line for axes in figure.axes for line in axes.get_lines()]
    theirs = data["published_excluded_loss"].values
    (behind,) = {line.get_color() for line in lines if np.array_equal(line.get_ydata(), theirs)}
    own = data["excluded_loss_2d_all_frequencies"].dropna("epoch")
    dots = [line for line in lines if line.get_marker() == "o" and line.get_color() == behind]
    shown = {float(line.get_xdata()[0]) for line in dots if len(line.get_xdata())}
    assert shown == {float(e) for e in own["epoch"].values if e < 20_000}
    # four checkpoints are no curve
    assert not any(
        len(line.get_xdata()) == own.size and line.get_linestyle() != "None" for line in lines
    )
    assert "test pairs included" in scene.definition(data)
    assert "what the paper's figure fits" in scene.definition(data)


ALL = "excluded_loss_2d_all_frequencies"
NO_WAVES = (
    ("progress-measures", {}, 100.0),
    ("progress-measures", {"others": "on"}, 100.0),
    ("progress-measures", {"layout": "paper"}, 1.0),
    ("progress-measures", {"show": "accuracies"}, 1.0),
    ("memorise-then-generalise", {}, 1.0),
)


@pytest.mark.parametrize(("name", "options", "share"), NO_WAVES)
def test_measures_without_all_waves_are_dots_where_they_were_taken(
    name: str, options: dict[str, str], share: float, data: xr.Dataset
) -> None:
    from matplotlib.figure import Figure

    kind = scenes(user=False)[name]
    scene = kind.with_options({**options, "removed": "all"})
    accuracies = options.get("show") == "accuracies"
    variable = ALL.replace("loss", "accuracy") if accuracies else ALL
    own = data[variable].dropna("epoch")
    values = (100.0 if accuracies else share) * own.values / (own.values.max() if share > 1 else 1)
    figure = Figure()
    scene.draw(figure, data).update(data.sizes["epoch"] - 1)
    lines = [line for axes in figure.axes for line in axes.get_lines() if line.get_marker() == "o"]
    shown = {
        (float(line.get_xdata()[0]), round(float(line.get_ydata()[0]), 3))
        for line in lines if len(line.get_xdata()) == 1
    }  # fmt: skip
    wanted = zip(own["epoch"].values.tolist(), values.tolist(), strict=True)
    assert shown >= {(float(x), round(y, 3)) for x, y in wanted if x < 20_000}
    assert "Dots: the checkpoints whose weights were kept" in scene.definition(data)
    assert "not measured" in scene.description(data, 5)
    for one in (scene, kind.with_options(options)):
        assert "test pairs included" in one.definition(data)
    assert variable in scene.variables()
    with pytest.raises(InputError, match=f"the dataset has no {variable}"):
        gv.render(name, data.drop_vars(variable), "a.png", options={**options, "removed": "all"})


def test_cosines_have_no_waves_to_leave_out() -> None:
    with pytest.raises(InputError, match="leave it out with show=cosines"):
        scenes(user=False)["progress-measures"].with_options({"show": "cosines", "removed": "all"})


def test_hills_too_say_on_which_pairs_waves_are_fitted(data: xr.Dataset) -> None:
    assert "test pairs included" in scenes(user=False)["excluded-loss"]().definition(data)


def test_many_waves_are_claimed_of_runs_that_lean_on_them(data: xr.Dataset) -> None:
    scene = scenes(user=False)["excluded-loss"].with_options({"removed": "all"})
    claim = scene.claim(data)
    assert claim.holds
    assert claim.numbers["all"] == pytest.approx(0.352, abs=1e-3)
    # a run that leans on its key waves alone from the beginning
    key = data["excluded_loss_2d"]
    same = data.assign(excluded_loss_2d_all_frequencies=key * 1.1)
    assert not scene.claim(same).holds
    assert "ends at 6.8 without all waves, 6.1 without the key ones" in scene.claim(same).sentence
    # and one that at its end too leans on others
    other = data.assign(excluded_loss_2d=key / 100)
    assert not scene.claim(other).holds


def logged(tmp_path: Path, **settings: object) -> Path:
    own = asdict(ModularAdditionSettings()) | settings
    named = {name.replace("_", "-"): value for name, value in own.items() if value is not None}
    with RunWriter.create(tmp_path / "run", {"task": "modular-addition", "settings": named}) as to:
        for epoch in (0, 100):
            to.log(epoch, train_loss=1.0, test_loss=2.0)
        to.close(finished=True)
    return tmp_path / "run"


OTHERS = (
    ("train_fraction", 0.4, "train-fraction=0.3"),
    ("loss_precision", "float32", "loss-precision=float64"),
    ("mlp_biases", False, "mlp-biases=true"),
    ("betas", (0.9, 0.999), "betas=0.9,0.98"),
    ("warm_up", 0, "warm-up=10"),
    ("optimiser", "muon", "optimiser=adamw"),
)


@pytest.mark.parametrize(("key", "value", "told"), OTHERS)
def test_a_run_with_other_settings_has_no_published_counterpart(
    key: str, value: object, told: str, tmp_path: Path
) -> None:
    run = open_run(logged(tmp_path, **{key: value}))
    lack = table_of(run).measures[published.TEST].lacking(run)
    assert lack == f"published counterpart, which has {told}"
    with pytest.raises(InputError, match=lack):
        gv.render("grokking-curve", run, tmp_path / "a.png", options={"published": "on"})


def test_a_run_with_another_seed_is_said_to_be_one(tmp_path: Path, data: xr.Dataset) -> None:
    scene = scenes(user=False)["grokking-curve"].with_options({"published": "on"})
    assert "settings, read off" in scene.definition(data)
    run = open_run(logged(tmp_path, seed=3, split_seed=3))
    told = scene.definition(gv.load(run, scene.variables()))
    assert "but with seed 0 for weights and split (here weights 3 and split 3)" in told
