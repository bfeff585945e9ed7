"""The loop: what it keeps, how it stops and goes on, what it refuses."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grokviz.errors import InputError, WorkError
from grokviz.models import kernels
from grokviz.runs import RunWriter, open_run, verify_run
from grokviz.tasks.modular_addition import problem
from grokviz.training import loop
from grokviz.training.loop import Outcome, Progress
from grokviz.training.optimisers import names

Train = Callable[..., Outcome]
Read = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, signal.Signals], object]:
    """A report that sends this process a signal at an epoch."""
    monkeypatch.setattr(loop, "REPORT_SECONDS", -1.0)

    def make(epoch: int, number: signal.Signals) -> Callable[[Progress], None]:
        def report(progress: Progress) -> None:
            if progress.epoch == epoch:
                os.kill(os.getpid(), number)

        return report

    return make


def test_what_a_run_holds(small: Train) -> None:
    outcome = small("run")
    assert (outcome.epoch, outcome.interrupted) == (60, False)
    assert verify_run(outcome.path) == []
    run = open_run(outcome.path)
    assert run.finished
    assert run.epochs.tolist() == [0, 20, 40, 60]
    epochs, losses = run.metric("train_loss")
    assert epochs.tolist() == list(range(61))
    assert losses[0] == losses[1]  # the first update has a rate of zero, as published
    assert losses[0] == pytest.approx(np.log(14), rel=0.15)
    assert losses[-1] < losses[0]
    assert run.metric("test_loss")[0].tolist() == list(range(0, 61, 10))
    assert run.facts["settings"]["p"] == 13
    assert run.facts["precision"] == {"weights": "float32", "loss": "float64"}


def test_metrics_are_the_losses_of_the_checkpoints(small: Train) -> None:
    """Recomputed by the plain model from the weights on the disk."""
    path = small("run").path
    run = open_run(path)
    settings = run.facts["settings"]
    work = loop.training_job("modular-addition", settings, "cpu", exact_path=False)
    plain = work.problem(exact_path=False)
    states = dict(run.iter_weights())
    assert list(states) == [0, 20, 40, 60]
    for epoch, weights in states.items():
        state = {name: torch.from_numpy(array) for name, array in weights.items()}
        for name, losses in (("train_loss", plain.train), ("test_loss", plain.test)):
            epochs, values = run.metric(name)
            logged = values[epochs == epoch].item()
            assert logged == pytest.approx(losses.loss(state), rel=1e-5), (epoch, name)


def test_the_plain_model_trains_the_same_run(small: Train) -> None:
    exact, plain = small("exact").path, small("plain", exact_path=False).path
    assert open_run(exact).facts["exact_path"] is True
    assert open_run(plain).facts["exact_path"] is False
    for name in ("train_loss", "test_loss"):
        ours, theirs = (open_run(path).metric(name)[1] for path in (exact, plain))
        assert ours == pytest.approx(theirs, rel=1e-3)


@pytest.mark.slow
def test_stablemax_is_minimised_by_both_paths_alike(small: Train) -> None:
    given = {"loss": "stablemax", "optimiser": "orthogonal", "epochs": 30}
    exact, plain = (
        open_run(small(str(on), exact_path=on, **given).path).metric("train_loss")[1]
        for on in (True, False)
    )
    np.testing.assert_allclose(exact, plain, rtol=1e-4)
    entropy = open_run(small("entropy", **{**given, "loss": "cross-entropy"}).path)
    first, last = entropy.metric("train_loss")[1][[0, -1]]
    assert first == pytest.approx(plain[0], rel=1e-6)  # what is logged is the same loss
    # five times what the two paths may differ by
    assert abs(last / plain[-1] - 1) > 5e-4


def test_a_schedule_is_dense_where_asked(small: Train) -> None:
    path = small("run", checkpoint_every="30,5@10:20", epochs=37).path
    assert open_run(path).epochs.tolist() == [0, 10, 15, 20, 30, 37]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("epoch", [0, 1, 20, 33, 58])
def test_stopped_and_taken_up_it_is_the_same_to_the_byte(
    small: Train, read: Read, stop_at, tmp_path: Path, through, epoch: int, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    stopped = small("stopped", report=stop_at(epoch, number))
    assert stopped.interrupted
    assert stopped.epoch == epoch + 1
    assert signal.getsignal(number) is before
    assert verify_run(stopped.path) == []
    assert not open_run(stopped.path).finished
    assert not small("stopped").interrupted
    assert read(tmp_path / "stopped") == through


@pytest.mark.parametrize("name", [name for name in names() if name != "adamw"])
def test_each_optimiser_goes_on_where_it_was_stopped(
    small: Train, read: Read, stop_at, tmp_path: Path, name: str
) -> None:
    given = {"optimiser": name, "loss": "stablemax", "record_accuracy": True, "epochs": 40}
    small("through", **given)
    assert small("stopped", report=stop_at(23, signal.SIGINT), **given).epoch == 24
    small("stopped", **given)
    assert read(tmp_path / "stopped") == read(tmp_path / "through")
    accuracies = open_run(tmp_path / "through").metric("test_accuracy")[1]
    assert len(accuracies) == 5
    assert (accuracies >= 0).all()
    assert (accuracies <= 1).all()


def test_stopped_again_and_again_it_is_the_same(
    small: Train, read: Read, stop_at, tmp_path: Path, through
) -> None:
    for epoch in (3, 4, 19, 21, 40, 58):
        assert small("stopped", report=stop_at(epoch, signal.SIGINT)).epoch == epoch + 1
    small("stopped")
    assert read(tmp_path / "stopped") == through


@pytest.mark.slow
def test_a_run_is_the_same_whenever_its_state_was_saved(
    small: Train, read: Read, tmp_path: Path, through, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_SECONDS", -1.0)
    small("always")
    assert read(tmp_path / "always") == through


def test_an_error_in_the_middle_loses_nothing(
    small: Train, read: Read, tmp_path: Path, through
) -> None:
    def fail(progress: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        small("failed", report=fail)
    assert verify_run(tmp_path / "failed") == []
    small("failed")
    assert read(tmp_path / "failed") == through


@pytest.mark.slow
@pytest.mark.parametrize("first", [40, 45])
def test_a_run_that_is_extended_is_one_long_run(
    small: Train, read: Read, tmp_path: Path, first: int
) -> None:
    small("long", epochs=80)
    small("extended", epochs=first)
    small("extended", epochs=80)
    long, extended = read(tmp_path / "long"), read(tmp_path / "extended")
    if first % 20:  # the last epoch is always kept
        assert extended.pop(f"checkpoints/{first}.safetensors")
        extended.pop("index.json")
        long.pop("index.json")
    assert extended == long


def test_a_finished_run_is_left_alone(small: Train, read: Read, tmp_path: Path) -> None:
    path = small("run").path
    before = read(path)
    files = [file for file in path.rglob("*.*") if file.name not in (".lock", "index.json")]
    times = {file: file.stat().st_mtime_ns for file in files}
    assert small("run") == Outcome(path, 60, interrupted=False)
    assert read(path) == before
    assert times == {file: file.stat().st_mtime_ns for file in files}


def test_fewer_epochs_than_there_are_is_refused(small: Train, read: Read) -> None:
    path = small("run").path
    before = read(path)
    with pytest.raises(
        InputError, match="at epoch 60 of 60, and 40 are asked for; give --epochs above 60"
    ):
        small("run", epochs=40)
    assert read(path) == before


def test_a_longer_run_has_the_command_that_made_it_longer(tmp_path: Path) -> None:
    for epochs in (4, 8, 8):
        settings = {"p": 7, "d-model": 8, "d-mlp": 8, "heads": 2, "epochs": epochs}
        command = f"to {epochs}"
        loop.train("modular-addition", tmp_path / "run", settings=settings, command=command)
        assert open_run(tmp_path / "run").facts["command"] == command


def test_other_settings_than_it_was_begun_with_are_refused(small: Train, read: Read) -> None:
    path = small("run").path
    before = read(path)
    with pytest.raises(InputError, match=r"begun with weight-decay=1, not 0\.5; .*--out, or give"):
        small("run", weight_decay=0.5)
    with pytest.raises(InputError, match=r"begun with mlp-biases=on, not off"):
        small("run", mlp_biases="off")
    assert read(path) == before


def test_a_run_of_something_else_is_refused(small: Train, tmp_path: Path) -> None:
    RunWriter.create(tmp_path / "run", {"task": "mine"}).close()
    with pytest.raises(InputError, match="holds a run of something other than a recipe"):
        small("run")


def test_a_folder_of_something_else_is_refused(small: Train, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"not a run \(thesis.tex\); choose another path"):
        small("run")
    assert (tmp_path / "run" / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("wrong", [{"p": 112}, {"p": 4}, {"heads": 3}, {"train_fraction": 0.001}])
def test_impossible_settings_leave_no_folder_behind(
    small: Train, tmp_path: Path, wrong: dict[str, float]
) -> None:
    with pytest.raises(InputError):
        small("run", **wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("huge", [{"d_model": 2**50}, {"d_mlp": 2**62}, {"p": 10**15 + 1}])
def test_settings_larger_than_the_machine_are_one_sentence(
    small: Train, tmp_path: Path, huge: dict[str, int]
) -> None:
    with pytest.raises(WorkError, match="need more memory than this machine has; give a smaller"):
        small("run", **huge)
    assert list(tmp_path.iterdir()) == []


def test_other_runtime_errors_are_not_taken_for_a_lack_of_memory(
    small: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(problem, "problem", fail)
    with pytest.raises(RuntimeError, match="a bug of ours"):
        small("run")


def test_a_loss_that_is_no_number_ends_the_run_and_spoils_nothing(
    small: Train, tmp_path: Path
) -> None:
    with pytest.raises(WorkError, match=r"loss is (nan|inf) at epoch \d+; .*lower learning-rate"):
        small("run", learning_rate=1e6, epochs=200, checkpoint_every=1)
    assert verify_run(tmp_path / "run") == []
    run = open_run(tmp_path / "run")
    assert not run.finished
    assert np.isfinite(run.metric("train_loss")[1]).all()
    for _, weights in run.iter_weights():
        assert all(np.isfinite(array).all() for array in weights.values())


def test_two_trainings_in_one_folder_exclude_each_other(small: Train, tmp_path: Path) -> None:
    small("run", epochs=20)
    holder = RunWriter.resume(tmp_path / "run")
    try:
        with pytest.raises(InputError, match="being written by another process; wait for it"):
            small("run")
    finally:
        holder.close()
    assert small("run").epoch == 60


def test_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no device tpu; give auto, cpu or cuda"):
        loop.train("modular-addition", tmp_path / "run", device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA device that torch can use"):
            loop.train("modular-addition", tmp_path / "run", device="cuda")


def test_progress_is_told(small: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "REPORT_SECONDS", -1.0)
    told: list[Progress] = []
    path = small("run", report=told.append).path
    assert [progress.epoch for progress in told] == list(range(61))
    assert {progress.epochs for progress in told} == {60}
    assert [p.train_loss for p in told] == open_run(path).metric("train_loss")[1].tolist()
    assert told[-1].seconds_left == 0
    assert told[0].seconds_left == np.inf


def test_the_thread_count_of_a_run_stays_with_it(small: Train, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    small("run", epochs=20)
    threads = open_run(tmp_path / "run").facts["threads"]
    seen: list[int] = []
    torch.set_num_threads(threads + 1)
    try:
        small("run", report=lambda _: seen.append(torch.get_num_threads()))
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {threads}


@pytest.mark.parametrize("before", [(False, False), (True, True), (True, False)])
@pytest.mark.parametrize("workspace", [None, ":16:8"])
def test_torchs_own_choice_of_algorithms_is_put_back(
    small: Train, monkeypatch: pytest.MonkeyPatch, before: tuple[bool, bool], workspace: str | None
) -> None:
    """On a GPU, which is only said to be there: its first tensor is refused."""
    variable, inside = "CUBLAS_WORKSPACE_CONFIG", []
    monkeypatch.delenv(variable, raising=False)
    if workspace:
        monkeypatch.setenv(variable, workspace)

    def chosen() -> tuple[bool, bool, str | None]:
        now = torch.are_deterministic_algorithms_enabled()
        warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
        return now, warn_only, os.environ.get(variable)

    def refuse(work: loop.TrainingJob, *, exact_path: bool) -> None:
        inside.append((work.device.type, *chosen()))
        raise InputError("no such GPU")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(loop.TrainingJob, "problem", refuse)
    enabled, warn_only = before
    torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
    try:
        outside = chosen()
        with pytest.raises(InputError, match="no such GPU"):
            small("run")
        assert inside == [("cuda", True, False, workspace or ":4096:8")]
        assert chosen() == outside == (*before, workspace)
    finally:
        torch.use_deterministic_algorithms(False)


def test_trains_outside_the_main_thread(small: Train, read: Read, tmp_path: Path, through) -> None:
    thread = threading.Thread(target=small, args=("there",))
    thread.start()
    thread.join()
    assert read(tmp_path / "there") == through


def test_a_problem_without_a_training_loss_is_one_sentence(
    small: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = loop.TrainingJob.problem

    def misspelt(work: loop.TrainingJob, *, exact_path: bool) -> Any:
        problem = made(work, exact_path=exact_path)
        metrics = problem.train_metrics
        monkeypatch.setattr(
            type(problem),
            "train_metrics",
            lambda _, *given: {"trainloss": metrics(*given)["train_loss"]},
        )
        return problem

    monkeypatch.setattr(loop.TrainingJob, "problem", misspelt)
    with pytest.raises(InputError, match="modular-addition returned trainloss; let it return"):
        small("run")


@pytest.mark.slow
@pytest.mark.parametrize("compiled", ["on", "off"])
def test_a_run_goes_on_by_the_kernels_it_was_begun_with(
    small: Train,
    read: Read,
    stop_at,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    compiled: str,
) -> None:
    if compiled == "on":
        pytest.importorskip("numba", reason="loops are compiled with the [fast] extra")
    monkeypatch.setenv("GROKVIZ_PRODUCTS", "measured")
    monkeypatch.setenv("GROKVIZ_COMPILED", compiled)
    measured: list[str] = []

    def in_turn(by_library: dict[str, Callable]) -> str:
        measured.append("BLAS" if len(measured) % 2 else "oneDNN")
        return measured[-1]

    monkeypatch.setattr(kernels, "faster", in_turn)
    small("stopped", report=stop_at(20, signal.SIGINT))
    facts = open_run(tmp_path / "stopped").facts
    assert list(facts["products"].values()).count("BLAS") == len(measured) // 2 > 0
    assert len(facts["products"]) == len(measured)
    assert facts["compiled"] is (compiled == "on")

    monkeypatch.setattr(kernels, "faster", None)
    monkeypatch.setenv("GROKVIZ_COMPILED", "off")
    small("stopped")
    assert open_run(tmp_path / "stopped").facts == facts

    measured.clear()
    monkeypatch.setattr(kernels, "faster", in_turn)
    monkeypatch.setenv("GROKVIZ_COMPILED", compiled)
    small("through")
    assert read(tmp_path / "stopped") == read(tmp_path / "through")
