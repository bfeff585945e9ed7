"""What a process of the command line spares itself, since nothing else lives in it.

A third of the time to the first picture would go into what no command uses. None of it changes a
byte of a file, and all of it is left as it is where Python code of the user's may run, or calls.
"""

from __future__ import annotations

import gc
import sys

COLLECT_EVERY = 100_000
"""New objects after which those that have died in circles are looked for; Python looks after 700,
hundreds of times while libraries are imported, which leave no such circles."""

_own: set[str] = set()


def begin() -> None:
    """Take this process for a command's own."""
    _own.add("process")
    gc.set_threshold(COLLECT_EVERY, 50, 100)


def spare_imports(*, draws: bool) -> None:
    """Leave out what libraries would import or compute for others, in a command's own process.

    xarray, given any array, imports dask where it is installed, to ask whether the array is
    dask's; no array of a command is. For commands that draw with matplotlib, it also writes into
    each class's docstring which properties it has.
    """
    from grokviz import plugins

    if not _own or plugins.runs_foreign_code():
        return
    sys.modules.setdefault("dask", None)  # type: ignore[arg-type]  # so Python says: not there
    if draws:
        from matplotlib import artist

        artist.kwdoc = lambda artist: ""
