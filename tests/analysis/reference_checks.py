"""What a bundled reference of a single run must stand: made again from its few weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import numpy as np
import xarray as xr

from grokviz.dataset import table
from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.cache import decode_ours
from grokviz.dataset.references.reference import SUMS
from grokviz.runs import Run, RunWriter, open_run
from grokviz.runs.tensors import load
from grokviz.task import task
from grokviz.tasks._sequences.checkpoint import SequenceRun

CLOCKS = ("epoch", "field_epoch")


def facts_of(place: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((place / "run.json").read_text("utf-8"))
    return facts


def is_single(place: Path) -> bool:
    """Whether it is of one run of a recipe: families, and runs of other code, have other tests."""
    if not (place / "run.json").exists() or not facts_of(place)["recipe"]:
        return False
    return any(_has_epochs(file) for file in place.glob("*.nc"))


def _has_epochs(file: Path) -> bool:
    with h5py.File(file) as stored:
        return "epoch" in stored


def has_weights(place: Path) -> bool:
    """Whether weights are bundled; those of large models would not fit."""
    return any((place / "weights").glob("*.safetensors"))


def whole(place: Path) -> xr.Dataset:
    parts = [decode_ours(file.read_bytes()) for file in sorted(place.glob("*.nc"))]
    return xr.merge(parts, compat="no_conflicts", join="outer", combine_attrs="override")


def problem_of(facts: dict[str, Any]) -> Any:
    """What the recipe trains; its state is the initial one."""
    import torch

    from grokviz.task import recipe

    chosen = recipe(facts["recipe"])
    settings, device = chosen.read(facts["settings"]), torch.device("cpu")
    return task(chosen.task).build_problem(settings, device, exact_path=facts["exact_path"])


def kept_states(place: Path) -> dict[int, dict[str, np.ndarray]]:
    """The weights that are bundled, and the initial ones, drawn again by the recipe's seed."""
    found = {int(f.stem): load(f)[0] for f in (place / "weights").glob("*.safetensors")}
    drawn = problem_of(facts_of(place)).state
    return {0: {name: tensor.numpy() for name, tensor in drawn.items()}} | found


def rebuilt(place: Path, to: Path) -> Run:
    """A run that has nothing but those checkpoints."""
    facts = {k: v for k, v in facts_of(place).items() if k != "checksum"}
    with RunWriter.create(to, facts) as writer:
        for epoch, state in sorted(kept_states(place).items()):
            writer.checkpoint(epoch, state)
        writer.close(finished=True)
    return open_run(to)


def check_numbers(place: Path, run: Run, *, dear: bool = False) -> int:
    """Every bundled number of the checkpoints is what the weights give; how many variables were.

    Those that are dear by themselves, the others without them.
    """
    kept = whole(place)
    own = table.table_of(run)
    kinds = [own.measure(str(name)) for name in kept.data_vars]
    # those of the whole run that need no checkpoints say what they need instead
    wanted = [
        one.variable
        for one in kinds
        if one.on != "series" and (one.lacks is None or "at" in one.parameters) and one.dear == dear
    ]
    made = _made(run, [row.name for row in wanted], kept)
    for row in wanted:
        ours, theirs = made[row.name], kept[row.name]
        for clock in set(CLOCKS) & set(row.dims):
            common = np.intersect1d(ours[clock].values, theirs[clock].values)
            assert common.size >= 2, f"{row.name} has {clock} {common}"
            assert ours[clock].values[-1] in common
            ours, theirs = ours.sel({clock: common}), theirs.sel({clock: common})
        assert ours.dims == theirs.dims == row.dims
        for dim in row.dims:
            np.testing.assert_array_equal(ours[dim].values, theirs[dim].values, err_msg=dim)
        if ours.dtype.kind != "f":
            np.testing.assert_array_equal(theirs.values, ours.values, err_msg=row.name)
            continue
        # what is rounded may be rounded the other way
        rtol = max(1e-5, 2.0 ** (1 - row.bits) if row.bits else 0)
        atol = max(1e-6 * float(np.nanmax(np.abs(ours.values))), row.step)
        np.testing.assert_allclose(
            theirs.values, ours.values, rtol=rtol, atol=atol, err_msg=row.name
        )
    return len(wanted)


