"""Files made to break an import: each is taken for what it is, or refused in one sentence."""

from __future__ import annotations

import json
import math
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grokviz import cli
from grokviz.runs import RunWriter, layout


def safetensors(header: Any, data: bytes = b"1234") -> Callable[[Path], None]:
    """A writer of a safetensors file with this header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return lambda path: path.write_bytes(struct.pack("<Q", len(text)) + text + data)  # type: ignore[func-returns-value]


def array(shape: Any, start: Any = 0, stop: Any = 4, kind: str = "F32") -> dict[str, Any]:
    """An array of a header."""
    return {"dtype": kind, "shape": shape, "data_offsets": [start, stop]}


def pth(content: Callable[[Any], Any]) -> Callable[[Path], None]:
    """A writer of a PyTorch file of what ``content`` makes with torch."""

    def write(path: Path) -> None:
        torch = pytest.importorskip("torch", reason="it is saved by torch")
        torch.save(content(torch), path)

    return write


def many_parts(path: Path) -> None:
    """A PyTorch file of as many arrays, which it takes torch seconds to write."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}))
        for i in range(MANY // 8):
            archive.writestr(f"a/data/{i}", b"")


def part_without_end(path: Path) -> None:
    """A PyTorch file whose pickle says that it goes on behind the end of the file."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data/0", b"0" * 500)
        archive.writestr("a/data.pkl", pickle.dumps({}))
    content = bytearray(path.read_bytes())
    record = content.rindex(b"PK\1\2")  # of the pickle, in the table at the end
    content[record + 20 : record + 28] = struct.pack("<LL", 180, 180)  # its sizes
    path.write_bytes(content)


def pickled(content: bytes) -> Callable[[Path], None]:
    """A writer of a PyTorch file with this pickle in it."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", b"\x80\x04" + content + b".")

    return write


def written(content: bytes) -> Callable[[Path], Any]:
    """A writer of these bytes."""
    return lambda path: path.write_bytes(content)


def trainer_folder(table: str) -> Callable[[Path], None]:
    """A writer of a Trainer's folder whose table of shards is this."""

    def write(path: Path) -> None:
        path.mkdir()
        (path / "model.safetensors.index.json").write_text(table)

    return write


def deep(count: int) -> dict[str, Any]:
    """Mappings within each other."""
    value: dict[str, Any] = {}
    for _ in range(count):
        value = {"inner": value}
    return value


def demonstration(**changes: Any) -> Callable[[Path], None]:
    """A writer of TransformerLens' demonstration with other entries."""
    return pth(lambda torch: {
        "checkpoints": [{"w": torch.zeros(2)}], "checkpoint_epochs": [0],
        "train_indices": [0], "test_indices": [1], **changes,
    })  # fmt: skip


