"""Loading of files of ``torch.save``: tensors, numbers, text and containers, and no code.

Two measures keep a pickle from running a program, and each suffices. The names that it asks for
are taken from its bytes by following its stack, and one that cannot be followed, or that starts
programs, refuses the file. And whatever it asks for while it is loaded, it gets a stand-in of ours
(:mod:`~grokviz.importers.reading.stubs`), for nothing is imported; a name that the first measure
has not seen refuses the file.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from grokviz.errors import InputError
from grokviz.importers.reading.numpy_pickles import STAND_INS
from grokviz.importers.reading.pickle_names import COMPUTED, EXTENSION, imported_names
from grokviz.importers.reading.pickled_tensors import TENSORS, Order, Storage, size_of
from grokviz.importers.reading.sizes import check_count
from grokviz.importers.reading.stubs import PLAIN, Stub, stub_class

CONSTRUCTED: dict[str, Any] = {**PLAIN, **TENSORS, **STAND_INS}
"""Stand-ins for all that is built anew; of anything else a stub is made."""

RUNS = frozenset(
    ["os", "posix", "nt", "sys", "subprocess", "importlib", "runpy", "pty", "ctypes", "socket",
     "shutil", "webbrowser", "pdb", "commands"]
)  # fmt: skip
"""Modules of what starts programs; a file that asks for them means harm, and is refused as such."""

RUNS_OF_BUILTINS = frozenset(
    f"builtins.{name}" for name in ("eval", "exec", "compile", "open", "__import__", "input",
                                    "breakpoint", "globals", "execfile", "file", "apply")
)  # fmt: skip

MOST_STUBS = 1000
MOST_SCANNED = 4_000_000
"""Bytes that are looked through for names in a file that is refused anyway."""

_NOT_READ = (
    zipfile.BadZipFile, NotImplementedError, OSError, EOFError, RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile raises for an archive that is damaged."""

_MAGIC, *_LATER_MAGIC = (pickle.dumps(0x1950A86A20F9469CFC6C, protocol) for protocol in (2, 3))
"""What a file of PyTorch from before 1.6 begins with."""

SAVE = "save its tensors, lists and numbers alone, with torch.save, where it was made"


class Loaded(NamedTuple):
    """What a file holds, and the names of the classes of which stubs were made."""

    data: Any
    stubs: tuple[str, ...]


