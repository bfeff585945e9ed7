"""Curves that loggers wrote: CSV, JSON and TensorBoard's event files."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz import cli
from grokviz.errors import InputError
from grokviz.importers.choice import read_file
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


def varint(number: int) -> bytes:
    more = b""
    while number > 127:
        more, number = more + bytes([number & 127 | 128]), number >> 7
    return more + bytes([number])


def field(number: int, kind: int, data: bytes) -> bytes:
    length = varint(len(data)) if kind == 2 else b""
    return varint(number << 3 | kind) + length + data


def event(step: int, **scalars: float) -> bytes:
    """A record of TensorBoard: its length, then an Event, each with a checksum."""
    values = b""
    for i, (tag, scalar) in enumerate(scalars.items()):
        simple = field(2, 5, struct.pack("<f", scalar))
        tensor = field(1, 0, b"\x02") + field(4, 2, struct.pack("<d", scalar))
        content = simple if i % 2 == 0 else field(8, 2, tensor)
        values += field(1, 2, field(1, 2, tag.replace("_", "/", 1).encode()) + content)
    data = field(1, 1, struct.pack("<d", 1.5e9)) + field(2, 0, varint(step))
    data += field(5, 2, values) if scalars else field(3, 2, b"brain.Event:2")
    return struct.pack("<QI", len(data), 0) + data + bytes(4)


EVENTS = event(0) + event(0, train_loss=3.0, val_loss=4.0) + event(700, train_loss=0.5)


def test_event_files_of_tensorboard_are_a_run(imported, tmp_path: Path) -> None:
    name = "events.out.tfevents.1700000000.host.1.0"
    result = imported(EVENTS + event(900, train_loss=0.25)[:-9], name)
    assert curve(result, "train_loss") == ([0, 700], [3.0, 0.5])
    assert curve(result, "test_loss") == ([0], [4.0])
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / name).write_bytes(EVENTS)
    (folder / name.replace("17", "18")).write_bytes(event(0) + event(800, train_loss=0.125))
    whole = gv.import_run(folder, tmp_path / "whole")
    assert curve(whole, "train_loss") == ([0, 700, 800], [3.0, 0.5, 0.125])


HOSTILE: dict[str, Any] = {
    "a.csv": [b"", b"\xff\xfe\x00", b"a,b\n", b"step,loss\nx,y\n", b"a,a\n1,2\n",
              b'step,"' + b"x" * 200_000],
    "a.jsonl": [b"", b"{", b"[1]\n", b"[" * 100_000, b'{"step": 1}\n', b'"loss"'],
    "a.json": [b"", b"3", b'{"a": 1}', b"[[1]]", b"[" * 100_000, b'{"a": []}'],
    "a.tfevents.1": [b"", b"\xff" * 40, EVENTS[:30], event(0), struct.pack("<QI", 2**60, 0)],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "i"), [(n, i) for n, all_ in HOSTILE.items() for i in range(len(all_))]
)
def test_what_is_no_log_is_refused_in_one_sentence(name, i, tmp_path, capsys) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name][i])
    assert cli.run(["import", str(tmp_path / name), "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_flipped_bit_of_an_event_file_is_read_or_refused(tmp_path: Path) -> None:
    path, rng, refusals = tmp_path / "x.tfevents.1", np.random.default_rng(0), []
    for _ in range(200):
        data = bytearray(EVENTS)
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            assert read_file(path)[2][0].curves
        except InputError as error:
            refusals.append(str(error))
    assert 0 < len(refusals) < 200
    assert "\n" not in "".join(refusals)


def test_numbers_beyond_float64_and_text_are_no_traceback(imported) -> None:
    text = (
        json.dumps({"step": 0, "loss": 10**400, "note": "x"}) + '\n{"step": 1, "loss": Infinity}\n'
    )
    assert curve(imported(text, "a.jsonl"), "train_loss") == ([0, 1], [math.inf, math.inf])
