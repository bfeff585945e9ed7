"""The training loop: AdamW that keeps its whole trajectory and can stop at any moment."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from grokviz.errors import InputError, WorkError
from grokviz.models.products import keep_freed_memory, onednn_works
from grokviz.options import json_values, show
from grokviz.runs import RunWriter
from grokviz.task import Problem, Recipe, recipe, task
from grokviz.training.optimiser import Optimiser
from grokviz.training.schedule import Schedule
from grokviz.training.settings import TrainingSettings, check_reaches
from grokviz.training.stopping import stop_asked

SAVE_SECONDS = 30.0
REPORT_SECONDS = 0.5


@dataclass(frozen=True)
class Progress:
    """Where a training run stands."""

    epoch: int
    epochs: int
    train_loss: float
    test_loss: float
    epochs_per_second: float
    counts: str = "epoch"

    @property
    def seconds_left(self) -> float:
        """Estimated from the speed so far."""
        if not self.epochs_per_second:
            return math.inf
        return (self.epochs - self.epoch) / self.epochs_per_second


@dataclass(frozen=True)
class Outcome:
    """How a training run ended: at which epoch, and whether it was stopped before its last.

    ``counts`` is what an update is called: "epoch", or "step" of a batch.
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
    """Train a recipe into a run directory; an existing run of the same settings goes on.

    Args:
        name: a recipe, as listed by ``grokviz recipes``.
        out: the run directory; ``runs/<recipe>`` by default.
        settings: hyperparameters in place of the recipe's, by key.
        device: ``auto``, ``cpu`` or ``cuda``.
        exact_path: whether to take the exact structural short cuts.
        command: the command that trains it, which the run keeps.
        report: called about twice a second.

    Returns:
        Where the run stopped. Ctrl-C and SIGTERM stop between two updates and lose nothing.

    Raises:
        InputError: an unknown recipe, key or value; a run of other settings in ``out``.
        WorkError: the loss is no longer a number, or the disk refuses.

    """
    work = work_on(name, settings, device, exact_path=exact_path)
    work = replace(work, command=command, report=report)
    return train_work(work, Path(out) if out is not None else Path("runs") / work.recipe.name)


@dataclass(frozen=True)
class Work:
    """What is trained: a recipe with its settings, and how.

    Attributes:
        command, report: as :func:`train` takes them.
        stop: asked before every update; True stops there, as Ctrl-C does.

    """

    recipe: Recipe
    settings: Any
    device: torch.device
    exact_path: bool
    command: str | None = None
    report: Callable[[Progress], None] | None = None
    stop: Callable[[], bool] | None = None

    def problem(self, *, exact_path: bool) -> Problem:
        """What the loop trains."""
        return task(self.recipe.task).build_problem(
            self.settings, self.device, exact_path=exact_path
        )


def work_on(
    name: str, settings: Mapping[str, Any] | None, device: str, *, exact_path: bool
) -> Work:
    """What :func:`train` would train; raises as it does."""
    base_recipe = recipe(name)
    return Work(base_recipe, base_recipe.read(settings), _device(device), exact_path)


def train_work(work: Work, path: Path) -> Outcome:
    """Train into a run directory, as :func:`train` does."""
    with _memory(), deterministic(work.device):
        return _train(work, path)


def _train(work: Work, path: Path) -> Outcome:
    values = json_values(work.settings)
    if (path / "run.json").exists():
        writer = RunWriter.resume(path)
        fresh = None
    else:
        # made first: settings that no problem can be made of must not leave a folder behind
        fresh = work.problem(exact_path=work.exact_path)
        writer = RunWriter.create(path, {**_facts(work, values), "counts": fresh.counts})
    with writer:
        _check_same_run(writer, work.recipe, values)
        if writer.facts["settings"] != values:
            # only the epochs can differ: what goes further is this command's work
            writer.update_facts(settings=values, command=work.command)
        problem = fresh or work.problem(exact_path=bool(writer.facts["exact_path"]))
        with _threads(int(writer.facts["threads"])):
            return _Loop(writer, problem, work).run()


