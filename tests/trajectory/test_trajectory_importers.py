"""Importers: what each kind of file becomes, and that nothing in a file is ever run."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

import grokviz as gv
from grokviz.errors import InputError
from grokviz.importers.choice import importers, read_file
from grokviz.importers.contract import Hints, RunContents
from grokviz.importers.reading.opening import open_source
from grokviz.importers.reading.pickle_names import imported_names
from grokviz.importers.reading.pickles import CONSTRUCTED

P, D_MODEL, HEADS, D_HEAD, D_MLP = 5, 8, 2, 3, 12
EPOCHS = (0, 40, 1000)

pytestmark = pytest.mark.train


def plain_state(seed: int = 0, classes: int = P + 1) -> dict[str, torch.Tensor]:
    """A model of the published layout with weights of its own everywhere."""
    rng = torch.Generator().manual_seed(seed)

    def weights(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng)

    return {
        "embed.W_E": weights(D_MODEL, P + 1),
        "pos_embed.W_pos": weights(3, D_MODEL),
        "blocks.0.attn.W_K": weights(HEADS, D_HEAD, D_MODEL),
        "blocks.0.attn.W_Q": weights(HEADS, D_HEAD, D_MODEL),
        "blocks.0.attn.W_V": weights(HEADS, D_HEAD, D_MODEL),
        "blocks.0.attn.W_O": weights(D_MODEL, HEADS * D_HEAD),
        "blocks.0.attn.mask": torch.ones(3, 3).tril(),
        "blocks.0.mlp.W_in": weights(D_MLP, D_MODEL),
        "blocks.0.mlp.b_in": weights(D_MLP),
        "blocks.0.mlp.W_out": weights(D_MODEL, D_MLP),
        "blocks.0.mlp.b_out": weights(D_MODEL),
        "unembed.W_U": weights(D_MODEL, classes),
    }


def as_transformer_lens(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same model as TransformerLens keeps it, entry by entry."""
    turned = {
        "embed.W_E": torch.zeros(P + 1, D_MODEL),
        "pos_embed.W_pos": state["pos_embed.W_pos"].clone(),
        "blocks.0.mlp.W_in": torch.zeros(D_MODEL, D_MLP),
        "blocks.0.mlp.W_out": torch.zeros(D_MLP, D_MODEL),
        "blocks.0.mlp.b_in": state["blocks.0.mlp.b_in"].clone(),
        "blocks.0.mlp.b_out": state["blocks.0.mlp.b_out"].clone(),
        "unembed.W_U": state["unembed.W_U"].clone(),
        "unembed.b_U": torch.zeros(state["unembed.W_U"].shape[1]),
        "blocks.0.attn.W_O": torch.zeros(HEADS, D_HEAD, D_MODEL),
        "blocks.0.attn.b_O": torch.zeros(D_MODEL),
        "blocks.0.attn.mask": torch.ones(3, 3).tril().bool(),
        "blocks.0.attn.IGNORE": torch.tensor(float("-inf")),
    }
    for token in range(P + 1):
        turned["embed.W_E"][token] = state["embed.W_E"][:, token]
    for neuron in range(D_MLP):
        turned["blocks.0.mlp.W_in"][:, neuron] = state["blocks.0.mlp.W_in"][neuron]
        turned["blocks.0.mlp.W_out"][neuron] = state["blocks.0.mlp.W_out"][:, neuron]
    for head in range(HEADS):
        for i in range(D_HEAD):
            column = state["blocks.0.attn.W_O"][:, head * D_HEAD + i]
            turned["blocks.0.attn.W_O"][head, i] = column
    for kind in "KQV":
        turned[f"blocks.0.attn.b_{kind}"] = torch.zeros(HEADS, D_HEAD)
        name = f"blocks.0.attn.W_{kind}"
        turned[name] = torch.stack([state[name][head].T for head in range(HEADS)])
    return turned


def transformer_lens_logits(state: Mapping[str, torch.Tensor], tokens: torch.Tensor) -> Any:
    """TransformerLens' own order of multiplication, written apart from ours."""
    w = {name.rsplit(".", 1)[1]: tensor.double() for name, tensor in state.items()}
    x = w["W_E"][tokens] + w["W_pos"][: tokens.shape[1]]
    q, k, v = (torch.einsum("bpd,hde->bphe", x, w[f"W_{c}"]) for c in "QKV")
    scores = torch.einsum("bqhe,bkhe->bhqk", q, k) / D_HEAD**0.5
    scores = scores.masked_fill(torch.ones(3, 3).tril() == 0, float("-inf"))
    mixed = torch.einsum("bhqk,bkhe->bqhe", scores.softmax(-1), v)
    x = x + torch.einsum("bqhe,hed->bqd", mixed, w["W_O"])
    x = x + torch.relu(x @ w["W_in"] + w["b_in"]) @ w["W_out"] + w["b_out"]
    return x @ w["W_U"]


