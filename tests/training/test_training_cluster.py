"""Sweeps on the workers of a Dask scheduler: the same members, to the bit."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grokviz import cli
from grokviz.errors import InputError, MissingExtra
from grokviz.parallel import FolderBoard, cluster
from grokviz.runs import open_run, verify_run
from grokviz.training import loop, side_by_side
from grokviz.training.member import SWEEP, StopSign
from grokviz.training.sweep import SweepResult, sweep

distributed = pytest.importorskip("distributed")

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "p": 7, "d-model": 8, "d-mlp": 8, "heads": 2, "epochs": 20, "checkpoint-every": "10",
}  # fmt: skip
Read = Callable[[Path], dict[str, bytes]]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler whose two workers are threads of this process."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    ) as local:
        yield local.scheduler_address


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that do not see our folder."""

    @contextlib.contextmanager
    def nowhere(member: Path) -> Iterator[Path]:
        yield Path("/nowhere/witness")

    monkeypatch.setattr(side_by_side, "_witness", nowhere)


def train(out: Path, scheduler: str, seeds: int = 2, **settings: Any) -> SweepResult:
    return sweep(
        "modular-addition", {"seed": range(seeds)}, out, settings={**SMALL, **settings},
        scheduler=scheduler,
    )  # fmt: skip


def alone(path: Path, **settings: Any) -> Path:
    return loop.train("modular-addition", path, settings={**SMALL, **settings}).path


def differing(ours: dict[str, bytes], theirs: dict[str, bytes]) -> set[str]:
    return {name for name in ours | theirs if ours.get(name) != theirs.get(name)}


