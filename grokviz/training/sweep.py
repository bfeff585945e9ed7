"""Sweeps: many runs of one recipe in one folder.

A sweep is a folder with ``sweep.json`` and an ordinary run directory for each member, named by
the values that vary. Nothing else is stored: each run itself records whether it is finished, so a
sweep that was stopped at any moment continues when it is started again.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokviz.errors import InputError, MissingExtra
from grokviz.options import json_values, show
from grokviz.parallel import check_jobs, cluster
from grokviz.runs import layout, open_run
from grokviz.runs.durable import make_folder, replace_file
from grokviz.runs.reader import read_state
from grokviz.runs.sweeps import FORMAT, SWEEP, read_sweep
from grokviz.task import Recipe, recipe
from grokviz.training.grid import Grid, Member, grid_of, grid_text, members_of
from grokviz.training.settings import check_reaches
from grokviz.training.side_by_side import (
    MemberEnded,
    MemberJob,
    MemberProgress,
    MemberResult,
    SweepOptions,
    train_all,
)


@dataclass(frozen=True)
class Plan:
    """A checked sweep, before anything is written.

    Attributes:
        recipe: the recipe of all members.
        path: the folder of the sweep.
        grid: the values of each key that varies.
        settings: the hyperparameters that all members share.
        members: the runs, in the order of the grid.

    """

    recipe: Recipe
    path: Path
    grid: Grid
    settings: Mapping[str, Any]
    members: tuple[Member, ...]

    def member(self, key: int | str) -> Member:
        """A member by its number or its name."""
        for member in self.members:
            if str(key).strip() in (str(member.number), member.name):
                return member
        raise InputError(
            f"there is no member {key}: give a number from 0 to {len(self.members) - 1}, as "
            "grokviz sweep --dry-run lists them"
        )


@dataclass(frozen=True)
class SweepResult:
    """The outcome of a sweep: its folder, each requested member, and whether it was stopped."""

    path: Path
    results: tuple[MemberResult, ...]
    interrupted: bool

    @property
    def failed(self) -> list[MemberResult]:
        """The members that failed, each with its reason."""
        return [result for result in self.results if result.state == "failed"]

    @property
    def finished(self) -> list[MemberResult]:
        """The members that have reached their last epoch, now or earlier."""
        return [result for result in self.results if result.state == "finished"]

    @property
    def sent(self) -> list[MemberResult]:
        """The members of which only the curves and the last checkpoint were sent back."""
        return [result for result in self.results if result.sent]


def sweep(
    name: str,
    grid: Mapping[str, Sequence[Any]] | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    seeds: int | None = None,
    settings: Mapping[str, Any] | None = None,
    member: int | str | None = None,
    device: str = "auto",
    exact_path: bool = True,
    jobs: int = 1,
    scheduler: str | None = None,
    command: str | None = None,
    report: MemberProgress | None = None,
    ended: MemberEnded | None = None,
) -> SweepResult:
    """Train every combination of a grid's values; repeating the call continues the sweep.

    Args:
        name: a recipe, as listed by ``grokviz recipes``.
        grid: the values of each key that varies.
        out: the sweep's folder; ``runs/<recipe>-sweep`` by default.
        seeds: multiplies the grid by the seeds 0 to ``seeds - 1``.
        settings: hyperparameters that override the recipe's for all members, by key.
        member: train only this member, by number or name.
        device: ``auto``, ``cpu`` or ``cuda``.
        exact_path: whether to use the exact structural shortcuts.
        jobs: how many members to train at the same time, each in its own process.
        scheduler: the address of a Dask scheduler whose workers train the members instead, one
            at a time per worker process.
        command: the command that trains the sweep, stored in its folder.
        report: called with (member, progress) about twice a second for each.
        ended: called with the result of each member.

    Returns:
        The result of each member; one that fails has a reason, and the others continue. Ctrl-C
        and SIGTERM stop between two updates without loss; a second Ctrl-C does not wait.

    Raises:
        InputError: an unknown recipe, key, value or member; another sweep in ``out``; a scheduler
            that does not answer.

    """
    sweep_plan = plan(name, grid, out, seeds=seeds, settings=settings)
    selection = sweep_plan.members if member is None else (sweep_plan.member(member),)
    check_jobs(jobs)
    for one in selection:
        _check_member_reaches(sweep_plan.path / one.name, one.settings["epochs"])
    if importlib.util.find_spec("torch") is None:
        raise MissingExtra("training", "train")
    work = [
        MemberJob(one, sweep_plan.path / one.name, is_finished(sweep_plan, one))
        for one in selection
    ]
    options = SweepOptions(device, exact_path, jobs, report, ended)
    remote = scheduler is not None and not all(one.finished for one in work)
    with cluster(str(scheduler)) if remote else contextlib.nullcontext() as workers:
        _save(sweep_plan, command)
        results, interrupted = train_all(sweep_plan.recipe.name, work, options, workers)
    return SweepResult(sweep_plan.path, tuple(results), interrupted)


def plan(
    name: str,
    grid: Mapping[str, Sequence[Any]] | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    seeds: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Plan:
    """Plan a call to :func:`sweep`; raises as it does, and writes nothing."""
    base_recipe = recipe(name)
    overrides = dict(settings or {})
    values = grid_of(base_recipe, grid or {}, seeds, overrides)
    shared = json_values(base_recipe.read(overrides))
    shared = {key: value for key, value in shared.items() if key not in values}
    members = tuple(members_of(base_recipe, values, overrides))
    path = Path(out) if out is not None else Path("runs") / f"{base_recipe.name}-sweep"
    sweep_plan = Plan(base_recipe, path, values, shared, members)
    _check_folder(sweep_plan)
    return sweep_plan


def is_finished(sweep_plan: Plan, member: Member) -> bool:
    """Whether a member's run has reached its last epoch with exactly these settings."""
    try:
        run = open_run(sweep_plan.path / member.name)
    except InputError:
        return False
    facts = run.facts
    matches = (
        facts.get("recipe") == sweep_plan.recipe.name and facts.get("settings") == member.settings
    )
    return run.finished and matches and "imported" not in facts


