"""The file of TransformerLens' grokking demonstration, with its config and its split."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError
from grokviz.tasks.modular_addition.data import ModularAddition, order_of_pairs

torch = pytest.importorskip("torch", reason="it makes the split and saves the file")

P, D, HEADS, D_MLP = 11, 8, 2, 12
SEED, FRACTION = 598, 0.3


@dataclass
class HookedTransformerConfig:
    """The part of TransformerLens' own that says something about the run."""

    n_layers: int = 1
    d_model: int = D
    d_mlp: int = D_MLP
    d_vocab: int = P + 1
    d_vocab_out: int = P
    n_ctx: int = 3
    act_fn: str = "relu"
    normalization_type: str | None = None
    seed: int = 999
    dtype: Any = torch.float32


def lens(seed: int) -> dict[str, Any]:
    rng = torch.Generator().manual_seed(seed)
    shapes = {
        "embed.W_E": (P + 1, D), "pos_embed.W_pos": (3, D), "unembed.W_U": (D, P),
        **{f"blocks.0.attn.W_{x}": (HEADS, D, D // HEADS) for x in "QKV"},
        "blocks.0.attn.W_O": (HEADS, D // HEADS, D),
        "blocks.0.mlp.W_in": (D, D_MLP), "blocks.0.mlp.W_out": (D_MLP, D),
        "blocks.0.mlp.b_in": (D_MLP,), "blocks.0.mlp.b_out": (D,),
    }  # fmt: skip
    state = {name: torch.randn(shape, generator=rng) for name, shape in shapes.items()}
    zeros = {"blocks.0.attn.b_O": (D,), "unembed.b_U": (P,),
             **{f"blocks.0.attn.b_{x}": (HEADS, D // HEADS) for x in "QKV"}}  # fmt: skip
    return {**state, **{name: torch.zeros(shape) for name, shape in zeros.items()}}


@pytest.fixture
def demonstration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Saves the demonstration's dictionary, with indices of the caller's."""

    def save(train: Any, test: Any, **config: Any) -> Path:
        library = types.ModuleType("transformer_lens_of_the_test")
        library.HookedTransformerConfig = HookedTransformerConfig  # type: ignore[attr-defined]
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, library.__name__, library)
            patch.setattr(HookedTransformerConfig, "__module__", library.__name__)
            torch.save({
                "model": lens(2), "config": HookedTransformerConfig(**config),
                "checkpoints": [lens(seed) for seed in (0, 1, 2)],
                "checkpoint_epochs": [99, 199, 299],
                "train_losses": np.linspace(2, 1, 300).tolist(),
                "test_losses": np.linspace(3, 2, 300).tolist(),
                "train_indices": train, "test_indices": test,
            }, tmp_path / "grokking_demo.pth")  # fmt: skip
        return tmp_path / "grokking_demo.pth"

    return save


def test_the_demonstration_is_a_run_with_its_split(demonstration, tmp_path: Path) -> None:
    torch.manual_seed(SEED)
    indices = torch.randperm(P * P)
    cutoff = int(P * P * FRACTION)
    imported = gv.import_run(demonstration(indices[:cutoff], indices[cutoff:]), tmp_path / "run")
    run = gv.open_run(imported.path)
    assert run.epochs.tolist() == [99, 199, 299]
    assert run.metric("test_loss")[0].tolist() == list(range(300))
    np.testing.assert_array_equal(run.weights(199)["embed.W_E"], lens(1)["embed.W_E"].numpy().T)
    settings = run.facts["settings"]
    assert run.facts["task"] == "modular-addition"
    assert (settings["split-order"], settings["split-seed"]) == ("torch", SEED)
    assert settings["train-fraction"] == FRACTION
    assert sorted(ModularAddition.from_settings(settings).train) == sorted(
        indices[:cutoff].tolist()
    )
    assert imported.missing == ()
    assert any(b.startswith("not loaded transformer_lens_of_the_test.") for b in imported.beliefs)
    assert run.facts["imported"]["config"]["config"]["act_fn"] == "relu"


@pytest.mark.parametrize("config", [{"normalization_type": "LNPre"}, {"act_fn": "gelu"}])
def test_a_model_that_computes_something_else_has_no_task(config, demonstration, tmp_path) -> None:
    imported = gv.import_run(demonstration([0, 1], [2, 3], **config), tmp_path / "run")
    [(word, value)] = config.items()
    assert f"task unknown: the stored config says {word}={value}" in imported.beliefs
    assert gv.open_run(imported.path).facts["task"] is None


@pytest.mark.slow
def test_a_split_of_no_known_seed_is_stored_whole(demonstration, tmp_path: Path) -> None:
    train = np.random.default_rng(4).permutation(P * P)[:50]
    test = np.setdiff1d(np.arange(P * P), train)
    imported = gv.import_run(demonstration(train.tolist(), test.tolist()), tmp_path / "run")
    settings = gv.open_run(imported.path).facts["settings"]
    data = ModularAddition.from_settings(settings)
    assert data.train.tolist() == sorted(train)
    assert data.test.tolist() == test.tolist()
    losses = gv.analyze(imported.path, ["loss"], cache=False)["loss"]
    whole = 50 * losses.sel(split="train") + (P * P - 50) * losses.sel(split="test")
    np.testing.assert_allclose(whole / P**2, losses.sel(split="all"))


def test_indices_of_other_examples_say_nothing_of_the_pairs(demonstration, tmp_path: Path) -> None:
    imported = gv.import_run(demonstration([0, 1, 2], [1, 5]), tmp_path / "run")
    assert "split-order" not in gv.open_run(imported.path).facts["settings"]
    for wrong in ([0.5], [float("nan")], ["a"]):
        with pytest.raises(InputError, match="train_indices"):
            gv.import_run(demonstration(wrong, [1]), tmp_path / "wrong")


def test_pairs_that_are_not_those_of_p_are_refused() -> None:
    order = order_of_pairs(P, np.array([3, 4]))
    assert ModularAddition(P, 0.3, 0, order).train.tolist() == [3, 4]
    for wrong in (
        order[:-4],
        order + "AAAA",
        "pairs:?",
        "pairs:",
        order_of_pairs(13, np.array([3])),
    ):
        with pytest.raises(InputError, match="does not hold a bit for each of the 121 pairs"):
            ModularAddition(P, 0.3, 0, wrong)
