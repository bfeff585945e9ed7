"""What earlier versions wrote is opened, gone on with, analysed and drawn by this one.

Each folder beside this file is named after the version that wrote it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.dataset.references import reference as bundled
from grokviz.media import read_provenance
from grokviz.runs import layout, sweeps

KILLED: dict[str, Any] = {"epochs": [0, 2, 4, 6], "metrics": {"train_loss": 4, "test_loss": 4}}

WRITTEN = sorted(file.parent for file in Path(__file__).parent.glob("*/expected.json"))


@pytest.fixture(params=WRITTEN, ids=lambda place: place.name)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of all that a version wrote."""
    return shutil.copytree(request.param, tmp_path / "written")


@pytest.fixture
def expected(written: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((written / "expected.json").read_text("utf-8"))
    return content


def test_there_is_one_of_each_format() -> None:
    for file, newest in (("run/run.json", layout.FORMAT), ("sweep/sweep.json", sweeps.FORMAT)):
        formats = {json.loads((place / file).read_text())["format"] for place in WRITTEN}
        assert formats == set(range(1, newest + 1)), "run tests/formats/write.py"


def test_a_killed_run_with_a_journal_is_gone_on_with(tmp_path: Path) -> None:
    folder = Path(__file__).with_name(f"index-{layout.JOURNAL_FORMAT}") / "run"
    path = shutil.copytree(folder, tmp_path / "run")
    assert [file.name for file in path.glob("index.*.jsonl")]
    run = gv.open_run(path)
    assert (run.verify(), run.epochs.tolist()) == ([], KILLED["epochs"])
    assert {name: len(run.metric(name)[0]) for name in run.metrics} == KILLED["metrics"]
    assert run.weights(6)["embed.W_E"].tolist() == [[6, 7, 8], [9, 10, 11]]
    with gv.record(path, resume=True) as recorder:
        recorder.step(7, {"embed.W_E": np.zeros((2, 3), np.float32)}, train_loss=0.0)
    run = gv.open_run(path)
    assert (run.verify(), run.epochs.tolist()) == ([], [*KILLED["epochs"], 7])
    assert not list(path.glob("index.*.jsonl"))


def test_recorded_arrays_are_read_and_gone_on_with(tmp_path: Path) -> None:
    folder = Path(__file__).with_name(f"index-{layout.ARRAYS_FORMAT}") / "run"
    path = shutil.copytree(folder, tmp_path / "run")
    with gv.record(path, resume=True) as recorder:
        recorder.step(3, arrays={"other": np.zeros(4)})
    run = gv.open_run(path)
    assert (run.verify(), run.array_epochs.tolist()) == ([], [0, 1, 2, 3])
    assert run.arrays(2)["pattern"].tolist() == [[2, 2], [2, 2]]


def test_a_run_says_what_it_said(written: Path, expected: dict[str, Any]) -> None:
    run = gv.open_run(written / "run")
    assert run.verify() == []
    assert run.finished
    assert run.checksum == expected["checksum"]
    assert dict(run.facts) == expected["facts"]
    assert run.epochs.tolist() == expected["epochs"] == [0, 2, 4]
    assert set(run.metrics) == set(expected["metrics"]) == {"train_loss", "test_loss"}
    for name, (epochs, values) in expected["metrics"].items():
        found = run.metric(name)
        assert (found[0].tolist(), found[1].tolist()) == (epochs, values)
    for epoch, weights in run.iter_weights():
        told = expected["weights"][str(epoch)]
        assert weights.keys() == told.keys()
        for name, (shape, squares) in told.items():
            assert list(weights[name].shape) == shape
            assert np.square(weights[name], dtype=np.float64).sum() == pytest.approx(squares)


@pytest.mark.train
def test_a_run_goes_on(written: Path, expected: dict[str, Any]) -> None:
    pytest.importorskip("torch", reason="a run is trained with the [train] extra")
    settings = {**expected["facts"]["settings"], "epochs": 6}
    outcome = gv.train("modular-addition", written / "run", settings=settings)
    assert (outcome.epoch, outcome.interrupted) == (6, False)
    run = gv.open_run(written / "run")
    assert run.verify() == []
    assert run.epochs.tolist() == [0, 2, 4, 6]
    epochs, losses = run.metric("train_loss")
    assert epochs.tolist() == list(range(7))
    before = expected["metrics"]["train_loss"][1]
    assert losses[:4].tolist() == before[:4]
    # the epoch that it goes on from is measured again, and another processor rounds otherwise
    assert losses[4] == pytest.approx(before[4], rel=1e-6)


def test_a_run_is_analysed(written: Path, expected: dict[str, Any]) -> None:
    data = gv.analyze(written / "run")
    assert data.attrs["run_checksum"] == expected["checksum"]
    for split, name in (("train", "train_loss"), ("test", "test_loss")):
        epochs, values = expected["metrics"][name]
        logged = dict(zip(epochs, values, strict=True))
        found = data["loss"].sel(split=split)
        for epoch in (0, 2, 4):
            # logged over six classes, measured over the five that are numbers
            assert 0.7 * logged[epoch] < float(found.sel(epoch=epoch)) < logged[epoch]


def test_a_sweep_is_a_family(written: Path) -> None:
    data = gv.load(written / "sweep", ["member_train_loss", "memorised_epoch"])
    assert data["member_name"].values.tolist() == ["seed=0", "seed=1"]
    assert data["member_seed"].values.tolist() == [0, 1]
    for i in range(2):
        run = gv.open_run(written / "sweep" / f"seed={i}")
        assert run.verify() == []
        assert data["member_train_loss"].values[i][-1] == np.float32(
            run.metric("train_loss")[1][-1]
        )


def test_a_dataset_is_drawn(written: Path, expected: dict[str, Any]) -> None:
    data = gv.load(written / "dataset.nc", ["logged_train_loss", "logged_test_loss"])
    _, values = expected["metrics"]["train_loss"]
    assert data["logged_train_loss"].values.tolist() == np.float32(values).tolist()
    (path,) = gv.render("grokking-curve", data, written / "a.svg")
    assert read_provenance(path).run_checksum == expected["checksum"]


def test_a_reference_is_whole(
    written: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "folder", lambda: written)
    bundled._reference.cache_clear()
    try:
        assert "reference" in gv.references()
        info = bundled.reference_info("reference", verify=True)
        data = gv.load("reference", ["logged_train_loss", "loss"])
    finally:
        bundled._reference.cache_clear()
    assert (info["problems"], info["weights"]) == ([], [4])
    assert (info["recipe"], info["checksum"]) == ("modular-addition", expected["checksum"])
    kept = xr.load_dataset(written / "dataset.nc", engine="h5netcdf")
    np.testing.assert_array_equal(data["loss"], kept["loss"])
