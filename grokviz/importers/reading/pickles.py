"""Safe loading of ``.pth`` files: tensors and plain values, and no code is ever run.

Two measures each suffice against a pickle that would run a program: the names that it imports are
extracted from its bytes and checked against a short list before it is loaded, and it is loaded with
``torch.load(weights_only=True)``. A third keeps false claims about arrays from numpy: its own
functions are never called, for :mod:`~grokviz.importers.reading.numpy_pickles` has stand-ins.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

from grokviz.errors import InputError, MissingExtra
from grokviz.importers.reading.numpy_pickles import STAND_INS
from grokviz.importers.reading.pickle_names import imported_names
from grokviz.importers.reading.sizes import check_count

_KINDS = ["Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"]
_DTYPES = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int8", "uint8", "bool"]
ALLOWED_NAMES = frozenset(
    [
        "collections.OrderedDict",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch.nn.parameter.Parameter",
        "torch.Size",
        "torch.device",
        *(f"torch.{kind}Storage" for kind in _KINDS),
        *(f"torch.{dtype}" for dtype in _DTYPES),
        *STAND_INS,
    ]
)
"""All names that a pickle may import."""

FLOAT8 = re.compile(
    r"torch\.float8_\w+|torch\._utils\._rebuild_tensor_v3|torch\.storage\.UntypedStorage"
)
"""What a pickle imports for numbers of 8 bits, which are harmless and not read."""

TORCH = (2, 6)
"""The first PyTorch with safe weights-only loading (CVE-2025-32434 affects older ones)."""

MOST_SCANNED = 4_000_000
"""Bytes that are looked through for names in a file that is refused anyway."""

_NOT_READ = (
    zipfile.BadZipFile, NotImplementedError, OSError, EOFError, RuntimeError, ValueError,
)  # fmt: skip
"""What zipfile raises for an archive that is damaged."""

SAVE = "save its tensors, lists and numbers alone, with torch.save, where it was made"


def load_pth(path: Path) -> Any:
    """Load a ``.pth`` file: tensors (on the CPU, whatever device saved them) and plain values.

    Raises :class:`InputError` for a file that is truncated, that unpacks to more than its own
    size, or whose pickle imports anything but tensors and arrays.
    """
    _check(path)
    try:
        import torch
    except ImportError as error:
        raise MissingExtra(f"reading {path.name}", "train") from error
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < TORCH:
        raise InputError(
            f"PyTorch {torch.__version__} cannot load {path.name} safely; "
            "upgrade it: pip install --upgrade 'torch>=2.6'"
        )
    from torch.serialization import safe_globals

    stand_ins: list[Any] = [(stand_in, name) for name, stand_in in STAND_INS.items()]
    try:
        with warnings.catch_warnings(), safe_globals(stand_ins):
            warnings.simplefilter("ignore")
            # memory-mapped, so that a false size in the pickle allocates no memory
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle can make torch raise nearly anything
        raise InputError(
            f"{path} cannot be read as PyTorch's weights-only format ({_reason(error)}); "
            f"download it again, or {SAVE}"
        ) from error


def _reason(error: Exception) -> str:
    """The line of torch's long message that states the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    relevant = [line for line in lines if "GLOBAL" in line or "nsupported" in line]
    return [*relevant, *lines, type(error).__name__][0][:160]


def _check(path: Path) -> None:
    """Raise InputError unless the file is safe to load, judged by its bytes alone."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(_pickle_of(path, archive.infolist()))
    except _NOT_READ as error:
        raise InputError(
            f"{path} is cut short or damaged ({_reason(error)}); download or copy it again"
        ) from error
    _check_names(path, content)


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


def _check_names(path: Path, content: bytes) -> None:
    """Raise InputError unless the pickle imports only ``ALLOWED_NAMES``."""
    try:
        names = imported_names(content)
    except ValueError as error:
        raise InputError(f"{path} holds a damaged pickle ({error}); download it again") from error
    _check_none_foreign(path, [name for name in names if name not in ALLOWED_NAMES])


def _check_none_foreign(path: Path, foreign: list[str]) -> None:
    """Raise InputError unless the list of names outside ``ALLOWED_NAMES`` is empty."""
    if foreign and all(FLOAT8.fullmatch(name) for name in foreign):
        raise InputError(
            f"{path} holds numbers of 8 bits ({foreign[-1]}), which are not read; save them as "
            "float32 or bfloat16"
        )
    if foreign:
        names = ", ".join(dict.fromkeys(foreign[:8]))
        raise InputError(
            f"{path} is a pickle that asks for {names[:200]}, so loading it could run any "
            f"program; it was not loaded: {SAVE}"
        )


def bare_pickle_reason(path: Path) -> str:
    """Why a pickle outside PyTorch's zip format is not loaded."""
    with path.open("rb") as handle:
        stream, names = io.BytesIO(handle.read(MOST_SCANNED)), []
    with contextlib.suppress(ValueError):  # the old format is several pickles, then raw numbers
        while stream.tell() < len(stream.getbuffer()):
            names += imported_names(stream)
    _check_none_foreign(path, [name for name in names if name not in ALLOWED_NAMES])
    return (
        f"{path} is a bare pickle or a file from before PyTorch 1.6, which cannot be read "
        f"safely; {SAVE}"
    )
