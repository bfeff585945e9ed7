"""A current folder full of modules named like the standard library's: none is ever imported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.torture.common import LIMIT, TRAIN, Result, Torture, Workshop, check_words, require

LIBRARIES = (
    "numpy", "torch", "matplotlib", "xarray", "h5py", "h5netcdf", "safetensors", "av", "PIL",
    "click", "rich", "loky", "cloudpickle", "psutil", "threadpoolctl", "pptx", "imageio",
    "platformdirs", "jaxtyping", "plotly", "manim", "distributed", "sitecustomize",
    "usercustomize", "grokviz",
)  # fmt: skip
SMALL = ["--quality", "l", "--duration", "0.2"]
COMMANDS = [
    ["doctor"], ["info", "run"], ["--help"], ["scenes"], ["recipes"], ["completion", "bash"],
    ["measures", "run"], ["import", "state.pth", "--out", "imported"],
    ["render", "grokking-curve", "--run", "run", "-o", "b.mp4", "-j", "2", *SMALL],
    ["data", "grokking-curve", "--run", "run", "-o", "b.csv"],
    ["explore", "run", "-o", "b.html"], ["bundle", "run", "--out", "reference"],
    ["slides", "grokking-curve", "a.png", "--run", "run", "--quality", "l", "-j", "2",
     "-o", "c.html"],
    [*TRAIN, "--out", "trained"],
    ["figures", "--run", "curves", "--no-films", "-j", "2", "--out", "figures"],
    ["sweep", *TRAIN[1:-2], "--seeds", "2", "-j", "2", "--out", "sweep"],
]  # fmt: skip
CANARY = "canary.txt"
ROOT = Path(__file__).parents[2]


def run(torture: Torture, workshop: Workshop) -> None:
    tally = torture.tally("modules in the current folder")
    place = torture.place()
    workshop.copy_to(place)
    work = place / "work"
    # as the installed program does; with -m, Python itself looks in the current folder first
    script = place / "program"
    script.write_text("from grokviz.cli import main\nmain()\n")
    names = sorted({*sys.stdlib_module_names, *LIBRARIES} - {"__main__"})
    body = f"open({str(work / CANARY)!r}, 'a').write(__name__ + chr(10))\n"
    for name in names:
        (work / f"{name}.py").write_text(body)
    commands = COMMANDS if torture.scale >= 0.01 else [COMMANDS[1]]
    for words in commands:
        with torture.trial("modules in the current folder", " ".join(words)):
            done = subprocess.run(
                [sys.executable, str(script), *words], cwd=work, capture_output=True, text=True,
                env={**os.environ, "GROKVIZ_CACHE": str(place / "cache"),
                     "TMPDIR": str(place / "tmp"), "PYTHONPATH": str(ROOT)},
                timeout=LIMIT, check=False,
            )  # fmt: skip
            imported = (work / CANARY).read_text() if (work / CANARY).exists() else ""
            (work / CANARY).unlink(missing_ok=True)
            require(not imported, f"it imported {imported.split()}")
            check_words(Result(done.returncode, done.stdout, done.stderr))
            require(done.returncode == 0, done.stderr[-1500:])
            for name in names:
                tally.add((words[0], name), "never imported")
    shutil.rmtree(place)