ONE = '"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
NAN, BIG, MANY = float("nan"), 10**400, 100_000
CORPUS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a pipe": (os.mkfifo, "is a pipe or a device"),
    "a shape beyond memory": (safetensors({"w": array([0, 2**62], 0, 0)}, b""), "a shape that"),
    "a hundred dimensions": (safetensors({"w": array([1] * 100)}), "a shape that cannot be"),
    "a shape that is text": (safetensors({"w": array("12")}), "header is not readable"),
    "fractional offsets": (safetensors({"w": array([1], 0.5, 4.5)}), "header is not readable"),
    "arrays that overlap": (
        safetensors({"a": array([2], 0, 8), "b": array([2], 4, 12)}, b"1" * 12), "overlap",
    ),
    "a name twice": (safetensors(f"{{{ONE},{ONE}}}".encode()), "stands in its header twice"),
    "a header of brackets": (safetensors(b"[" * 100_000), "neither a PyTorch file"),
    "metadata of brackets": (
        safetensors({"__metadata__": {"grokviz": "[" * 100_000}, "w": array([1])}), "",
    ),
    "numbers of 8 bits": (safetensors({"w": array([4], kind="F8_E4M3")}), ""),
    "complex numbers alone": (
        safetensors({"w": array([1], 0, 8, "C64")}, b"12345678"), "no tensor of plain numbers",
    ),
    "numbers of 8 bits, torch": (
        pth(lambda torch: {"w": torch.zeros(2).to(torch.float8_e4m3fn)}), "",
    ),
    "epochs that are no numbers": (
        pth(lambda torch: {
            "checkpoints": [{"w": torch.zeros(2)}] * 2, "checkpoint_epochs": [NAN, NAN],
            "train_losses": [1.0], "test_losses": [1.0],
        }),
        "one whole epoch for each",
    ),
    "a loss of 400 digits": (
        pth(lambda torch: {"model": {"w": torch.zeros(2)}, "train_losses": [BIG, 1]}), "",
    ),
    "an infinite shape": (
        safetensors(f"{{{ONE}}}".replace("[1]", "[Infinity]").encode()), "header is not readable",
    ),
    "an offset of 1e400": (
        safetensors(f"{{{ONE}}}".replace(",4]", ",1e400]").encode()), "header is not readable",
    ),
    "an infinite epoch": (
        safetensors({"__metadata__": {"grokviz": '{"epoch": Infinity}'}, "w": array([1])}), "",
    ),
    "an epoch of 1e400": (
        safetensors({"__metadata__": {"grokviz": '{"epoch": 1e400}'}, "w": array([1])}), "",
    ),
    "infinite epochs": (
        pth(lambda torch: {
            "checkpoints": [{"w": torch.zeros(2)}] * 2, "checkpoint_epochs": [0, math.inf],
            "train_losses": [1.0], "test_losses": [1.0],
        }),
        "one whole epoch for each",
    ),
    "settings of 400 digits": (
        pth(lambda torch: {
            "model": {"w": torch.zeros(2)}, "train_losses": [1.0, 1.0],
            "config": {"lr": BIG, "p": BIG, "d_model": BIG},
            "optimizer": {"param_groups": [{"lr": BIG, "betas": (BIG, BIG)}]},
        }),
        "",
    ),
    "100,000 empty arrays": (
        safetensors({f"w{i}": array([0], 0, 0) for i in range(MANY)}, b""), "is no trained model",
    ),
    "100,000 empty arrays, torch": (many_parts, "is no trained model"),
    "a part without end": (part_without_end, "is cut short or damaged"),
    "a million tuples in each other": (
        pickled(b"})" + b"\x85" * 1_000_000 + b"K\1s"), "nested too deeply",
    ),
    "a memo far away": (pickled(b"}r\xff\xff\xff\x7f"), "far from the others"),
    "a name on a detour": (pickled(b"\x8c\2os]\x93"), "asks for a name that it computes"),
    "a module that is its own part": (
        pickled(b"cx\nNet\n)\x81q\0}(X\x0b\0\0\0_parameters}X\x08\0\0\0_modules}X\1\0\0\0ah\0sub"),
        "hold each other",
    ),
    "100,000 objects of one class": (
        pickled(b"cx\nNet\nq\0](" + b"h\0)R" * MANY + b"e"), "nothing that grokviz can import",
    ),
    "an iteration before the first": (
        pth(lambda torch: {"model": {"w": torch.zeros(2)}, "iter_num": -1}), "whole number from 0",
    ),
    "an iteration of 60 bits": (
        pth(lambda torch: {"model": {"w": torch.zeros(2)}, "iter_num": 2**60}), "whole number from",
    ),
    "a global step of 400 digits": (
        pth(lambda torch: {"state_dict": {"w": torch.zeros(2)}, "global_step": BIG}), "",
    ),
    "hyperparameters within each other": (
        pth(lambda torch: {
            "state_dict": {"w": torch.zeros(2)}, "global_step": 1, "hyper_parameters": deep(200),
        }),
        "",
    ),
    "indices that are no numbers": (demonstration(train_indices=[NAN]), "are no whole numbers"),
    "an index of 400 digits": (demonstration(train_indices=[BIG]), "are no whole numbers"),
    "a line of 10 MB": (written(b"step,loss\n" + b"1" * 10**7), "cannot be read as CSV"),
    "a table of zeros": (written(bytes(10**6)), "csv"),
    "a log of brackets": (written(b"[" * 100_000), "cannot be read as a JSON object a line"),
    "a log of 400 digits": (written(b'{"step": 1, "loss": 1' + b"0" * 400 + b"}"), ""),
    "an index that names itself": (
        written(b'{"weight_map": {"a": "model.safetensors.index.json"}}'), "neither a PyTorch file",
    ),
    "an index of brackets": (written(b"[" * 100_000), "cannot be read as JSON"),
    "an index of no strings": (written(b'{"weight_map": {"a": {}}}'), "does not say which file"),
    "a list of lists": (pth(lambda torch: [[{"w": torch.zeros(2)}]]), "holds nothing that"),
    "a list with one that is no model": (
        pth(lambda torch: [{"model": {"w": torch.zeros(2)}, "epoch": 0}, 3]), "holds nothing that",
    ),
    "a list of epochs without numbers": (
        pth(lambda torch: [{"model": {"w": torch.zeros(2)}, "epoch": "0"}]), "no list of their",
    ),
    "shards beside the folder": (
        trainer_folder('{"weight_map": {"a": "../secret.safetensors"}}'), "does not say which",
    ),
    "a table of shards of brackets": (trainer_folder("[" * 100_000), "cannot be read as JSON"),
    "a layer of 5,000 digits": (
        pth(lambda torch: {f"blocks.{'9' * 5000}.attn.W_K": torch.zeros(2)}), "",
    ),
}  # fmt: skip
FILES = {
    "a line of 10 MB": "hostile.csv", "a table of zeros": "hostile.csv",
    "a log of brackets": "hostile.jsonl", "a log of 400 digits": "hostile.jsonl",
    **dict.fromkeys(
        ("an index that names itself", "an index of brackets", "an index of no strings"),
        "model.safetensors.index.json",
    ),
}  # fmt: skip
"""The names of those that are told by their names; the others are ``hostile.pth``."""


