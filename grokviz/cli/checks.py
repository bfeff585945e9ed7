"""The checks of ``grokviz doctor``, each with a remedy."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from grokviz.render.films import needs as films
from grokviz.render.films.needs import Need

LIBRARIES = {  # by distribution: its purpose, and the extra that installs it
    "numpy": ("arrays", ""),
    "matplotlib": ("drawing", ""),
    "font-source-sans-pro": ("text in pictures", ""),
    "font-source-serif-pro": ("titles of pictures", ""),
    "xarray": ("datasets", ""),
    "h5netcdf": ("datasets on disk", ""),
    "h5py": ("datasets on disk", ""),
    "safetensors": ("weights on disk", ""),
    "av": ("films", ""),
    "pillow": ("pictures", ""),
    "imageio": ("pictures and films read back", ""),
    "platformdirs": ("where films are kept", ""),
    "click": ("the command line", ""),
    "rich": ("bars of progress", ""),
    "jaxtyping": ("shapes of arrays", ""),
    "loky": ("work in several processes", ""),
    "cloudpickle": ("work in several processes", ""),
    "psutil": ("ending these processes", ""),
    "threadpoolctl": ("one BLAS thread where more are slower", ""),
    "torch": ("training", "train"),
    "numba": ("training in compiled loops", "fast"),
    "python-pptx": ("slides for PowerPoint", "slides"),
    "pyreveal": ("slides for a browser", "slides"),
    "plotly": ("pages to scrub", "web"),
    "distributed": ("sweeps on many machines", "cluster"),
    "requests": ("models on the hub", "hub"),
    "tensorboard": ("event files of TensorBoard", "tensorboard"),
}


@dataclass(frozen=True)
class Check:
    """The result of a check: whether a requirement is met, its purpose and its remedy."""

    name: str
    ok: bool
    needed: bool
    detail: str
    purpose: str
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        """The result for JSON, in which ``detail`` is called "found"."""
        fields = dataclasses.asdict(self)
        return {"found" if key == "detail" else key: value for key, value in fields.items()}


def _python() -> Check:
    detail = ".".join(map(str, sys.version_info[:3]))
    return Check(
        "python", sys.version_info >= (3, 11), True, detail, "everything", "install Python 3.11"
    )


def _library(name: str) -> Check:
    purpose, extra = LIBRARIES[name]
    target = f"'grokviz[{extra}]'" if extra else "--force-reinstall grokviz"
    try:
        detail, ok = version(name), True
    except PackageNotFoundError:
        detail, ok = "", False
    return Check(name, ok, not extra, detail, purpose, f"pip install {target}")


def _references() -> Check:
    try:
        from grokviz.dataset.references.reference import references

        names = references()
    except ImportError:  # of a library that has its own check
        names = []
    return Check(
        "references",
        bool(names),
        True,
        ", ".join(names),
        "drawing without a run of one's own",
        "pip install --force-reinstall grokviz",
    )


def _encoders() -> Check:
    from grokviz.media.formats import FORMATS

    names = list(dict.fromkeys(kind.codec for kind in FORMATS.values() if kind.codec))
    try:
        import av
        from PIL import features

        codecs = {*av.codecs_available, *features.get_supported()}
        missing = [name for name in names if name not in codecs]
    except ImportError:
        missing = names
    return Check(
        "encoders",
        not missing,
        True,
        "" if missing else ", ".join(names),
        f"films ({', '.join(missing)} missing)" if missing else "films",
        "pip install --force-reinstall --only-binary :all: av pillow",
    )


def _manim_films(find_need: Callable[[], Need]) -> Check:
    need = find_need()
    return Check(need.name, need.ok, False, need.detail, "films drawn with manim", need.remedy)


CHECKS: list[Callable[[], Check]] = [
    _python,
    *(lambda name=name: _library(name) for name in LIBRARIES),  # type: ignore[misc]
    _encoders,
    *(lambda need=need: _manim_films(need) for need in films.NEEDS),  # type: ignore[misc]
    _references,
]


def run_checks() -> list[Check]:
    """Results of all checks, in order."""
    return [check() for check in CHECKS]
