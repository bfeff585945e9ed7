"""Callbacks of other libraries: their hooks in the order in which the libraries call them.

With the libraries themselves where they are installed, else with stand-ins for their classes.
"""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError


class Hooks:
    """The base class of either library's callbacks."""


def stand_in(monkeypatch: pytest.MonkeyPatch, library: str, name: str, ours: str) -> Any:
    """Our callback over a stand-in for a library's class."""
    for part in (library.split(".")[0], library):
        module = types.ModuleType(part)
        setattr(module, name, Hooks)
        monkeypatch.setitem(sys.modules, part, module)
    monkeypatch.delitem(sys.modules, ours, raising=False)
    record = importlib.import_module(ours).Record
    del sys.modules[ours]  # for good: with the library itself it is another one
    return record


def weights(step: int) -> dict[str, np.ndarray]:
    return {"module.w": np.full((2, 3), step, np.float32)}


def test_a_trainer_records_its_steps_and_its_log(tmp_path, monkeypatch) -> None:
    record = stand_in(monkeypatch, "transformers", "TrainerCallback", "grokviz.callbacks.trainer")
    state = types.SimpleNamespace(global_step=0, is_world_process_zero=True)

    def train(first: int, last: int, at_end: bool) -> None:
        callback = record(tmp_path / "run", when=2, lr=0.1)
        state.global_step = first
        callback.on_train_begin(None, state, None, model=weights(first))
        for step in range(first + 1, last):
            state.global_step = step
            callback.on_step_end(None, state, None, model=weights(step))
            if step % 2 == 0:
                callback.on_log(None, state, None, logs={"loss": 1 / step, "epoch": 0.5})
                callback.on_log(None, state, None, logs={"eval_loss": 2.0, "eval_runtime": 3.0})
        if at_end:
            callback.on_log(None, state, None, logs={"train_loss": 9.0, "train_runtime": 1.0})
            callback.on_train_end(None, state, None)
        else:
            callback._recording.end(RuntimeError("killed"))

    train(0, 5, at_end=False)
    assert not gv.open_run(tmp_path / "run").finished
    train(4, 8, at_end=True)
    run = gv.open_run(tmp_path / "run")
    assert run.finished
    assert run.epochs.tolist() == [0, 2, 4, 6]
    assert run.weights(6)["w"][0, 0] == 6
    assert run.metrics == ["test_loss", "train_loss"]
    assert run.metric("train_loss")[0].tolist() == [2, 6]
    assert run.facts["settings"] == {"counts": "step", "lr": 0.1}


def test_lightning_records_its_steps_and_each_value_once(tmp_path, monkeypatch) -> None:
    record = stand_in(monkeypatch, "lightning.pytorch", "Callback", "grokviz.callbacks.lightning")
    trainer = types.SimpleNamespace(
        global_step=0, is_global_zero=True, sanity_checking=True, logged_metrics={},
        callback_metrics={"val_loss": np.float32(8)},
    )  # fmt: skip
    callback = record(tmp_path / "run", when=[0, 3])
    callback.on_validation_end(trainer, weights(0))
    trainer.sanity_checking = False
    callback.on_train_start(trainer, weights(0))
    for batch in range(8):
        trainer.global_step = 1 + batch // 2  # gradients of two batches make a step
        trainer.logged_metrics = {**trainer.logged_metrics, "train_loss": np.float32(batch)}
        callback.on_train_batch_end(trainer, weights(trainer.global_step), None, None, batch)
        if batch == 3:
            trainer.callback_metrics = {"val_loss": np.float32(5)}
            callback.on_validation_end(trainer, weights(2))
            trainer.logged_metrics = {**trainer.logged_metrics, "whole": np.float32(7)}
            callback.on_train_epoch_start(trainer, weights(2))
    callback.on_train_end(trainer, weights(4))
    run = gv.open_run(tmp_path / "run")
    assert run.finished
    assert run.epochs.tolist() == [0, 3]
    assert [[*map(float, values)] for values in run.metric("train_loss")] == [
        [1, 2, 3, 4], [0, 2, 4, 6],
    ]  # fmt: skip
    assert [values.tolist() for values in run.metric("test_loss")] == [[2], [5]]
    assert [values.tolist() for values in run.metric("whole")] == [[2], [7]]
    callback.on_train_start(trainer, weights(4))
    callback.on_exception(trainer, None, KeyboardInterrupt())
    assert not gv.open_run(tmp_path / "run").finished


@pytest.mark.parametrize(
    ("module", "libraries", "remedy"),
    [
        ("trainer", ["transformers"], "pip install transformers"),
        ("lightning", ["lightning", "lightning.pytorch", "pytorch_lightning"], "install lightning"),
    ],
)
def test_a_library_that_is_missing_is_named(module, libraries, remedy, monkeypatch) -> None:
    for library in libraries:
        monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"grokviz.callbacks.{module}", raising=False)
    with pytest.raises(InputError, match=remedy):
        importlib.import_module(f"grokviz.callbacks.{module}")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_real_trainer_is_recorded_and_imported(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="it is no dependency")
    torch = pytest.importorskip("torch")
    from grokviz.callbacks.trainer import Record

    config = transformers.GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=20, n_positions=8)
    words = [{"input_ids": w, "labels": w} for w in torch.randint(0, 20, (16, 6))]
    arguments = transformers.TrainingArguments(
        str(tmp_path / "out"), max_steps=8, per_device_train_batch_size=4, logging_steps=2,
        save_steps=4, report_to=[], use_cpu=True, disable_tqdm=True,
    )  # fmt: skip
    model = transformers.GPT2LMHeadModel(config)
    transformers.Trainer(
        model=model, args=arguments, train_dataset=words, callbacks=[Record(tmp_path / "run", 4)]
    ).train()
    run = gv.open_run(tmp_path / "run")
    assert run.epochs.tolist() == [0, 4, 8]
    assert run.metric("train_loss")[0].tolist() == [2, 4, 6, 8]
    imported = gv.open_run(gv.import_run(tmp_path / "out", tmp_path / "imported").path)
    assert imported.epochs.tolist() == [4, 8]
    for name, array in imported.weights(8).items():
        np.testing.assert_array_equal(array, run.weights(8)[name])


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_real_lightning_run_is_recorded_and_imported(tmp_path: Path) -> None:
    pl = pytest.importorskip("lightning.pytorch", reason="it is no dependency")
    torch = pytest.importorskip("torch")
    from grokviz.callbacks.lightning import Record

    class Module(pl.LightningModule):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def training_step(self, batch: Any, _: int) -> Any:
            loss = self.layer(batch[0]).square().mean()
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    data = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.ones(16, 4)), batch_size=4
    )
    pl.Trainer(
        max_epochs=2, default_root_dir=tmp_path / "out", enable_progress_bar=False, logger=False,
        accelerator="cpu", callbacks=[Record(tmp_path / "run", 4)],
    ).fit(Module(), data)  # fmt: skip
    run = gv.open_run(tmp_path / "run")
    assert run.epochs.tolist() == [0, 4, 8]
    assert run.metric("train_loss")[0].tolist() == list(range(1, 9))
    imported = gv.open_run(gv.import_run(tmp_path / "out", tmp_path / "imported").path)
    np.testing.assert_array_equal(
        imported.weights(8)["layer.weight"], run.weights(8)["layer.weight"]
    )
