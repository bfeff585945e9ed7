"""``grokviz sweep``: what it lists, says, refuses, and how it is stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grokviz import cli
from grokviz.runs import open_run

SMALL = ["--set", "p=7", "--set", "d-model=8", "--set", "d-mlp=8", "--set", "heads=2"]
SWEEP = ["sweep", "modular-addition"]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


WRONG = [
    ([*SWEEP], "give --grid KEY=VALUE,... or --seeds N"),
    ([*SWEEP, "--grid", "p"], "--grid p has no values"),
    ([*SWEEP, "--grid", "p=7,"], "empty value"),
    ([*SWEEP, "--grid", "p=7", "--grid", "p=9"], "gives p twice"),
    ([*SWEEP, "--grid", "p=4x"], "p=4x is not a whole number"),
    ([*SWEEP, "--grid", "seed=1", "--seeds", "2"], "has seeds already"),
    ([*SWEEP, "--seeds", "2", "--member", "2"], "no member 2: give a number from 0 to 1"),
    ([*SWEEP, "--seeds", "2", "-j", "0"], "-j 0 is not possible"),
    ([*SWEEP, "--seeds", "2", "--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers at"),
    ([*SWEEP, "--seeds", "2", "--scheduler", "nobody"], "no Dask scheduler answers at nobody"),
    ([*SWEEP, "--grid", "p=7", "--set", "p=9"], "p is in the grid and set for all members"),
    (["sweep", "modular-adition", "--seeds", "2"], "did you mean modular-addition?"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=lambda value: str(value)[-30:])
def test_wrong_input_is_one_sentence(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr("grokviz.parallel.scheduler.CONNECT_SECONDS", 0.3)
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert list(here.iterdir()) == []


def test_a_dry_run_lists_the_members(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = ["--grid", "train-fraction=.25,.3", "--seeds", "2", "--epochs", "9"]
    assert cli.run([*SWEEP, *grid, "--dry-run"]) == 0
    first, *members = capsys.readouterr().out.splitlines()
    assert first.startswith("runs/modular-addition-sweep: 4 members of modular-addition, all with ")
    assert " p=113 " in first
    assert " epochs=9 " in first
    assert members == [
        "  0  train-fraction=0.25 seed=0",
        "  1  train-fraction=0.25 seed=1",
        "  2  train-fraction=0.3 seed=0",
        "  3  train-fraction=0.3 seed=1",
    ]
    assert list(here.iterdir()) == []


def test_without_torch_the_extra_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.run([*SWEEP, "--seeds", "2"]) == 2
    assert "pip install 'grokviz[train]'" in capsys.readouterr().err
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_members_and_failures_are_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [*SWEEP, *SMALL[2:], "--grid", "p=8,7", "--epochs", "4", "--out", "s"]
    assert cli.run(command) == 1
    out, err = capsys.readouterr()
    assert out == "s/p=7: epoch 4\n"
    assert re.search(r"^s/p=8 failed: p = 8 cannot be used", err, re.MULTILINE)
    last = err.splitlines()[-1]
    assert last.startswith("grokviz: 1 of 2 members failed (p = 8 cannot")
    assert open_run(here / "s" / "p=7").finished
    # the rest is there, so that only the failed one is tried again, and quietly
    assert cli.run([*command, "--quiet"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "s/p=8 failed: p = 8 cannot" in err
    assert cli.run([*command, "--member", "1"]) == 0
    assert capsys.readouterr().out.endswith("s: 1 of 1 members are finished\n")


@pytest.mark.slow
def test_stopped_it_says_so_and_goes_on(tmp_path: Path, called: Run) -> None:
    command = [*SWEEP, *SMALL, "--seeds", "2", "--out", "s", "--set", "checkpoint-every=50"]
    root = str(Path(__file__).parents[2])
    child = subprocess.Popen(
        [sys.executable, "-m", "grokviz", *command, "--epochs", "100000000"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    first = tmp_path / "s" / "seed=0"
    while not (first / "checkpoints" / "50.safetensors").exists():
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=300)
    assert (child.returncode, out) == (130, "")
    said = "stopped: 0 of 2 members are finished; the same command goes on from there\n"
    assert err.endswith(said)
    assert "Traceback" not in err
    run = open_run(first)
    assert not run.finished
    assert not (tmp_path / "s" / "seed=1").exists()
    last = int(run.epochs[-1]) + 50  # beyond where it stopped, by the checkpoints
    again = called(*command, "--epochs", last)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines() == [
        f"s/seed=0: epoch {last}", f"s/seed=1: epoch {last}", "s: 2 of 2 members are finished",
    ]  # fmt: skip