@pytest.mark.parametrize("name", CORPUS)
def test_it_is_imported_or_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, reason = CORPUS[name]
    file = tmp_path / FILES.get(name, "hostile.pth")
    write(file)
    status = cli.run(["import", str(file), "--out", str(tmp_path / "run")])
    printed = capsys.readouterr().err
    assert reason in printed
    if reason:
        assert status == 2
        assert printed.count("\n") == 1
        assert not (tmp_path / "run").exists()
    else:
        assert status == 0


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "a\0b", "x" * 5000, "x/" * 2500])
def test_a_path_that_is_no_file(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "w.safetensors"
    safetensors({"w": array([1])})(file)
    for words in (["import", path, "--out", str(tmp_path / "run")], ["info", path]):
        assert cli.run(words) == 2
        assert capsys.readouterr().err.count("\n") == 1
    if not path.startswith("/dev"):
        assert cli.run(["import", str(file), "--out", path]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("records", [math.inf, math.nan, -1, 1.5, 2**62, BIG, "3", None])
@pytest.mark.parametrize("command", [["info"], ["info", "--verify"], ["measures"]])
def test_an_index_sealed_anew_around_any_number(
    records: Any, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RunWriter.create(tmp_path, {}) as writer:
        writer.log(0, train_loss=1.0)
        writer.close(finished=True)
    content = layout.decode_document((tmp_path / "index.json").read_bytes(), indent=None)
    for place in (content["metrics"]["train_loss"], content):
        key = "records" if "records" in place else "format"
        before, place[key] = place[key], records
        (tmp_path / "index.json").write_bytes(layout.encode_document(content, indent=None))
        place[key] = before
        assert cli.run([*command, str(tmp_path)]) in (1, 2) or key == "format"
        error = capsys.readouterr().err
        assert error.count("\n") == (error != "")
