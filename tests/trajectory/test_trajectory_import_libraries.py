"""What trainers leave behind: Hugging Face, Lightning, nanoGPT, The Clock and the Pizza."""

from __future__ import annotations

import json
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError

torch = pytest.importorskip("torch", reason="published files are opened with the [train] extra")


def weights(seed: int) -> dict[str, Any]:
    rng = torch.Generator().manual_seed(seed)
    return {"wte.weight": torch.randn(6, 4, generator=rng), "head.bias": torch.ones(6) * seed}


def trainer_state(step: int) -> str:
    """The log of a Trainer up to a step, its summary last."""
    log: list[dict[str, Any]] = []
    for at in range(10, step + 1, 10):
        log.append({"epoch": at / 10, "step": at, "loss": 1 / at, "learning_rate": 0.1})
        log.append({"epoch": at / 10, "step": at, "eval_loss": 2 / at, "eval_runtime": 3.0})
    log.append({"epoch": 9.0, "step": step, "train_loss": 77.0, "train_runtime": 5.0})
    return json.dumps({"global_step": step, "log_history": log})


def save_shards(folder: Path, seed: int) -> None:
    from safetensors.torch import save_file

    names = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    table = dict(zip(weights(seed), names, strict=True))
    for name, file in table.items():
        save_file({name: weights(seed)[name]}, folder / file)
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": 1}, "weight_map": table})
    )


@pytest.fixture
def trainer(tmp_path: Path) -> Path:
    """A folder of three checkpoints, each saved in another way."""
    from safetensors.torch import save_file

    folder = tmp_path / "out"
    for step in (10, 20, 100):
        path = folder / f"checkpoint-{step}"
        path.mkdir(parents=True)
        (path / "trainer_state.json").write_text(trainer_state(step))
        config = {"vocab_size": 6, "architectures": ["X"], "num_attention_heads": 2}
        (path / "config.json").write_text(json.dumps(config))
        for side in ("optimizer.pt", "rng_state.pth", "training_args.bin", "scheduler.pt"):
            (path / side).write_bytes(b"never opened")
    save_file(weights(1), folder / "checkpoint-10" / "model.safetensors")
    torch.save(weights(2), folder / "checkpoint-20" / "pytorch_model.bin")
    save_shards(folder / "checkpoint-100", 3)
    return folder


def test_a_trainer_folder_is_a_run_with_its_log(trainer: Path, tmp_path: Path) -> None:
    imported = gv.import_run(trainer, tmp_path / "run")
    run = gv.open_run(imported.path)
    assert list(run.epochs) == [10, 20, 100]
    for seed, step in enumerate(run.epochs, start=1):
        np.testing.assert_array_equal(run.weights(step)["wte.weight"], weights(seed)["wte.weight"])
    assert set(run.metrics) == {"train_loss", "test_loss", "learning_rate"}
    steps, losses = run.metric("train_loss")
    assert list(steps) == list(range(10, 101, 10))
    np.testing.assert_allclose(losses, [1 / step for step in steps])
    np.testing.assert_allclose(run.metric("test_loss")[1], 2 * losses)
    assert run.facts["counts"] == "step"
    config = {"vocab_size": 6, "num_attention_heads": 2}
    assert run.facts["imported"]["config"] == {"config": config}
    assert run.facts["settings"]["heads"] == 2
    assert any(belief.startswith("test_loss eval_loss") for belief in imported.beliefs)


def test_the_model_saved_last_is_a_checkpoint_of_the_step_in_its_state(trainer, tmp_path) -> None:
    from safetensors.torch import save_file

    save_file(weights(9), trainer / "model.safetensors")
    without = gv.import_run(trainer, tmp_path / "without")
    assert list(gv.open_run(without.path).epochs) == [10, 20, 100]
    assert any("nothing says of which step" in belief for belief in without.beliefs)
    (trainer / "trainer_state.json").write_text(trainer_state(120))
    run = gv.open_run(gv.import_run(trainer, tmp_path / "run").path)
    assert list(run.epochs) == [10, 20, 100, 120]
    np.testing.assert_array_equal(run.weights(120)["head.bias"], np.full(6, 9.0))


