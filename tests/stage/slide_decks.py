"""A small deck, made as a user makes one: scenes in ``./scenes``, a dataset in a file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import stage_scenes

from grokviz.slides import slides

RING = """

@dataclass(frozen=True)
class Ring(Dot):
    \"\"\"The same, for ever.\"\"\"

    name = "ring"
    title = r"A dot goes round at $w_k$"
    loops = True

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        \"\"\"With what a page must not take for its own.\"\"\"
        return 'A dot <goes> "round" & round.'
"""

SCENES = ("dot", "ring", "poster")
COMMAND = "grokviz slides dot ring poster"
TITLE = "A talk <of dots>"


def prepare(place: Path) -> None:
    """Scenes and a dataset in ``place``."""
    (place / "scenes").mkdir()
    file = place / "scenes" / "small.py"
    shutil.copy(str(stage_scenes.__file__), file)
    file.write_text(file.read_text("utf-8") + RING, "utf-8")
    data = stage_scenes.small_data()
    data.attrs["task"] = "modular-addition"
    data.to_netcdf(place / "small.nc", engine="h5netcdf")


def make(
    *out: str,
    scenes: tuple[str, ...] = SCENES,
    theme: str = "light",
    films: str | None = None,
    **more: Any,
) -> list[Path]:
    """The deck, in the folder that is the current one."""
    wish: dict[str, Any] = {"run": "small.nc", "quality": "l", "title": TITLE, "command": COMMAND}
    return slides(scenes, list(out), theme=theme, films=films, **{**wish, **more})
