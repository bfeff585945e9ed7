"""``grokviz measures`` as a user meets it, and ``gv.measures`` behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from measured_state import published

import grokviz as gv
from grokviz.cli.measures import _print_measures
from grokviz.dataset.measured import Measures
from grokviz.runs import RunWriter, open_run
from grokviz.tasks.modular_addition.data import ModularAddition

P = 11
SHAPES = {
    "embed.W_E": (8, P + 1), "pos_embed.W_pos": (3, 8),
    "blocks.0.attn.W_K": (2, 4, 8), "blocks.0.attn.W_Q": (2, 4, 8), "blocks.0.attn.W_V": (2, 4, 8),
    "blocks.0.attn.W_O": (8, 8), "blocks.0.mlp.W_in": (10, 8), "blocks.0.mlp.W_out": (8, 10),
    "unembed.W_U": (8, P + 1),
}  # fmt: skip


def weights(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    facts = {"task": "modular-addition", "settings": {"p": P, "train-fraction": 0.3}}
    with RunWriter.create(tmp_path / "run", facts) as writer:
        for i, test_loss in enumerate((4.0, 9.0, 5.0, 0.1)):
            writer.checkpoint(100 * i, weights(i))
            writer.log(100 * i, train_loss=2**-7 if i else 1.0, test_loss=test_loss)
        writer.close(finished=True)
    return tmp_path / "run"


@pytest.fixture
def train() -> np.ndarray:
    return ModularAddition(p=P, train_fraction=0.3, split_seed=0).is_train


LOGGED = {
    "train_loss": 2**-7, "smallest_train_loss": 2**-7, "test_loss": pytest.approx(0.1),
    "largest_test_loss": 9.0, "smallest_test_loss": pytest.approx(0.1), "fall_begins": 100,
    "fall_ends": 300, "memorised_epoch": 100, "generalised_epoch": None, "grok_epoch": 300,
    "spikes": [],
}  # fmt: skip


def test_the_last_checkpoint_is_measured_from_its_weights(run, train) -> None:
    found = gv.measures(run)
    assert found.pop("epoch") == 300
    own = published(weights(3), train)
    # no neuron of a random model is clean: the embedding's frequencies stand in
    assert own["key_frequencies"] == []
    assert found["key_frequencies"]
    wanted = published(weights(3), train, found["key_frequencies"])
    of_the_last = {name for name in found if name.startswith("final_")}
    assert {name: value for name, value in found.items() if name not in of_the_last} == (
        wanted | LOGGED
    )
    assert len(of_the_last) == 6


def test_earlier_epochs_keep_the_last_ones_key_frequencies(run, train) -> None:
    last = gv.measures(run)
    for epoch, chosen in ((0, 0), (140, 100), ("grok", 300), ("grok-200", 100), ("last", 300)):
        found = gv.measures(open_run(run), epoch)
        assert found["epoch"] == chosen
        assert found["key_frequencies"] == last["key_frequencies"]
        assert found["final_past_heads_loss"] == last["final_past_heads_loss"]
    first = gv.measures(run, 0)
    assert first["loss_all"] == published(weights(0), train)["loss_all"]


@pytest.mark.slow
def test_a_dataset_holds_the_same_measures(run, tmp_path) -> None:
    data = gv.analyze(run, cache=False)
    file = tmp_path / "data.nc"
    data.to_netcdf(file, engine="h5netcdf")
    for source in (data, file):
        for epoch in (0, 200):
            near(gv.measures(source, epoch), gv.measures(run, epoch))


def near(found: dict, wanted: dict) -> None:
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        ours = found[name]
        if isinstance(value, dict):
            assert list(ours) == list(value), name
            ours, value = list(ours.values()), list(value.values())
        if value is None:
            assert ours is None, name
            continue
        np.testing.assert_allclose(ours, value, rtol=2e-6, atol=1e-7, err_msg=name)


@pytest.mark.slow
def test_the_command_prints_json_and_a_table(grokviz: Callable, called: Callable, run) -> None:
    printed = grokviz("measures", run, "--epoch", "grok", "--json")
    assert printed.returncode == 0, printed.stderr
    assert json.loads(printed.stdout) == gv.measures(run, "grok")
    table = called("measures", run)
    for word in ("restricted loss all", "frequency", "attention to a", "circularity"):
        assert word in table.stdout
    assert called("measures", run, "--quiet").stdout == ""


def test_lists_and_dicts_of_any_name_are_tables(capsys: pytest.CaptureFixture[str]) -> None:
    values = {
        "epoch": 3, "total": 1.5, "several": [1, 2.5], "norm_by_bit": {"0": 1.0, "1": 2.0},
        "sign": {"0": -1, "1": None}, "nothing": {}, "through": [[1, 2], [3, 4]],
        "ragged": [[1, 2], [3]], "nested": {"u": {"p": 1}, "v": {"p": 2, "q": 3}},
        "wide": [[0] * 13],
    }  # fmt: skip
    headings = {"through": ("through, way", ["here", "there"], ["bit 0", "bit 1"])}
    _print_measures(Measures(values, headings))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:3] == [
        f"{n:<28} {v}" for n, v in (("epoch", 3), ("total", 1.5), ("several", "1 2.5"))
    ]
    assert lines[4:7] == ["bit  norm   sign", "0     1     -1", "1     2  never"]
    assert lines[8:11] == ["nested  p  q", "u  1", "v  2  3"]
    assert lines[12:15] == [
        "through, way  bit 0  bit 1",
        "here      1      2",
        "there      3      4",
    ]
    assert lines[16:19] == ["ragged  0  1", "0  1  2", "1  3"]
    assert lines[20:22] == ["wide  0", "0  0"]
    assert len(lines) == 34


def test_what_nobody_knows_is_null(called: Callable, tmp_path) -> None:
    with RunWriter.create(tmp_path / "bare", {"task": "modular-addition"}) as writer:
        writer.checkpoint(0, weights(0))
        writer.close(finished=True)
    printed = called("measures", tmp_path / "bare", "--json")
    found = json.loads(printed.stdout)
    assert found["loss_train"] is None
    assert found["loss_all"] > 0
    assert "not known" in called("measures", tmp_path / "bare").stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--epoch", "soon"], "is not an epoch"),
        (["--epoch", "301"], "outside the run"),
        (["--epoch", "-4"], "outside the run"),
    ],
)
def test_a_wrong_epoch_is_one_sentence(called: Callable, run, arguments, sentence) -> None:
    printed = called("measures", run, *arguments)
    assert printed.returncode == 2
    assert sentence in printed.stderr
    assert len(printed.stderr.strip().splitlines()) == 1


def test_models_that_are_not_the_tasks_are_refused(called: Callable, tmp_path) -> None:
    with RunWriter.create(tmp_path / "other", {"task": "skip-trigram"}) as writer:
        writer.checkpoint(0, weights(0))
        writer.close(finished=True)
    RunWriter.create(tmp_path / "empty", {"task": "skip-trigram"}).close()
    two = {**weights(0), **{k.replace(".0.", ".1."): v for k, v in weights(1).items() if "0" in k}}
    with RunWriter.create(tmp_path / "two", {"task": "modular-addition"}) as writer:
        writer.checkpoint(0, two)
        writer.close(finished=True)
    for name, sentence in (
        ("other", "embed.W_E is of size 12"), ("two", "layer"), ("no", "neither"),
        ("empty", "has neither checkpoints nor losses yet"),
    ):  # fmt: skip
        where = tmp_path / name if name != "no" else "nowhere"
        printed = called("measures", where)
        assert printed.returncode == 2, printed.stdout
        assert sentence in printed.stderr
        assert len(printed.stderr.strip().splitlines()) == 1


def test_a_run_of_an_unknown_task_has_its_losses(called: Callable, tmp_path) -> None:
    with RunWriter.create(tmp_path / "mine", {"task": "induction"}) as writer:
        for step, loss in enumerate((4.0, 2.0, 0.0625)):
            writer.checkpoint(10 * step, weights(step))
            writer.log(10 * step, train_loss=loss)
        writer.close(finished=True)
    found = json.loads(called("measures", tmp_path / "mine", "--epoch", "10", "--json").stdout)
    squares = sum(float(np.square(a, dtype=np.float64).sum()) for a in weights(1).values())
    assert found.pop("sum_squared_weights") == pytest.approx(squares, rel=1e-6)
    assert found == {
        "epoch": 10, "train_loss": 2.0, "smallest_train_loss": 0.0625, "spikes": [],
        "fall_begins": None, "fall_ends": None,
    }  # fmt: skip


def test_loss_curves_alone_are_measured(called: Callable, tmp_path) -> None:
    with RunWriter.create(tmp_path / "curves", {"task": "modular-addition"}) as writer:
        for epoch in range(500):
            test_loss = 4.0 + 4.0 * min(epoch, 100) / 100 if epoch < 300 else 2**-7
            writer.log(epoch, train_loss=4.0 if epoch < 50 else 2**-4, test_loss=test_loss)
        writer.close(finished=True)
    found = json.loads(called("measures", tmp_path / "curves", "--json").stdout)
    # a mean of 50 is exactly a tenth of the way there after 5 and 45 epochs
    assert found.pop("fall_begins") in (54, 55)
    assert found.pop("fall_ends") in (94, 95)
    assert found == {
        "epoch": 499, "train_loss": 2**-4, "smallest_train_loss": 2**-4, "test_loss": 2**-7,
        "largest_test_loss": 8.0, "smallest_test_loss": 2**-7, "memorised_epoch": 50,
        "generalised_epoch": 300, "grok_epoch": 300, "spikes": [],
    }  # fmt: skip
    grokked = gv.measures(tmp_path / "curves", "grok")
    assert abs(grokked["epoch"] - 300) <= 1
    assert "generalised epoch" in called("measures", tmp_path / "curves").stdout


@pytest.mark.slow
def test_a_dataset_needs_neither_torch_nor_weights(run, tmp_path) -> None:
    gv.analyze(run, cache=False).to_netcdf(tmp_path / "data.nc", engine="h5netcdf")
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from grokviz.cli import run\n"
        f"sys.exit(run(['measures', {str(tmp_path / 'data.nc')!r}]) or "
        f"run(['measures', {str(run)!r}, '--json']))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
