"""``record``: a run directory of any training loop.

::

    with gv.record("runs/mine", task="modular-addition", p=113) as run:
        for epoch in range(10_000):
            loss = train_one_epoch(model)
            run.step(epoch, model if epoch % 100 == 0 else None, train_loss=loss)
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grokviz.errors import InputError
from grokviz.files import write_error
from grokviz.runs import durable, layout
from grokviz.runs.layout import FOLDERS, INDEX, RESUME, RUN
from grokviz.runs.naming import without_wrappers
from grokviz.runs.schedule import When, keeps
from grokviz.runs.verify import CACHE
from grokviz.runs.writer import RunWriter
from grokviz.training.first_state import converted, is_foreign_layout

CONVERTED = "TransformerLens, converted to the published names and shapes"
"""What run.json says of the layout of such a model."""


class Recorder:
    """The writer that :func:`record` returns, for a ``with`` block.

    The run is valid at any moment, also if an error or Ctrl-C ends the block; it counts as
    finished if the block ends normally.
    """

    def __init__(self, writer: RunWriter, *, resume: bool, when: When | None = None) -> None:
        self._writer, self._last = writer, -1
        self._converts: bool | None = None  # until the first state
        self._keeps = None if when is None else keeps(when)
        self._rewind_pending = resume  # to the first epoch given

    @property
    def path(self) -> Path:
        """The folder of the run."""
        return self._writer.path

    def step(
        self,
        epoch: int,
        state: Any = None,
        *,
        arrays: Mapping[str, Any] | None = None,
        **metrics: float,
    ) -> None:
        """Record the metrics of an epoch, and a checkpoint if ``state`` is given.

        Args:
            epoch: a whole number, not less than the last one.
            state: a module, a state dict (with any names), arrays in nested mappings and lists as
                JAX has them (then ``layers.0.w``), or None for no checkpoint. Names
                begin as the model's own do, without what DataParallel or torch.compile put before
                them. With a task, a TransformerLens model of one layer is brought to the
                published names and shapes. With ``when`` given to :func:`record`, a state of other
                epochs is not read.
            arrays: named arrays or tensors of any shape, such as a pattern of attention, kept
                beside the weights or without any; :meth:`Run.arrays` reads those of an epoch.
                They follow ``when`` as the weights do.
            **metrics: one number each, which may be NaN or infinite.

        Raises:
            InputError: the epoch is less than the last one, the state has other keys or shapes
                than the last one, the first state is no model of the task, or a metric is not one
                number.
            WorkError: the disk is full or fails; the records before it stay intact.

        """
        epoch = layout.epoch_number(epoch)
        if epoch < self._last:
            raise InputError(
                f"step({epoch}) came after step({self._last}) in {self.path}; "
                "give epochs that never decrease (over several passes, count steps)"
            )
        if self._rewind_pending:
            self._writer.rewind(epoch, keep=False)
            self._rewind_pending = False
        self._last = epoch
        if metrics:
            self._writer.log(epoch, **metrics)
        if self._keeps is not None and not self._keeps(epoch):
            return
        if state is not None:
            named = self._named(_state_dict(state))
            self._writer.checkpoint(epoch, self._in_layout(named, state))
        if arrays:
            self._writer.arrays(epoch, arrays)

    def _in_layout(self, named: Mapping[str, Any], model: Any) -> Mapping[str, Any]:
        """The state in the layout of the run's task, which the first one is checked to fit."""
        facts = self._writer.facts
        if self._converts is None:
            converts = is_foreign_layout(facts, named, model)
            if converts and "layout" not in facts:
                self._writer.update_facts(layout=CONVERTED)
            self._converts = converts
        return converted(named, facts["task"]) if self._converts else named

    def _named(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """The state without what wraps the model, unless the run already has names with it."""
        names = without_wrappers(state)
        if self._writer.parameter_names & (state.keys() - set(names.values())):
            return state
        return {names[name]: value for name, value in state.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._writer.close(finished=True)
        else:
            self._writer.__exit__(kind, error, traceback)


def record(
    path: str | Path,
    *,
    task: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    when: When | None = None,
    command: str | None = None,
    **facts: Any,
) -> Recorder:
    """Record your own training loop in the run directory ``path``.

    Args:
        path: a new or empty folder.
        task: what is learned, such as ``modular-addition``; analyses ask for it.
            The first state must then have the names and shapes of the task's models.
        resume: continue the run in ``path``, if there is one; its records and checkpoints from
            the first epoch given to ``step`` on are replaced.
        overwrite: delete a run in ``path`` first, but no folder of other content.
        when: when weights are kept, though ``step`` is given them at every epoch: a schedule as
            ``--checkpoint-every`` takes it (``100``, ``"100,25@4000:14000"``), ``"log"``, a list
            of epochs, or a function of the epoch.
        command: the command that runs the loop, such as ``" ".join(sys.argv)``, for ``run.json``.
        **facts: hyperparameters for ``run.json``, as ``p=113, train_fraction=0.3, seed=0``;
            ``about`` is a line on the run that its pictures carry.

    Raises:
        InputError: the folder is not empty, another process writes there, or a fact differs from
            that of the resumed run.

    """
    path = Path(path)
    if when is not None:
        keeps(when)  # a wrong one is refused before anything is deleted
    if resume and overwrite:
        raise InputError("resume and overwrite exclude each other; give one of them")
    run_facts = _run_facts(task, facts, command)
    is_run = (path / RUN).exists()
    if is_run and resume:
        return _resume(path, run_facts, when)
    if is_run and overwrite:
        _delete_run(path)
    elif is_run:
        raise InputError(
            f"{path} already holds a run; give overwrite=True, resume=True or another path"
        )
    return Recorder(RunWriter.create(path, run_facts), resume=False, when=when)


def _run_facts(task: str | None, facts: Mapping[str, Any], command: str | None) -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    for name in ("torch", "numpy"):
        if name in sys.modules:  # torch is not imported for a loop that does without it
            versions[name] = str(sys.modules[name].__version__)
    return {
        "recipe": None,
        "task": task,
        "settings": {name.replace("_", "-"): value for name, value in facts.items()},
        "versions": versions,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _resume(path: Path, run_facts: Mapping[str, Any], when: When | None) -> Recorder:
    writer = RunWriter.reopen(path)
    try:
        new = {"task": run_facts["task"], **layout.json_value(run_facts["settings"], "settings")}
        settings = writer.facts.get("settings", {})
        before = {"task": writer.facts.get("task"), **settings}
        for name, value in new.items():
            if value is not None and before.get(name, value) != value:
                raise InputError(
                    f"{path} was begun with {name}={before[name]!r} and not {value!r}; "
                    "give that, or another path"
                )
        additions = {name: value for name, value in new.items() if name not in before}
        if additions:
            writer.update_facts(settings={**settings, **additions})
    except BaseException:
        writer.close()
        raise
    return Recorder(writer, resume=True, when=when)


def _delete_run(path: Path) -> None:
    """Delete the run in ``path``; raises :class:`InputError` if the folder holds anything else."""
    known = {RUN, INDEX, RESUME, layout.LOCK, *FOLDERS, CACHE}
    for folder in ("", *FOLDERS):
        for file in sorted((path / folder).iterdir()) if (path / folder).is_dir() else []:
            owned = layout.is_run_file(folder, file.name) or (not folder and file.name in known)
            if not owned and not layout.is_temporary(file.name):
                raise InputError(f"{file} is not part of the run; move it away or choose a path")
    lock = durable.Lock(path)
    try:
        for name in (*FOLDERS, CACHE):
            _remove_folder(path / name)
        # run.json last, so that an interrupted deletion can be repeated
        journals = [f.name for f in path.iterdir() if layout.is_run_file("", f.name)]
        for name in (RESUME, *journals, INDEX, RUN):
            durable.remove(path / name)
    finally:
        lock.release()


def _remove_folder(path: Path) -> None:
    try:
        if path.exists():
            shutil.rmtree(path)
    except OSError as error:
        raise write_error(error, path) from error


def _state_dict(state: Any) -> Mapping[str, Any]:
    """The state dict of a module, or the one given."""
    state_dict = state.state_dict() if hasattr(state, "state_dict") else state
    if not isinstance(state_dict, (Mapping, list, tuple)):
        raise InputError(
            f"the state is a {type(state).__name__}; give a module, its state_dict(), or None"
        )
    return dict(_flat(state_dict))


def _flat(tree: Any, before: str = "") -> Iterator[tuple[Any, Any]]:
    """The arrays of nested mappings and lists, under names with dots."""
    pairs = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    for name, value in pairs:
        if isinstance(value, (Mapping, list, tuple)):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield (f"{before}{name}" if before or not isinstance(tree, Mapping) else name), value
