"""A film's sources: the files whose change makes a film that was kept out of date."""

from __future__ import annotations

import ast
import hashlib
import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path

DATA = ("analysis.reference", "analysis.cache", "analysis.assemble", "trajectory", "training",
        "stage.registry", "stage.render")  # fmt: skip
"""Modules that bring data and scenes here: what they bring is in a film's key itself."""
PACKAGE, SCENES = "grokviz", "grokviz.scenes"


def source_hash(files: Iterable[Path]) -> str:
    """Hash of these files and of all of ours that they import, directly or not."""
    digest = hashlib.sha256()
    for path in sorted(closure(files), key=lambda p: (p.name, str(p))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def closure(files: Iterable[Path]) -> set[Path]:
    """These files and all modules of this package that they import."""
    waiting, found = [path.resolve() for path in files], set[Path]()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return found


def _imported(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.startswith(PACKAGE + ".") and not _brings_data(name):
                origin = _origin(name)
                if origin is not None:
                    yield origin


def _brings_data(name: str) -> bool:
    inner = name.removeprefix(PACKAGE + ".")
    return any(inner == known or inner.startswith(known + ".") for known in DATA)


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
