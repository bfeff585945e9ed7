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
import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Claim": "grokviz.scene",
    "Drawing": "grokviz.scene",
    "GrokvizError": "grokviz.errors",
    "InputError": "grokviz.errors",
    "WorkError": "grokviz.errors",
    "Run": "grokviz.runs",
    "Scene": "grokviz.scene",
    "analyze": "grokviz.dataset.cache",
    "check": "grokviz.render.listing",
    "drawing_in": "grokviz.scene",
    "explore": "grokviz.explorer",
    "figures": "grokviz.render.figures",
    "import_run": "grokviz.importers.importing",
    "load": "grokviz.dataset.references.reference",
    "measures": "grokviz.dataset.measured",
    "open_run": "grokviz.runs",
    "option": "grokviz.options",
    "record": "grokviz.training.record",
    "reference": "grokviz.dataset.references.reference",
    "references": "grokviz.dataset.references.reference",
    "render": "grokviz.render.render",
    "scene": "grokviz.scene.registry",
    "list_scenes": "grokviz.render.listing",
    "schema": "grokviz.render.listing",
    "show": "grokviz.notebook.show",
    "slides": "grokviz.slides",
    "sweep": "grokviz.training.sweep",
    "theme": "grokviz.media.theme",
    "train": "grokviz.training.loop",
    "recipe": "grokviz.task",
}

__all__ = sorted([*_PUBLIC, "__version__"])


class _Package(ModuleType):
    """This package: a verb stays a verb where a package inside has the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        # importing grokviz.render binds it here, and gv.render would no longer draw
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def _register() -> None:
    """Show our objects in a notebook, if this is one."""
    if "IPython" in sys.modules:
        importlib.import_module("grokviz.notebook.register").register()


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _register()
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__


_register()
