"""Pools of processes: order, deaths, errors, Ctrl-C, and nothing that is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import parallel_tasks as tasks
import psutil
import pytest

from grokviz import parallel
from grokviz.parallel import NoWorker, Pool, WorkerDied

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as shared:
        yield shared


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(file: Path) -> str:
    while not file.exists() or not file.read_text():
        time.sleep(0.02)
    return file.read_text()


@pytest.mark.slow
def test_results_come_in_order_from_processes_that_are_kept(pool: Pool) -> None:
    first, second = (list(pool.map(tasks.square, range(8))) for _ in range(2))
    assert [value for value, _ in first] == [n**2 for n in range(8)]
    pids = {pid for _, pid in first + second}
    assert len(pids) <= 2
    assert os.getpid() not in pids


@pytest.mark.parametrize(
    ("how", "words"),
    [(signal.SIGKILL, "signal 9"), (-3, "status 3"), (signal.SIGTERM, "signal 15")],
)
def test_a_process_that_dies_takes_its_own_task_alone(pool: Pool, how: int, words: str) -> None:
    futures = [pool.submit(tasks.square, 1), pool.submit(tasks.leave, how)]
    futures += [pool.submit(tasks.square, n) for n in (2, 3)]
    with pytest.raises(WorkerDied, match=f"ended with {words}; was there enough memory") as died:
        futures[1].result()
    assert died.value.cause == words
    assert [futures[i].result()[0] for i in (0, 2, 3)] == [1, 4, 9]


def test_an_error_that_cannot_travel_comes_back_as_its_words(pool: Pool) -> None:
    with pytest.raises(RuntimeError, match="Odd: 1 and 2"):
        pool.submit(tasks.fail).result()
    assert pool.submit(tasks.square, 3).result()[0] == 9


def test_what_is_defined_on_the_spot_may_be_given(pool: Pool) -> None:
    number = 4
    assert pool.submit(lambda: number + 1).result() == 5


def test_a_process_begins_with_a_call_and_a_share_of_the_threads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr("grokviz.parallel.process.cores", lambda: 6)
    with Pool(2, initializer=lambda: tasks.begin(7)) as own:
        path, threads = own.submit(tasks.surroundings).result()
        assert own.submit(tasks.told).result() == [7]
    assert threads == "3"
    assert str(tmp_path) in sys.path
    assert str(tmp_path) not in path
    assert "" not in path
    assert not tasks.begun


def test_a_thread_may_have_a_pool() -> None:
    results: list[int] = []

    def work() -> None:
        with Pool(1) as own:
            results.append(own.submit(tasks.square, 5).result()[0])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [25]


def test_an_error_ends_the_tasks_as_ctrl_c_would(tmp_path: Path) -> None:
    with contextlib.suppress(KeyboardInterrupt), Pool(1) as own:
        running = own.submit(tasks.slow, tmp_path / "slow.txt")
        waiting = own.submit(tasks.square, 1)
        pid = int(wait_for(tmp_path / "slow.pid"))
        raise KeyboardInterrupt
    assert not is_alive(pid)
    assert waiting.cancelled()
    assert isinstance(running.exception(), KeyboardInterrupt)
    # it was not killed, but cleaned up by itself
    assert [file.name for file in tmp_path.iterdir()] == ["slow.pid"]


def test_nobody_outlives_a_process_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import parallel_tasks as tasks, pathlib; from grokviz.parallel import Pool\n"
        "with Pool(2) as pool: [f.result() for f in "
        "[pool.submit(tasks.slow, pathlib.Path(n)) for n in ('a.txt', 'b.txt')]]"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "parallel")])
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONPATH": path},
    ) as parent:  # fmt: skip
        pids = [int(wait_for(tmp_path / f"{name}.pid")) for name in "ab"]
        parent.kill()
        # the helpers that clean up have this end of the pipe as well
        output, _ = parent.communicate()
    assert output == ""
    assert not any(map(is_alive, pids))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.pid", "b.pid"]


def test_where_no_process_can_be_started_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Pool(2) as own:
        futures = [own.submit(tasks.square, n) for n in range(3)]
    for future in futures:
        with pytest.raises(NoWorker, match="there is no Python at '/nowhere/python'"):
            future.result()


def test_a_worker_knows_that_it_is_one(pool: Pool) -> None:
    assert pool.submit(parallel.in_worker).result()
    assert not parallel.in_worker()
