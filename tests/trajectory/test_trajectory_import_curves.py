"""Curves that loggers wrote: CSV and JSON; of event files what is said without TensorBoard."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz import cli
from grokviz.errors import InputError
from grokviz.importers.importing import ImportResult

WANDB = """"Step","me - train/loss","me - train/loss__MIN","me - train/loss__MAX","me - val/acc"
"0","4.7","4.7","4.7",""
"50","2.5","2.5","2.5","0.5"
"100","NaN","1","1","1"
"""
SEEDS = """Step,seed-0 - loss,seed/1 - loss,seed/1 - loss__MIN
0,4,5,5
10,,3,3
20,1,2,2
"""
LIGHTNING = """epoch,step,train_loss,val_loss,lr-Adam
0,49,2.5,,0.1
0,99,1.2,,0.1
0,99,,3.1,
1,149,1.0,,0.05
"""


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., ImportResult]:
    """Imports a text as a file of that name."""

    def do(text: str | bytes, name: str) -> ImportResult:
        data = text.encode() if isinstance(text, str) else text
        (tmp_path / name).write_bytes(data)
        return gv.import_run(tmp_path / name, tmp_path / "run")

    return do


def curve(result: ImportResult, name: str, run: int = 0) -> tuple[list[int], list[float]]:
    steps, values = gv.open_run(result.runs[run]).metric(name)
    return steps.tolist(), values.tolist()


def test_an_export_of_wandb_is_a_run(imported) -> None:
    result = imported(WANDB, "export.csv")
    steps, losses = curve(result, "train_loss")
    assert steps == [0, 50, 100]
    assert losses[:2] == [4.7, 2.5]
    assert math.isnan(losses[2])
    assert curve(result, "test_accuracy") == ([50, 100], [0.5, 1.0])
    run = gv.open_run(result.path)
    assert set(run.metrics) == {"train_loss", "test_accuracy"}
    assert run.facts["counts"] == "step"
    assert "train_loss train/loss: such a name is taken for it" in result.beliefs


def test_an_export_of_several_runs_is_as_many(imported) -> None:
    result = imported(SEEDS, "export.csv")
    assert [path.name for path in result.runs] == ["seed-0", "seed-1"]
    assert curve(result, "train_loss", 0) == ([0, 20], [4.0, 1.0])
    assert curve(result, "train_loss", 1) == ([0, 10, 20], [5.0, 3.0, 2.0])


def test_lightnings_table_is_a_run_with_or_without_its_folder(imported, tmp_path) -> None:
    result = imported(LIGHTNING, "metrics.csv")
    assert curve(result, "train_loss") == ([49, 99, 149], [2.5, 1.2, 1.0])
    assert curve(result, "test_loss") == ([99], [3.1])
    assert curve(result, "lr-Adam") == ([49, 99, 149], [0.1, 0.1, 0.05])
    folder = tmp_path / "version_0"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "metrics.csv").write_text(LIGHTNING)
    (folder / "labels.csv").write_text("word,meaning\na,b\n")
    for step in (50, 150):
        np.savez(folder / "checkpoints" / f"epoch=0-step={step}.npz", w=np.ones(2) * step)
    whole = gv.import_run(folder, tmp_path / "whole")
    run = gv.open_run(whole.path)
    assert list(run.epochs) == [50, 150]
    assert run.metric("test_loss")[1].tolist() == [3.1]
    assert any(belief.startswith("left out labels.csv") for belief in whole.beliefs)
    assert "test_loss val_loss: such a name is taken for it" in whole.beliefs


def test_the_only_curves_are_those_of_the_only_weights(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for name in ("checkpoints", "logs/version_0", "logs/version_1"):
        (folder / name).mkdir(parents=True)
    for step in (50, 150):
        np.savez(folder / "checkpoints" / f"step={step}.npz", w=np.ones(2) * step)
    (folder / "logs" / "version_0" / "metrics.csv").write_text(LIGHTNING)
    whole = gv.import_run(folder, tmp_path / "whole")
    assert whole.runs == (tmp_path / "whole",)
    assert gv.open_run(whole.path).metric("test_loss")[1].tolist() == [3.1]
    assert any(b.startswith("curves logs/version_0/metrics.csv") for b in whole.beliefs)
    (folder / "logs" / "version_1" / "metrics.csv").write_text(LIGHTNING)
    assert len(gv.import_run(folder, tmp_path / "three").runs) == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"step": 0, "train": {"loss": 3.0}}\n\n{"step": 5, "train": {"loss": 1.0}}\n'),
        ("b.ndjson", '{"_step": 0, "loss": 3}\n{"_step": 5, "loss": 1, "_runtime": 8.5}\n'),
        ("c.json", '[{"iteration": 0, "loss": 3}, {"iteration": 5, "training loss": 1}]'),
        ("d.json", '{"log_history": [{"step": 0, "loss": 3}, {"step": 5, "loss": 1}]}'),
        ("e.json", '{"step": [0, 5], "train_loss": [3, 1], "note": "mine"}'),
        ("f.tsv", "epoch\tLoss\n0\t3\n5\t1\n"),
        ("g.csv", "global_step;train loss\n0;3\n5.0;1\n"),
    ],
)
def test_logs_of_many_forms_are_the_same_curve(name: str, text: str, imported) -> None:
    if name == "c.json":
        text = text.replace("training loss", "loss")
    assert curve(imported(text, name), "train_loss") == ([0, 5], [3.0, 1.0])


def test_rows_without_a_step_are_counted_and_repeats_are_said(imported) -> None:
    result = imported("epoch,loss\n0.5,3\n1.0,2\n", "a.csv")
    assert curve(result, "train_loss") == ([0, 1], [3.0, 2.0])
    assert any("no column counts steps" in belief for belief in result.beliefs)


def test_of_two_values_at_one_step_the_later_is_taken(imported) -> None:
    result = imported("step,loss\n1,3\n1,2\n0,9\n", "a.csv")
    assert curve(result, "train_loss") == ([0, 1], [9.0, 2.0])
    assert any("were logged twice" in belief for belief in result.beliefs)


def test_names_that_we_call_alike_stay_apart(imported) -> None:
    result = imported("step,val_loss,eval_loss,Test_Loss\n1,3,4,5\n2,2,,\n", "a.csv")
    run = gv.open_run(result.path)
    assert len(run.metrics) == 3
    assert run.metric("test_loss")[1].tolist() == [3.0, 2.0]


def test_two_tables_of_the_same_steps_are_two_runs(tmp_path: Path) -> None:
    for name, loss in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.csv").write_text(f"step,loss\n0,{loss}\n")
    (tmp_path / "c.csv").write_text("step,val_loss\n0,7\n")
    result = gv.import_run(tmp_path, tmp_path / "runs")
    losses = [gv.open_run(path).metric("train_loss")[1].tolist() for path in result.runs]
    assert losses == [[1.0], [2.0]]
    assert [path.parent for path in result.runs] == [tmp_path / "runs"] * 2


EVENTS = "events.out.tfevents.1700000000.host.1.0"


def test_event_files_without_tensorboard_are_refused_with_the_remedy(
    imported, tmp_path, monkeypatch
) -> None:
    for name in (*filter(re.compile("tensorboard").match, list(sys.modules)), "tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"pip install 'grokviz\[tensorboard\]'"):
        imported(b"", EVENTS)
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / EVENTS).write_bytes(b"")
    with pytest.raises(InputError, match=r"pip install 'grokviz\[tensorboard\]'"):
        gv.import_run(folder, tmp_path / "alone")
    np.savez(folder / "step_3.npz", w=np.ones(2))
    beside = gv.import_run(folder, tmp_path / "beside")
    assert gv.open_run(beside.path).epochs.tolist() == [3]
    [left] = [belief for belief in beside.beliefs if belief.startswith("left out")]
    assert EVENTS in left
    assert "pip install" in left


HOSTILE: dict[str, Any] = {
    "a.csv": [b"", b"\xff\xfe\x00", b"a,b\n", b"step,loss\nx,y\n", b"a,a\n1,2\n",
              b'step,"' + b"x" * 200_000],
    "a.jsonl": [b"", b"{", b"[1]\n", b"[" * 100_000, b'{"step": 1}\n', b'"loss"'],
    "a.json": [b"", b"3", b'{"a": 1}', b"[[1]]", b"[" * 100_000, b'{"a": []}'],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "i"), [(n, i) for n, all_ in HOSTILE.items() for i in range(len(all_))]
)
def test_what_is_no_log_is_refused_in_one_sentence(name, i, tmp_path, capsys) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name][i])
    assert cli.run(["import", str(tmp_path / name), "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_numbers_beyond_float64_and_text_are_no_traceback(imported) -> None:
    text = (
        json.dumps({"step": 0, "loss": 10**400, "note": "x"}) + '\n{"step": 1, "loss": Infinity}\n'
    )
    assert curve(imported(text, "a.jsonl"), "train_loss") == ([0, 1], [math.inf, math.inf])