class _Loop:
    def __init__(
        self,
        writer: RunWriter,
        problem: Problem,
        work: Work,
    ) -> None:
        settings: TrainingSettings = work.settings
        self.writer, self.problem, self.report, self.stop = writer, problem, work.report, work.stop
        self.epochs, self.test_every = settings.epochs, settings.test_every
        self.schedule = Schedule.parse(settings.checkpoint_every)
        trained = {name: problem.state[name] for name in problem.trained}
        self.optimiser = Optimiser(trained, settings)
        self.epoch, self.test_loss = 0, math.nan
        if writer.resume_state is not None:
            arrays, metadata = writer.resume_state
            self.epoch = int(metadata["epoch"])
            self.optimiser.restore(arrays, updates=self.epoch)

    def run(self) -> Outcome:
        if self.epoch == self.epochs and self.writer.finished:
            return self._outcome()
        keep_freed_memory()
        first, reported = self.epoch, 0.0
        started = saved = time.monotonic()
        with stop_asked() as asked:
            while self.epoch < self.epochs:
                now = time.monotonic()
                stop = bool(asked) or (self.stop is not None and self.stop())
                if self.epoch in self.schedule or now - saved > SAVE_SECONDS or stop:
                    self._keep(checkpoint=self.epoch in self.schedule)
                    saved = now
                if stop:
                    return self._outcome()
                loss = self._losses()
                if now - reported > REPORT_SECONDS:
                    reported = now
                    self._tell(loss, (self.epoch - first) / max(now - started, 1e-9))
                self.optimiser.step()
                self.epoch += 1
            loss = self._losses()
            self._keep(checkpoint=True)
            self._tell(loss, (self.epoch - first) / max(time.monotonic() - started, 1e-9))
        self.writer.close(finished=True)
        return self._outcome()

    def _losses(self) -> float:
        """Log this epoch's losses, and leave the gradient that the next update takes."""
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
                "learning-rate (what was kept until then is intact)"
            )
        if epoch % self.test_every == 0 or epoch == self.epochs:
            metrics |= self.problem.test_metrics(epoch)
            self.test_loss = metrics.get("test_loss", math.nan)
        self.writer.log(epoch, **metrics)
        return loss

    def _keep(self, *, checkpoint: bool) -> None:
        if checkpoint:
            self.writer.checkpoint(self.epoch, self.problem.state)
        self.writer.save_state(self.epoch, self.optimiser.arrays())

    def _tell(self, loss: float, speed: float) -> None:
        if self.report:
            counts = self.problem.counts
            self.report(Progress(self.epoch, self.epochs, loss, self.test_loss, speed, counts))

    def _outcome(self) -> Outcome:
        stopped = self.epoch < self.epochs
        return Outcome(self.writer.path, self.epoch, stopped, self.problem.counts)


def _check_same_run(writer: RunWriter, base_recipe: Recipe, values: Mapping[str, Any]) -> None:
    """Raise InputError unless the run was begun with this recipe and these settings."""
    path, facts = writer.path, writer.facts
    if "imported" in facts:
        raise InputError(
            f"{path} was imported and holds no state to go on from; choose another --out"
        )
    if facts.get("recipe") != base_recipe.name or "settings" not in facts:
        what = facts.get("recipe") or "something else than a recipe"
        raise InputError(f"{path} holds a run of {what}; choose another folder with --out")
    begun_before = json_values(base_recipe.settings)
    for key, value in values.items():
        # a key that came later has its default in a run begun before
        begun = facts["settings"].get(key, begun_before[key])
        if key != "epochs" and begun != value:
            raise InputError(
                f"{path} was begun with {key}={show(begun)}, not {show(value)}; "
                f"choose another folder with --out, or give --set {key}={show(begun)}"
            )
    at = writer.resume_state[1]["epoch"] if writer.resume_state else 0
    check_reaches(path, facts, at, values["epochs"])


def _facts(work: Work, settings: Mapping[str, Any]) -> dict[str, Any]:
    from grokviz import __version__

    device = work.device
    return {
        "recipe": work.recipe.name,
        "task": work.recipe.task,
        "settings": dict(settings),
        "exact_path": work.exact_path,
        "precision": {"weights": "float32", "loss": settings["loss-precision"]},
        "device": device.type,
        "threads": torch.get_num_threads(),
        "products": "oneDNN" if device.type == "cpu" and onednn_works() else "BLAS",
        "machine": platform.machine(),
        "versions": {
            "grokviz": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "command": work.command,
    }


def _device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"there is no device {name}; give auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("this machine has no CUDA device that torch can use; give --device cpu")
    return torch.device("cpu" if name == "cpu" or not torch.cuda.is_available() else "cuda")


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Have a GPU add in one order alone, and put torch's own choice back; a CPU does anyway."""
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
    """Turn running out of memory into a sentence: the settings are too large for the machine."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch has no one class for this: each allocator words it in its own way
        words = ("allocate", "out of memory", "overflow")
        if isinstance(error, RuntimeError) and not any(w in str(error).lower() for w in words):
            raise
        raise WorkError(
            "these settings need more memory than this machine has; "
            "give a smaller p, batch, d-model or d-mlp"
        ) from error


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Use the run's own thread count, since sums are ordered by it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