def optimiser(weight_decay: float, updates: int) -> dict[str, Any]:
    group = {"lr": 0.0, "initial_lr": 1e-3, "betas": (0.9, 0.98), "weight_decay": weight_decay}
    return {
        "state": {0: {"step": updates, "exp_avg": torch.zeros(2)}},
        "param_groups": [{**group, "params": [0]}],
    }


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Saves anything as a ``.pth`` and gives its path."""

    def save(data: Any, name: str = "file.pth") -> Path:
        torch.save(data, tmp_path / name)
        return tmp_path / name

    return save


def only(path: Path, wishes: Hints | None = None) -> RunContents:
    _, _, found = read_file(path, wishes)
    assert len(found) == 1
    return found[0]


def believed(found: RunContents) -> dict[str, str]:
    return {belief.what: str(belief) for belief in found.beliefs}


def test_every_importer_has_its_own_name_and_title() -> None:
    known = importers()
    assert len({i.name for i in known}) == len({i.title for i in known}) == len(known) > 5


# --- a model with its curves ---------------------------------------------------------------


def test_a_final_model_comes_with_curves_on_their_clocks(saved) -> None:
    state = plain_state()
    train, test = [4.0 - i / 100 for i in range(101)], [5.0 + i for i in range(11)]
    path = saved(
        {
            "model": state, "optimizer": optimiser(0.1, 101), "epoch": 100,
            "train_losses": train, "test_losses": test,
            "config": {"lr": 1e-3, "weight_decay": 1, "seed": 7, "frac_train": 0.4, "p": P},
        }
    )  # fmt: skip
    found = only(path)
    [(epoch, weights)] = found.checkpoints
    assert epoch == 100
    assert weights.keys() == state.keys()
    for name, tensor in state.items():
        np.testing.assert_array_equal(weights[name], tensor.numpy())
    np.testing.assert_array_equal(found.curves["train_loss"].epochs, np.arange(101))
    np.testing.assert_array_equal(found.curves["train_loss"].values, train)
    np.testing.assert_array_equal(found.curves["test_loss"].epochs, np.arange(0, 101, 10))
    assert found.task == "modular-addition"
    assert found.settings == {
        "p": P, "d-model": D_MODEL, "d-mlp": D_MLP, "heads": HEADS, "mlp-biases": True,
        "learning-rate": 1e-3, "weight-decay": 0.1, "betas": [0.9, 0.98],
        "train-fraction": 0.4, "split-seed": 7,
    }  # fmt: skip
    assert found.fixed >= {"p", "d-model", "d-mlp", "heads"}


def test_the_optimiser_is_believed_before_the_config_and_the_name(saved) -> None:
    data = {"model": plain_state(), "optimizer": optimiser(0.1, 3), "train_losses": [1.0, 2.0, 3.0]}
    contradicting = {**data, "config": {"weight_decay": 1}}
    found = only(saved(contradicting, "wd_10-1_mod_addition.pth"))
    assert found.settings["weight-decay"] == 0.1
    said = believed(found)["weight-decay"]
    assert "optimiser" in said
    assert "file's name" in said
    assert "config says 1" in said
    agreeing = {**data, "config": {"weight_decay": 0.1}}
    assert "weight-decay" not in believed(only(saved(agreeing, "plain.pth")))


@pytest.mark.parametrize(
    ("name", "decay"), [("mod_addition_no_wd.pth", 0.0), ("wd_10-2_mod_addition.pth", 0.01)]
)
def test_a_name_is_believed_where_nothing_else_speaks(saved, name, decay) -> None:
    found = only(saved({"model": plain_state(), "train_losses": [1.0, 2.0]}, name))
    assert found.settings["weight-decay"] == decay
    assert "file's name" in believed(found)["weight-decay"]


@pytest.mark.parametrize(
    ("trained", "tested", "every"),
    [
        (50, 50, 1),
        (285_820, 71_455, 4),
        (107_791, 10_780, 10),
        (7, 2, None),
        (90, 100, None),
    ],
)
def test_the_clock_of_test_losses_is_told_by_their_number(saved, trained, tested, every) -> None:
    data = {"train_losses": [1.0] * trained, "test_losses": [2.0] * tested}
    path = saved(data)
    if every is None:
        with pytest.raises(InputError, match="--set test-every=N"):
            read_file(path)
        every, found = 3, only(path, Hints(test_every=3))
    else:
        found = only(path)
    clock = found.curves["test_loss"].epochs
    np.testing.assert_array_equal(clock, np.arange(tested) * every)


@pytest.mark.parametrize(
    ("parts", "epoch"),
    [
        ({"epoch": 40, "train_losses": [1.0] * 41}, 40),
        ({"train_losses": [1.0] * 41, "optimizer": optimiser(1.0, 41)}, 40),
        ({"optimizer": optimiser(1.0, 41)}, 41),
        ({"lonely": 1}, 700),
    ],
)
def test_the_epoch_is_the_one_the_file_counts(saved, parts, epoch) -> None:
    found = only(saved({"model": plain_state(), **parts}, "step_700.pth"))
    assert [e for e, _ in found.checkpoints] == [epoch]
    assert "epoch" in believed(found)


def test_an_epoch_that_is_given_wins(saved) -> None:
    found = only(saved({"model": plain_state(), "epoch": 3}), Hints(epoch=9))
    assert [e for e, _ in found.checkpoints] == [9]
    assert believed(found)["epoch"] == "epoch 9: given"


def test_another_operation_than_addition_is_not_taken_for_it(saved) -> None:
    data = {"model": plain_state(), "epoch": 1, "config": {"fn_name": "subtract"}}
    assert only(saved(data)).task is None


def test_cuda_tensors_load_on_a_cpu(saved, tmp_path: Path) -> None:
    path = saved({"model": plain_state(), "train_losses": [1.0]})
    moved = tmp_path / "cuda.pth"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(moved, "w") as new:
        for part in old.infolist():
            data = old.read(part)
            if part.filename.endswith("data.pkl"):
                assert b"X\x03\x00\x00\x00cpu" in data
                data = data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            new.writestr(part.filename, data)
    [(_, weights)] = only(moved).checkpoints
    np.testing.assert_array_equal(weights["embed.W_E"], plain_state()["embed.W_E"].numpy())


# --- many checkpoints ----------------------------------------------------------------------


def test_a_full_run_keeps_every_checkpoint_and_curve(saved) -> None:
    states = [plain_state(seed) for seed in range(4)]
    path = saved(
        {
            "epochs": [0, 100, 200, 300], "state_dicts": states,
            "train_losses": [1.0] * 301, "test_losses": [2.0] * 31,
            "config": {"p": P, "frac_train": 0.3, "seed": 0, "weight_decay": 1.0, "lr": 0.001},
        },
        "full_run_data.pth",
    )  # fmt: skip
    found = only(path)
    assert len(found.checkpoints) == 4
    for seed, (epoch, weights) in enumerate(found.checkpoints):
        assert epoch == 100 * seed
        np.testing.assert_array_equal(weights["unembed.W_U"], states[seed]["unembed.W_U"].numpy())
    assert found.curves["test_loss"].epochs[-1] == 300
    assert found.settings["split-seed"] == 0
    assert found.config["config"]["lr"] == 0.001


def test_losses_logged_with_the_checkpoints_share_their_clock(saved) -> None:
    losses = {"train_losses": [3.0, 2.0], "test_losses": torch.tensor([4.0, 5.0])}
    path = saved({"checkpoints": [plain_state()] * 2, "checkpoint_epochs": [10, 40], **losses})
    found = only(path)
    assert found.curves["train_loss"].epochs.tolist() == [10, 40]
    assert found.curves["test_loss"].values.tolist() == [4.0, 5.0]


@pytest.mark.parametrize(
    "data",
    [
        {"checkpoints": {0: plain_state(0), 40: plain_state(1), 1000: plain_state(2)}},
        {"1000": plain_state(2), "40": plain_state(1), "0": plain_state(0)},
        {"checkpoints": [{"model": plain_state(i), "epoch": e} for i, e in enumerate(EPOCHS)]},
        [{"model": plain_state(i), "epoch": e, "loss": 0.5} for i, e in enumerate(EPOCHS)],
        [{"model": plain_state(i), "step": np.int64(e)} for i, e in enumerate(EPOCHS)],
        {"state_dicts": [plain_state(i) for i in range(3)], "epochs": torch.tensor([0, 40, 1000])},
    ],
    ids=["by epoch", "by text", "each with its epoch", "alone", "by step", "beside each other"],
)  # fmt: skip
def test_checkpoints_may_be_listed_in_several_ways(saved, data) -> None:
    found = only(saved(data))
    assert [epoch for epoch, _ in found.checkpoints] == [0, 40, 1000]
    for seed, (_, weights) in enumerate(found.checkpoints):
        wanted = plain_state(seed)["unembed.W_U"].numpy()
        np.testing.assert_array_equal(weights["unembed.W_U"], wanted)


@pytest.mark.parametrize("epoch", [np.int64(7), torch.tensor(7), np.array([7]), torch.tensor([7])])
@pytest.mark.parametrize("word", ["epoch", "iter_num"])
def test_a_step_may_be_a_number_of_numpy_or_torch(word, epoch, saved) -> None:
    found = only(saved({"model": plain_state(), word: epoch}))
    assert found.checkpoints[0][0] == 7
    assert found.epoch_is_stated


@pytest.mark.parametrize(
    ("epochs", "said"),
    [([0, 1], "2 epochs"), ([0, 2, 1], "do not rise"), ([0, 1, 1.5], "whole"), (None, "no list")],
)
def test_epochs_that_do_not_fit_the_checkpoints_are_refused(saved, epochs, said) -> None:
    data = {"state_dicts": [plain_state()] * 3, "epochs": epochs}
    with pytest.raises(InputError, match=said):
        read_file(saved(data))


def test_a_run_that_diverged_is_imported_and_says_where(saved, tmp_path: Path) -> None:
    bad = {**plain_state(), "embed.W_E": torch.full((D_MODEL, P + 1), float("nan"))}
    states = [*(plain_state(i) for i in range(3)), bad, bad]
    losses = {"train_losses": [3.0, 2.0, 1.0, float("nan"), float("inf")]}
    path = saved({"state_dicts": states, "epochs": [0, 5, 7, 10, 20], **losses})
    imported = gv.import_run(path, tmp_path / "run")
    assert "diverged by 10: embed.W_E holds NaN or infinite values there" in imported.beliefs
    run = gv.open_run(imported.path)
    assert {"what": "diverged by", "value": 10}.items() <= (
        run.facts["imported"]["believed"][-1].items()
    )
    assert run.verify() == []
    assert np.isnan(run.weights(20)["embed.W_E"]).all()
    np.testing.assert_array_equal(run.metric("train_loss")[1], losses["train_losses"])
    assert np.isfinite(gv.analyze(run)["sum_squared_weights"].values[0]).all()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_folder_of_checkpoints_is_a_run(tmp_path: Path, suffix: str) -> None:
    from safetensors.torch import save_file

    folder = tmp_path / "run_of_7"
    folder.mkdir()
    for step in (0, 50, 1000):
        file = folder / f"model_v2_step-{step:06d}{suffix}"
        save = save_file if suffix == ".safetensors" else torch.save
        save(plain_state(step), file)
    (folder / "notes.txt").write_text("mine")
    found = only(folder)
    assert [epoch for epoch, _ in found.checkpoints] == [0, 50, 1000]
    for step, weights in found.checkpoints:
        wanted = plain_state(step)["pos_embed.W_pos"].numpy()
        np.testing.assert_array_equal(weights["pos_embed.W_pos"], wanted)
    assert found.task == "modular-addition"


def test_files_of_a_folder_are_believed_before_their_names(tmp_path: Path) -> None:
    for step, loss in ((100, 2.0), (200, 1.0)):
        data = {"model": plain_state(step), "epoch": step, "train_loss": torch.tensor(loss)}
        torch.save(data, tmp_path / f"{step + 1}.pth")
    torch.save(plain_state(), tmp_path / "final.pth")
    found = only(tmp_path)
    assert [epoch for epoch, _ in found.checkpoints] == [100, 200]
    assert found.curves["train_loss"].values.tolist() == [2.0, 1.0]
    said = believed(found)
    assert "its name says 101" in said["epoch of 101.pth"]
    assert "final.pth" in said["left out"]


def test_two_files_of_one_step_are_refused(tmp_path: Path) -> None:
    for name in ("a_3.pth", "b_3.pth"):
        torch.save(plain_state(), tmp_path / name)
    with pytest.raises(InputError, match=r"a_3\.pth and b_3\.pth"):
        read_file(tmp_path)


def test_a_folder_without_checkpoints_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no"):
        read_file(tmp_path)


# --- TransformerLens -----------------------------------------------------------------------


@pytest.mark.parametrize("classes", [P, P + 1])
@pytest.mark.parametrize("form", ["safetensors", "pth"])
def test_a_transformer_lens_model_is_the_same_model(tmp_path: Path, form, classes) -> None:
    from safetensors.torch import save_file

    plain, path = plain_state(classes=classes), tmp_path / f"demo_step_25000.{form}"
    lens = as_transformer_lens(plain)
    (save_file if form == "safetensors" else torch.save)(lens, path)
    found = only(path)
    [(epoch, weights)] = found.checkpoints
    assert epoch == 25_000
    assert weights.keys() == plain.keys()
    for name, tensor in plain.items():
        np.testing.assert_array_equal(weights[name], tensor.numpy(), err_msg=name)
    assert "TransformerLens" in believed(found)["layout"]
    assert found.task == "modular-addition"
    assert found.settings["p"] == P


def test_a_transformer_lens_model_answers_as_before(saved) -> None:
    from grokviz.models.transformer import Shape, Transformer

    lens = as_transformer_lens(plain_state())
    [(_, weights)] = only(saved(lens)).checkpoints
    # the plain model sizes its heads by d_model, so each is padded with a dead dimension
    model = Transformer(Shape(P + 1, 3, D_MODEL, HEADS, D_MLP)).double()
    width = D_MODEL // HEADS
    padded = {name: torch.tensor(array) for name, array in weights.items()}
    for kind in "QKV":
        name = f"blocks.0.attn.W_{kind}"
        padded[name] = torch.nn.functional.pad(padded[name], (0, 0, 0, width - D_HEAD))
    padded["blocks.0.attn.W_Q"] *= (width / D_HEAD) ** 0.5
    split = padded["blocks.0.attn.W_O"].reshape(D_MODEL, HEADS, D_HEAD)
    split = torch.nn.functional.pad(split, (0, width - D_HEAD))
    padded["blocks.0.attn.W_O"] = split.reshape(D_MODEL, -1)
    model.load_state_dict(padded)
    tokens = torch.cartesian_prod(torch.arange(P), torch.arange(P), torch.tensor([P]))
    torch.testing.assert_close(
        model(tokens), transformer_lens_logits(lens, tokens), rtol=1e-5, atol=1e-5
    )


def test_biases_left_out_become_zeros_and_frozen_ones_go(saved) -> None:
    lens = as_transformer_lens(plain_state())
    without = {name: t for name, t in lens.items() if ".b_" not in name and "mask" not in name}
    [(_, weights)] = only(saved(without)).checkpoints
    assert set(weights) == set(plain_state())
    assert not weights["blocks.0.mlp.b_in"].any()
    np.testing.assert_array_equal(weights["blocks.0.attn.mask"], np.tril(np.ones((3, 3))))


@pytest.mark.parametrize("bias", ["unembed.b_U", "blocks.0.attn.b_Q", "blocks.0.attn.b_O"])
def test_a_model_with_biases_of_its_own_keeps_its_layout(saved, bias) -> None:
    lens = as_transformer_lens(plain_state())
    moved = {**lens, bias: lens[bias] + 0.5}
    found = only(saved({"checkpoints": [lens, moved], "checkpoint_epochs": [0, 1]}))
    for (_, weights), theirs in zip(found.checkpoints, (lens, moved), strict=True):
        assert weights.keys() == theirs.keys()
        np.testing.assert_array_equal(weights[bias], theirs[bias])
    assert bias in believed(found)["layout"]
    assert found.task is None


def test_a_folder_of_such_a_model_has_one_layout(tmp_path: Path) -> None:
    lens = as_transformer_lens(plain_state())
    for step in (0, 1):
        moved = {**lens, "unembed.b_U": lens["unembed.b_U"] + step}
        torch.save(moved, tmp_path / f"step_{step}.pth")
    found = only(tmp_path)
    assert [weights.keys() for _, weights in found.checkpoints] == [lens.keys()] * 2


def test_deeper_models_with_layer_norms_are_seen_by_head(saved, tmp_path: Path) -> None:
    lens = as_transformer_lens(plain_state())
    second = {n.replace("blocks.0", "blocks.1"): 2 * t for n, t in lens.items() if "s.0.a" in n}
    deep = {**lens, **second, "blocks.0.ln1.w": torch.ones(D_MODEL), "ln_final.b": torch.ones(8)}
    imported = gv.import_run(saved(deep, "step_5.pth"), tmp_path / "run")
    run = gv.open_run(imported.path)
    assert run.weights(5).keys() == deep.keys()
    for kind in "QKVO":
        name = f"blocks.1.attn.W_{kind}"
        for head in range(HEADS):
            view = run.parameter(f"{name}[{head}]")
            np.testing.assert_array_equal(view, deep[name][None, head].numpy())
    with pytest.raises(InputError, match="no part 2"):
        run.parameter("blocks.1.attn.W_Q[2]")
    assert any("2 layers" in belief for belief in imported.beliefs)


# --- curves alone --------------------------------------------------------------------------


def test_a_bare_list_is_the_training_loss(saved) -> None:
    found = only(saved([3.0, 2.0, 1.0], "skip_trigram_infinite.pth"))
    assert not found.checkpoints
    assert found.curves["train_loss"].values.tolist() == [3.0, 2.0, 1.0]
    assert found.task == "skip-trigram"


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_numpy_array_is_a_curve_for_each_token(saved, order) -> None:
    values = np.asfortranarray if order == "F" else np.ascontiguousarray
    table = values(np.random.default_rng(0).random((30, 6)))
    found = only(saved(table, "5_digit_addition_infinite_per_token.pth"))
    assert found.task == "digit-addition"
    for k in range(6):
        np.testing.assert_array_equal(found.curves[f"train_loss_token_{k}"].values, table[:, k])
    np.testing.assert_allclose(found.curves["train_loss"].values, table.mean(axis=1))


def test_numbers_of_every_kind_make_a_curve(saved) -> None:
    mixed = [1, 2.5, np.float64(3.25), np.float32(4.5), torch.tensor(5.0, dtype=torch.float64)]
    found = only(saved({"train_losses": mixed}))
    assert found.curves["train_loss"].values.tolist() == [1, 2.5, 3.25, 4.5, 5.0]


def test_a_sweep_is_one_run_for_each_fraction(saved) -> None:
    losses = [[1.0] * n for n in (4, 4, 7, 7)]
    _, importer, found = read_file(saved([[0.95, 0.3], losses], "mod_addition_frac_sweep.pth"))
    assert importer.name == "sweep"
    assert [run.member for run in found] == ["train-fraction=0.95", "train-fraction=0.3"]
    assert [len(run.curves["test_loss"].values) for run in found] == [4, 7]
    assert found[1].settings == {"train-fraction": 0.3}


def test_a_width_scan_is_one_run_for_each_width(saved) -> None:
    data = {"d_models": [8, 16], "losses": [[1.0], [2.0], [3.0], [4.0]]}
    _, _, found = read_file(saved(data, "no_wd_width_scan.pth"))
    assert [run.member for run in found] == ["d-model=8", "d-model=16"]
    assert found[1].curves["train_loss"].values.tolist() == [3.0]
    assert found[1].settings == {"d-model": 16, "weight-decay": 0.0}


@pytest.mark.parametrize(
    "data",
    [
        [[0.3, 0.4], [[1.0], [1.0]]],
        [[0.3], [[1.0, 2.0], [1.0]]],
        {"train_losses": ["a"]},
        {"train_losses": []},
        {"hello": 1},
        np.zeros((2, 3, 4)),
        np.array([None], dtype=object),
        np.array(["text"]),
    ],
)
def test_what_is_no_curve_is_refused(saved, data) -> None:
    with pytest.raises(InputError, match=r"file\.pth"):
        read_file(saved(data))


# --- damage --------------------------------------------------------------------------------


def test_a_missing_tensor_is_named(saved) -> None:
    for name in plain_state():
        lacking = {n: t for n, t in plain_state().items() if n != name}
        if "mask" in name or ".b_" in name:
            assert only(saved({"model": lacking, "epoch": 1})).checkpoints
            continue
        with pytest.raises(InputError, match=f"no {name}"):
            read_file(saved({"model": lacking, "epoch": 1}))


@pytest.mark.parametrize("name", ["blocks.0.mlp.W_in", "unembed.W_U", "blocks.0.attn.W_O"])
def test_a_wrongly_shaped_tensor_is_named(saved, name) -> None:
    state = plain_state()
    state[name] = state[name].T.contiguous()[:-1]
    with pytest.raises(InputError, match=rf"{name}.*has shape"):
        read_file(saved(state))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n<!DOCTYPE html><html><body>Not Found</body></html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "git lfs pull"),
        (b"404: Not Found", "neither"),
        (b"PK\x03\x04 and then nothing", "cut short"),
        ((2**40).to_bytes(8, "little") + b"{}", "not a safetensors file"),
        ((9).to_bytes(8, "little") + b'{"a": 1}', "cut short"),
    ],
)
def test_what_was_saved_in_place_of_a_file_is_said(tmp_path: Path, content, said) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_file(path)


def test_no_file_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_file(tmp_path / "nowhere.pth")


def test_a_file_cut_anywhere_is_refused(saved, tmp_path: Path) -> None:
    whole = saved({"model": plain_state(), "epoch": 1}).read_bytes()
    part = tmp_path / "cut.pth"
    for size in range(0, len(whole), len(whole) // 23):
        part.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"cut\.pth"):
            read_file(part)


@pytest.mark.slow
def test_a_flipped_byte_is_read_or_refused_but_never_a_traceback(saved, tmp_path: Path) -> None:
    whole = bytearray(saved({"train_losses": [1.0, 2.0], "model": plain_state()}).read_bytes())
    rng, refused = np.random.default_rng(0), []
    part = tmp_path / "flipped.pth"
    for at in rng.integers(0, len(whole), 150):
        spoilt = bytearray(whole)
        spoilt[at] ^= 1 << int(rng.integers(8))
        part.write_bytes(spoilt)
        try:
            for found in read_file(part)[2]:
                list(found.checkpoints)
        except InputError as error:
            refused.append(str(error))
    assert refused
    assert "\n" not in "".join(refused)


# --- hostile files -------------------------------------------------------------------------


class Hostile:
    """Asks, when unpickled, for a command that leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.system, (f"touch '{self.mark}'",)


