"""Which engine makes a job's file: matplotlib's, manim's, or the joiner of chapters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from grokviz.progress import ProgressCallback
from grokviz.render import drawing
from grokviz.render.job import RenderJob
from grokviz.scene.film import Film

if TYPE_CHECKING:
    import xarray as xr


def draw(job: RenderJob, data: xr.Dataset, report: ProgressCallback | None = None) -> Path:
    """Make one still or film with the engine of its scene."""
    if not isinstance(job.scene, Film):
        return drawing.draw(job, data, report)
    if job.scene.joined():
        from grokviz.render.films.joined import perform_joined

        return perform_joined(job, data, report)
    from grokviz.render.films.engine import perform as perform_film

    return perform_film(job, data, report)
