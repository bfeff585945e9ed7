"""A sweep whose process is killed: its members' processes end, and the sweep goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grokviz.runs import verify_run

pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ["p=7", "d-model=8", "d-mlp=8", "heads=2", "epochs=3000", "checkpoint-every=500"]
COMMAND = [
    sys.executable, "-m", "grokviz", "sweep", "modular-addition", "--seeds", "2", "-j", "2",
    "--quiet", *(word for setting in SETTINGS for word in ("--set", setting)),
]  # fmt: skip


def start(out: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*COMMAND, "--out", str(out)], env=environment)


def processes_with(word: str) -> list[int]:
    """Processes that have a file of this folder open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            files = [str(link.readlink()) for link in (process / "fd").iterdir()]
        except OSError:
            continue
        if any(word in file for file in files):
            found.append(int(process.name))
    return found


def contents(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name not in (".lock", "run.json")
    }


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks for processes in /proc")
def test_killed_at_random_moments_it_ends_as_if_uninterrupted(tmp_path: Path) -> None:
    assert start(tmp_path / "straight").wait(300) == 0
    chance, out, kills = random.Random(1), tmp_path / "killed", 0
    while True:
        sweep = start(out)
        try:
            assert sweep.wait(4 + kills + chance.uniform(0, 3)) == 0
            break
        except subprocess.TimeoutExpired:
            sweep.send_signal(signal.SIGKILL)
            sweep.wait()
            kills += 1
        # its members' processes end with it
        deadline = time.monotonic() + 60
        while processes_with(str(out)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert kills < 60
    assert kills
    for name in ("seed=0", "seed=1"):
        assert verify_run(out / name) == []
        assert contents(out / name) == contents(tmp_path / "straight" / name)
