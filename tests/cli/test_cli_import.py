"""``grokviz import`` as a user meets it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

pytestmark = pytest.mark.train

P, D_MODEL, HEADS, D_MLP = 5, 8, 2, 12


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    from grokviz.models.transformer import Shape, Transformer

    return Transformer(Shape(P + 1, 3, D_MODEL, HEADS, D_MLP), seed=3).state_dict()


@pytest.fixture
def model(tmp_path: Path, state) -> Path:
    """A final model with curves, whose config contradicts its optimiser."""
    group = {"lr": 1e-3, "betas": (0.9, 0.98), "weight_decay": 0.1, "params": [0]}
    data = {
        "model": state,
        "optimizer": {"state": {}, "param_groups": [group]},
        "train_losses": [2.0 - i / 100 for i in range(101)],
        "test_losses": [2.0 + i for i in range(11)],
        "config": {"weight_decay": 1, "frac_train": 0.4, "seed": 2},
    }
    torch.save(data, tmp_path / "small.pth")
    return tmp_path / "small.pth"


def test_a_file_becomes_a_run_that_every_command_knows(grokviz, model, tmp_path) -> None:
    done = grokviz("import", model)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "runs/small\n"
    assert "weight-decay 0.1" in done.stderr
    assert "config says 1" in done.stderr
    shown = grokviz("info", "runs/small", "--verify", "--json")
    assert shown.returncode == 0, shown.stderr
    facts = json.loads(shown.stdout)
    assert facts["problems"] == []
    assert (facts["epochs"], facts["checkpoints"]) == (100, 1)
    assert facts["facts"]["settings"]["weight-decay"] == 0.1
    assert facts["facts"]["imported"]["file"] == "small.pth"
    assert facts["facts"]["command"].startswith("grokviz import")


def test_the_same_file_gives_the_same_run(model, tmp_path) -> None:
    import grokviz as gv

    checksums = {
        gv.open_run(gv.import_run(model, tmp_path / name).path).checksum for name in ("a", "b")
    }
    assert len(checksums) == 1


def test_what_is_not_in_the_file_is_given(called, state, tmp_path) -> None:
    torch.save(state, tmp_path / "bare.pth")
    done = called(
        "import", "bare.pth", "--out", "run", "--set", "epoch=40", "--set", "split-seed=1",
        "--set", "train-fraction=.3",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run_json = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run_json["settings"]["split-seed"] == 1
    assert run_json["settings"]["train-fraction"] == 0.3
    assert run_json["settings"]["epochs"] == 40
    assert (tmp_path / "run" / "checkpoints" / "40.safetensors").exists()


def test_what_is_still_missing_is_said(called, state, tmp_path) -> None:
    torch.save(state, tmp_path / "bare.pth")
    done = called("import", "bare.pth", "--out", "run")
    assert "not known train-fraction, split-seed" in done.stderr
    assert called("import", "bare.pth", "--out", "other", "--quiet").stderr == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "split-sed=1"], "did you mean split-seed?"),
        (["--set", "p=7"], "contradicts the weights"),
        (["--set", "train-fraction=2"], "train-fraction=2 is not"),
        (["--set", "epoch=-1"], "epoch=-1 is not"),
        (["--set", "task=modular-additon"], "did you mean modular-addition?"),
        (["--set", "nothing"], "write --set KEY=VALUE"),
    ],
)
def test_wrong_words_are_answered_in_a_sentence(called, model, tmp_path, words, said) -> None:
    done = called("import", model, "--out", "run", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_there_is_not_touched(called, model, tmp_path) -> None:
    assert called("import", model, "--out", "run").returncode == 0
    before = (tmp_path / "run" / "run.json").read_bytes()
    done = called("import", model, "--out", "run")
    assert done.returncode == 2
    assert "already holds a run" in done.stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    assert called("import", model, "--out", "mine").returncode == 2
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "x"
    assert (tmp_path / "run" / "run.json").read_bytes() == before


def test_a_damaged_checkpoint_leaves_nothing_half_written(called, state, tmp_path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    for step in range(4):
        torch.save(state, folder / f"{step}.pth")
    torch.save({**state, "unembed.W_U": state["unembed.W_U"][:-1]}, folder / "2.pth")
    done = called("import", "saved", "--out", "run")
    assert done.returncode == 2
    assert "unembed.W_U" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved"]


def test_a_hostile_file_is_refused_and_never_run(grokviz, tmp_path) -> None:
    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch '{tmp_path}/it-ran'",)

    torch.save({"model": Hostile()}, tmp_path / "hostile.pth")
    done = grokviz("import", "hostile.pth")
    assert done.returncode == 2
    assert "posix.system" in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.pth"]


def test_a_sweep_is_a_folder_of_runs(called, tmp_path) -> None:
    torch.save([[0.95, 0.3], [[1.0, 0.5]] * 4], tmp_path / "mod_addition_sweep.pth")
    done = called("import", "mod_addition_sweep.pth", "--out", "sweep")
    assert done.stdout.split() == ["sweep/train-fraction=0.95", "sweep/train-fraction=0.3"]
    shown = called("info", "sweep/train-fraction=0.3", "--json")
    assert json.loads(shown.stdout)["facts"]["settings"]["train-fraction"] == 0.3


def test_an_imported_run_is_analysed_and_not_trained_over(called, model, tmp_path) -> None:
    import grokviz as gv

    path = gv.import_run(model, tmp_path / "run").path
    data = gv.analyze(gv.open_run(path))
    assert data["epoch"].values.tolist() == [100]
    assert np.isfinite(data["loss"].values).all()
    assert len(data["logged_test_loss"]) == 11
    done = called("train", "modular-addition", "--out", "run", "--set", "p=5")
    assert done.returncode == 2
    assert gv.open_run(path).epochs.tolist() == [100]
    assert len(gv.open_run(path).metric("train_loss")[0]) == 101
