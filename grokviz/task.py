"""The contract of a task: what a network learns, and everything that is special to it.

A task is a package, or a single file of a user's, that defines one :class:`Task`. Training,
analysis, importers and the command line know tasks through it alone, so that a new one touches
no other file. Of its parts only the settings, the recipes and the problem are needed to train;
the rest is what its runs can be asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from grokviz import plugins
from grokviz.errors import InputError, require_entry
from grokviz.options import Option, Options, options_of, read_options

if TYPE_CHECKING:
    import torch
    from torch import Tensor

ANY = "any"
"""The task whose measures every run has, whatever it learns."""

LAST = 100
"""Where tasks stand in lists that say nothing of it."""


class Problem(Protocol):
    """What the loop trains.

    Attributes:
        state: every tensor of the state dict, by its published name.
        trained: the names that are trained.
        counts: what one update is called, "epoch" or "step".

    """

    state: Mapping[str, Tensor]
    trained: Sequence[str]
    counts: str

    def train_metrics(self, epoch: int, gradients: Mapping[str, Tensor]) -> dict[str, float]:
        """``train_loss`` and what is logged beside it; the gradient overwrites ``gradients``."""

    def test_metrics(self, epoch: int) -> dict[str, float]:
        """``test_loss`` and what is logged beside it; nothing where all data is fresh."""


class BuildProblem(Protocol):
    """A function that makes a problem of settings."""

    def __call__(self, settings: Any, device: torch.device, *, exact_path: bool = True) -> Problem:
        """The problem on a device, by exact short cuts where ``exact_path`` and there are any."""


@dataclass(frozen=True)
class Recipe:
    """Named settings of a task.

    Attributes:
        name: what a user types.
        title: what it trains, in a line.
        source: where its values were published.
        cost: how long it takes, and on what.
        settings: an instance of the task's settings.
        sibling_of: the published recipe of which this is a smaller sibling, if it is one.
        task: the name of its task; set by the task itself.

    """

    name: str
    title: str
    source: str
    cost: str
    settings: Any
    sibling_of: str = ""
    task: str = ""

    @property
    def keys(self) -> dict[str, Option]:
        """Its settings as options, by key, with its own values as defaults."""
        return options_of(self.settings)

    def read(self, given: Mapping[str, Any] | None = None) -> Any:
        """Its settings with those ``given``, by key, in the place of its own.

        Raises :class:`InputError` for an unknown key and a value that is not allowed.
        """
        for key in given or {}:
            if key in ("examples", "sequences") and key not in self.keys and self.task:
                hint = task(self.task).amount_of_data
                if hint:
                    raise InputError(f"{self.name} has no option {key}: {hint}")
        return read_options(self.settings, given, self.name)

    def describe(self) -> dict[str, Any]:
        """The recipe as plain data, for ``grokviz recipes --json``."""
        return {
            "name": self.name,
            "task": self.task,
            "title": self.title,
            "source": self.source,
            "sibling_of": self.sibling_of,
            "cost": self.cost,
            "keys": {
                key: {"default": row.default, "allowed": row.kind.allowed, "help": row.help}
                for key, row in self.keys.items()
            },
        }


class Finding(NamedTuple):
    """A setting that a file did not say and that was found all the same.

    Attributes:
        key: the setting; "" for a remark on those that were known.
        value: what it is.
        because: why it is believed.
        what: what the sentence about it calls it.

    """

    key: str
    value: Any
    because: str
    what: str


@dataclass(frozen=True)
class Evidence:
    """What a foreign file says about a task and its settings.

    Attributes:
        names: what names of files of such runs contain.
        fits: whether a model of these sizes (``layers``, ``n_ctx``, ``d_vocab``, ...) is of this
            task and of no other.
        could_be: whether a model of these sizes can be of this task at all, so that the user's
            word for it is taken.
        own_model: whether these tensors are the task's model, of a task whose model is none of
            the published layout, so that it has no such sizes.
        recognises: in which words a stored configuration says that it is of this task; "" where
            it does not.
        refuses: in which words it says that it is of another, though the sizes fit; else "".
        settings: the settings that sizes and weights prove, by key.
        seeds: which setting the seed in each stored table is, by the table's name.
        stepwise: whether such runs are trained on batches and logged a step at a time.
        exact_losses: whether nothing is done to a loss after the log-softmax but take its mean,
            so that its digits tell the precision.
        needed: the keys without which losses on train and test cannot be told.
        complete: finds what a file leaves out, given the settings so far, the epoch of the last
            weights, these weights, and the losses logged with them.
        split: finds the settings of a split, given the settings so far and the stored indices of
            training and of test examples.

    """

    names: tuple[str, ...] = ()
    fits: Callable[[Mapping[str, int]], bool] = lambda sizes: False
    could_be: Callable[[Mapping[str, int]], bool] = lambda sizes: True
    own_model: Callable[[Mapping[str, Any]], bool] = lambda state: False
    recognises: Callable[[Mapping[str, Any]], str] = lambda data: ""
    refuses: Callable[[Mapping[str, Any]], str] = lambda data: ""
    settings: Callable[[Mapping[str, int], Mapping[str, Any]], dict[str, Any]] = (
        lambda sizes, state: {}
    )
    seeds: Mapping[str, str] = field(default_factory=dict)
    stepwise: bool = False
    exact_losses: bool = False
    needed: tuple[str, ...] = ()
    complete: (
        Callable[[Mapping[str, Any], int, Mapping[str, Any], Mapping[str, float]], list[Finding]]
        | None
    ) = None
    split: Callable[[Mapping[str, Any], Any, Any], list[Finding]] = lambda values, train, test: []


def _nothing(settings: Mapping[str, Any]) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Task:
    """What a network learns.

    Whatever may be large or imports torch is given as ``"module:NAME"``, relative to ``package``,
    and loaded when it is asked for; a small task gives the objects themselves.

    Attributes:
        name: what runs, recipes and users call it, such as ``modular-addition``.
        package: ``__name__`` of the module that defines it.
        title: the heading over what is drawn of it.
        settings: the frozen dataclass whose fields are the keys of ``--set``.
        recipes: its recipes, in the order in which they are listed.
        problem: makes what the loop trains, see :class:`BuildProblem`.
        about: what a run learns and from how much data, in a few words each, from the run's
            settings as plain data. A ``KeyError`` says that they do not say enough.
        amount_of_data: how its settings say how much data there is, for whoever looks for
            another word.
        measures: the modules that hold its measures and their dimensions, a package for all
            modules in it; with a dot before them relative to ``package``.
        view: the class that sees a run and its checkpoints for these measures; the general one
            where left out.
        fall_is_change: whether a fall of the training loss is what is worth a closer look.
        member: what a family of runs keeps of each, see :mod:`grokviz.dataset.families`.
        evidence: what a foreign file says about its settings, see :class:`Evidence`.
        by_present_rules: reads a dataset that an earlier version wrote by the rules of this one.
        ruled: the variables that it reads, all of which are read where one of them is.
        shared: what its pictures show beside what each draws, such as which of its parts have
            colours: read with everything of a bundled run that has it.
        order: where it stands in lists.

    """

    name: str
    package: str = ""
    title: str = ""
    settings: Any = None
    recipes: Sequence[Recipe] | str = ()
    problem: BuildProblem | str | None = None
    about: Callable[[Mapping[str, Any]], Sequence[str]] = _nothing
    amount_of_data: str = ""
    measures: Sequence[str] = ()
    view: Any = None
    fall_is_change: bool = True
    member: Any = None
    evidence: Any = None
    by_present_rules: Callable[[Any], Any] | str | None = None
    ruled: Sequence[str] = ()
    shared: Sequence[str] = ()
    order: int = LAST

    def load(self, what: str) -> Any:
        """An attribute itself, imported where it is named by its module."""
        value = getattr(self, what)
        if not isinstance(value, str):
            return value
        module, _, name = value.partition(":")
        return getattr(importlib.import_module(f"{self.package}.{module}"), name)

    def all_recipes(self) -> list[Recipe]:
        """Its recipes, which know their task."""
        return [replace(recipe, task=self.name) for recipe in self.load("recipes")]

    def build_problem(
        self, settings: Options, device: torch.device, *, exact_path: bool = True
    ) -> Problem:
        """What the loop trains; :class:`InputError` where the task only describes runs."""
        build = self.load("problem")
        if build is None:
            raise InputError(
                f"{self.name} cannot be trained: it has no problem; record a run of it"
            )
        problem: Problem = build(settings, device, exact_path=exact_path)
        return problem

    @property
    def keys(self) -> dict[str, Option]:
        """Its settings as options, by key."""
        settings = self.load("settings")
        return options_of(settings) if is_dataclass(settings) else {}

    def measure_modules(self) -> list[ModuleType]:
        """The modules that hold its measures, imported."""
        modules = [importlib.import_module(name, self.package) for name in self.measures]
        return [inner for module in modules for inner in plugins.with_inner(module)]

    def files(self) -> list[Path]:
        """The source files that it is made of."""
        if not self.package:
            return []
        module = importlib.import_module(self.package)
        paths = getattr(module, "__path__", None)
        if paths is None:
            return [Path(str(module.__file__))]
        return sorted(file for folder in paths for file in Path(folder).rglob("*.py"))


def _members(module: ModuleType) -> dict[str, Task]:
    return {
        value.name: value
        for value in vars(module).values()
        if isinstance(value, Task) and value.package in ("", module.__name__)
    }


TASKS = plugins.PluginKind("task", "grokviz.tasks", "grokviz.tasks", _members)


def tasks() -> dict[str, Task]:
    """Every task by name, in the order of lists; the one of every run is not among them."""
    by_name = plugins.find_all(TASKS)
    by_name.pop(ANY, None)
    return dict(sorted(by_name.items(), key=lambda pair: (pair[1].order, pair[0])))


def any_task() -> Task:
    """What every run has, whatever it learns."""
    return plugins.find(TASKS, ANY)


def task(name: str) -> Task:
    """The task of that name, or an ``InputError`` naming the nearest one."""
    known = known_task(name)
    return require_entry(tasks(), "task", name) if known is None else known


def known_task(name: object) -> Task | None:
    """The task of that name; None for one that nobody knows."""
    return plugins.get(TASKS, str(name)) if name and name != ANY else None


def recipes() -> dict[str, Recipe]:
    """Every recipe by name, task by task."""
    return {recipe.name: recipe for one in tasks().values() for recipe in one.all_recipes()}


def recipe(name: str) -> Recipe:
    """The recipe of that name, or an ``InputError`` naming the nearest one.

    Of two that have the same name, neither is meant more than the other.
    """
    every = [entry for one in tasks().values() for entry in one.all_recipes()]
    owners = [entry.task for entry in every if entry.name == name]
    if len(owners) > 1:
        whose = (
            f"the tasks {owners[0]} and {owners[1]} both have a recipe {name}"
            if owners[0] != owners[1]
            else f"the task {owners[0]} has two recipes {name}"
        )
        raise InputError(f"{whose}; give yours another name")
    return require_entry({entry.name: entry for entry in every}, "recipe", name)


def published_recipe(name: str, of: Task | None = None) -> str:
    """The published recipe of which this one is a smaller sibling; "" for any other.

    The recipes of the task ``of`` are looked at first, and then the others are not imported.
    """
    own = {entry.name: entry for entry in of.all_recipes()} if of is not None else {}
    entry = own.get(name) or recipes().get(name)
    return entry.sibling_of if entry else ""
