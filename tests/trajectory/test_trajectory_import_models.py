"""State dicts of any model: layouts of known libraries, wrapped names, numbers of every kind."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz import cli
from grokviz.errors import InputError
from grokviz.importers.importing import ImportResult

torch = pytest.importorskip("torch", reason="published files are opened with the [train] extra")

D = 8


def vision_transformer() -> dict[str, tuple[int, ...]]:
    shapes = {
        "cls_token": (1, 1, D),
        "pos_embed": (1, 5, D),
        "patch_embed.proj.weight": (D, 3, 2, 2),
    }
    for i in range(2):
        shapes |= {
            f"blocks.{i}.norm1.weight": (D,), f"blocks.{i}.attn.qkv.weight": (3 * D, D),
            f"blocks.{i}.attn.qkv.bias": (3 * D,), f"blocks.{i}.attn.proj.weight": (D, D),
            f"blocks.{i}.mlp.fc1.weight": (4 * D, D), f"blocks.{i}.mlp.fc2.weight": (D, 4 * D),
        }  # fmt: skip
    return {**shapes, "norm.weight": (D,), "head.weight": (10, D)}


def gpt2() -> dict[str, tuple[int, ...]]:
    shapes = {"transformer.wte.weight": (20, D), "transformer.wpe.weight": (6, D)}
    for i in range(2):
        shapes |= {
            f"transformer.h.{i}.ln_1.weight": (D,), f"transformer.h.{i}.attn.bias": (1, 1, 6, 6),
            f"transformer.h.{i}.attn.c_attn.weight": (D, 3 * D),
            f"transformer.h.{i}.mlp.c_fc.weight": (D, 4 * D),
        }  # fmt: skip
    return {**shapes, "transformer.ln_f.weight": (D,), "lm_head.weight": (20, D)}


def bert() -> dict[str, tuple[int, ...]]:
    layer = "bert.encoder.layer.0"
    return {
        "bert.embeddings.word_embeddings.weight": (20, D),
        "bert.embeddings.LayerNorm.weight": (D,),
        f"{layer}.attention.self.query.weight": (D, D),
        f"{layer}.attention.output.LayerNorm.bias": (D,),
        f"{layer}.intermediate.dense.weight": (4 * D, D),
        "cls.predictions.decoder.weight": (20, D),
    }


def resnet() -> dict[str, tuple[int, ...]]:
    return {
        "conv1.weight": (4, 3, 3, 3), "bn1.weight": (4,), "bn1.running_mean": (4,),
        "layer1.0.conv1.weight": (4, 4, 3, 3), "fc.weight": (10, 4),
    }  # fmt: skip


def tensors(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Any]:
    rng = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=rng) for name, shape in shapes.items()}


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., ImportResult]:
    """Imports what torch saves, as a file of that name."""

    def do(data: Any, name: str = "step_3.pth", **settings: Any) -> ImportResult:
        torch.save(data, tmp_path / name)
        return gv.import_run(tmp_path / name, tmp_path / "run", settings=settings)

    return do


@pytest.mark.parametrize("layout", [vision_transformer, gpt2, bert, resnet])
def test_every_tensor_of_a_known_library_is_kept(layout, imported) -> None:
    state = tensors(layout())
    run = gv.open_run(imported(state).path)
    weights = run.weights(3)
    assert weights.keys() == state.keys()
    for name, tensor in state.items():
        np.testing.assert_array_equal(weights[name], tensor.numpy())
    assert run.facts["task"] is None
    norms = gv.analyze(run)["sum_squared_weights"]
    assert "bn1.running_mean" not in norms["parameter"].values
    last = list(state)[-1]
    assert float(norms.sel(parameter=last)[-1]) == pytest.approx(float((state[last] ** 2).sum()))


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "module._orig_mod.", "model.net."])
def test_what_wraps_a_model_comes_off_its_names(wrapper: str, imported) -> None:
    state = tensors(vision_transformer())
    result = imported({wrapper + name: tensor for name, tensor in state.items()})
    assert gv.open_run(result.path).weights(3).keys() == state.keys()
    assert f"names without '{wrapper}': all of them begin with it" in result.beliefs


def test_what_wraps_a_part_comes_off_and_the_models_own_words_stay(imported) -> None:
    state = tensors({"blocks.0._orig_mod.w": (2,), "model.w": (3,)})
    assert gv.open_run(imported(state).path).weights(3).keys() == {"blocks.0.w", "model.w"}


def test_numbers_of_every_kind_are_read(imported) -> None:
    values = torch.tensor([0.5, -1.75, 3.0, 0.0])
    state = {
        **{str(dtype)[6:]: values.to(dtype)
           for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64)},
        "steps": torch.tensor(10**6), "allowed": torch.tensor([True, False]),
        "codes": torch.tensor([1, 200], dtype=torch.uint8), "empty": torch.zeros(0, 4),
    }  # fmt: skip
    run = gv.open_run(imported(state).path)
    weights = run.weights(3)
    for name in ("bfloat16", "float16", "float32", "float64"):
        np.testing.assert_array_equal(weights[name], values.numpy())
    assert weights["float64"].dtype == np.float64
    assert weights["steps"] == 10**6
    assert weights["allowed"].tolist() == [True, False]
    assert weights["codes"].tolist() == [1, 200]
    assert weights["empty"].shape == (0, 4)
    assert "steps" not in gv.analyze(run)["parameter"].values


def test_numbers_of_8_bits_are_what_torch_says(tmp_path: Path) -> None:
    codes = torch.arange(256, dtype=torch.uint8)
    kinds = {
        "F8_E4M3": "e4m3fn", "F8_E5M2": "e5m2", "F8_E4M3FNUZ": "e4m3fnuz",
        "F8_E5M2FNUZ": "e5m2fnuz", "F8_E8M0": "e8m0fnu",
    }  # fmt: skip
    for kind, name in kinds.items():
        dtype = getattr(torch, f"float8_{name}", None)
        if dtype is None and name == "e8m0fnu":  # which torch has from 2.7 on
            continue
        header = {"w": {"dtype": kind, "shape": [16, 16], "data_offsets": [0, 256]}}
        text = json.dumps(header).encode()
        file = tmp_path / f"{kind}.safetensors"
        file.write_bytes(struct.pack("<Q", len(text)) + text + codes.numpy().tobytes())
        result = gv.import_run(file, tmp_path / kind)
        weights = gv.open_run(result.path).weights(0)["w"]
        wanted = codes.view(dtype).float().reshape(16, 16).numpy()
        np.testing.assert_array_equal(weights, wanted)


def test_what_is_no_plain_number_is_left_out_with_a_sentence(tmp_path: Path, imported) -> None:
    arrays = {"w": np.ones(2), "phase": np.ones(2, "c8"), "words": np.array(["a", "b"])}
    np.savez(tmp_path / "step_3.npz", **arrays)
    result = gv.import_run(tmp_path / "step_3.npz", tmp_path / "npz")
    assert gv.open_run(result.path).weights(3).keys() == {"w"}
    left = [belief for belief in result.beliefs if belief.startswith("left out")]
    assert [belief.split(":")[0] for belief in left] == ["left out phase", "left out words"]
    assert "complex64" in left[0]
    extra = imported({"fc.w": torch.ones(2), "fc._extra_state": None})
    assert "left out fc._extra_state: it is no tensor" in extra.beliefs
    np.savez(tmp_path / "b.npz", phase=np.ones(2, "c8"))
    with pytest.raises(InputError, match="no tensor of plain numbers"):
        gv.import_run(tmp_path / "b.npz", tmp_path / "b")


def test_weights_under_another_word_are_found_and_parts_put_together(imported) -> None:
    state = tensors(resnet())
    other = imported({"ema": state, "loader": {"seed": 3}, "step": 40}, "a.pth")
    assert gv.open_run(other.path).weights(40).keys() == state.keys()
    assert "model ema: the file has no other weights" in other.beliefs


def test_state_dicts_of_several_parts_are_one_model(imported) -> None:
    parts = {"generator": tensors(resnet()), "discriminator": tensors(bert(), 1)}
    run = gv.open_run(imported({**parts, "epoch": 2}).path)
    wanted = {f"{part}.{name}" for part, state in parts.items() for name in state}
    assert run.weights(2).keys() == wanted


def test_a_tied_tensor_may_be_missing(tmp_path: Path, imported) -> None:
    table = torch.randn(20, D)
    tied = {"wte.weight": table, "lm_head.weight": table}
    states = [tied, {"wte.weight": 2 * table}]
    result = imported({"checkpoints": states, "checkpoint_epochs": [0, 7]})
    run = gv.open_run(result.path)
    np.testing.assert_array_equal(run.weights(7)["wte.weight"], 2 * table.numpy())
    assert any(belief.startswith("left out lm_head.weight") for belief in result.beliefs)


def test_a_name_does_not_make_a_model_what_it_is_not(imported) -> None:
    result = imported(tensors(vision_transformer()), "mod_addition_step_3.pth")
    assert gv.open_run(result.path).facts["task"] is None
    assert any("its weights are no such model" in belief for belief in result.beliefs)


def test_a_task_is_believed_only_where_shapes_agree(imported) -> None:
    with pytest.raises(InputError, match="cannot be of modular-addition: they have neither"):
        imported(tensors(vision_transformer()), task="modular-addition")
    published = {
        "embed.W_E": (D, 12), "pos_embed.W_pos": (18, D), "unembed.W_U": (D, 12),
        **{f"blocks.0.attn.W_{x}": (2, 4, D) for x in "QKV"}, "blocks.0.attn.W_O": (D, 8),
        "blocks.0.mlp.W_in": (9, D), "blocks.0.mlp.W_out": (D, 9),
    }  # fmt: skip
    with pytest.raises(InputError, match=r"n_ctx = 18.*give --set task=digit-addition"):
        imported(tensors(published), task="modular-addition")
    result = imported(tensors(published), task="digit-addition")
    assert gv.open_run(result.path).facts["task"] == "digit-addition"


def test_the_layout_of_the_file_is_kept_on_demand(imported) -> None:
    lens = {
        "embed.W_E": (6, D), "pos_embed.W_pos": (3, D), "unembed.W_U": (D, 6),
        **{f"blocks.0.attn.W_{x}": (2, D, 4) for x in "QKV"}, "blocks.0.attn.W_O": (2, 4, D),
        "blocks.0.mlp.W_in": (D, 9), "blocks.0.mlp.W_out": (9, D),
    }  # fmt: skip
    run = gv.open_run(imported(tensors(lens), layout="own").path)
    assert {name: array.shape for name, array in run.weights(3).items()} == lens
    assert run.facts["task"] is None


def test_single_tensors_are_kept_by_their_names(tmp_path: Path) -> None:
    state = {f"model.{name}": tensor for name, tensor in tensors(vision_transformer()).items()}
    torch.save(state, tmp_path / "step_3.pth")
    only = ["*.attn.*", "model.norm.weight"]
    run = gv.open_run(gv.import_run(tmp_path / "step_3.pth", tmp_path / "run", only=only).path)
    assert run.weights(3).keys() == {
        name for name in state if ".attn." in name or name == "model.norm.weight"
    }
    with pytest.raises(InputError, match="has no tensor attn"):
        gv.import_run(tmp_path / "step_3.pth", tmp_path / "x", only=["attn"])


def foreign() -> dict[str, Any]:
    """A model of three positions and two heads, as a loop with nn.Linear keeps it."""
    return tensors({
        "tok.weight": (6, D), "pos.weight": (3, D), "layers.0.attn.qkv.weight": (3 * D, D),
        "layers.0.attn.out.weight": (D, D), "layers.0.fc1.weight": (9, D),
        "layers.0.fc1.bias": (9,),
        "layers.0.fc2.weight": (D, 9), "layers.0.fc2.bias": (D,), "head.weight": (6, D),
        "layers.0.attn.causal": (3, 3),
    })  # fmt: skip


MAPS = [
    "tok.weight^T=embed.W_E", "pos.weight=pos_embed.W_pos", "head.weight^T=unembed.W_U",
    *(f"layers.*.attn.qkv.weight[{D * i}:{D * i + D}]/2=blocks.*.attn.W_{x}"
      for i, x in enumerate("QKV")),
    "layers.*.attn.out.weight=blocks.*.attn.W_O", "layers.*.fc1.weight=blocks.*.mlp.W_in",
    "layers.*.fc1.bias=blocks.*.mlp.b_in", "layers.*.fc2.weight=blocks.*.mlp.W_out",
    "layers.*.fc2.bias=blocks.*.mlp.b_out", "layers.*.attn.causal=",
]  # fmt: skip


def test_a_foreign_model_is_brought_to_the_published_names(tmp_path: Path) -> None:
    state = foreign()
    torch.save(state, tmp_path / "step_3.pth")
    imported = gv.import_run(
        tmp_path / "step_3.pth", tmp_path / "run", maps=MAPS,
        settings={"task": "modular-addition", "p": 5},
    )  # fmt: skip
    run = gv.open_run(imported.path)
    assert run.facts["task"] == "modular-addition"
    assert run.facts["settings"]["p"] == 5
    weights = run.weights(3)
    np.testing.assert_array_equal(weights["embed.W_E"], state["tok.weight"].numpy().T)
    fused = state["layers.0.attn.qkv.weight"].numpy()
    for i, x in enumerate("QKV"):
        for head in range(2):
            rows = fused[D * i + 4 * head : D * i + 4 * head + 4]
            np.testing.assert_array_equal(weights[f"blocks.0.attn.W_{x}"][head], rows)
    assert set(weights) == {m.split("=")[1].replace("*", "0") for m in MAPS if m[-1] != "="}
    assert "map tok.weight^T=embed.W_E: given" in imported.beliefs


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("tok.weights=a", "did you mean tok.weight"), ("tok.weight", "is not understood"),
        ("tok.weight/4=a", "does not fit tok.weight of shape"), ("fc*=a.*.*", "more \\* after"),
        ("layers.0.fc1.bias^T=a", "does not fit"), ("tok.weight[3:9]=a", "does not fit"),
        ("tok.weight=head.weight", "has a head.weight already"),
        ("tok.weight=a;pos.weight=a", "makes a twice"), ("tok.weight/0=a", "does not fit"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_fit_is_refused(rule: str, reason: str, tmp_path: Path) -> None:
    torch.save(foreign(), tmp_path / "step_3.pth")
    with pytest.raises(InputError, match=reason):
        gv.import_run(tmp_path / "step_3.pth", tmp_path / "run", maps=[rule])


def test_tensors_without_a_rule_keep_their_names(tmp_path: Path) -> None:
    torch.save(foreign(), tmp_path / "step_3.pth")
    status = cli.run([
        "import", str(tmp_path / "step_3.pth"), "--out", str(tmp_path / "run"),
        "--map", "tok.weight^T=embed.W_E", "--map", "layers.0.attn.causal=",
    ])  # fmt: skip
    assert status == 0
    names = gv.open_run(tmp_path / "run").weights(3).keys()
    assert names == (foreign().keys() - {"tok.weight", "layers.0.attn.causal"}) | {"embed.W_E"}