def _check_folder(sweep_plan: Plan) -> None:
    """Raise InputError unless the folder is empty or holds this sweep or a part of it."""
    path = sweep_plan.path
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file; choose another folder with --out")
    before = read_sweep(path)
    if before is not None:
        _check_extends(sweep_plan, before)
        return
    if (path / layout.RUN).exists():
        raise InputError(f"{path} holds a run, not a sweep; choose another folder with --out")
    contents = sorted(file.name for file in path.iterdir()) if path.is_dir() else []
    foreign = [name for name in contents if not layout.is_temporary(name)]
    if foreign:
        raise InputError(
            f"{path} holds something that is not a grokviz sweep ({foreign[0]}); choose another "
            "folder with --out"
        )


def _check_extends(sweep_plan: Plan, before: Mapping[str, Any]) -> None:
    """Raise InputError unless the plan is the sweep in the folder or an extension of it."""
    path = sweep_plan.path
    if before["recipe"] != sweep_plan.recipe.name:
        raise InputError(
            f"{path} holds a sweep of {before['recipe']}; choose another folder with --out"
        )
    names = {member.name for member in sweep_plan.members}
    if not names.issuperset(before["members"]):
        raise InputError(
            f"{path} holds a sweep over {_grid_of_names(before)}; give these values and any more, "
            "or choose another folder with --out"
        )
    for key, value in sweep_plan.settings.items():
        previous = before["settings"].get(key, value)
        if key != "epochs" and previous != value:
            raise InputError(
                f"{path} was begun with {key}={show(previous)}, not {show(value)}; choose another "
                f"folder with --out, or give --set {key}={show(previous)}"
            )


def _check_member_reaches(path: Path, epochs: int) -> None:
    """Raise InputError unless ``epochs`` is at or beyond the current epoch of the member."""
    try:
        facts = open_run(path).facts
        if epochs >= facts.get("settings", {}).get("epochs", epochs):
            return
        _, metadata = read_state(path)
    except InputError:  # not started yet; a damaged run is reported when it is trained
        return
    check_reaches(path, facts, int(metadata["epoch"]), epochs)


def _grid_of_names(before: Mapping[str, Any]) -> str:
    """The grid as typed; the sorted document has its order only in the members' names."""
    keys = sorted(before["grid"], key=lambda key: before["members"][0].find(f"{key}="))
    return grid_text({key: before["grid"][key] for key in keys})


def _save(sweep_plan: Plan, command: str | None) -> None:
    """Write ``sweep.json`` if its content changes."""
    from grokviz import __version__

    content: dict[str, Any] = {
        "format": FORMAT,
        "recipe": sweep_plan.recipe.name,
        "grid": sweep_plan.grid,
        "settings": dict(sweep_plan.settings),
        "members": [member.name for member in sweep_plan.members],
    }
    before: Mapping[str, Any] = read_sweep(sweep_plan.path) or {}
    if all(before.get(key) == value for key, value in content.items()):
        return
    content["command"] = command
    content["versions"] = {"grokviz": __version__}
    make_folder(sweep_plan.path)
    replace_file(sweep_plan.path / SWEEP, layout.encode_document(content, indent=2))
