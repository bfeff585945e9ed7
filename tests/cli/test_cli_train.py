"""``grokviz train`` and what every command has in common."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grokviz import cli
from grokviz.runs import RunWriter, open_run

SMALL = ["--set", "p=13", "--set", "d-model=16", "--set", "d-mlp=32", "--set", "heads=2"]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> str:
    """The one sentence that a command in this process leaves with ``status`` and."""
    assert cli.run(list(arguments)) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("grokviz: ")
    assert err.count("\n") == 1, err
    return err


WRONG = [
    (["train", "modular-adition"], "did you mean modular-addition?"),
    (["train", "modular-addition", "--set", "p=4x"], "p=4x is not a whole number"),
    (["train", "modular-addition", "--set", "p=112"], "an odd p of at least 3, such as 113"),
    (["train", "modular-addition", "--set", "weight-decya=1"], "did you mean weight-decay?"),
    (["train", "modular-addition", "--set", "p"], "--set p has no value; write --set KEY=VALUE"),
    (["train", "modular-addition", "--set", "=3"], "has no value"),
    (["train", "modular-addition", "--set", "train-fraction=1.5"], "below 1"),
    (["train", "modular-addition", "--set", "heads=3"], "give a multiple of 3"),
    (["train", "modular-addition", "--epochs", "0"], "epochs=0 is not a whole number"),
    (["train", "modular-addition", "--epochs", "many"], "'many' is not a valid integer"),
    (["train", "modular-addition", "--seed", "-1"], "seed=-1 is not a whole number"),
    (["train", "modular-addition", "--checkpoint-every", "5@"], "such as 100,25@4000:14000"),
    (["train", "modular-addition", "--device", "tpu"], "'tpu' is not one of"),
    (["train", "modular-addition", "--exact-path", "maybe"], "'maybe' is not one of"),
    (["train"], "Missing argument 'RECIPE'"),
    (["train", "modular-addition", "--epoch", "3"], "--epochs"),
    (["trian"], "did you mean train?"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=lambda value: str(value)[-30:])
def test_wrong_input_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in refused(capsys, 2, *arguments)
    assert list(here.iterdir()) == []


def test_failed_work_is_one_sentence(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "modular-addition", *SMALL, "--epochs", "99", "--set", "learning-rate=1e6"]
    assert "is nan at epoch" in refused(capsys, 1, *command, "--quiet", "--out", "run")
    assert open_run(here / "run").epochs.size


def test_a_place_that_cannot_be_written_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "file").write_text("mine")
    for out in ("file", "file/run"):
        assert "file" in refused(capsys, 2, "train", "modular-addition", *SMALL, "--out", out)
    assert (here / "file").read_text() == "mine"


def test_a_run_that_another_process_writes_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "modular-addition", *SMALL, "--quiet", "--epochs", "2", "--out", "run"]
    assert cli.run(command) == 0
    with RunWriter.resume(here / "run"):
        assert "another process; wait for it" in refused(capsys, 2, *command)


def test_without_torch_the_extra_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "grokviz.training.loop", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    said = refused(capsys, 2, "train", "modular-addition")
    assert "pip install 'grokviz[train]'" in said


def test_quiet_says_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["train", "modular-addition", *SMALL, "--epochs", "3", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert open_run(here / "runs" / "modular-addition").epochs.tolist() == [0, 3]


def test_options_are_settings(here: Path) -> None:
    command = ["train", "modular-addition", *SMALL, "--quiet", "--epochs", "6", "--seed", "3"]
    more = ["--checkpoint-every", "5,1@2:3", "--exact-path", "off", "--device", "cpu"]
    assert cli.run([*command, *more, "--set", "betas=0.9,0.99", "--out", "run"]) == 0
    run = open_run(here / "run")
    settings = run.facts["settings"]
    assert (settings["seed"], settings["epochs"], settings["betas"]) == (3, 6, [0.9, 0.99])
    assert run.facts["exact_path"] is False
    assert run.epochs.tolist() == [0, 2, 3, 5, 6]


@pytest.mark.slow
def test_plain_lines_where_no_terminal_is(grokviz: Run, tmp_path: Path) -> None:
    command = ["train", "modular-addition", *SMALL, "--epochs", "30", "--out", "run"]
    done = grokviz(*command)
    assert (done.returncode, done.stdout) == (0, "run: epoch 30\n")
    lines = done.stderr.splitlines()
    assert re.fullmatch(r"epoch 0/30  train \S+  test \S+", lines[0])
    last = r"epoch 30/30  train \S+  test \S+  \d+ epochs/s  0 s left"
    assert re.fullmatch(last, lines[-1])
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    told = open_run(tmp_path / "run").facts["command"]
    assert told == " ".join(["grokviz", *command])


@pytest.mark.slow
def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    code = "from grokviz.cli import run; import sys; sys.exit(run(sys.argv[1:]))"
    arguments = ["train", "modular-addition", *SMALL, "--epochs", "300", "--out", "run"]
    root = str(Path(__file__).parents[2])
    child = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=slave,
        env={**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", "TERM": "xterm"},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # Linux says so when the other end has gone
            break
        if not part:
            break
        shown += part
    os.close(master)
    assert child.wait(60) == 0, shown.decode()
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert re.search(r"epoch 300/300 +train \S+ +test \S+ +\d+ epochs/s", text), text


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_says_so_and_goes_on(
    tmp_path: Path, called: Run, number: signal.Signals
) -> None:
    command = ["train", "modular-addition", *SMALL, "--checkpoint-every", "50", "--out", "run"]
    endless = [sys.executable, "-m", "grokviz", *command, "--epochs", "10000000"]
    root = str(Path(__file__).parents[2])
    child = subprocess.Popen(
        endless, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while not (tmp_path / "run" / "checkpoints" / "50.safetensors").exists():
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(number)
    out, err = child.communicate(timeout=300)
    assert (child.returncode, out) == (130, "")
    stopped = re.search(r"stopped at epoch (\d+); the same command goes on from there\n$", err)
    assert stopped, err
    run = open_run(tmp_path / "run")
    assert not run.finished
    epoch = int(stopped[1]) + 1
    again = called(*command, "--epochs", epoch)
    assert again.returncode == 0
    assert again.stdout == f"run: epoch {epoch}\n"


def test_help_lists_what_train_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    for option in (
        "--out", "--set", "--epochs", "--checkpoint-every", "--seed", "--device", "--exact-path",
        "--quiet",
    ):  # fmt: skip
        assert option in shown


HEAVY = ["torch", "matplotlib", "xarray", "av", "numpy", "pandas", "rich"]


@pytest.mark.parametrize(
    "code",
    [
        "import grokviz",
        "import grokviz.cli; grokviz.cli.run(['--help'])",
        "import grokviz.cli; grokviz.cli.run(['--version'])",
        "import grokviz.cli; grokviz.cli.run(['train', '--help'])",
        "import grokviz.cli; grokviz.cli.run(['no-such-command'])",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str) -> None:
    ask = f"{code}; import json, sys; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize("missing", ["torch", "torch._C", "grokviz.nowhere"])
def test_only_a_missing_torch_asks_for_the_extra(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Nowhere:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "grokviz.training.loop":
                raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.delitem(sys.modules, "grokviz.training.loop", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Nowhere(), *sys.meta_path])
    if missing.startswith("torch"):
        assert cli.run(["train", "modular-addition", "--no-user-code"]) == 2
        assert "pip install 'grokviz[train]'" in capsys.readouterr().err
    else:
        with pytest.raises(ModuleNotFoundError, match="nowhere"):
            cli.run(["train", "modular-addition", "--no-user-code"])


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    import grokviz

    assert cli.run(["--version"]) == 0
    assert grokviz.__version__ in capsys.readouterr().out


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m grokviz --help | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "U0"
    assert "Traceback" not in done.stderr
