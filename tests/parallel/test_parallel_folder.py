"""Everything that takes processes, from a script without a main guard, in a folder full of traps.

The traps are files named like modules that every worker process and every helper imports.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import xarray as xr

from grokviz.runs import open_run

ROOT = Path(__file__).resolve().parents[2]
TRAPS = ("pickle", "numpy", "random", "click", "struct", "loky", "torch")

SCENE = """
from dataclasses import dataclass
from grokviz.scene import Drawing, Scene, option, style

@dataclass(frozen=True)
class {name}(Scene):
    name, title, source, needs = "{name}", "A line", "nowhere", ("logged_test_loss",)
    clock = None
    size: int = option(2, "of the line")

    def draw(self, figure, data):
        axes = style().panels(figure)[0][0]
        return Drawing(axes.plot(data["logged_test_loss"].values, lw=self.size))
"""

SCRIPT = """
import os
import grokviz as gv
from grokviz.dataset.build.assemble import assemble

os.environ["PYTHONPATH"] += os.pathsep  # an empty name there is the current folder as well
print(*gv.render("one", "small.nc", ["a.png", "b.pdf"], options={"size": 3}, jobs=2))
print(*gv.render(mine(size=3), "small.nc", ["c.png", "d.png"], jobs=2))
print(len(gv.figures(["small.nc"], "figures", films=False, jobs=2)))
print(*gv.slides(["one", "two"], "talk.html", run="small.nc", quality="l", films="films", jobs=2))
small = {"p": 7, "d-model": 8, "d-mlp": 8, "heads": 2, "epochs": 4, "checkpoint-every": 2}
swept = gv.sweep("modular-addition", {"seed": [0, 1]}, "swept", settings=small, jobs=2)
print(*(result.state for result in swept.results))
print(assemble(gv.open_run(swept.results[0].path), workers=2).sizes["epoch"])
"""


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """A folder with two scenes, a dataset, and modules that must not be imported."""
    folder = tmp_path / "trapped"
    (folder / "scenes").mkdir(parents=True)
    for name in ("one", "two"):
        (folder / "scenes" / f"{name}.py").write_text(SCENE.format(name=name))
    for name in TRAPS:
        (folder / f"{name}.py").write_text(
            f"open({str(tmp_path / 'sprung')!r}, 'a').write({name!r})"
        )
    epochs = np.arange(0, 500, 100)
    xr.Dataset(
        {"logged_test_loss": ("tested_epoch", np.linspace(4, 0, 5))},
        coords={"epoch": epochs, "tested_epoch": epochs},
        attrs={"run_name": "small", "run_checksum": "0" * 64, "task": "", "settings": "{}"},
    ).to_netcdf(folder / "small.nc", engine="h5netcdf")
    return folder


def environment() -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": ""}


def run(folder: Path, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=folder, capture_output=True, text=True,
        env=environment(), check=False,
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if not line.startswith("running your own ")]
    assert (done.returncode, lines) == (0, []), done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.train
def test_a_script_without_a_main_guard_draws_trains_and_analyses(
    trapped: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    (tmp_path / "script.py").write_text(SCENE.format(name="mine") + SCRIPT)
    said = run(trapped, tmp_path / "script.py").splitlines()
    assert not (tmp_path / "sprung").exists()
    assert said == ["a.png b.pdf", "c.png d.png", "5", "talk.html", "finished finished", "3"]
    assert len(list((trapped / "films").iterdir())) == 2
    assert open_run(trapped / "swept" / "seed=1").finished


@pytest.mark.slow
def test_the_command_imports_nothing_from_where_it_is_called(trapped: Path, tmp_path: Path) -> None:
    command = ["render", "one", "--run", "small.nc", "-o", "a.png", "-o", "b.png", "-j", "2", "-q"]
    run(trapped, "-m", "grokviz", *command)
    assert not (tmp_path / "sprung").exists()
    assert (trapped / "a.png").read_bytes() == (trapped / "b.png").read_bytes()


SLOW = """
        import os, pathlib, time
        pathlib.Path(f"at-work-{os.getpid()}").touch()
        time.sleep(600)
"""


@pytest.mark.slow
def test_ctrl_c_is_clean(trapped: Path) -> None:
    scene = trapped / "scenes" / "one.py"
    scene.write_text(scene.read_text().replace("        return", SLOW + "        return"))
    command = ["render", "one", "--run", "small.nc", "-o", "a.png", "-o", "b.png", "-j", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "grokviz", *command], cwd=trapped, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True,
    ) as parent:  # fmt: skip
        while len(at_work := list(trapped.glob("at-work-*"))) < 2:
            assert parent.poll() is None
            time.sleep(0.05)
        os.killpg(parent.pid, signal.SIGINT)
        output, error = parent.communicate(timeout=300)
        assert (output, error.rpartition("out)\n")[2]) == ("", "\ngrokviz: stopped\n")
    assert parent.returncode == 130
    for file in at_work:
        assert not psutil.pid_exists(int(file.name.rpartition("-")[2]))
    assert not list(trapped.glob("*.png"))
