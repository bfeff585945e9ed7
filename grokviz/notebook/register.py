"""Registration of HTML formatters with IPython, by the names of types, without imports.

To display another type, add a row here and a function in :mod:`grokviz.notebook.show` that
returns its HTML.
"""

from __future__ import annotations

import importlib
import sys
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

FORMATTERS = {
    ("grokviz.files", "FileList"): "files_html",
    ("grokviz.scene.scene", "Scene"): "scene_html",
    ("grokviz.runs.reader", "Run"): "run_html",
}
"""Module and name of each type, and the function that returns its HTML."""

_SHELLS: weakref.WeakSet[Any] = weakref.WeakSet()


def register() -> None:
    """Register the formatters with the running IPython, if there is one."""
    current: Callable[[], Any] | None = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = None if current is None else current()
    if shell is None or shell in _SHELLS:
        return
    _SHELLS.add(shell)
    html = shell.display_formatter.formatters["text/html"]
    for (module, name), function in FORMATTERS.items():
        html.for_type_by_name(module, name, partial(_html, function))


def _html(function: str, shown: Any) -> str:
    text: str = getattr(importlib.import_module("grokviz.notebook.show"), function)(shown)
    return text
