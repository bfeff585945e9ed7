"""The training loop, with the trajectory saved and resumable at any moment."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from grokviz.errors import InputError, WorkError
from grokviz.models.kernels import Kernels, using
from grokviz.models.products import keep_freed_memory
from grokviz.options import json_values, show
from grokviz.runs import RunWriter
from grokviz.runs.schedule import Schedule
from grokviz.task import Problem, Recipe, recipe, task
from grokviz.training.optimiser import Optimiser
from grokviz.training.settings import TrainingSettings, check_reaches
from grokviz.training.stopping import stop_signals

SAVE_SECONDS = 30.0
REPORT_SECONDS = 0.5


@dataclass(frozen=True)
class Progress:
    """The current state of a training run."""

    epoch: int
    epochs: int
    train_loss: float
    test_loss: float
    epochs_per_second: float
    counts: str = "epoch"

    @property
    def seconds_left(self) -> float:
        """Estimate of the remaining time, from the speed so far."""
        if not self.epochs_per_second:
            return math.inf
        return (self.epochs - self.epoch) / self.epochs_per_second


@dataclass(frozen=True)
class Outcome:
    """The end of a training run: its epoch, and whether it was interrupted before its last.

    ``counts`` is the unit of an update: "epoch", or "step" if each update is one batch of many.
    """

    path: Path
    epoch: int
    interrupted: bool
    counts: str = "epoch"


def train(
    name: str,
    out: str | os.PathLike[str] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    device: str = "auto",
    exact_path: bool = True,
    command: str | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Train a recipe into a run directory, or continue a run of the same settings there.

    Args:
        name: a recipe, as listed by ``grokviz recipes``.
        out: the run directory; ``runs/<recipe>`` by default.
        settings: hyperparameters that override the recipe's, by key.
        device: ``auto``, ``cpu`` or ``cuda``.
        exact_path: whether to use the exact structural shortcuts.
        command: the command that trains it, stored in the run.
        report: called about twice a second.

    Returns:
        The epoch at which the run stopped. Ctrl-C and SIGTERM stop it between two updates, without
        loss.

    Raises:
        InputError: an unknown recipe, key or value; a run of other settings in ``out``.
        WorkError: the loss is not finite, or the disk is full.

    """
    job = training_job(name, settings, device, exact_path=exact_path)
    job = replace(job, command=command, report=report)
    return run_job(job, Path(out) if out is not None else Path("runs") / job.recipe.name)


@dataclass(frozen=True)
class TrainingJob:
    """A training job: a recipe, its settings, and how to train it.

    Attributes:
        command, report: as in :func:`train`.
        stop: called before every update; True stops training, as Ctrl-C does.

    """

    recipe: Recipe
    settings: Any
    device: torch.device
    exact_path: bool
    command: str | None = None
    report: Callable[[Progress], None] | None = None
    stop: Callable[[], bool] | None = None

    def problem(self, *, exact_path: bool) -> Problem:
        """Build the problem that the loop trains."""
        return task(self.recipe.task).build_problem(
            self.settings, self.device, exact_path=exact_path
        )


def training_job(
    name: str, settings: Mapping[str, Any] | None, device: str, *, exact_path: bool
) -> TrainingJob:
    """The job of a call to :func:`train`; raises as it does."""
    base_recipe = recipe(name)
    return TrainingJob(base_recipe, base_recipe.read(settings), _device(device), exact_path)


def run_job(job: TrainingJob, path: Path) -> Outcome:
    """Run a training job into a run directory, as :func:`train` does."""
    with _memory(), deterministic(job.device):
        return _train(job, path)


def _train(job: TrainingJob, path: Path) -> Outcome:
    values = json_values(job.settings)
    if (path / "run.json").exists():
        writer = RunWriter.resume(path)
        new_problem, new_optimiser, kernels = None, None, None
    else:
        # built first, so that settings nothing can be trained from leave no folder behind
        kernels = Kernels.of_environment()
        with using(kernels):
            new_problem = job.problem(exact_path=job.exact_path)
        new_optimiser = _optimiser(new_problem, job.settings)
        facts = {**_facts(job, values), **kernels.facts(), "counts": new_problem.counts}
        if kernels.compiled:
            facts["versions"]["numba"] = version("numba")
        writer = RunWriter.create(path, facts)
    with writer:
        _check_same_run(writer, job.recipe, values)
        if writer.facts["settings"] != values:
            # only the epochs can differ, and it is this command that extends the run
            writer.update_facts(settings=values, command=job.command)
        kernels = kernels or Kernels.of_run(writer.facts)
        with using(kernels), _threads(int(writer.facts["threads"])):
            problem = new_problem or job.problem(exact_path=bool(writer.facts["exact_path"]))
            optimiser = new_optimiser or _optimiser(problem, job.settings)
            return _Loop(writer, problem, optimiser, job, kernels).run()


def _optimiser(problem: Problem, settings: TrainingSettings) -> Optimiser:
    """The optimiser of what a problem trains."""
    parameters = {name: problem.state[name] for name in problem.trained}
    # a user's problem need not know of it
    return Optimiser(parameters, settings, getattr(problem, "embedding_names", None))


