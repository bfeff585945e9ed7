"""The page of one scene as a file; what stands in it is its engine's affair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from grokviz.errors import InputError
from grokviz.files import replacing
from grokviz.pages.single import PageBody, SceneText, scene_page
from grokviz.render.job import RenderJob

if TYPE_CHECKING:
    import xarray as xr


MOST = 9_000_000
"""Bytes of pictures, or of the film, inside a page; base64 makes a third more of them."""


def scene_text(job: RenderJob, data: xr.Dataset) -> SceneText:
    """What a page says of its scene."""
    scene, options = job.scene, job.options
    return SceneText(
        name=scene.name,
        title=scene.claim(data).sentence,
        watch=scene.claim(data).watch,
        caption=scene.caption(data),
        options={key: str(value) for key, value in scene.changed_options().items()},
        heading=None if options.title in (None, "none") else str(options.title),
        theme=job.theme.name,
        command=options.command,
    )


def write_page(job: RenderJob, text: SceneText, body: PageBody) -> Path:
    """Write the page of a job, whole or not at all; InputError where it is too large."""
    page = scene_page(text, body)
    limit, size = job.options.max_size, len(page.encode())
    if limit is not None and size > limit * 1e6:
        raise InputError(
            f"{job.path} would have {size / 1e6:.1f} MB, more than --max-size {limit:g}; "
            "allow more, or choose a film format"
        )
    with replacing(job.path) as part:
        part.write_text(page, "utf-8")
    return job.path