def load_pth(path: Path) -> Loaded:
    """Load a file of ``torch.save`` in PyTorch's zip format.

    Raises :class:`InputError` for a file that is truncated, that unpacks to more than its own
    size, or whose pickle asks for what starts programs.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            part = _pickle_of(path, parts)
            content = archive.read(part)
            folder = part.filename[: -len("data.pkl")]
            order = _order(archive, f"{folder}byteorder")
    except _NOT_READ as error:
        reason = str(error) or type(error).__name__
        raise InputError(
            f"{path} is cut short or damaged ({reason}); download or copy it again"
        ) from error
    whole = np.memmap(path, np.uint8, "r")
    by_name = {item.filename: item for item in parts}

    def storage(dtype: str, key: str) -> Storage:
        part = by_name.get(f"{folder}data/{key}")
        if part is None:
            raise ValueError(f"the numbers of storage {key[:40]} are missing")
        return Storage(dtype, [_bytes_of(whole, part)], order)

    data, stubs = _load(path, io.BytesIO(content), storage)
    return Loaded(data, tuple(dict.fromkeys(stubs)))


def load_old_pth(path: Path) -> Loaded:
    """Load a file of ``torch.save`` from before PyTorch 1.6: five pickles, then the numbers.

    Raises :class:`InputError` as :func:`load_pth` does, and for any other pickle.
    """
    held: dict[str, list[np.ndarray]] = {}
    dtypes: dict[str, str] = {}

    def storage(dtype: str, key: str) -> Storage:
        dtypes.setdefault(key, dtype)
        return Storage(dtype, held.setdefault(key, []))

    with path.open("rb") as file:
        if file.read(len(_MAGIC)) not in (_MAGIC, *_LATER_MAGIC):
            raise InputError(_bare_pickle_reason(path))
        file.seek(0)
        values, stubs = [], []
        for _ in ("the magic number", "the protocol", "the machine", "the data", "the keys"):
            value, names = _load(path, file, storage)
            values.append(value)
            stubs += names
        end = file.tell()
    keys = values[-1] if isinstance(values[-1], list) else []
    whole = np.memmap(path, np.uint8, "r")
    for key in map(str, keys):
        count = int.from_bytes(whole[end : end + 8].tobytes(), "little", signed=True)
        stop = end + 8 + count * size_of(dtypes.get(key, ""))
        if key not in held or count < 0 or stop > len(whole):
            raise InputError(f"{path} is cut short or damaged; download or copy it again")
        held[key].append(whole[end + 8 : stop])
        end = stop
    return Loaded(values[3], tuple(dict.fromkeys(stubs)))


def _load(
    path: Path, file: BinaryIO, storage: Callable[[str, str], Storage]
) -> tuple[Any, list[str]]:
    """The next pickle of a file, checked before it is loaded, and the names of its stubs."""
    begin = file.tell()
    names = _checked_names(path, file)
    file.seek(begin)
    loader = _Loader(file, names, storage)
    try:
        return loader.load(), list(loader.stubs)
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle can make pickle raise nearly anything
        reason = f"{error}".strip() or type(error).__name__
        raise InputError(
            f"{path} cannot be read as PyTorch's ({reason[:160]}); download it again, or {SAVE}"
        ) from error


class _Loader(pickle.Unpickler):
    """Python's unpickler, with stand-ins for all that a pickle asks for."""

    def __init__(
        self, file: BinaryIO, names: Sequence[str], storage: Callable[[str, str], Storage]
    ) -> None:
        super().__init__(file, encoding="utf-8", errors="replace")
        self.stubs: dict[str, type[Stub]] = {}
        self._names, self._storage = frozenset(names), storage

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in; nothing is ever imported."""
        full = f"{module}.{name}"
        if full not in self._names:
            raise ValueError(f"it asks for {full[:60]} on a detour")
        full = _modern(full)
        if full in CONSTRUCTED:
            return CONSTRUCTED[full]
        if full not in self.stubs:
            if len(self.stubs) == MOST_STUBS:
                raise ValueError(f"it asks for more than {MOST_STUBS} classes")
            self.stubs[full] = stub_class(full)
        return self.stubs[full]

    def persistent_load(self, saved: Any) -> Any:
        """A storage; or, in the old format, the class of a module, which comes with its source."""
        kind, *rest = saved
        if str(kind) == "module" and rest:
            return rest[0]
        storage_type, key, *more = rest
        if str(kind) != "storage":
            raise ValueError(f"it holds a {str(kind)[:40]} apart")
        dtype = getattr(storage_type, "dtype", None) or getattr(storage_type, "name", "")
        whole = self._storage(str(dtype), str(key))
        view = more[2] if len(more) > 2 else None  # its key, start and size
        return Storage(whole.dtype, whole.held, whole.order, int(view[1])) if view else whole


def _modern(name: str) -> str:
    """A name as Python 3 has it."""
    for old, new in (("__builtin__.", "builtins."), ("copy_reg.", "copyreg.")):
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def _bytes_of(whole: np.ndarray, part: zipfile.ZipInfo) -> np.ndarray:
    """The bytes of a part that is not compressed."""
    header = whole[part.header_offset : part.header_offset + 30].tobytes()
    lengths = struct.unpack("<HH", header[26:30])  # of its name and of its extra field
    start = part.header_offset + 30 + sum(lengths)
    if start + part.file_size > len(whole):
        raise ValueError("its numbers are cut short")
    return whole[start : start + part.file_size]


def _order(archive: zipfile.ZipFile, name: str) -> Order:
    """The order of bytes in a number, as numpy writes it."""
    return ">" if name in archive.namelist() and archive.read(name) == b"big" else "<"


def _pickle_of(path: Path, parts: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The pickle in a file of PyTorch's zip format, whose parts are not compressed."""
    names = {part.filename.rsplit("/", 1)[-1] for part in parts}
    pickles = [part for part in parts if part.filename.rsplit("/", 1)[-1] == "data.pkl"]
    if len(pickles) != 1:
        raise InputError(
            f"{path} is a zip archive but not one of PyTorch's (it has no data.pkl); "
            "unpack it and give the .pth in it"
        )
    if "constants.pkl" in names:
        raise InputError(f"{path} is a TorchScript program, which could run anything; {SAVE}")
    compressed = any(part.compress_type != zipfile.ZIP_STORED for part in parts)
    inside = sum(part.file_size for part in parts)
    if compressed or inside > path.stat().st_size:
        raise InputError(
            f"{path} is not packed as PyTorch does it: it has {path.stat().st_size:,} bytes and "
            f"says it unpacks to {inside:,}; download it again, or {SAVE}"
        )
    check_count(path, len(parts), inside - pickles[0].file_size)
    return pickles[0]


def _checked_names(path: Path, file: BinaryIO) -> list[str]:
    """The names that the next pickle asks for; raises InputError if one is refused."""
    try:
        names = imported_names(file)
    except ValueError as error:
        raise InputError(f"{path} holds a damaged pickle ({error}); download it again") from error
    _check_harmless(path, names)
    return names


def _check_harmless(path: Path, names: Sequence[str]) -> None:
    """Raise InputError if one of the names is computed, or starts programs."""
    harmful = [
        name
        for name in map(_modern, names)
        if name == COMPUTED or name.startswith(EXTENSION)
        or name.split(".")[0] in RUNS or name in RUNS_OF_BUILTINS
    ]  # fmt: skip
    if harmful:
        text = ", ".join(dict.fromkeys(harmful[:8]))
        raise InputError(
            f"{path} is a pickle that asks for {text[:200]}, so loading it could run any "
            f"program; it was not loaded: {SAVE}"
        )


def _bare_pickle_reason(path: Path) -> str:
    """Why a pickle that torch.save has not written is not loaded."""
    with path.open("rb") as handle:
        stream, names = io.BytesIO(handle.read(MOST_SCANNED)), []
    with contextlib.suppress(ValueError):
        while stream.tell() < len(stream.getbuffer()):
            names += imported_names(stream)
    _check_harmless(path, names)
    return f"{path} is a bare pickle and not a file of torch.save; {SAVE}"
