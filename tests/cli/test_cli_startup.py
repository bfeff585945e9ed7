"""What a command's own process imports: what it uses, and of our scenes the one it draws."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli.conftest import environment

ENDS = """
import sys
sys.argv = ["grokviz", *{words!r}]
from grokviz.cli import main
try:
    main()
except SystemExit as end:
    if end.code:
        raise
print(*(name for name, module in sys.modules.items() if module is not None), sep="\\n")
import gc
print(gc.get_threshold()[0])
"""

OF_OTHERS = {
    "torch", "dask", "distributed", "manim", "plotly", "imageio", "scipy", "rich", "pptx",
    "requests", "ruptures", "sklearn", "tblib", "yaml", "IPython", "loky",
}  # fmt: skip

SCENE = """
from dataclasses import dataclass
from grokviz.scene import Drawing, Scene

@dataclass(frozen=True)
class Mine(Scene):
    name = "mine"
    title = "Mine"
    needs = ("logged_train_loss",)

    def draw(self, figure, data):
        import dask  # as a user's own code may

        return Drawing([])
"""


def imported(folder: Path, *words: str) -> set[str]:
    """The modules in memory when a command in a process of its own has ended."""
    done = subprocess.run(
        [sys.executable, "-c", ENDS.format(words=[*words])],
        cwd=folder, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    *modules, threshold = done.stdout.split()
    assert int(threshold) > 10_000
    return {*modules}


@pytest.mark.slow
def test_a_still_imports_what_it_uses(tmp_path: Path) -> None:
    modules = imported(tmp_path, "render", "embedding-waves", "-q", "-o", "a.png")
    assert (tmp_path / "a.png").stat().st_size > 10_000
    packages = {name.partition(".")[0] for name in modules}
    assert {"xarray", "matplotlib", "h5py"} <= packages
    assert not packages & (OF_OTHERS | {"av"})
    scenes = {name for name in modules if name.startswith("grokviz.scenes.")}
    assert "grokviz.scenes.modular_addition.embedding.embedding_waves" in scenes
    assert len(scenes) < 8  # its packages, and what its scenes share
    unused = ("grokviz.pages", "grokviz.parallel", "grokviz.dataset.build", "grokviz.runs.writer")
    assert not [name for name in modules if name.startswith(unused)]
    measures = [name for name in modules if ".measures" in name]
    assert measures == []


@pytest.mark.slow
def test_a_film_imports_its_encoder_beside(tmp_path: Path) -> None:
    words = ("--quality", "l", "--duration", "0.1", "-q", "-o", "a.mp4")
    packages = {
        name.partition(".")[0] for name in imported(tmp_path, "render", "grokking-curve", *words)
    }
    assert "av" in packages
    assert not packages & (OF_OTHERS - {"rich"})


@pytest.mark.slow
def test_where_users_code_runs_nothing_is_spared(tmp_path: Path) -> None:
    pytest.importorskip("dask")
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "mine.py").write_text(SCENE)
    assert "dask" in imported(tmp_path, "render", "mine", "-q", "-o", "a.png")


def test_in_a_python_of_others_nothing_is_changed() -> None:
    program = (
        "import gc, sys\nbefore = gc.get_threshold()\nfrom matplotlib import artist\n"
        "writes = artist.kwdoc\nfrom grokviz.cli import startup\n"
        "startup.spare_imports(draws=True)\n"
        "assert artist.kwdoc is writes and 'dask' not in sys.modules\n"
        "assert gc.get_threshold() == before\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
