"""Which source files a result depends on: those whose change makes a cached one stale."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

PACKAGE, SCENES = "grokviz", "grokviz.scenes"

# parsing the files would take ten times as long; one import too many costs nothing
_FROM = re.compile(
    r"^[ \t]*from[ \t]+(grokviz[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)", re.MULTILINE
)
_PLAIN = re.compile(r"^[ \t]*import[ \t]+(grokviz[\w.]*)", re.MULTILINE)
_NAME = re.compile(r"\w+")


def source_hash(files: Iterable[Path], without: Sequence[str] = ()) -> str:
    """SHA-256 of these files and of all of ours that they import, directly or not.

    A folder stands for all the files in it. Imports inside functions count. ``without`` names
    modules, relative to this package, that are not followed: those whose results a key holds
    already.
    """
    digest = hashlib.sha256()
    for path in sorted(closure(files, without), key=lambda p: (p.name, str(p))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def closure(files: Iterable[Path], without: Sequence[str] = ()) -> set[Path]:
    """These files and all modules of this package that they import, but ``without`` some."""
    paths = set[Path]()
    waiting = [file.resolve() for path in files for file in _files(path)]
    while waiting:
        path = waiting.pop()
        if path not in paths:
            paths.add(path)
            waiting += _imported(path, tuple(without))
    return paths


def _files(path: Path) -> Iterable[Path]:
    return path.rglob("*.py") if path.is_dir() else [path]


@lru_cache(maxsize=1024)
def _imported(path: Path, without: tuple[str, ...]) -> tuple[Path, ...]:
    text = path.read_text("utf-8")
    names = _PLAIN.findall(text)
    for module, members in _FROM.findall(text):
        names += [module, *(f"{module}.{name}" for name in _NAME.findall(members))]
    known = (_origin(name) for name in dict.fromkeys(names) if not _left_out(name, without))
    return tuple(origin for origin in known if origin is not None)


def _left_out(name: str, without: Sequence[str]) -> bool:
    inner = name.removeprefix(PACKAGE + ".")
    return any(inner == known or inner.startswith(known + ".") for known in without)


def _origin(name: str) -> Path | None:
    """The file of a module of ours, found without importing it; None for what is in a module."""
    _, *inner = name.split(".")
    package = PACKAGE
    if inner[:1] == ["scenes"]:
        package, inner = SCENES, inner[1:]
    for home in importlib.import_module(package).__path__:
        place = Path(home).resolve().joinpath(*inner)
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if inner and path.is_file():
                return path
    return None
