from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from trajectory_runs import contents, weights_at

import grokviz as gv
from grokviz.dataset.checkpoint import RunView
from grokviz.errors import InputError
from grokviz.runs import RunWriter, open_run, verify_run
from grokviz.tasks.modular_addition.data import ModularAddition
from grokviz.training.record import record


@pytest.mark.train
def test_an_ordinary_loop(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    inputs, targets = torch.randn(8, 3), torch.randn(8, 1)
    with record(tmp_path / "run", task="regression", p=3, train_fraction=0.5) as run:
        for epoch in range(5):
            loss = ((model(inputs) - targets) ** 2).mean()
            run.step(epoch, model if epoch % 2 == 0 else None, train_loss=loss)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        run.step(5, model.state_dict())
    read = open_run(tmp_path / "run")
    assert read.finished
    assert read.epochs.tolist() == [0, 2, 4, 5]
    assert read.facts["task"] == "regression"
    assert read.facts["settings"] == {"p": 3, "train-fraction": 0.5}
    assert read.facts["versions"]["torch"] == torch.__version__
    np.testing.assert_array_equal(read.weights(5)["0.weight"], model[0].weight.detach().numpy())
    epochs, values = read.metric("train_loss")
    assert epochs.tolist() == list(range(5))
    assert values[-1] < values[0]
    assert read.verify() == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_loop_that_breaks_leaves_a_valid_run(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), record(tmp_path / "run") as run:  # noqa: PT012
        for epoch in range(10):
            run.step(epoch, weights_at(epoch), loss=float(epoch))
            if epoch == 4:
                raise error
    read = open_run(tmp_path / "run")
    assert not read.finished
    assert read.epochs.tolist() == list(range(5))
    assert read.metric("loss")[1].tolist() == [0, 1, 2, 3, 4]
    assert verify_run(tmp_path / "run") == []


def test_resume_records_again_from_the_first_step(tmp_path: Path) -> None:
    def loop(name: str, first: int, last: int, **options: Any) -> None:
        with record(tmp_path / name, p=5, **options) as run:
            for epoch in range(first, last):
                run.step(epoch, weights_at(epoch) if epoch % 2 == 0 else None, loss=float(epoch))

    loop("whole", 0, 9)
    loop("parts", 0, 6, resume=True)
    loop("parts", 4, 9, resume=True)
    whole, parts = contents(tmp_path / "whole"), contents(tmp_path / "parts")
    del whole["run.json"], parts["run.json"]
    assert parts == whole
    assert open_run(tmp_path / "parts").checksum == open_run(tmp_path / "whole").checksum
    before = contents(tmp_path / "parts")
    with record(tmp_path / "parts", resume=True):
        pass  # nothing stepped, nothing changed
    assert contents(tmp_path / "parts") == before
    with pytest.raises(InputError, match="begun with p=5 and not 7"):
        record(tmp_path / "parts", resume=True, p=7)
    record(tmp_path / "parts", resume=True, seed=1).__exit__(None, None, None)
    assert open_run(tmp_path / "parts").facts["settings"] == {"p": 5, "seed": 1}


def test_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with record(path) as run:
        run.step(0, weights_at(0), loss=1.0)
    with pytest.raises(InputError, match="overwrite=True, resume=True or another path"):
        record(path)
    with pytest.raises(InputError, match="exclude each other"):
        record(path, overwrite=True, resume=True)
    with record(path, overwrite=True) as run:
        run.step(7, {"other": np.ones(2)})
    assert open_run(path).epochs.tolist() == [7]
    assert open_run(path).metrics == []
    assert verify_run(path) == []


def test_overwrite_deletes_runs_only(tmp_path: Path) -> None:
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter.txt").write_text("years of work")
    with pytest.raises(InputError, match="not a run"):
        record(foreign, overwrite=True)
    path = tmp_path / "run"
    record(path).__exit__(None, None, None)
    (path / "checkpoints" / "chapter.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"chapter.txt is not part of the run"):
        record(path, overwrite=True)
    assert (path / "checkpoints" / "chapter.txt").read_text() == "years of work"
    assert open_run(path).epochs.size == 0
    (path / "checkpoints" / "chapter.txt").unlink()
    writer = RunWriter.resume(path)
    with pytest.raises(InputError, match="another process"):
        record(path, overwrite=True)
    writer.close()


def test_wrong_steps(tmp_path: Path) -> None:
    with record(tmp_path / "run") as run:
        run.step(3, weights_at(3), loss=1.0)
        with pytest.raises(InputError, match=r"step\(2\) came after step\(3\)"):
            run.step(2, loss=1.0)
        with pytest.raises(InputError, match=r"unembed.W_U was"):
            run.step(4, {"embed.W_E": np.ones((4, 6), np.float32)})
        for bad in ("0.5", None, [1.0, 2.0], np.ones(3), {}, 1j):
            with pytest.raises(InputError, match="metric loss"):
                run.step(5, loss=bad)
        with pytest.raises(InputError, match="state is a int"):
            run.step(6, 3)
        run.step(7, None, loss=float("nan"), rate=np.float32(0.5))
        run.step(7, weights_at(7), accuracy=True)
    read = open_run(tmp_path / "run")
    assert np.isnan(read.metric("loss")[1][-1])
    assert read.metric("rate")[1].tolist() == [0.5]
    assert read.epochs.tolist() == [3, 7]


def test_what_cannot_be_deleted_stays_a_run(
    make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    unlink = os.unlink

    def refused(file: Any, **options: Any) -> None:
        if str(file).endswith("train_loss.f64"):
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(file, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refused)
        with pytest.raises(InputError, match="metrics: permission denied"):
            record(path, overwrite=True)
    assert (path / "run.json").exists()
    with record(path, overwrite=True) as run:
        run.step(0, weights_at(0))
    assert verify_run(path) == []


def test_overwriting_that_was_cut_short_can_be_done_again(make_run: Callable[..., Path]) -> None:
    path = make_run()
    for file in ("checkpoints/3.safetensors", "metrics/train_loss.f64", "index.json"):
        (path / file).unlink()
    with record(path, overwrite=True) as run:
        run.step(0, weights_at(0))
    assert verify_run(path) == []
    assert open_run(path).epochs.tolist() == [0]


def test_arrays_of_any_shape_are_kept_beside_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "run"

    def loop(first: int, last: int, **options: Any) -> None:
        with record(path, **options) as run:
            for epoch in range(first, last):
                seen = {"pattern": np.full((epoch, 2, 3), epoch, np.float16), "count": epoch}
                run.step(epoch, weights_at(epoch) if epoch % 2 else None, arrays=seen, loss=1.0)

    loop(0, 4)
    read = open_run(path)
    assert (read.epochs.tolist(), read.array_epochs.tolist()) == ([1, 3], [0, 1, 2, 3])
    assert read.arrays(2).keys() == {"pattern", "count"}
    np.testing.assert_array_equal(read.arrays(2)["pattern"], np.full((2, 2, 3), 2.0))
    assert read.arrays(3)["count"] == 3
    assert read.shapes().keys() == weights_at(0).keys()
    assert gv.analyze(path)["parameter"].size == 2
    with pytest.raises(InputError, match="no arrays of epoch 9; the nearest: 3"):
        read.arrays(9)
    before = read.checksum
    loop(2, 4, resume=True)
    assert open_run(path).checksum == before
    (path / "arrays" / "2.safetensors").write_bytes(b"")
    assert [finding.file for finding in verify_run(path)] == ["arrays/2.safetensors"]
    with pytest.raises(InputError, match=r"arrays/2\.safetensors"):
        open_run(path).arrays(2)
    with record(path, overwrite=True, when=[1]) as run:
        run.step(0, arrays={"a": np.ones(2)})
        run.step(1, arrays={"a": np.ones(2)})
        with pytest.raises(InputError, match="give all arrays of an epoch at once"):
            run.step(1, arrays={"b": np.ones(2)})
        for wrong in ({"a": "text"}, {"a": np.array([None])}, [np.ones(2)]):
            run._last = 0
            with pytest.raises(InputError):
                run.step(1, arrays=wrong)  # type: ignore[arg-type]
    assert open_run(path).array_epochs.tolist() == [1]
    assert verify_run(path) == []


@pytest.mark.parametrize(
    ("when", "epochs"),
    [
        ("log", [0, 1, 2, 3, 4, 5, 6, 8]), ([1, 2, 5], [1, 2, 5]), (4, [0, 4, 8]),
        ("4,1@5:6", [0, 4, 5, 6, 8]), (np.array([3, 9]), [3, 9]), (lambda epoch: epoch > 7, [8, 9]),
    ],
)  # fmt: skip
def test_weights_are_kept_when_it_is_said(when: Any, epochs: list[int], tmp_path: Path) -> None:
    class Model:
        asked = 0

        def state_dict(self) -> dict[str, np.ndarray]:
            Model.asked += 1
            return weights_at(0)

    with record(tmp_path / "run", when=when) as run:
        for epoch in range(10):
            run.step(epoch, Model(), loss=1.0)
    read = open_run(tmp_path / "run")
    assert read.epochs.tolist() == epochs
    assert Model.asked == len(epochs)
    assert len(read.metric("loss")[0]) == 10


def test_a_wrong_when_is_refused_before_anything_is_deleted(make_run: Callable[..., Path]) -> None:
    path = make_run()
    before = contents(path)
    for when in ("often", 0, [], [1.5], True, "[]"):
        with pytest.raises(InputError, match="when="):
            record(path, overwrite=True, when=when)
    assert contents(path) == before


@pytest.mark.slow
@pytest.mark.train
def test_a_compiled_or_parallel_model_has_its_own_names(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
    parallel, whole = torch.nn.DataParallel(model), torch.compile(model, backend="eager")
    assert next(iter(parallel.state_dict())) == "module.0.weight"
    assert next(iter(whole.state_dict())) == "_orig_mod.0.weight"
    with record(tmp_path / "run") as run:
        for epoch, state in enumerate((model, parallel, whole, torch.nn.DataParallel(whole))):
            run.step(epoch, state)
    assert open_run(tmp_path / "run").shapes().keys() == model.state_dict().keys()


def test_a_run_begun_with_wrapped_names_goes_on_with_them(tmp_path: Path) -> None:
    wrapped = {f"module.{name}": array for name, array in weights_at(0).items()}
    with RunWriter.create(tmp_path / "run", {"settings": {}}) as writer:
        writer.checkpoint(0, wrapped)
    with record(tmp_path / "run", resume=True) as run:
        run.step(1, wrapped)
    assert open_run(tmp_path / "run").weights(1).keys() == wrapped.keys()


def test_a_setting_that_is_none_is_not_said(tmp_path: Path) -> None:
    with gv.record(tmp_path / "run", task="modular-addition", seed=None, p=None) as recorder:
        recorder.step(0, train_loss=1.0)
    data = gv.analyze(tmp_path / "run", ["logged_train_loss"], cache=False)
    assert data["logged_train_loss"].values.tolist() == [1.0]
    view = RunView(open_run(tmp_path / "run"), np.array([0]), np.array([0]))
    assert "seed" not in view.settings
    with pytest.raises(InputError, match="does not say its p, train-fraction"):
        ModularAddition.from_settings(view.settings)


@pytest.mark.parametrize(
    ("setting", "kind"), [({"p": "x"}, "whole number"), ({"train_fraction": [0.3]}, "a number")]
)
def test_a_setting_that_is_no_number_is_a_sentence_when_it_is_measured(
    tmp_path: Path, setting: dict[str, object], kind: str
) -> None:
    with gv.record(tmp_path / "run", task="modular-addition", **setting) as recorder:  # type: ignore[arg-type]
        recorder.step(0, train_loss=1.0)
    with pytest.raises(InputError, match=rf"run\.json says .*, which is not .*{kind}"):
        gv.analyze(tmp_path / "run", ["logged_train_loss"], cache=False)


def test_nested_arrays_have_names_with_dots(tmp_path: Path) -> None:
    tree = {"layers": [{"w": np.ones((2, 3)), "b": np.zeros(3)}, (np.ones(4), np.ones(5))]}
    with record(tmp_path / "run") as run:
        run.step(0, tree)
        with pytest.raises(InputError, match="was absent"):
            run.step(1, tree["layers"])
    assert open_run(tmp_path / "run").shapes() == {
        "layers.0.w": (2, 3), "layers.0.b": (3,), "layers.1.0": (4,), "layers.1.1": (5,),
    }  # fmt: skip


def whole_model(p: int = 5, tokens: int | None = None) -> dict[str, np.ndarray]:
    shapes = {
        "embed.W_E": (8, tokens or p + 1), "pos_embed.W_pos": (3, 8), "unembed.W_U": (8, p),
        **{f"blocks.0.attn.W_{x}": (2, 4, 8) for x in "KQV"}, "blocks.0.attn.W_O": (8, 8),
        "blocks.0.mlp.W_in": (12, 8), "blocks.0.mlp.W_out": (8, 12),
    }  # fmt: skip
    return {name: np.full(shape, np.nan, np.float32) for name, shape in shapes.items()}


WRONG_MODELS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "its own names": ("have no embed.W_E", lambda m: {"0.weight": m["embed.W_E"]}, {}),
    "a part alone": ("have no unembed", lambda m: {k: m[k] for k in m if "un" not in k}, {}),
    "turned round": ("embed.W_E|shape", lambda m: {**m, "embed.W_E": m["embed.W_E"].T}, {}),
    "another p": ("p is 5 and not 7", lambda m: m, {"p": 7}),
}


@pytest.mark.parametrize("name", WRONG_MODELS)
def test_a_model_that_is_none_of_the_task_is_refused_at_the_first_step(
    name: str, tmp_path: Path
) -> None:
    reason, change, settings = WRONG_MODELS[name]
    with record(tmp_path / "run", task="modular-addition", **settings) as run:
        with pytest.raises(InputError, match=f"none of modular-addition: .*({reason})"):
            run.step(0, change(whole_model()), train_loss=1.0)
        run.step(1, whole_model(settings.get("p", 5)))
        assert run._writer.epochs == [1]
    with record(tmp_path / "other", task="no-such-task") as run:
        run.step(0, change(whole_model()))


def lens_model(bias: float = 0.0) -> dict[str, np.ndarray]:
    """A model of TransformerLens with p = 5, whose biases are this."""
    rng = np.random.default_rng(0)
    shapes = {
        "embed.W_E": (6, 8), "pos_embed.W_pos": (3, 8), "unembed.W_U": (8, 5),
        **{f"blocks.0.attn.W_{x}": (2, 8, 4) for x in "KQV"}, "blocks.0.attn.W_O": (2, 4, 8),
        "blocks.0.mlp.W_in": (8, 12), "blocks.0.mlp.W_out": (12, 8), "blocks.0.mlp.b_in": (12,),
    }  # fmt: skip
    state = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return {**state, "blocks.0.attn.b_Q": np.full((2, 4), bias, np.float32)}


def test_a_model_of_transformer_lens_is_brought_to_the_published_layout(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    state = {f"_orig_mod.{name}": array for name, array in lens_model().items()}
    with record(tmp_path / "run", task="modular-addition", p=5) as run:
        run.step(0, state)
        run.step(1, state)
    with record(tmp_path / "run", resume=True) as run:
        run.step(2, state)
    recorded = open_run(tmp_path / "run")
    assert recorded.facts["layout"].startswith("TransformerLens")
    save_file(lens_model(), tmp_path / "model.safetensors")
    imported = gv.import_run(tmp_path / "model.safetensors", tmp_path / "imported")
    wanted = open_run(imported.path).weights(0)
    for epoch in (0, 1, 2):
        weights = recorded.weights(epoch)
        assert weights.keys() == wanted.keys()
        for name, array in wanted.items():
            np.testing.assert_array_equal(weights[name], array)
    with record(tmp_path / "any") as run:
        run.step(0, lens_model(0.1))
    assert open_run(tmp_path / "any").shapes()["blocks.0.attn.W_O"] == (2, 4, 8)
    assert "layout" not in open_run(tmp_path / "any").facts


def test_a_model_of_transformer_lens_that_has_no_published_counterpart_is_refused(
    tmp_path: Path,
) -> None:
    deeper = {**lens_model(), "blocks.1.attn.b_K": np.zeros((2, 4), np.float32)}
    reasons = {
        "b_Q is not zero": lens_model(0.1), "no embed.W_E": {
            name: array for name, array in lens_model().items() if name != "embed.W_E"},
        "of 2 layers": deeper, "p is 5": lens_model(),
    }  # fmt: skip
    for i, (reason, state) in enumerate(reasons.items()):
        settings = {"p": 7} if reason == "p is 5" else {}
        with record(tmp_path / f"{i}", task="modular-addition", **settings) as run:  # type: ignore[arg-type]
            with pytest.raises(InputError, match=f"none of modular-addition: .*{reason}") as error:
                run.step(0, state)
            assert "leave out task=" in str(error.value)
    with record(tmp_path / "later", task="modular-addition") as run:
        run.step(0, lens_model())
        with pytest.raises(InputError, match="b_Q is not zero"):
            run.step(1, lens_model(0.1))


def test_a_bias_that_is_trained_or_a_layer_norm_is_refused_at_the_first_step(
    tmp_path: Path,
) -> None:
    torch = pytest.importorskip("torch", reason="the model is torch's")

    class Lens(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            for name, array in lens_model().items():
                *parts, last = name.split(".")
                place = self
                for part in parts:
                    if not hasattr(place, part):
                        place.add_module(part, torch.nn.Module())
                    place = getattr(place, part)
                place.register_parameter(last, torch.nn.Parameter(torch.from_numpy(array)))

    model = Lens()
    with record(tmp_path / "run", task="modular-addition") as run:
        with pytest.raises(InputError, match=r"b_Q is trained.*requires_grad"):
            run.step(0, model)
        model.blocks.get_submodule("0.attn").b_Q.requires_grad_(False)
        model.cfg = SimpleNamespace(normalization_type="LNPre")
        with pytest.raises(InputError, match="its config says normalization_type=LNPre; leave out"):
            run.step(0, model)
        model.cfg = SimpleNamespace(normalization_type=None)
        run.step(0, model)
    assert open_run(tmp_path / "run").shapes()["blocks.0.attn.W_O"] == (8, 8)


def test_a_model_of_another_sequence_is_refused_at_the_first_step(tmp_path: Path) -> None:
    run = record(tmp_path / "run", task="skip-trigram", noise=4, length=9)
    with run, pytest.raises(InputError, match="the run's settings say"):
        run.step(0, whole_model())