def test_one_checkpoint_of_a_trainer_is_a_run(trainer: Path, tmp_path: Path) -> None:
    run = gv.open_run(gv.import_run(trainer / "checkpoint-100", tmp_path / "run").path)
    assert list(run.epochs) == [100]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"weight_map": {"wte.weight": "../../secret.safetensors"}}', "does not say which file"),
        ('{"weight_map": {"a": 3}}', "does not say which file"),
        ('{"weight_map": {"gone": "model-00001-of-00002.safetensors"}}', "has no gone"),
        ('{"weight_map": {"wte.weight": "model-00009.safetensors"}}', "there is no file"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("<html>", "cannot be read as JSON"),
    ],
)
def test_a_table_of_shards_that_lies_is_refused(content, reason, trainer, tmp_path) -> None:
    (trainer / "checkpoint-100" / "model.safetensors.index.json").write_text(content)
    with pytest.raises(InputError, match=reason):
        gv.import_run(trainer, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def with_object(name: str, state: dict[str, Any], path: Path) -> None:
    """Save a state dict with an object of a foreign class beside its tensors."""
    kind = type(name, (), {"__module__": "foreign_library"})
    module = types.ModuleType("foreign_library")
    setattr(module, name, kind)
    sys.modules["foreign_library"] = module
    try:
        torch.save({**state, "fc._extra_state": kind()}, path)
    finally:
        del sys.modules["foreign_library"]


def believed(path: Path, what: str) -> list[Any]:
    facts = gv.open_run(path).facts
    return [belief["value"] for belief in facts["imported"]["believed"] if belief["what"] == what]


def test_objects_in_any_checkpoint_of_a_trainer_are_named(trainer: Path, tmp_path: Path) -> None:
    with_object("First", weights(2), trainer / "checkpoint-20" / "pytorch_model.bin")
    last = trainer / "checkpoint-200"
    last.mkdir()
    names = [f"pytorch_model-0000{i}-of-00002.bin" for i in (1, 2)]
    for i, (name, tensor) in enumerate(weights(5).items()):
        with_object(f"Shard{i}", {name: tensor}, last / names[i])
    table = {"weight_map": dict(zip(weights(5), names, strict=True))}
    (last / "pytorch_model.bin.index.json").write_text(json.dumps(table))
    imported = gv.import_run(trainer, tmp_path / "run")
    classes = [f"foreign_library.{name}" for name in ("Shard0", "Shard1", "First")]
    assert believed(imported.path, "not loaded") == classes
    assert sum(belief.startswith("not loaded foreign") for belief in imported.beliefs) == 3


def test_objects_in_any_file_of_a_folder_are_named_once(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for step, name in ((0, "Early"), (10, "Both"), (20, "Both")):
        with_object(name, weights(step), folder / f"step_{step}.pth")
    path = gv.import_run(folder, tmp_path / "run").path
    assert believed(path, "not loaded") == ["foreign_library.Both", "foreign_library.Early"]


def test_a_tied_tensor_that_some_checkpoints_lack_is_left_out(trainer: Path, tmp_path) -> None:
    tied = {**weights(2), "lm_head.weight": weights(2)["wte.weight"]}
    torch.save(tied, trainer / "checkpoint-20" / "pytorch_model.bin")
    imported = gv.import_run(trainer, tmp_path / "run")
    assert gv.open_run(imported.path).shapes().keys() == weights(2).keys()
    because = "not all checkpoints have it, with one shape"
    assert f"left out lm_head.weight: {because}" in imported.beliefs
    torch.save({"other": torch.ones(2)}, trainer / "checkpoint-20" / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"no tensor has one name .*checkpoint-10 and all"):
        gv.import_run(trainer, tmp_path / "other")


def test_folders_that_save_pretrained_left_are_the_steps_of_a_run(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        folder = tmp_path / "out" / f"step_{step}"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"num_attention_heads": 2}')
        if step == 10:
            torch.save(weights(step), folder / "pytorch_model.bin")
            torch.save({"state": {}}, folder / "optimizer.bin")
            (folder / "data.bin").write_bytes(b"numbers of no model")
        else:
            save_shards(folder, step)
    run = gv.open_run(gv.import_run(tmp_path / "out", tmp_path / "run").path)
    assert run.epochs.tolist() == [5, 10, 15]
    for step in run.epochs.tolist():
        for name, tensor in weights(step).items():
            np.testing.assert_array_equal(run.weights(step)[name], tensor.numpy())
    index = tmp_path / "out" / "step_5" / "model.safetensors.index.json"
    alone = gv.open_run(gv.import_run(index, tmp_path / "alone", settings={"epoch": 5}).path)
    assert alone.epochs.tolist() == [5]
    assert alone.facts["settings"]["heads"] == 2
    index.write_text('{"weight_map": {"wte.weight": "../step_15/x.safetensors"}}')
    with pytest.raises(InputError, match="does not say which file"):
        gv.import_run(tmp_path / "out", tmp_path / "lies")


def test_a_trainer_log_alone_is_a_run_of_curves(trainer: Path, tmp_path: Path) -> None:
    shutil.copy(trainer / "checkpoint-20" / "trainer_state.json", tmp_path)
    only = tmp_path / "log"
    only.mkdir()
    shutil.move(tmp_path / "trainer_state.json", only)
    run = gv.open_run(gv.import_run(only, tmp_path / "run").path)
    assert list(run.epochs) == []
    assert list(run.metric("train_loss")[0]) == [10, 20]


def lightning(step: int, seed: int) -> dict[str, Any]:
    return {
        "epoch": step // 50, "global_step": step, "pytorch-lightning_version": "2.5.0",
        "state_dict": {f"model.{name}": tensor for name, tensor in weights(seed).items()},
        "loops": {}, "callbacks": {}, "optimizer_states": [{"state": {}}], "lr_schedulers": [],
        "hyper_parameters": {"lr": 0.01, "width": 4},
    }  # fmt: skip


def test_lightning_checkpoints_count_global_steps(tmp_path: Path) -> None:
    folder = tmp_path / "version_0" / "checkpoints"
    folder.mkdir(parents=True)
    for seed, step in enumerate((50, 100)):
        torch.save(lightning(step, seed), folder / f"epoch={step // 50}-step={step}.ckpt")
    torch.save({**lightning(100, 1), "global_step": 130}, folder / "last.ckpt")
    imported = gv.import_run(tmp_path / "version_0", tmp_path / "run")
    run = gv.open_run(imported.path)
    assert list(run.epochs) == [50, 100, 130]
    assert run.weights(100).keys() == weights(1).keys()
    assert run.facts["settings"]["learning-rate"] == 0.01
    assert run.facts["imported"]["config"]["config"]["width"] == 4
    assert run.facts["counts"] == "step"
    shutil.copy(folder / "last.ckpt", folder / "later.ckpt")
    twice = gv.import_run(tmp_path / "version_0", tmp_path / "twice")
    assert list(gv.open_run(twice.path).epochs) == [50, 100, 130]
    assert any(b.startswith("left out checkpoints/later.ckpt: it holds") for b in twice.beliefs)
    torch.save({**lightning(100, 7), "global_step": 130}, folder / "later.ckpt")
    with pytest.raises(InputError, match="both of the same step"):
        gv.import_run(tmp_path / "version_0", tmp_path / "differs")
    lone = gv.import_run(folder / "epoch=1-step=50.ckpt", tmp_path / "lone")
    assert "epoch 50: the global_step, in epoch 1" in lone.beliefs


def test_nanogpt_counts_iterations(tmp_path: Path) -> None:
    model = {f"_orig_mod.transformer.{name}": tensor for name, tensor in weights(4).items()}
    data = {
        "model": model, "optimizer": {"state": {}, "param_groups": [{"lr": 6e-4}]},
        "model_args": {"n_layer": 2, "n_head": 4}, "iter_num": 2000, "best_val_loss": 1.5,
        "config": {"batch_size": 12, "dataset": "shakespeare"},
    }  # fmt: skip
    torch.save(data, tmp_path / "ckpt.pt")
    run = gv.open_run(gv.import_run(tmp_path / "ckpt.pt", tmp_path / "run").path)
    assert list(run.epochs) == [2000]
    assert run.weights(2000).keys() == {f"transformer.{name}" for name in weights(4)}
    assert run.facts["settings"] == {
        "batch": 12, "epochs": 2000, "heads": 4, "learning-rate": 6e-4,
    }  # fmt: skip
    assert run.facts["imported"]["config"]["model_config"] == {"n_layer": 2, "n_head": 4}


def pizza(p: int = 7) -> dict[str, Any]:
    d, rng = 4, torch.Generator().manual_seed(0)
    shapes = {
        "embed.W_E": (d, p), "pos_embed.W_pos": (2, d), "unembed.W_U": (d, p),
        **{f"blocks.0.attn.W_{x}": (2, 2, d) for x in "KQV"}, "blocks.0.attn.W_O": (d, 4),
        "blocks.0.attn.mask": (2, 2), "blocks.0.mlp.W_in": (8, d), "blocks.0.mlp.b_in": (8,),
        "blocks.0.mlp.W_out": (d, 8), "blocks.0.mlp.b_out": (d,),
    }  # fmt: skip
    return {name: torch.randn(shape, generator=rng) for name, shape in shapes.items()}


def test_without_an_equals_sign_every_token_is_a_number(tmp_path: Path) -> None:
    torch.save(pizza(), tmp_path / "model_p99zdpze5l.pt")
    bare = gv.import_run(tmp_path / "model_p99zdpze5l.pt", tmp_path / "bare")
    facts = gv.open_run(bare.path).facts
    assert list(gv.open_run(bare.path).epochs) == [0]
    assert facts["settings"]["p"] == 7
    assert facts["task"] == "clock-or-pizza"
    with pytest.raises(InputError, match="does not say its attention-rate"):
        gv.measures(bare.path)
    config = {
        "C": 7,
        "frac": 0.8,
        "lr": 0.001,
        "weight_decay": 2.0,
        "epoch": 20_000,
        "attn_coeff": 0,
    }
    (tmp_path / "config_p99zdpze5l.json").write_text(json.dumps(config))
    told = gv.import_run(tmp_path / "model_p99zdpze5l.pt", tmp_path / "told")
    run = gv.open_run(told.path)
    assert list(run.epochs) == [20_000]
    assert run.facts["settings"] == {
        "p": 7, "d-model": 4, "d-mlp": 8, "heads": 2, "epochs": 20_000,
        "learning-rate": 0.001, "weight-decay": 2.0, "train-fraction": 0.8,
        "network": "attention", "attention-rate": 0.0,
    }  # fmt: skip
    for word, value in (("act_fn", "gelu"), ("diff_vocab", True)):
        (tmp_path / "config_p99zdpze5l.json").write_text(json.dumps({**config, word: value}))
        other = gv.import_run(tmp_path / "model_p99zdpze5l.pt", tmp_path / word)
        assert gv.open_run(other.path).facts["task"] is None
    with pytest.raises(InputError, match="cannot be of modular-addition"):
        gv.import_run(
            tmp_path / "model_p99zdpze5l.pt", tmp_path / "x", settings={"task": "modular-addition"}
        )