@pytest.mark.slow
def test_members_are_those_trained_alone(scheduler: str, read: Read, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    swept = sweep(
        "modular-addition", {"p": [8, 7]}, tmp_path / "s", scheduler=scheduler,
        settings={name: value for name, value in SMALL.items() if name != "p"},
        report=lambda member, at: told.append((member.number, at.epoch)),
    )  # fmt: skip
    assert [result.state for result in swept.results] == ["failed", "finished"]
    assert "an odd p of at least 3" in swept.results[0].reason
    assert told[-1] == (1, 20)
    assert swept.sent == []
    straight = alone(tmp_path / "alone")
    assert differing(read(swept.results[1].path), read(straight)) == {"run.json"}
    assert sorted(file.name for file in (tmp_path / "s").iterdir()) == ["p=7", "sweep.json"]
    # what is finished needs no scheduler
    assert train_again(tmp_path / "s").finished


def train_again(out: Path) -> SweepResult:
    settings = {name: value for name, value in SMALL.items() if name != "p"}
    return sweep("modular-addition", {"p": [8, 7]}, out, settings=settings, member=1, scheduler="x")


@pytest.mark.slow
@pytest.mark.usefixtures("apart")
def test_without_a_shared_folder_curves_and_the_last_checkpoint_come_back(
    scheduler: str, read: Read, tmp_path: Path
) -> None:
    out = tmp_path / "s"
    for epochs in (20, 40):  # the second goes on with what was sent back
        swept = train(out, scheduler, epochs=epochs)
        assert [(result.state, result.epoch) for result in swept.results] == [
            ("finished", epochs)
        ] * 2
        assert len(swept.sent) == 2
    for seed in (0, 1):
        run = out / f"seed={seed}"
        straight = alone(tmp_path / f"alone{seed}", seed=seed, epochs=40)
        other = differing(read(run), read(straight))
        assert other == {
            "run.json", "index.json", "checkpoints/0.safetensors", "checkpoints/10.safetensors",
            "checkpoints/30.safetensors",
        }  # fmt: skip
        assert open_run(run).epochs.tolist() == [20, 40]
        assert verify_run(run) == []


@pytest.mark.usefixtures("apart")
def test_it_is_said_that_only_curves_and_the_last_checkpoint_came_back(
    scheduler: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    out = str(tmp_path / "s")
    command = ["sweep", "modular-addition", "--seeds", "1", "--out", out, *words]
    assert cli.run([*command, "--scheduler", scheduler]) == 0
    said, error = capsys.readouterr()
    assert f"the workers cannot reach {out}: only the curves and the last checkpoint" in error
    assert "for 1 of 1 members" in error
    assert said.endswith("1 of 1 members are finished\n")


@pytest.mark.slow
def test_stopped_it_goes_on(scheduler: str, read: Read, tmp_path: Path) -> None:
    sent: list[int] = []

    def report(member: Any, at: Any) -> None:
        if at.epoch > 40 and not sent:
            sent.append(at.epoch)
            os.kill(os.getpid(), signal.SIGINT)

    swept = sweep(
        "modular-addition", {"seed": [0, 1, 2]}, tmp_path / "s", scheduler=scheduler,
        settings={**SMALL, "epochs": 100_000_000}, report=report,
    )  # fmt: skip
    assert swept.interrupted
    states = sorted(result.state for result in swept.results)
    assert set(states) == {"stopped", "waiting"}
    stopped = next(result for result in swept.results if result.state == "stopped")
    assert stopped.epoch is not None
    again = alone(stopped.path, seed=stopped.member.number, epochs=stopped.epoch + 5)
    straight = alone(tmp_path / "x", seed=stopped.member.number, epochs=stopped.epoch + 5)
    # going on made its command that of the other one
    assert differing(read(again), read(straight)) == set()


def test_a_member_stops_when_nothing_is_heard_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = FolderBoard(tmp_path)
    board.poll_interval, board.timeout = 0.0, 30.0
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    board.post(SWEEP, {"stop": False, "beat": 1})
    stop = StopSign(board)
    assert not stop()
    now += 20
    board.post(SWEEP, {"stop": False, "beat": 2})
    assert not stop()
    now += 29
    assert not stop()
    now += 2
    assert stop()


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"--scheduler needs the \[cluster\] extra"):
        train(tmp_path / "s", "tcp://127.0.0.1:1")
    assert not (tmp_path / "s").exists()


def test_workers_with_another_grokviz_are_refused(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["0.0.1", None])
    monkeypatch.setattr(
        distributed.Client, "run", lambda self, function: {"tcp://there:1": next(answers)}
    )
    for words in ("has grokviz 0.0.1; install", "has no grokviz; install"):
        with pytest.raises(InputError, match=words), cluster(scheduler):
            pass


@contextlib.contextmanager
def processes(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, each a process of its own."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    file = folder / "scheduler.json"

    def start(*words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", *words, "--scheduler-file", str(file)]
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*command, "--no-dashboard"], cwd=folder, env=environment, stdout=log, stderr=log
            )

    worker = ("distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1")
    started = [start("distributed.cli.dask_scheduler", "--port", "0")]
    try:
        while not file.exists():
            assert started[0].poll() is None
            time.sleep(0.1)
        started += [start(*worker) for _ in range(2)]
        with distributed.Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2)
            address = client.scheduler.address
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_worker_is_killed_and_every_member_is_complete(read: Read, tmp_path: Path) -> None:
    grid, settings = {"seed": [0, 1, 2]}, {**SMALL, "epochs": 900, "checkpoint-every": "300"}
    at_work: dict[int, int] = {}
    (tmp_path / "dask").mkdir()
    with processes(tmp_path / "dask") as (address, workers):

        def kill_one(member: Any, at: Any) -> None:
            at_work[member.number] = at.epoch
            if len(at_work) == 2 and min(at_work.values()) > 100 and workers[0].poll() is None:
                workers[0].send_signal(signal.SIGKILL)

        swept = sweep(
            "modular-addition", grid, tmp_path / "s", settings=settings, scheduler=address,
            report=kill_one,
        )  # fmt: skip
        assert [worker.poll() for worker in workers] == [-signal.SIGKILL, None]
    assert [result.state for result in swept.results] == ["finished"] * 3
    for result in swept.results:
        straight = alone(
            tmp_path / result.member.name, **{**settings, "seed": result.member.number}
        )
        assert differing(read(result.path), read(straight)) == {"run.json"}
        assert verify_run(result.path) == []
