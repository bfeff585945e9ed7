"""What manim films need beside Python packages, and the command that installs it."""

from __future__ import annotations

import ctypes.util
import importlib
import importlib.util
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, version

from grokviz.errors import InputError

EXTRA = "pip install 'grokviz[manim]'"
LIBRARIES = ("cairo", "pango-1.0", "pangocairo-1.0")
"""Shared libraries that pycairo and manimpango are linked with."""

PILLOW = 13
"""manim 0.22 passes a mode to ``Image.fromarray``, which pillow 13 no longer takes."""


@dataclass(frozen=True)
class Need:
    """One thing films need: its version or name, "" where it is missing, and how to get it."""

    name: str
    detail: str
    remedy: str

    @property
    def ok(self) -> bool:
        """Whether it is there."""
        return bool(self.detail)


def system_remedy() -> str:
    """The command that installs the system libraries here."""
    if platform.system() == "Darwin":
        return "brew install cairo pango pkg-config"
    if shutil.which("apt-get"):
        # manim's own two packages are built on the spot: neither has a wheel for Linux
        return (
            "sudo apt-get install --no-install-recommends libcairo2-dev libpango1.0-dev "
            "pkg-config python3-dev build-essential"
        )
    if shutil.which("dnf"):
        return "sudo dnf install cairo-devel pango-devel pkgconf python3-devel gcc"
    return "install cairo and pango with their headers by your system's package manager"


def libraries() -> Need:
    """The system libraries. On Windows they come inside the packages."""
    if platform.system() == "Windows":
        return Need("cairo, pango", "inside the packages", "")
    lacking = [name for name in LIBRARIES if ctypes.util.find_library(name) is None]
    detail = ", ".join(LIBRARIES) if not lacking else "linked" if _linked() else ""
    return Need("cairo, pango", detail, system_remedy())


def _linked() -> bool:
    """Whether the packages that need them load: some systems keep libraries where few look."""
    try:
        importlib.import_module("cairo")
        importlib.import_module("manimpango")
    except ImportError:
        return False
    return True


def package(name: str) -> Need:
    """A Python package of the ``manim`` extra."""
    try:
        detail = version(name) if importlib.util.find_spec(name) else ""
    except PackageNotFoundError:
        detail = ""
    return Need(name, detail, EXTRA)


def pillow() -> Need:
    """A pillow that manim can draw pictures with."""
    try:
        detail = version("pillow")
    except PackageNotFoundError:
        detail = ""
    old_enough = detail and int(detail.partition(".")[0]) < PILLOW
    return Need(f"pillow below {PILLOW}", detail if old_enough else "", EXTRA)


NEEDS: tuple[Callable[[], Need], ...] = (
    libraries,
    partial(package, "manim"),
    partial(package, "typst"),
    pillow,
)
"""What films need, in the order of its remedies."""


@lru_cache(maxsize=1)
def lacking() -> Need | None:
    """The first thing that is missing; None where films can be made.

    The system libraries come first: without their headers the packages cannot be built.
    """
    system, *packages = (need() for need in NEEDS)
    if not packages[0].ok and not system.ok:
        return Need(f"manim with {system.name}", "", f"{system.remedy} && {EXTRA}")
    return next((need for need in (system, *packages) if not need.ok), None)


def require(name: str) -> None:
    """Raise :class:`InputError`, with the command that helps, unless films can be made."""
    need = lacking()
    if need is None:
        try:
            import manim  # noqa: F401
        except Exception as error:  # a broken library fails in any way
            raise InputError(
                f"{name} is drawn with manim, which cannot be loaded "
                f"({' '.join(str(error).split())}); run {system_remedy()} && {EXTRA}"
            ) from error
        return
    raise InputError(
        f"{name} is drawn with manim and {need.name} is not installed: run {need.remedy}"
    )
