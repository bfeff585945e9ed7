"""Engines are asked, and no scene for its type; and no scene is ever handed to a process."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from stage_scenes import Dot

import grokviz as gv
from grokviz import plugins
from grokviz.errors import InputError
from grokviz.media.formats import FORMATS
from grokviz.render.composing import figure_of
from grokviz.render.engine import ENGINES, engine_of
from grokviz.render.job import RenderOptions
from grokviz.render.plan import plan
from grokviz.render.render import render
from grokviz.render.workers import job_of, scene_of, spec_of, worker_jobs
from grokviz.scene import registry

RENDER = Path(gv.__file__).parent / "render"

MINE = '''
from dataclasses import dataclass

from grokviz.scene import Scene, option, style


@dataclass(frozen=True)
class Mine(Scene):
    """A line that no process may be handed."""

    name = "mine"
    title = "A line"
    clock = None
    needs = ("logged_test_loss",)

    side: int = option(1, "of the square")

    def __reduce__(self):
        raise TypeError("a scene is never pickled")

    def draw(self, figure, data):
        style().panels(figure)[0][0].plot([0, self.side], [0, 1])
        from grokviz.scene import Drawing

        return Drawing()
'''


@pytest.fixture
def mine(here: Path) -> Iterator[type[Any]]:
    """A scene of the user's own that refuses to be pickled."""
    (here / "scenes").mkdir()
    (here / "scenes" / "mine.py").write_text(MINE)
    yield registry.scene("mine")
    plugins.forget()
    for name in [n for n in sys.modules if n.startswith(plugins.PREFIX)]:
        del sys.modules[name]


@pytest.mark.slow
def test_workers_build_the_scene_from_its_words(
    here: Path, mine: type[Any], dot: type[Dot], data: xr.Dataset
) -> None:
    figure = figure_of((mine(side=3), dot(size=4)))
    for scene in (mine(), figure):
        with pytest.raises((TypeError, pickle.PicklingError)):
            pickle.dumps(scene)
    side_by_side = render(figure, data, ["a.png", "a.svg"], jobs=2, quality="l")
    alone = render(figure, data, ["b.png", "b.svg"], quality="l")
    for one, other in zip(side_by_side, alone, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_what_words_say_of_a_scene(here: Path, mine: type[Any], dot: type[Dot]) -> None:
    figure = figure_of((mine(side=3), dot(size=4)))
    spec = spec_of(figure)
    assert spec is not None
    assert [(panel.name, panel.file) for panel in spec.panels] == [
        ("mine", here / "scenes" / "mine.py"),
        ("dot", None),
    ]
    built: Any = scene_of(pickle.loads(pickle.dumps(spec)))
    assert built.of == (mine(side=3), dot(size=4))
    for name in ("name", "title", "clock", "reference", "needs", "source", "across"):
        assert getattr(built, name) == getattr(figure, name)
    jobs = plan(figure, ["a.png", "b.mp4"], (), RenderOptions(theme="dark"))
    for job, work in zip(jobs, worker_jobs(jobs) or [], strict=True):
        again = job_of(pickle.loads(pickle.dumps(work)))
        assert again.line() == job.line()
        assert (again.options, again.theme.name) == (job.options, job.theme.name)
    (here / "scenes" / "mine.py").unlink()
    with pytest.raises(InputError, match=r"there is no file .*mine\.py"):
        scene_of(spec)


def test_a_scene_that_no_other_process_could_build_is_drawn_here(
    here: Path, data: xr.Dataset
) -> None:
    @dataclass(frozen=True)
    class Inner(Dot):
        name = "inner"

    assert spec_of(Inner()) is None
    assert spec_of(figure_of((Dot(), Inner()))) is None
    made = render(Inner(), data, ["a.png", "b.png"], jobs=2, quality="l")
    assert made[0].read_bytes() == made[1].read_bytes()


def test_the_renderer_asks_no_scene_whether_it_is_a_film() -> None:
    asked = []
    for file in RENDER.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Assert):
                asked.append(f"{file.name}:{node.lineno} assert")
            name = getattr(getattr(node, "func", None), "id", "")
            if name in ("isinstance", "issubclass") and "Film" in ast.dump(node):
                asked.append(f"{file.name}:{node.lineno} {name}")
    assert asked == []


def test_each_engine_is_the_one_that_its_scenes_name() -> None:
    scenes = registry.scenes(user=False)
    assert {scene.made_by() for scene in scenes.values()} == {*ENGINES}
    assert engine_of(scenes["wave-circles"]) is engine_of(scenes["ablation"]())
    for scene in scenes.values():
        engine = engine_of(scene)
        assert engine.panels == (scene.engine == "matplotlib")
        kind = FORMATS["srt"]
        if scene.able(kind):
            engine.accepts(scene(), RenderOptions(), kind, Path("a.srt"))
        else:
            with pytest.raises(InputError, match="no captions"):
                engine.accepts(scene(), RenderOptions(), kind, Path("a.srt"))

    class Other(Dot):
        engine = "opengl"

    with pytest.raises(InputError, match="names the engine opengl; let engine be one of"):
        engine_of(Other)


@pytest.mark.slow
def test_no_engine_imports_what_another_draws_with() -> None:
    code = (
        "import sys\n"
        "from grokviz.render.engine import ENGINES, engine_of\n"
        "from grokviz.scene.registry import scenes\n"
        "for scene in scenes(user=False).values(): engine_of(scene)\n"
        "assert not {'manim', 'matplotlib.pyplot'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
