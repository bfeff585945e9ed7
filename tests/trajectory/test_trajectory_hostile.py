"""Files made to break an import: each is taken for what it is, or refused in one sentence."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grokviz import cli


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


ONE = '"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
NAN, BIG = float("nan"), 10**400
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
    "numbers of 8 bits": (safetensors({"w": array([4], kind="F8_E4M3")}), "not plain numbers"),
    "numbers of 8 bits, torch": (
        pth(lambda torch: {"w": torch.zeros(2).to(torch.float8_e4m3fn)}), "numbers of 8 bits",
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
    "a layer of 5,000 digits": (
        pth(lambda torch: {f"blocks.{'9' * 5000}.attn.W_K": torch.zeros(2)}), "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CORPUS)
def test_it_is_imported_or_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, reason = CORPUS[name]
    file = tmp_path / "hostile.pth"
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
