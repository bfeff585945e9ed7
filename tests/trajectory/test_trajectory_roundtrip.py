from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from trajectory_runs import contents, weights_at

from grokviz.errors import InputError
from grokviz.notebook.show import run_html
from grokviz.runs import RunWriter, info, layout, open_run, tensors, verify_run

DTYPES = ["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "i1", "<u8", "<u4", "<u2", "u1", "?", ">f4"]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
)
names = st.text(min_size=1, max_size=20).filter(lambda s: s != "__metadata__" and _encodes(s))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@given(st.dictionaries(names, arrays, min_size=1, max_size=4), st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_weights_come_back_exactly(weights: dict[str, np.ndarray], epoch: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        with RunWriter.create(path, {}) as writer:
            writer.checkpoint(epoch, weights)
            writer.save_state(epoch, weights)
        run = open_run(path)
        assert run.verify() == []
        resumed = RunWriter.resume(path)
        resumed.close()
        assert resumed.resume_state is not None
        for found in (run.weights(epoch), resumed.resume_state[0]):
            assert found.keys() == weights.keys()
            for name, array in weights.items():
                wide = array.astype("f4") if array.dtype == np.float16 else array
                assert found[name].dtype == wide.dtype.newbyteorder("=")
                assert found[name].shape == array.shape
                np.testing.assert_array_equal(found[name], wide)
        for name, array in weights.items():
            np.testing.assert_array_equal(run.parameter(name)[0], array)
        assert sorted(p.name for p in Path(folder).iterdir()) == ["run"]


@given(
    st.lists(
        st.tuples(st.integers(0, 2**53 - 1), st.floats()), unique_by=lambda r: r[0], max_size=30
    )
)
@settings(max_examples=40, deadline=None)
def test_metrics_come_back_exactly(records: list[tuple[int, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        with RunWriter.create(path, {}) as writer:
            for epoch, value in sorted(records):
                writer.log(epoch, loss=value)
        run = open_run(path)
        assert run.metrics == (["loss"] if records else [])
        if records:
            epochs, values = run.metric("loss")
            assert epochs.tolist() == [e for e, _ in sorted(records)]
            np.testing.assert_array_equal(values, [v for _, v in sorted(records)])


@pytest.mark.train
def test_tensors_of_every_kind(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    shared = torch.arange(12.0).reshape(3, 4)
    weights = {
        "transposed": shared.T,
        "shared": shared[:, 1:3],
        "half": torch.tensor([1.5, -2.25], dtype=torch.float16),
        "brain": torch.tensor([3.0e38, -1.0e-30], dtype=torch.bfloat16),
        "needs-grad": torch.ones(2, requires_grad=True),
        "scalar": torch.tensor(7),
    }
    with RunWriter.create(tmp_path / "run", {}) as writer:
        writer.checkpoint(0, weights)
    found = open_run(tmp_path / "run").weights(0)
    for name, tensor in weights.items():
        wide = tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
        np.testing.assert_array_equal(found[name], wide.detach().numpy())
        assert found[name].dtype == wide.detach().numpy().dtype


def test_bfloat16_of_another_writer_is_widened_exactly(tmp_path: Path) -> None:
    bits = np.array([[0x3F80, 0xC000, 0x7F61], [0x0001, 0x7F80, 0x0000]], "<u2")
    plain = np.arange(3.0, dtype=np.float32)
    header = (
        b'{"brain":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},'
        b'"plain":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}}'
    )
    file = tmp_path / "x.safetensors"
    data = bits.tobytes() + plain.tobytes()
    file.write_bytes(len(header).to_bytes(8, "little") + header + data)
    arrays, metadata = tensors.load(file)
    assert list(arrays) == ["brain", "plain"]
    assert metadata == ""
    assert arrays["brain"].dtype == arrays["plain"].dtype == np.float32
    np.testing.assert_array_equal(arrays["brain"].view(np.uint32) >> 16, bits)
    assert not (arrays["brain"].view(np.uint32) & 0xFFFF).any()
    np.testing.assert_array_equal(arrays["plain"], plain)


def test_no_numbers_are_kept_as_they_are_and_other_things_refused(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    writer.checkpoint(0, {"w": np.array([np.nan, np.inf, 1.0])})
    for bad in ("text", object(), [1, [2, 3]], np.array([1j]), np.array(["a"]), None):
        with pytest.raises(InputError, match=r"layer.w"):
            writer.checkpoint(1, {"layer.w": bad})
    with pytest.raises(InputError, match="mapping"):
        writer.checkpoint(1, [np.ones(3)])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no weights"):
        RunWriter.create(tmp_path / "other", {}).checkpoint(0, {})
    writer.close()
    np.testing.assert_array_equal(open_run(tmp_path / "run").weights(0)["w"], [np.nan, np.inf, 1.0])


def test_reads_lazily_what_was_asked(make_run: Callable[..., Path]) -> None:
    run = open_run(make_run())
    assert run.epochs.tolist() == [0, 3, 6, 9]
    assert run.finished
    assert run.shapes() == {"embed.W_E": (4, 6), "unembed.W_U": (4, 5)}
    waves = run.parameter("embed.W_E")
    assert waves.shape == (4, 4, 6)
    np.testing.assert_array_equal(waves[2], weights_at(6)["embed.W_E"])
    np.testing.assert_array_equal(run.parameter("embed.W_E", [9, 0])[1], waves[0])
    assert run.parameter("embed.W_E", []).shape == (0, 4, 6)
    chosen = list(run.iter_weights(epochs=[3, 9], names=["unembed.W_U"]))
    assert [epoch for epoch, _ in chosen] == [3, 9]
    assert list(chosen[0][1]) == ["unembed.W_U"]
    assert len(list(run.iter_weights())) == 4


def test_what_is_not_there_is_named_with_the_nearest(make_run: Callable[..., Path]) -> None:
    run = open_run(make_run())
    with pytest.raises(InputError, match="epoch 5; the nearest: 3 and 6"):
        run.weights(5)
    with pytest.raises(InputError, match="nearest: 9"):
        run.weights(100)
    with pytest.raises(InputError, match=r"did you mean embed.W_E"):
        run.parameter("embed.WE")
    with pytest.raises(InputError, match="did you mean train_loss"):
        run.metric("trainloss")
    with pytest.raises(InputError, match="whole number"):
        run.weights(1.5)  # type: ignore[arg-type]


def test_no_run_there(tmp_path: Path) -> None:
    for place in (tmp_path / "missing", tmp_path):
        with pytest.raises(InputError, match=r"there is no run there \(no run.json\)"):
            open_run(place)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="there is no run"):
        open_run(tmp_path / "file")


def test_newer_format_says_to_upgrade(
    make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    monkeypatch.setattr(layout, "FORMAT", layout.ARRAYS_FORMAT + 1)
    data = layout.encode_facts({"recipe": "small", "unheard-of": {"field": 1}})
    monkeypatch.undo()
    (path / "run.json").write_bytes(data)
    for look in (open_run, verify_run):
        with pytest.raises(InputError, match="pip install --upgrade"):
            look(path)


def test_a_newer_index_says_to_upgrade_too(
    make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    monkeypatch.setattr(layout, "FORMAT", layout.ARRAYS_FORMAT + 1)
    (path / "index.json").write_bytes(layout.Index().encode())
    monkeypatch.undo()
    for look in (open_run, verify_run):
        with pytest.raises(InputError, match="pip install --upgrade"):
            look(path)


@pytest.mark.parametrize("name", ["run.json", "index.json"])
def test_a_flipped_format_is_damage(name: str, make_run: Callable[..., Path]) -> None:
    path = make_run()
    data = (path / name).read_bytes()
    flipped = data.replace(b'"format": 1', b'"format": 9').replace(b'"format":1', b'"format":9')
    assert flipped != data
    (path / name).write_bytes(flipped)
    with pytest.raises(InputError, match=f"{name} is damaged: its checksum does not match"):
        open_run(path)
    assert [finding.file for finding in verify_run(path)] == [name]


def test_a_later_format_opens_the_runs_of_this_one(
    make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = make_run()
    before = contents(path)
    RunWriter.create(tmp_path / "begun", {}).close()
    (tmp_path / "begun" / "run.json").unlink()
    monkeypatch.setattr(layout, "FORMAT", layout.FORMAT + 1)
    assert open_run(path).verify() == []
    RunWriter.resume(path).close()
    assert contents(path) == before
    with RunWriter.create(tmp_path / "begun", {}) as writer:
        writer.checkpoint(0, weights_at(0))
    assert verify_run(tmp_path / "begun") == []


def test_checksum_is_of_the_data(make_run: Callable[..., Path], tmp_path: Path) -> None:
    path = make_run(created="today", command="a")
    run = open_run(path)
    shutil.copytree(path, tmp_path / "elsewhere" / "copy")
    assert open_run(tmp_path / "elsewhere" / "copy").checksum == run.checksum
    assert open_run(make_run("b", created="later", command="b")).checksum == run.checksum
    assert open_run(make_run("c", seed=1)).checksum != run.checksum
    with RunWriter.resume(path) as writer:
        for epoch in range(6, 10):
            writer.log(epoch, train_loss=0.0)
    assert open_run(path).checksum != run.checksum


@pytest.mark.parametrize(
    "facts",
    [{"x": object()}, {"x": {"y": [1, {1, 2}, b"z"]}}, {"x": float("nan")}, {"x": {1, "a"}}],
)
def test_facts_that_json_cannot_hold(tmp_path: Path, facts: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="the fact x"):
        RunWriter.create(tmp_path / "run", facts)
    assert not (tmp_path / "run").exists()


def test_facts_come_back(tmp_path: Path) -> None:
    facts = {"lr": np.float32(0.5), "betas": (0.9, 0.98), "out": Path("a"), "seed": np.int64(3)}
    writer = RunWriter.create(tmp_path / "run", facts)
    writer.update_facts(epochs=7)
    writer.close()
    expected = {"lr": 0.5, "betas": [0.9, 0.98], "out": "a", "seed": 3, "epochs": 7}
    assert writer.facts == expected
    assert dict(open_run(tmp_path / "run").facts) == {**expected, "format": layout.FORMAT}
    assert verify_run(tmp_path / "run") == []


def test_info(make_run: Callable[..., Path]) -> None:
    path = make_run()
    facts = info(open_run(path), verify=True)
    assert facts["epochs"] == 9
    assert facts["checkpoints"] == 4
    assert facts["recipe"] == "small"
    assert facts["parameters"] == 44
    assert facts["problems"] == []
    (path / "checkpoints" / "3.safetensors").unlink()
    assert info(open_run(path))["problems"] == []
    assert info(open_run(path), verify=True)["problems"] == [
        "checkpoints/3.safetensors: it is missing"
    ]


def test_empty_run_describes_itself(tmp_path: Path) -> None:
    RunWriter.create(tmp_path / "run", {}).close()
    run = open_run(tmp_path / "run")
    assert info(run, verify=True)["epochs"] is None
    assert run.shapes() == {}
    assert run.metrics == []
    with pytest.raises(InputError, match="no checkpoints yet"):
        run.weights(0)


def test_shows_itself_with_its_name_escaped(make_run: Callable[..., Path]) -> None:
    run = open_run(make_run(name="<script>alert(1)</script>"))
    assert "<script>" not in run_html(run)
    assert "&lt;script&gt;" in run_html(run)
    assert "4 checkpoints, epochs 0 to 9, finished" in repr(run)


def test_a_mask_is_no_parameter(tmp_path: Path) -> None:
    weights = {"attn.W_K": np.zeros((2, 3)), "attn.mask": np.zeros((5, 5)), "IGNORE": np.zeros(1)}
    with RunWriter.create(tmp_path / "masked", {}) as writer:
        writer.checkpoint(0, {**weights, "unmask": np.zeros(4)})
    assert info(open_run(tmp_path / "masked"))["parameters"] == 6 + 4


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_large_model_is_written_without_a_copy_as_safetensors_does(data: st.DataObject) -> None:
    kinds = st.sampled_from(["f8", "f4", "f2", "?", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1"])
    names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
    shapes = st.lists(st.integers(0, 3), max_size=3)
    arrays = {
        name: np.arange(math.prod(shape)).astype(kind).reshape(shape)
        for name, (kind, shape) in data.draw(
            st.dictionaries(names, st.tuples(kinds, shapes), max_size=8)
        ).items()
        if name != "__metadata__"
    }
    before, tensors.LARGE = tensors.LARGE, 0
    try:
        parts = tensors.buffers(arrays, '{"epoch": 3}')
    finally:
        tensors.LARGE = before
    assert b"".join(parts) == tensors.encode(arrays, '{"epoch": 3}')
    if arrays:
        assert all(isinstance(part, memoryview) for part in parts[1:])


# --- a part of an array ----------------------------------------------------------------


@given(st.sampled_from(DTYPES), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_rows_of_an_array_are_those_of_the_whole(dtype: str, start: int, stop: int) -> None:
    rng = np.random.default_rng(start)
    weights = {"a": rng.integers(0, 2, 5).astype("f4"), "b": rng.integers(0, 2, (7, 3, 2))}
    weights["c"] = rng.integers(0, 2, (7, 3)).astype(dtype)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(tensors.encode(tensors.as_arrays(weights, "weights"), ""))
        with tensors.TensorFile(path) as file:
            for name in weights:
                whole, rows = file.read([name])[name], file.read_rows(name, slice(start, stop))
                np.testing.assert_array_equal(rows, whole[start:stop])
                assert rows.dtype == whole.dtype


def test_rows_of_two_byte_numbers_beside_what_is_no_number_of_ours(tmp_path: Path) -> None:
    bits = np.arange(12, dtype="<u2") + 0x3F80
    rows = {
        "complex": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]},
        "w": {"dtype": "BF16", "shape": [4, 3], "data_offsets": [8, 32]},
    }
    header = json.dumps(rows).encode()
    file = tmp_path / "file"
    file.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8) + bits.tobytes())
    with tensors.TensorFile(file) as opened:
        part = opened.read_rows("w", slice(1, 3))
    np.testing.assert_array_equal(part, (bits.astype("<u4") << 16).view("<f4").reshape(4, 3)[1:3])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="Linux counts what is read")
def test_no_more_than_the_rows_is_read(tmp_path: Path) -> None:
    def bytes_read() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    file = tmp_path / "file"
    file.write_bytes(tensors.encode({"a": np.zeros((1000, 5000), "f4")}, ""))  # 20 MB
    before = bytes_read()
    with tensors.TensorFile(file) as opened:
        assert opened.read_rows("a", slice(10, 20)).shape == (10, 5000)
    assert bytes_read() - before < 2_000_000
