from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trajectory_runs import contents, weights_at

from grokviz.errors import GrokvizError, InputError, WorkError
from grokviz.runs import RunWriter, layout, open_run, tensors, verify_run
from grokviz.runs.layout import DamagedFile
from grokviz.runs.snapshot import read_snapshot

FILES = [
    "run.json",
    "index.json",
    "resume.safetensors",
    "checkpoints/3.safetensors",
    "checkpoints/9.safetensors",
    "metrics/train_loss.f64",
    "metrics/test_loss.f64",
]


def named(path: Path) -> list[str]:
    return [problem.file for problem in verify_run(path) if not problem.note]


@pytest.mark.parametrize("file", FILES)
def test_any_flipped_byte_is_found_in_its_file(make_run: Callable[..., Path], file: str) -> None:
    path = make_run()
    assert set(FILES) <= contents(path).keys()
    target = path / file
    data = target.read_bytes()
    step = max(1, len(data) // 150)
    for at in [*range(0, len(data), step), len(data) - 1]:
        flipped = bytearray(data)
        flipped[at] ^= 1 << (at % 8)
        target.write_bytes(flipped)
        assert named(path) == [file], at
    target.write_bytes(data)
    assert named(path) == []


@pytest.mark.parametrize("file", FILES)
def test_truncated_or_missing_is_found_in_its_file(
    make_run: Callable[..., Path], file: str
) -> None:
    path = make_run()
    data = (path / file).read_bytes()
    for size in (0, 1, len(data) // 2, len(data) - 1):
        (path / file).write_bytes(data[:size])
        found = [p for p in verify_run(path) if not p.note]
        assert [p.file for p in found] == [file]
        if file.startswith(("metrics", "checkpoints")):
            assert "cut short" in found[0].what
    (path / file).unlink()
    found = [p for p in verify_run(path) if not p.note]
    assert [str(p) for p in found] == [f"{file}: it is missing"]


@pytest.mark.parametrize("file", ["index.json", "run.json"])
@given(data=st.binary(max_size=200) | st.text('{}[]"0:,aé ', max_size=50).map(str.encode))
@settings(max_examples=60, deadline=None)
def test_documents_of_any_bytes_are_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, file: str, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("d") / "run"
    RunWriter.create(path, {}).close()
    (path / file).write_bytes(data)
    assert named(path) == [file]
    with pytest.raises(InputError, match=file):
        open_run(path)
    with pytest.raises(InputError, match=file):
        RunWriter.resume(path)


def test_an_index_of_files_that_no_run_has_is_damage(make_run: Callable[..., Path]) -> None:
    path = make_run()
    content = layout.decode_document((path / "index.json").read_bytes(), indent=None)
    entry = content["checkpoints"][0]
    for change in (
        {"checkpoints": [{**entry, "epoch": -1}]},
        {"checkpoints": [{**entry, "bytes": float("inf")}]},
        {"metrics": {"": {"file": "metrics/.f64", "records": 1, "sha256": ""}}},
        {"metrics": {"loss": {"file": "/etc/passwd", "records": 1, "sha256": ""}}},
    ):
        (path / "index.json").write_bytes(
            layout.encode_document({**content, **change}, indent=None)
        )
        assert named(path) == ["index.json"]
        with pytest.raises(InputError, match=r"index.json is damaged"):
            open_run(path)


@pytest.mark.parametrize("text", ["", "3", "[]", "{}", '{"epoch": -1}', '{"epoch": "6"}'])
def test_a_state_that_names_no_epoch_is_damage(make_run: Callable[..., Path], text: str) -> None:
    path = make_run()
    data = tensors.encode({"moment": np.arange(3.0)}, text)
    (path / "resume.safetensors").write_bytes(data)
    index = layout.Index.decode((path / "index.json").read_bytes())
    index.resume = [layout.FileEntry.from_buffers(6, [data])]
    (path / "index.json").write_bytes(index.encode())
    with pytest.raises(InputError, match=r"resume.safetensors is damaged: its metadata does not"):
        RunWriter.resume(path)


@given(st.binary(max_size=300), st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_reader_takes_no_bytes_for_arrays(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, size: int
) -> None:
    file = tmp_path_factory.mktemp("d") / "x.safetensors"
    file.write_bytes(size.to_bytes(8, "little") + tail)
    with pytest.raises(DamagedFile):
        tensors.load(file)


@pytest.mark.parametrize(
    "header",
    [
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}',
        '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,-4]}}',
        '{"a":{"dtype":"F32","shape":[99999999999],"data_offsets":[0,399999999996]}}',
        '{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}',
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}',
        '{"a":[]}',
        '{"__metadata__":3}',
        "[" * 5000,
    ],
)
def test_lying_headers_are_damage(tmp_path: Path, header: str) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(4))
    with pytest.raises(DamagedFile):
        tensors.load(file)


