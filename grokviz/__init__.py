"""grokviz: a small network's training run in; figures, films and pages out.

The verbs of the command line are the functions of this module::

    import grokviz as gv

    run = gv.open_run("runs/mine")
    data = gv.analyze(run)
    gv.render("embedding-waves", data, "waves.mp4")

Everything is imported when it is first used, so that ``import grokviz`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "GrokvizError": "grokviz.errors",
    "InputError": "grokviz.errors",
    "WorkError": "grokviz.errors",
    "Run": "grokviz.trajectory",
    "Scene": "grokviz.stage",
    "analyze": "grokviz.analysis.cache",
    "check": "grokviz.stage.listing",
    "explore": "grokviz.stage.explorer",
    "figures": "grokviz.stage.figures",
    "import_run": "grokviz.importing",
    "load": "grokviz.analysis.reference",
    "measures": "grokviz.analysis.measured",
    "open_run": "grokviz.trajectory",
    "looking": "grokviz.stage",
    "option": "grokviz.stage",
    "record": "grokviz.trajectory",
    "reference": "grokviz.analysis.reference",
    "references": "grokviz.analysis.reference",
    "render": "grokviz.stage.render",
    "scene": "grokviz.stage.registry",
    "list_scenes": "grokviz.stage.listing",
    "schema": "grokviz.stage.listing",
    "show": "grokviz.stage.notebook",
    "slides": "grokviz.stage.slides",
    "sweep": "grokviz.training.sweep",
    "theme": "grokviz.media.theme",
    "train": "grokviz.training.loop",
    "recipe": "grokviz.training.recipes",
}

__all__ = sorted([*_PUBLIC, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
