"""TensorBoard's event files, written and read with TensorBoard itself."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz import cli
from grokviz.errors import InputError
from grokviz.importers.choice import read_file

pytest.importorskip("tensorboard", reason="event files are read by it")
pytestmark = pytest.mark.filterwarnings("default")

NAME = "events.out.tfevents.1700000000.host.1.0"


def value(tag: str, number: Any, dtype: str = "") -> Any:
    """A simple value, or a tensor of a type."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.util.tensor_util import make_tensor_proto

    if dtype:
        return Summary.Value(tag=tag, tensor=make_tensor_proto(number, dtype))
    return Summary.Value(tag=tag, simple_value=number)


def event(step: int, *values: Any) -> bytes:
    """A record of an event, as TensorBoard frames it."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    return framed(Event(step=step, summary=Summary(value=values)).SerializeToString())


def framed(data: bytes, length: int | None = None) -> bytes:
    """Bytes as a record, which may lie about its length."""
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    head = struct.pack("<Q", len(data) if length is None else length)
    return (
        head + struct.pack("<I", masked_crc32c(head))
        + data + struct.pack("<I", masked_crc32c(data))
    )  # fmt: skip


def events() -> bytes:
    return (
        event(0, value("train/loss", 3.0), value("val/loss", 4.0, "float64"))
        + event(700, value("train/loss", 0.5), value("note", "words", "string"))
        + event(800, value("layers", [1.0, 2.0], "float32"), value("count", 7, "int64"))
    )


def curve(path: Path, name: str) -> tuple[list[int], list[float]]:
    steps, values = gv.open_run(path).metric(name)
    return steps.tolist(), values.tolist()


def test_scalars_of_an_event_file_are_curves(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(events())
    result = gv.import_run(tmp_path / NAME, tmp_path / "run")
    assert curve(result.path, "train_loss") == ([0, 700], [3.0, 0.5])
    assert curve(result.path, "test_loss") == ([0], [4.0])
    assert curve(result.path, "count") == ([800], [7.0])
    assert set(gv.open_run(result.path).metrics) == {"train_loss", "test_loss", "count"}
    assert gv.open_run(result.path).facts["counts"] == "step"


def test_what_tensorboard_writes_itself_is_read(tmp_path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path / "logs"))
    for step in range(5):
        summary = Summary(value=[value("train/loss", 1 / (1 + step))])
        writer.add_event(Event(step=step, summary=summary))
    writer.close()
    result = gv.import_run(tmp_path / "logs", tmp_path / "run")
    steps, losses = curve(result.path, "train_loss")
    assert steps == list(range(5))
    np.testing.assert_allclose(losses, [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5], rtol=1e-6)


def test_event_files_of_one_training_are_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / NAME).write_bytes(events())
    (folder / NAME.replace("17", "18")).write_bytes(event(900, value("train/loss", 0.125)))
    result = gv.import_run(folder, tmp_path / "run")
    assert curve(result.path, "train_loss") == ([0, 700, 900], [3.0, 0.5, 0.125])


@pytest.mark.parametrize("damage", ["cut", "flipped", "claims more"])
def test_what_is_read_of_a_damaged_file_is_said(damage: str, tmp_path: Path) -> None:
    more = event(900, value("train/loss", 0.25))
    more = {
        "cut": more[:-9], "flipped": more[:20] + bytes([more[20] ^ 1]) + more[21:],
        "claims more": framed(b"1234", 2**62),
    }[damage]  # fmt: skip
    (tmp_path / NAME).write_bytes(events() + more)
    result = gv.import_run(tmp_path / NAME, tmp_path / "run")
    assert curve(result.path, "train_loss") == ([0, 700], [3.0, 0.5])
    [left] = [belief for belief in result.beliefs if belief.startswith("left out")]
    assert left.startswith(f"left out the last {len(more)} bytes")


def shaped(*sizes: int) -> bytes:
    """An event whose tensor of one number claims a shape."""
    tensor = value("loss", 1.0, "float32")
    for size in sizes:
        tensor.tensor.tensor_shape.dim.add().size = size
    return event(0, tensor)


HOSTILE = {
    "nothing": lambda: b"",
    "ones": lambda: b"\xff" * 40,
    "cut in its first record": lambda: events()[:30],
    "no scalar": lambda: event(0) + event(1, value("note", "words", "string")),
    "a length of 2**62": lambda: framed(b"1234", 2**62),
    "a length of 2**63 + 4": lambda: framed(b"1234", 2**63 + 4),
    "a record of no event": lambda: framed(b"\x2a\xff\xff\xff1234"),
    "events within events": lambda: framed(b"\x2a\x02" * 100),
    "a shape of 2**40": lambda: shaped(2**20, 2**20),
    "a shape of minus 1": lambda: shaped(-1),
    "a shape of 100 dimensions": lambda: shaped(*[1] * 100),
    "a step before the first": lambda: event(-5, value("loss", 1.0)),
    "a step beyond all": lambda: event(2**62, value("loss", 1.0)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_log_is_refused_in_one_sentence(name: str, tmp_path, capsys) -> None:
    (tmp_path / NAME).write_bytes(HOSTILE[name]())
    assert cli.run(["import", str(tmp_path / NAME), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert not (tmp_path / "run").exists()


def test_a_flipped_bit_is_never_read_as_a_number(tmp_path: Path) -> None:
    path, rng, refusals = tmp_path / NAME, np.random.default_rng(0), 0
    for _ in range(200):
        data = bytearray(events())
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            [run] = read_file(path)[2]
        except InputError:
            refusals += 1
            continue
        assert set(run.curves["train_loss"].values) <= {3.0, 0.5}
        assert any(belief.what == "left out" for belief in run.beliefs)
    assert 0 < refusals < 200
