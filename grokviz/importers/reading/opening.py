"""Safe opening of files by their content, not by their suffix."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from grokviz.errors import InputError
from grokviz.importers.contract import Source
from grokviz.importers.reading.npz import is_npz, load_npz
from grokviz.importers.reading.sizes import check_count
from grokviz.importers.reading.stubs import state_of_module
from grokviz.importers.reading.values import Unreadable
from grokviz.runs import tensors
from grokviz.runs.layout import RUN, DamagedFile, epoch_number

_HTML = (b"<!doctype", b"<html", b"<head", b"<?xml")
_LFS = b"version https://git-lfs"
_SAFETENSORS = slice(8, 9)

MOST_HEADER = 100_000_000
"""Bytes of the longest header that safetensors reads."""


def open_source(path: Path) -> Source:
    """Open the file or folder ``path`` for an importer.

    Raises :class:`InputError` for a missing, empty, truncated or unsafe file, a web page or a
    Git LFS pointer in place of a file, and a folder that is already a run.
    """
    if os.path.isdir(path):  # noqa: PTH112  # of a name too long Path.is_dir raises
        if (path / RUN).exists():
            raise InputError(f"{path} is a run already; use it as it is: grokviz info {path}")
        return Source(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path} is a pipe or a device and no file; give a file or a folder")
        with path.open("rb") as handle:
            start = handle.read(512)
        digest = digest_of_file(path)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}; check its name") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)[:100]} cannot be read ({reason})") from error
    if start.startswith(b"PK"):
        if is_npz(path):
            return Source(path, digest, load_npz(path))
        return _pickled(path, digest)
    if start[_SAFETENSORS] == b"{":
        data, header_epoch = _safetensors(path)
        return Source(path, digest, data, header_epoch)
    if start[:1] == b"\x80":
        return _pickled(path, digest, old=True)
    raise InputError(_refusal(path, start))


def _pickled(path: Path, digest: str, *, old: bool = False) -> Source:
    from grokviz.importers.reading.pickles import load_old_pth, load_pth

    data, stubs = load_old_pth(path) if old else load_pth(path)
    try:
        data = state_of_module(data)
        if type(data) is dict:
            data = {name: state_of_module(value) for name, value in data.items()}
    except ValueError as error:
        raise InputError(f"{path} is no model ({error}); save its state dict") from error
    return Source(path, digest, data, stubs=stubs)


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _refusal(path: Path, start: bytes) -> str:
    text = start.lstrip().lower()
    if not start:
        return f"{path} is empty; download or copy it again"
    if text.startswith(_HTML):
        return (
            f"{path} is a web page, not a model (the server's answer was saved in its place); "
            "download the raw file"
        )
    if text.startswith(_LFS):
        return (
            f"{path} is a Git LFS pointer, not the file it stands for; fetch that with git lfs pull"
        )
    return (
        f"{path} is neither a PyTorch file (.pth) nor a safetensors file; download it again, or "
        "save the state dict with torch.save or safetensors"
    )


def _safetensors(path: Path) -> tuple[dict[str, Any], int | None]:
    try:
        _check_header(path)
        with tensors.TensorFile(path) as file:
            metadata = file.metadata
            types = {name: kind.dtype for name, kind in file.types.items()}
            arrays = {
                name: file.read([name])[name]
                if tensors.is_readable(dtype)
                else Unreadable(f"it holds {dtype} and not plain numbers")
                for name, dtype in types.items()
            }
    except (DamagedFile, OSError) as error:
        raise InputError(
            f"{path} cannot be read as safetensors: {error}; download or save it again"
        ) from error
    header_epoch = None
    with contextlib.suppress(ValueError, KeyError, TypeError, InputError, RecursionError):
        header_epoch = epoch_number(json.loads(metadata)["epoch"])
    return arrays, header_epoch


def _check_header(path: Path) -> None:
    """Raise DamagedFile if a header names an array twice, which safetensors does not notice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = dict(pairs)
        if len(names) < len(pairs):
            raise DamagedFile("a name stands in its header twice")
        return names

    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > MOST_HEADER:
            return  # the library says so
        header = file.read(size)
        # each array has its own; counted before they are parsed
        check_count(path, header.count(b'"data_offsets"'), path.stat().st_size - size)
        with contextlib.suppress(ValueError, RecursionError):
            json.loads(header, object_pairs_hook=once)