def hostile_files(folder: Path, mark: Path) -> list[Path]:
    torch.save({"model": Hostile(mark), "epoch": 1}, folder / "zip.pth")
    torch.save(Hostile(mark), folder / "old.pth", _use_new_zipfile_serialization=False)
    for protocol in range(6):
        (folder / f"bare{protocol}.pth").write_bytes(pickle.dumps(Hostile(mark), protocol))
    with zipfile.ZipFile(folder / "stack.pth", "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps(Hostile(mark), 4))
        archive.writestr("a/version", "3\n")
    return sorted(folder.glob("*.pth"))


def test_a_hostile_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    for path in hostile_files(tmp_path, mark):
        with pytest.raises(InputError) as refused:
            read_file(path)
        if path.name not in ("bare0.pth", "bare1.pth"):  # those do not even look like pickles
            assert "posix.system" in str(refused.value), path.name
            assert "was not loaded" in str(refused.value)
    assert not mark.exists()
    pickle.loads((tmp_path / "bare4.pth").read_bytes())
    assert mark.exists()  # it would have run


@pytest.mark.slow
def test_a_hostile_pickle_does_not_run_in_a_process_of_its_own(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    hostile_files(tmp_path, mark)
    program = (
        "import sys, pathlib\n"
        "from grokviz.errors import InputError\n"
        "from grokviz.importers.choice import read_file\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).glob('*.pth')):\n"
        "    try:\n"
        "        read_file(path)\n"
        "    except InputError:\n"
        "        print('refused', path.name)\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.count("refused") == len(list(tmp_path.glob("*.pth")))
    assert not mark.exists()


def test_the_list_of_names_alone_refuses_what_python_would_run(tmp_path, monkeypatch):
    from grokviz.importers.reading import pickles

    mark = tmp_path / "it-ran"
    (path,) = [p for p in hostile_files(tmp_path, mark) if p.name == "zip.pth"]
    monkeypatch.delattr(pickles._Loader, "find_class")
    with pytest.raises(InputError, match=r"posix\.system"):
        read_file(path)
    assert not mark.exists()
    monkeypatch.setattr(pickles, "RUNS", frozenset())
    with pytest.raises(InputError):
        read_file(path)
    assert mark.exists()  # with both measures away it runs


def test_what_the_list_of_names_lets_by_is_a_stub_and_never_run(tmp_path, monkeypatch):
    from grokviz.importers.reading import pickles

    mark = tmp_path / "it-ran"
    monkeypatch.setattr(pickles, "RUNS", frozenset())
    for path in hostile_files(tmp_path, mark):
        if path.name in ("zip.pth", "old.pth", "stack.pth"):
            assert open_source(path).stubs == ("posix.system",)
    assert not mark.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_the_names_a_pickle_asks_for_are_found_in_its_bytes(protocol: int) -> None:
    asked = imported_names(pickle.dumps([os.system, Path("x"), os.system], protocol))
    assert "posix.system" in asked
    assert any("Path" in name for name in asked)


def test_numpy_is_never_handed_to_a_pickle() -> None:
    for name, stand_in in CONSTRUCTED.items():
        home = getattr(stand_in, "__module__", "")
        assert isinstance(stand_in, str) or home.startswith("grokviz."), name


class Crafted:
    """An array whose pickle says what numpy would never write."""

    def __init__(self, dtype: Any, shape: Any, data: Any) -> None:
        self.state = (1, shape, dtype, False, data)

    def __reduce__(self) -> Any:
        reconstruct = np.arange(1.0).__reduce__()[0]
        return reconstruct, (np.ndarray, (0,), b"b"), self.state


@pytest.mark.parametrize(
    "crafted",
    [
        Crafted(np.dtype("O"), (1,), b"\x41" * 8),
        Crafted(np.dtype([("f", "f8")]), (1,), b"\x41" * 8),
        Crafted(np.dtype("f8"), (10**12,), b"\x41" * 8),
        Crafted(np.dtype("f8"), (-1, -1), b"\x41" * 8),
        Crafted(None, (1,), b"\x41" * 8),
        Crafted(np.dtype("f8"), "x", b""),
    ],
)
def test_an_array_that_lies_about_itself_is_refused(saved, crafted) -> None:
    with pytest.raises(InputError, match=r"file\.pth"):
        read_file(saved(crafted))


def rewritten(path: Path, to: Path, change: Callable[[bytes], bytes]) -> Path:
    """A copy of a ``.pth`` with another pickle in it."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w") as new:
        for part in old.infolist():
            data = old.read(part)
            new.writestr(part.filename, change(data) if "data.pkl" in part.filename else data)
    return to


def test_a_size_that_is_made_up_sets_no_memory_aside(saved, tmp_path: Path) -> None:
    import resource

    wide = saved({"model": {"w": torch.zeros(1).expand(10**6, 10**7)}, "epoch": 1})
    with pytest.raises(InputError, match="over 4 bytes"):
        read_file(wide)

    def claim(data: bytes) -> bytes:
        """Sixteen numbers become a thousand million, in storage and shape."""
        at = data.index(b"K\x10", data.index(b"cpu"))
        data = data[:at] + b"J" + (10**9).to_bytes(4, "little") + data[at + 2 :]
        at = data.index(b"K\x04K\x04", at)
        data = data[:at] + b"M\x30\x75M\x30\x75" + data[at + 4 :]
        at = data.index(b"K\x04K\x01", at)
        return data[:at] + b"M\x30\x75K\x01" + data[at + 4 :]

    small = saved({"model": {"w": torch.zeros(4, 4)}, "epoch": 1}, "small.pth")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match=r"large\.pth"):
        read_file(rewritten(small, tmp_path / "large.pth", claim))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000  # kilobytes; what it claimed is four million


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(20_000_000))
    with pytest.raises(InputError, match="20,000,000"):
        read_file(path)


def test_safetensors_whose_arrays_overlap_are_refused(tmp_path: Path) -> None:
    entry = '{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}'
    header = ("{" + ",".join(f'"w{i}":{entry}' for i in range(50)) + "}").encode()
    path = tmp_path / "overlap.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4000))
    with pytest.raises(InputError, match="overlap"):
        read_file(path)


def test_a_layer_number_that_is_made_up_is_named_quickly(saved) -> None:
    state = {f"blocks.{2**40}.attn.W_K": torch.zeros(2, 3, 4), **plain_state()}
    with pytest.raises(InputError, match=r"blocks\.1\.attn"):
        read_file(saved(state))


@pytest.mark.slow
def test_safetensors_are_read_without_torch(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "step_3.safetensors"
    save_file(as_transformer_lens(plain_state()), path)
    program = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from grokviz.importers.choice import read_file\n"
        "found = read_file(Path(sys.argv[1]))[2][0]\n"
        "print(*[epoch for epoch, _ in found.checkpoints], found.settings['p'])\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["3", str(P)], done.stderr


def test_a_checkpoint_of_a_run_keeps_its_epoch(tmp_path: Path) -> None:
    from grokviz.runs import RunWriter

    with RunWriter.create(tmp_path / "run", {}) as writer:
        writer.checkpoint(70, plain_state())
    lone = tmp_path / "weights.safetensors"
    lone.write_bytes((tmp_path / "run" / "checkpoints" / "70.safetensors").read_bytes())
    assert open_source(lone).header_epoch == 70
    assert [epoch for epoch, _ in only(lone).checkpoints] == [70]
    with pytest.raises(InputError, match="is a run already"):
        read_file(tmp_path / "run")
