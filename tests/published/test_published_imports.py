"""The published files, imported as a user does, measured from what the runs then say."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from measured_state import published

import grokviz as gv

FOLDER = os.environ.get("GROKVIZ_PUBLISHED_RUNS")
pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(
        FOLDER is None, reason="GROKVIZ_PUBLISHED_RUNS does not name the published runs' folder"
    ),
]

WD = "wd_10-1_mod_addition_loss_curve.pth"
ROUNDED = {"embedding_singular_values": 5e-5, "attention_mean": 5e-6}


@pytest.fixture(scope="module")
def folder() -> Path:
    assert FOLDER is not None
    pytest.importorskip("torch")
    return Path(FOLDER)


@pytest.fixture(scope="module")
def wd(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[gv.Run, tuple[str, ...]]:
    made = gv.import_run(folder / WD, tmp_path_factory.mktemp("imported") / "wd")
    return gv.open_run(made.path), made.beliefs


def test_the_model_is_an_ordinary_run(wd) -> None:
    run, _ = wd
    assert run.finished
    assert run.epochs.tolist() == [107_790]
    assert run.verify() == []
    epochs, train = run.metric("train_loss")
    tested, test = run.metric("test_loss")
    assert (len(epochs), epochs[-1], len(tested), tested[-1]) == (107_791, 107_790, 10_780, 107_790)
    assert np.diff(tested).tolist() == [10] * 10_779
    assert train[-1] == pytest.approx(9.2025e-9, rel=1e-4)
    assert test[-1] == pytest.approx(4.9915e-7, rel=1e-4)
    assert abs(int(tested[test.argmax()]) - 1550) <= 10
    assert test.max() == pytest.approx(40.4, abs=0.05)


def test_its_settings_are_those_it_was_trained_with(wd) -> None:
    run, beliefs = wd
    assert run.facts["recipe"] == run.facts["task"] == "modular-addition"
    assert run.facts["settings"] == {
        "p": 113, "d-model": 128, "d-mlp": 512, "heads": 4, "mlp-biases": True,
        "train-fraction": 0.3, "split-seed": 1, "learning-rate": 0.001, "weight-decay": 0.1,
        "betas": [0.9, 0.98], "loss-precision": "float64", "epochs": 107_790,
    }  # fmt: skip
    told = next(belief for belief in beliefs if belief.startswith("weight-decay 0.1"))
    assert "optimiser" in told
    assert "config says 1" in told
    kept = {row["what"]: row for row in run.facts["imported"]["believed"]}
    assert kept["weight-decay"]["value"] == 0.1
    assert run.facts["imported"]["file"] == WD
    assert run.facts["imported"]["config"]["config"]["weight_decay"] == 1
    assert any(b.startswith("split 0.3 of seed 1: confirmed") for b in beliefs)


def test_its_measures_are_the_published_ones(wd, folder: Path) -> None:
    from grokviz.tasks.modular_addition.data import ModularAddition

    run, _ = wd
    expected = json.loads((folder / "expected.json").read_text())[WD]
    assert expected.pop("epoch") == run.epochs[-1]
    task = ModularAddition.from_settings(run.facts["settings"])
    measured = published(run.weights(107_790), task.is_train)
    assert measured.keys() == {*expected, "excluded_loss_2d_all_frequencies"}
    for name, value in expected.items():
        found = measured[name]
        if isinstance(value, dict):
            assert found.keys() == value.keys(), name
            found, value = list(found.values()), list(value.values())
        exact = {"rtol": 0, "atol": ROUNDED[name]} if name in ROUNDED else {"rtol": 1e-6}
        np.testing.assert_allclose(found, value, err_msg=name, **exact)


@pytest.mark.slow
def test_it_can_be_analysed(wd) -> None:
    data = gv.analyze(wd[0])
    assert data["epoch"].values.tolist() == [107_790]
    assert data["loss"].sel(split="train").item() == pytest.approx(9.2024e-9, rel=1e-4)
    assert data["loss"].sel(split="test").item() == pytest.approx(4.9884e-7, rel=1e-4)
    assert len(data["logged_train_loss"]) == 107_791


@pytest.mark.slow
def test_the_split_is_found_from_the_losses_where_the_file_lost_it(folder, tmp_path) -> None:
    torch = pytest.importorskip("torch")
    saved = torch.load(folder / WD, weights_only=True, map_location="cpu")
    kept = {name: saved[name] for name in ("model", "train_losses", "test_losses")}
    torch.save(kept, tmp_path / "lost.pth")
    made = gv.import_run(tmp_path / "lost.pth", tmp_path / "run")
    settings = gv.open_run(made.path).facts["settings"]
    assert (settings["split-seed"], settings["train-fraction"]) == (1, 0.3)
    assert made.missing == ()


@pytest.mark.slow
def test_a_wrong_split_is_said_not_to_fit(folder: Path, tmp_path: Path) -> None:
    made = gv.import_run(folder / WD, tmp_path / "run", settings={"split-seed": 2})
    assert "split-seed 2: given, though the file says 1" in made.beliefs
    assert any(b.startswith("split 0.3 of seed 2: NOT confirmed") for b in made.beliefs)


def test_the_other_models_are_imported(folder: Path, tmp_path: Path) -> None:
    induction = gv.import_run(folder / "induction_head_infinite.pth", tmp_path / "induction")
    run = gv.open_run(induction.path)
    assert run.facts["task"] == "repeated-subsequence"
    assert run.epochs.tolist() == [5999]
    assert run.shapes()["attn_blocks.1.attn.W_O"] == (48, 48)
    assert run.metric("train_loss")[1].min() == pytest.approx(0.225, abs=5e-4)
    digits = gv.open_run(
        gv.import_run(folder / "5_digit_addition_infinite.pth", tmp_path / "digits").path
    )
    assert digits.facts["task"] == "digit-addition"
    assert digits.metric("train_loss")[1][-1] == pytest.approx(0.0172, abs=5e-5)


def test_loss_curves_by_token_are_imported(folder: Path, tmp_path: Path) -> None:
    name = "5_digit_addition_infinite_per_token.pth"
    run = gv.open_run(gv.import_run(folder / name, tmp_path / "tokens").path)
    assert len(run.epochs) == 0
    first = []
    for k in range(6):
        values = run.metric(f"train_loss_token_{k}")[1]
        means = np.convolve(values, np.ones(50) / 50, mode="valid")
        first.append(int(np.argmax(means < 0.3)) + 49)
    published = [213, 1539, 2028, 1912, 1756, 1673]
    assert np.abs(np.subtract(first, published)).max() <= 50


@pytest.mark.slow
def test_the_fraction_sweep_is_a_run_for_each_fraction(folder: Path, tmp_path: Path) -> None:
    made = gv.import_run(folder / "mod_addition_frac_train_sweep.pth", tmp_path / "sweep")
    first, lengths = {}, {}
    for path in made.runs:
        run = gv.open_run(path)
        fraction = run.facts["settings"]["train-fraction"]
        assert path.name == f"train-fraction={fraction:g}"
        epochs, test = run.metric("test_loss")
        first[fraction], lengths[fraction] = int(epochs[np.argmax(test < 0.1)]), len(test)
    published = {
        0.95: 157, 0.9: 222, 0.8: 252, 0.7: 222, 0.6: 440,
        0.5: 956, 0.4: 3109, 0.3: 7930, 0.28: 15037, 0.25: 21848,
    }  # fmt: skip
    assert first == published
    assert lengths[0.95] == 970
