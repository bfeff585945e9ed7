"""What a worker process is told of a picture: a scene's name, file and options, never the scene.

The worker builds the scene from them, and draws it. A scene that no other process could build,
since its class is not a module's own (a cell of a notebook, a function), has no such words.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from grokviz import plugins
from grokviz.errors import InputError
from grokviz.render.composing import Composed, composed
from grokviz.render.engine import engine_of
from grokviz.render.job import RenderJob
from grokviz.scene.scene import Scene

COMPOSED = ("name", "title", "clock", "reference", "across")
"""Class attributes that a figure of several scenes has from whoever puts it together."""

MAIN = "__main__"
"""What was run, which another process cannot import."""


@dataclass(frozen=True)
class SceneSpec:
    """A scene in words.

    Attributes:
        name: the scene's.
        module, attribute: where its class is.
        file: the user's file that is this module; None of an installed one.
        options: the values of its fields.
        panels: of a figure of several scenes, theirs; its ``options`` are then its attributes.

    """

    name: str
    module: str
    attribute: str
    file: Path | None
    options: Mapping[str, Any]
    panels: tuple[SceneSpec, ...] = ()


def spec_of(scene: Scene) -> SceneSpec | None:
    """The scene in words; None where no other process could build it from them."""
    if isinstance(scene, Composed):
        panels = [spec_of(panel) for panel in scene.of]
        whole = tuple(panel for panel in panels if panel is not None)
        attributes = {name: getattr(scene, name) for name in COMPOSED}
        able = len(whole) == len(panels)
        return SceneSpec(scene.name, "", "", None, attributes, whole) if able else None
    kind = type(scene)
    if kind.__module__ == MAIN or getattr(sys.modules[kind.__module__], kind.__name__, 0) != kind:
        return None
    options = {field.name: getattr(scene, field.name) for field in fields(scene) if field.init}
    file = plugins.file_of(kind.__module__)
    return SceneSpec(scene.name, kind.__module__, kind.__name__, file, options)


def scene_of(spec: SceneSpec) -> Scene:
    """The scene that these words say.

    Raises :class:`InputError` where the user's file is gone or no longer has it.
    """
    if spec.panels:
        return composed(tuple(map(scene_of, spec.panels)), **spec.options)
    kind = getattr(_module(spec), spec.attribute, None)
    if kind is None:
        raise InputError(f"{spec.file or spec.module} no longer has the scene {spec.name}")
    scene: Scene = kind(**spec.options)
    return scene


def _module(spec: SceneSpec) -> ModuleType:
    if spec.file is not None:
        return plugins.load_named(spec.file)
    try:
        return import_module(spec.module)
    except ImportError as error:
        raise InputError(
            f"{spec.name} is of {spec.module}, which a worker process cannot import ({error}); "
            "draw it with -j 1"
        ) from error


@dataclass(frozen=True)
class WorkerJob:
    """A file to be made, its scene in words; ``fields`` are the other fields of its job."""

    spec: SceneSpec
    fields: Mapping[str, Any]


def worker_jobs(jobs: Sequence[RenderJob]) -> list[WorkerJob] | None:
    """The jobs for workers; None where these could not build one of the scenes."""
    work = []
    for job in jobs:
        spec = spec_of(job.scene)
        if spec is None:
            return None
        others = {f.name: getattr(job, f.name) for f in fields(job) if f.name != "scene"}
        work.append(WorkerJob(spec, others))
    return work


def job_of(work: WorkerJob) -> RenderJob:
    """The job, with its scene built anew."""
    scene = scene_of(work.spec)
    job: RenderJob = engine_of(scene).job(scene=scene, **work.fields)
    return job