@pytest.mark.parametrize(
    ("header", "data", "words"),
    [
        ('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(7), "cut short"),
        ('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(9), "longer than"),
        ('{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}', bytes(8), "a holds C64"),
        ('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', bytes(8), "overlap or leave"),
        ('{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}', bytes(4), "not readable"),
    ],
)
def test_what_is_wrong_with_a_tensor_file_is_said(
    tmp_path: Path, header: str, data: bytes, words: str
) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header.encode() + data)
    with pytest.raises(DamagedFile, match=words):
        tensors.load(file)


def test_a_file_cut_while_it_is_open_is_damage(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(tensors.encode({"w": np.ones(100_000)}, ""))
    with tensors.TensorFile(file) as opened:
        os.truncate(file, 1000)
        with pytest.raises(DamagedFile, match="cut short"):
            opened.read()


def test_damage_met_while_reading_names_the_file(make_run: Callable[..., Path]) -> None:
    path = make_run()
    run = open_run(path)
    file = path / "checkpoints" / "6.safetensors"
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"6.safetensors is damaged: it is cut short"):
        run.weights(6)
    with pytest.raises(InputError, match=r"6.safetensors"):
        run.parameter("unembed.W_U")
    file.unlink()
    with pytest.raises(InputError, match=r"6.safetensors is missing"):
        list(run.iter_weights())
    (path / "metrics" / "test_loss.f64").write_bytes(b"")
    with pytest.raises(InputError, match=r"test_loss.f64 is damaged"):
        run.metric("test_loss")


def test_no_flipped_bit_is_read(make_run: Callable[..., Path]) -> None:
    path, draw = make_run(), np.random.default_rng(0)
    run = open_run(path)
    for name, read in (
        ("checkpoints/6.safetensors", lambda: run.weights(6)),
        ("metrics/train_loss.f64", lambda: run.metric("train_loss")),
    ):
        good = (path / name).read_bytes()
        for at in draw.integers(0, len(good), 40):
            bad = bytearray(good)
            bad[at] ^= 1 << int(draw.integers(8))
            (path / name).write_bytes(bad)
            with pytest.raises(InputError, match=Path(name).name):
                read()
        (path / name).write_bytes(good)
        read()
    assert verify_run(path) == []


def test_whole_files_are_compared_as_they_are_read(make_run: Callable[..., Path]) -> None:
    """Also where size and time of change say that nothing is new."""
    path = make_run()
    run, file = open_run(path), path / "checkpoints" / "6.safetensors"
    before, good = run.weights(6), file.read_bytes()
    assert {name: array.flags.writeable for name, array in before.items()} == dict.fromkeys(
        before, True
    )
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    os.utime(file, ns=times)
    for read in (lambda: run.weights(6), lambda: list(run.iter_weights()),
                 lambda: run.parameter("unembed.W_U")):  # fmt: skip
        with pytest.raises(InputError, match=r"6.safetensors is damaged: its bytes do not match"):
            read()
    file.write_bytes(good + b"\0")
    with pytest.raises(InputError, match=r"6.safetensors is damaged: it is of the wrong size"):
        run.weights(6)
    file.write_bytes(good)
    np.testing.assert_equal(run.weights(6), before)


@pytest.mark.parametrize("dtype", [*"?bBhHiIqQfd"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 3)])
def test_a_file_read_whole_is_what_is_read_of_it_by_name(
    dtype: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    file = tmp_path / "x.safetensors"
    draw = np.random.default_rng(0)
    arrays = {name: draw.integers(0, 2, shape).astype(dtype) for name in ("b", "a")}
    data = tensors.encode({**arrays, "c": np.arange(5.0)}, "")
    file.write_bytes(data)
    with tensors.TensorFile(file) as opened:
        found, digest = opened.read_whole()
        wanted = opened.read()
    assert digest == hashlib.sha256(data).hexdigest()
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_no_damaged_state_is_sent(make_run: Callable[..., Path]) -> None:
    path = make_run()
    assert read_snapshot(path) is not None
    file = path / "resume.safetensors"
    good = file.read_bytes()
    for at in range(0, len(good), max(1, len(good) // 40)):
        file.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
        with pytest.raises(InputError, match=r"resume.safetensors is damaged"):
            read_snapshot(path)
    file.unlink()
    with pytest.raises(InputError, match=r"resume.safetensors is missing"):
        read_snapshot(path)
    with RunWriter.create(path.with_name("new"), {}) as writer:
        writer.log(0, train_loss=1.0)
    snapshot = read_snapshot(path.with_name("new"))
    assert snapshot is not None
    assert snapshot.state is None


def test_a_folder_in_place_of_the_state_is_one_sentence(make_run: Callable[..., Path]) -> None:
    path = make_run()
    (path / "resume.safetensors").unlink()
    (path / "resume.safetensors").mkdir()
    with pytest.raises(InputError, match=r"resume.safetensors cannot be read"):
        RunWriter.resume(path)


def test_a_writer_that_goes_on_is_not_accused(
    make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_run()
    before = layout.Index.decode((path / "index.json").read_bytes())
    older = dataclasses.replace(
        before,
        metrics={n: layout.MetricEntry(r.records, "0" * 64) for n, r in before.metrics.items()},
    )
    read = layout.Index.decode
    answers = iter([older])
    monkeypatch.setattr(layout.Index, "decode", lambda data: next(answers, None) or read(data))
    assert verify_run(path) == []


def test_torn_tail_is_ignored_and_noted(make_run: Callable[..., Path]) -> None:
    path = make_run()
    with (path / "metrics" / "train_loss.f64").open("ab") as handle:
        handle.write(b"seven b")
    assert open_run(path).metric("train_loss")[0].tolist() == list(range(10))
    (note,) = verify_run(path)
    assert note.note
    assert note.file == "metrics/train_loss.f64"
    assert "torn" in note.what
    with (path / "metrics" / "train_loss.f64").open("ab") as handle:
        handle.write(bytes(9))  # now a whole record that no index knows
    (note,) = verify_run(path)
    assert note.note
    assert note.what.startswith("16 bytes after")
    assert len(open_run(path).metric("train_loss")[0]) == 10


def test_strange_files_are_notes(make_run: Callable[..., Path]) -> None:
    path = make_run()
    for name in ("notes.txt", "checkpoints/77.safetensors", "metrics/.x.0123abcd.part.f64"):
        (path / name).write_bytes(b"x")
    (path / "cache").mkdir()
    found = verify_run(path)
    assert {p.file for p in found} == {
        "notes.txt",
        "checkpoints/77.safetensors",
        "metrics/.x.0123abcd.part.f64",
    }
    assert all(p.note for p in found)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a b", "é ✓", "..", ".", ".hidden", "loss/train", "a\\b", "a\0b"]
)
def test_hostile_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "box" / "run"
    with RunWriter.create(path, {}) as writer:
        writer.log(0, **{name: 1.5})
        writer.checkpoint(0, {name: np.ones(3)})
    run = open_run(path)
    assert run.metrics == [name]
    assert run.metric(name)[1].tolist() == [1.5]
    assert run.parameter(name).shape == (1, 3)
    assert run.verify() == []
    assert sorted(contents(tmp_path / "box")) == sorted(
        f"run/{f}"
        for f in ["run.json", "index.json", "checkpoints/0.safetensors"]
        + [f"metrics/{p.name}" for p in (path / "metrics").iterdir()]
    )
    assert len(list((path / "metrics").iterdir())) == 1


def test_impossible_names_are_refused(tmp_path: Path) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    for name in ("", "x" * 500, "\ud800"):
        with pytest.raises(InputError, match="metric"):
            writer.log(0, **{name: 1.0})
    for name in ("__metadata__", "\ud800", 3):
        with pytest.raises(InputError, match="cannot name"):
            writer.checkpoint(0, {name: np.ones(1)})  # type: ignore[dict-item]
    writer.log(0, Loss=1.0)
    with pytest.raises(InputError, match="capitals"):
        writer.log(0, loss=1.0)
    writer.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_unwritable_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="permission denied"):
            RunWriter.create(tmp_path / "run", {})
    finally:
        tmp_path.chmod(0o700)


class _FullDisk:
    """Refuses every write after the first few, some of them half-way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, allowed: int) -> None:
        self.left = allowed
        for owner, name in ((os, "write"), (Path, "write_bytes"), (os, "fsync")):
            monkeypatch.setattr(owner, name, self._limited(getattr(owner, name)))

    def _limited(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                if len(args) > 1:
                    real(args[0], bytes(args[1])[:5])
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*args)

        return call


@pytest.mark.parametrize("allowed", range(0, 34, 3))
def test_full_disk_is_one_sentence_and_the_run_still_opens(
    make_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    path = make_run()
    writer = RunWriter.resume(path)
    with monkeypatch.context() as patch:
        disk = _FullDisk(patch, allowed)
        with pytest.raises(WorkError, match="disk is full"), writer:  # noqa: PT012
            for epoch in range(6, 20):
                writer.log(epoch, train_loss=1.0)
                writer.checkpoint(epoch + 1, weights_at(epoch))
                writer.save_state(epoch + 1, {"x": np.ones(4)})
        assert disk.left < 0
    assert [str(p) for p in verify_run(path) if not p.note] == []
    with RunWriter.resume(path) as again:
        assert again.resume_state is not None
    assert verify_run(path) == []


def test_writing_goes_on_once_there_is_space_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RunWriter.create(tmp_path / "run", {})
    writer.log(0, loss=1.0)
    with monkeypatch.context() as patch:
        _FullDisk(patch, 0)
        with pytest.raises(GrokvizError, match="disk is full"):
            writer.checkpoint(0, weights_at(0))
    writer.checkpoint(0, weights_at(0))
    writer.log(1, loss=2.0)
    writer.close(finished=True)
    run = open_run(tmp_path / "run")
    assert run.metric("loss")[1].tolist() == [1.0, 2.0]
    assert verify_run(tmp_path / "run") == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a POSIX system")
@pytest.mark.parametrize("file", FILES)
def test_a_pipe_in_place_of_a_file_is_named_and_not_waited_for(
    make_run: Callable[..., Path], file: str
) -> None:
    path = make_run()
    (path / file).unlink()
    os.mkfifo(path / file)
    assert named(path) == [file]

    def read() -> None:
        run = open_run(path)
        list(run.iter_weights())
        [run.metric(name) for name in run.metrics]
        RunWriter.resume(path)

    with pytest.raises(InputError, match=f"{Path(file).name} is damaged: it is a pipe"):
        read()