def _made(run: Run, names: list[str], kept: xr.Dataset) -> xr.Dataset:
    """The measures of a run, on the sequences on which a reference has them.

    One bundled before held_out_sequences was a variable has its curves on the probed sequences
    alone, and what was added to it later on all.
    """
    view = task(str(run.facts["task"])).load("view")
    if not isinstance(view, type) or not issubclass(view, SequenceRun):
        return assemble(run, names, workers=0)
    late = [name for name in names if name.startswith("final_") or "held_out_sequences" in kept]
    early = [name for name in names if name not in late]
    parts = [assemble(run, late, workers=0)] if late else []
    if early:
        before = replace(view.kind, count=view.kind.probed)
        with mock.patch.object(view, "kind", before):
            parts.append(assemble(run, early, workers=0))
    return xr.merge(parts, compat="no_conflicts", join="outer", combine_attrs="override")


def check_losses(place: Path) -> int:
    """The logged losses at those checkpoints are what the recipe's own data gives the weights.

    Its data is drawn by seeds and the number of the update. Another machine rounds otherwise.
    """
    import torch

    kept, problem = whole(place), problem_of(facts_of(place))
    gradients = {name: torch.empty_like(problem.state[name]) for name in problem.trained}
    checked = 0
    for epoch, state in sorted(kept_states(place).items()):
        for name, tensor in problem.state.items():
            tensor.copy_(torch.from_numpy(state[name]))
        found = problem.train_metrics(epoch, gradients) | problem.test_metrics(epoch)
        for name, logged, clock in _logged(kept):
            if name in found and epoch in logged[clock].values:
                value = float(logged.sel({clock: epoch}))
                np.testing.assert_allclose(
                    value, found[name], rtol=2e-3, atol=2e-7, err_msg=f"{name} at {epoch}"
                )
                checked += 1
    return checked


def _logged(kept: xr.Dataset) -> Iterator[tuple[str, xr.DataArray, str]]:
    for split, clock in (("train", "logged_epoch"), ("test", "tested_epoch")):
        if f"logged_{split}_loss" in kept:
            yield f"{split}_loss", kept[f"logged_{split}_loss"], clock
        if f"token_{split}_loss" in kept:
            for k in kept["digit"].values:
                each = kept[f"token_{split}_loss"].sel(digit=k)
                yield f"{split}_loss_token_{k}", each, clock


def check_sums(place: Path) -> None:
    """All files are there and as they were bundled."""
    lines = (place / SUMS).read_text("utf-8").splitlines()
    sums = dict(reversed(line.split("  ")) for line in lines)
    files = {p.relative_to(place).as_posix(): p for p in place.rglob("*") if p.is_file()}
    files.pop(SUMS)
    assert sums.keys() == files.keys()
    for name, file in files.items():
        assert hashlib.sha256(file.read_bytes()).hexdigest() == sums[name], name


def check_files(place: Path) -> None:
    """All files are as they were bundled, of one run, and say nothing of where it ran."""
    check_sums(place)
    parts = [decode_ours(file.read_bytes()) for file in sorted(place.glob("*.nc"))]
    assert len({part.attrs["run_checksum"] for part in parts}) == 1
    for said in [facts_of(place).get("command"), *(part.attrs["command"] for part in parts)]:
        assert " /" not in (said or ""), said


APART = 1e-2
"""How far rounding may lead two machines apart in some hundred updates; 3e-3 was seen."""


def check_start(place: Path, to: Path, updates: int) -> int:
    """The first losses of the run are those that training it anew gives, on this machine."""
    from grokviz.training.loop import train

    facts, kept = facts_of(place), whole(place)
    train(facts["recipe"], to, settings={**facts["settings"], "epochs": updates}, device="cpu")
    anew, checked = open_run(to), 0
    for name, logged, clock in _logged(kept):
        epochs, values = anew.metric(name) if name in anew.metrics else ((), ())
        for epoch, value in zip(epochs, values, strict=True):
            if epoch in logged[clock].values:
                found = float(logged.sel({clock: epoch}))
                np.testing.assert_allclose(found, value, rtol=APART, err_msg=f"{name} at {epoch}")
                checked += 1
    return checked
