"""``record``: lets any training loop write a run directory.

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
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grokviz.errors import InputError
from grokviz.files import write_error
from grokviz.runs import durable, layout
from grokviz.runs.layout import CHECKPOINTS, INDEX, METRICS, RESUME, RUN
from grokviz.runs.verify import CACHE
from grokviz.runs.writer import RunWriter


class Recorder:
    """A run being recorded; made by :func:`record` and used in a ``with`` block.

    The run is valid at any moment, also when the block is left by an error or Ctrl-C; it
    counts as finished when the block ends by itself.
    """

    def __init__(self, writer: RunWriter, *, begun: bool) -> None:
        self._writer, self._last = writer, -1
        self._begun = begun  # what an earlier recording holds from the first epoch on is dropped

    @property
    def path(self) -> Path:
        """The folder of the run."""
        return self._writer.path

    def step(self, epoch: int, state: Any = None, **metrics: float) -> None:
        """Record one epoch: its metrics, and the weights when ``state`` is given.

        Args:
            epoch: whole numbers, never decreasing.
            state: a module, a state dict (any names), or None for no checkpoint this epoch.
            **metrics: one number each; NaN and infinity are kept as they are.

        Raises:
            InputError: a decreasing epoch, other keys or shapes than before, or a metric that
                is not one number.
            WorkError: the disk refuses; what was recorded stays intact.

        """
        epoch = layout.whole(epoch)
        if epoch < self._last:
            raise InputError(
                f"step({epoch}) came after step({self._last}) in {self.path}; "
                "give epochs that never decrease (over several passes, count steps)"
            )
        if self._begun:
            self._writer.rewind(epoch, keep=False)
            self._begun = False
        self._last = epoch
        if metrics:
            self._writer.log(epoch, **metrics)
        if state is not None:
            self._writer.checkpoint(epoch, _state_dict(state))

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
    command: str | None = None,
    **facts: Any,
) -> Recorder:
    """Record a training loop of your own into the run directory ``path``.

    Args:
        path: a new or empty folder.
        task: what is learned, such as ``modular-addition``; analyses ask for it.
        resume: go on with a recording in ``path`` if there is one; what it holds from the
            first epoch you step to is dropped and recorded again.
        overwrite: delete a run in ``path`` first (never a folder that is not a run).
        command: the command that runs the loop, such as ``" ".join(sys.argv)``, to keep too.
        **facts: hyperparameters to keep with the run (``p=113, train_fraction=0.3, seed=0``).

    Raises:
        InputError: the folder is not empty, another process writes there, or a fact
            contradicts the run that is resumed.

    """
    path = Path(path)
    if resume and overwrite:
        raise InputError("resume and overwrite exclude each other; give one of them")
    run_facts = _facts(task, facts, command)
    is_run = (path / RUN).exists()
    if is_run and resume:
        return _continued(path, run_facts)
    if is_run and overwrite:
        _erase(path)
    elif is_run:
        raise InputError(
            f"{path} already holds a run; give overwrite=True, resume=True or another path"
        )
    return Recorder(RunWriter.create(path, run_facts), begun=False)


def _facts(task: str | None, facts: Mapping[str, Any], command: str | None) -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    for name in ("torch", "numpy"):
        if name in sys.modules:  # torch is the loop's affair and never imported here
            versions[name] = str(sys.modules[name].__version__)
    return {
        "recipe": None,
        "task": task,
        "settings": {name.replace("_", "-"): value for name, value in facts.items()},
        "versions": versions,
        "command": command,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _continued(path: Path, run_facts: Mapping[str, Any]) -> Recorder:
    writer = RunWriter.reopen(path)
    try:
        given = {"task": run_facts["task"], **layout.plain(run_facts["settings"], "settings")}
        settings = writer.facts.get("settings", {})
        before = {"task": writer.facts.get("task"), **settings}
        for name, value in given.items():
            if value is not None and before.get(name, value) != value:
                raise InputError(
                    f"{path} was begun with {name}={before[name]!r} and not {value!r}; "
                    "give that, or another path"
                )
        added = {name: value for name, value in given.items() if name not in before}
        if added:
            writer.update_facts(settings={**settings, **added})
    except BaseException:
        writer.close()
        raise
    return Recorder(writer, begun=True)


def _erase(path: Path) -> None:
    """Delete the run in ``path``; raise InputError if the folder holds anything else."""
    known = {RUN, INDEX, RESUME, layout.LOCK, METRICS, CHECKPOINTS, CACHE}
    for folder in ("", METRICS, CHECKPOINTS):
        for file in sorted((path / folder).iterdir()) if (path / folder).is_dir() else []:
            ours = layout.is_ours(folder, file.name) if folder else file.name in known
            if not ours and not layout.is_leftover(file.name):
                raise InputError(f"{file} is not part of the run; move it away or choose a path")
    lock = durable.Lock(path)
    try:
        for name in (METRICS, CHECKPOINTS, CACHE):
            _remove_folder(path / name)
        for name in (RESUME, INDEX, RUN):  # run.json last: cut short, it can be overwritten again
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
    state_dict = state.state_dict() if hasattr(state, "state_dict") else state
    if not isinstance(state_dict, Mapping):
        raise InputError(
            f"the state is a {type(state).__name__}; give a module, its state_dict(), or None"
        )
    return state_dict