class _Loop:
    def __init__(
        self,
        writer: RunWriter,
        problem: Problem,
        optimiser: Optimiser,
        job: TrainingJob,
        kernels: Kernels,
    ) -> None:
        settings: TrainingSettings = job.settings
        self.kernels = kernels
        self.writer, self.problem, self.report, self.stop = writer, problem, job.report, job.stop
        self.epochs, self.test_every = settings.epochs, settings.test_every
        self.schedule = Schedule.parse(settings.checkpoint_every)
        self.optimiser = optimiser
        self.epoch, self.test_loss = 0, math.nan
        if writer.resume_state is not None:
            arrays, metadata = writer.resume_state
            self.epoch = int(metadata["epoch"])
            self.optimiser.restore(arrays, updates=self.epoch)

    def run(self) -> Outcome:
        if self.epoch == self.epochs and self.writer.finished:
            return self._outcome()
        keep_freed_memory()
        first, report_time = self.epoch, 0.0
        start_time = save_time = time.monotonic()
        with stop_signals() as signals:
            while self.epoch < self.epochs:
                now = time.monotonic()
                stop = bool(signals) or (self.stop is not None and self.stop())
                if self.epoch in self.schedule or now - save_time > SAVE_SECONDS or stop:
                    self._save(checkpoint=self.epoch in self.schedule)
                    save_time = now
                if stop:
                    return self._outcome()
                loss = self._losses()
                if now - report_time > REPORT_SECONDS:
                    report_time = now
                    self._report(loss, (self.epoch - first) / max(now - start_time, 1e-9))
                self.optimiser.step()
                self.epoch += 1
            loss = self._losses()
            self._save(checkpoint=True)
            self._report(loss, (self.epoch - first) / max(time.monotonic() - start_time, 1e-9))
        self.writer.close(finished=True)
        return self._outcome()

    def _losses(self) -> float:
        """Log this epoch's losses, and compute the gradient for the next update."""
        epoch = self.epoch
        metrics = self.problem.train_metrics(epoch, self.optimiser.gradients)
        if "train_loss" not in metrics:
            names = ", ".join(metrics) or "nothing"
            raise InputError(
                f"train_metrics of the task {self.writer.facts['task']} returned {names}; let it "
                "return train_loss too"
            )
        loss = metrics["train_loss"]
        if not math.isfinite(loss):
            raise WorkError(
                f"the training loss is {loss} at epoch {epoch}; train a new run with a lower "
                "learning-rate (the run up to that epoch is intact)"
            )
        if epoch % self.test_every == 0 or epoch == self.epochs:
            metrics |= self.problem.test_metrics(epoch)
            self.test_loss = metrics.get("test_loss", math.nan)
        if not self.kernels.recorded:  # before anything that they computed is written
            self.writer.update_facts(**self.kernels.facts())
        self.writer.log(epoch, **metrics)
        return loss

    def _save(self, *, checkpoint: bool) -> None:
        if checkpoint:
            self.writer.checkpoint(self.epoch, self.problem.state)
        self.writer.save_state(self.epoch, self.optimiser.arrays())

    def _report(self, loss: float, speed: float) -> None:
        if self.report:
            counts = self.problem.counts
            self.report(Progress(self.epoch, self.epochs, loss, self.test_loss, speed, counts))

    def _outcome(self) -> Outcome:
        interrupted = self.epoch < self.epochs
        return Outcome(self.writer.path, self.epoch, interrupted, self.problem.counts)


def _check_same_run(writer: RunWriter, base_recipe: Recipe, values: Mapping[str, Any]) -> None:
    """Raise InputError unless the run has this recipe and these settings."""
    path, facts = writer.path, writer.facts
    if "imported" in facts:
        raise InputError(
            f"{path} was imported and holds no state to go on from; choose another --out"
        )
    if facts.get("recipe") != base_recipe.name or "settings" not in facts:
        content = facts.get("recipe") or "something other than a recipe"
        raise InputError(f"{path} holds a run of {content}; choose another folder with --out")
    defaults = json_values(base_recipe.settings)
    for key, value in values.items():
        # a run from before a key existed was trained with the key's default
        before = facts["settings"].get(key, defaults[key])
        if key != "epochs" and before != value:
            raise InputError(
                f"{path} was begun with {key}={show(before)}, not {show(value)}; "
                f"choose another folder with --out, or give --set {key}={show(before)}"
            )
    at = writer.resume_state[1]["epoch"] if writer.resume_state else 0
    check_reaches(path, facts, at, values["epochs"])


def _facts(job: TrainingJob, settings: Mapping[str, Any]) -> dict[str, Any]:
    from grokviz import __version__

    device = job.device
    return {
        "recipe": job.recipe.name,
        "task": job.recipe.task,
        "settings": dict(settings),
        "exact_path": job.exact_path,
        "precision": {"weights": "float32", "loss": settings["loss-precision"]},
        "device": device.type,
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "versions": {
            "grokviz": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "command": job.command,
    }


def _device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"there is no device {name}; give auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("this machine has no CUDA device that torch can use; give --device cpu")
    return torch.device("cpu" if name == "cpu" or not torch.cuda.is_available() else "cuda")


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Make a GPU's sums deterministic within the block; a CPU's always are."""
    if device.type == "cpu":
        yield
        return
    variable = "CUBLAS_WORKSPACE_CONFIG"
    workspace = os.environ.get(variable)
    enabled = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    os.environ.setdefault(variable, ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
        if workspace is None:
            os.environ.pop(variable, None)


@contextmanager
def _memory() -> Iterator[None]:
    """Turn a failed allocation into a ``WorkError`` that names the settings to lower."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch has no exception class for this, and each allocator has its own message
        signs = ("allocate", "out of memory", "overflow")
        if isinstance(error, RuntimeError) and not any(w in str(error).lower() for w in signs):
            raise
        raise WorkError(
            "these settings need more memory than this machine has; "
            "give a smaller p, batch, d-model or d-mlp"
        ) from error


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Use the run's thread count within the block, since it determines the order of sums."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
