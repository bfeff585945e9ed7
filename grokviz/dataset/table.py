"""Which measures and dimensions there are: those of every run, of each task, and of users.

Ours lie in the modules that a task's ``measures`` names; installed packages offer theirs by the
entry-point group ``grokviz.measures``, users by their own files. A later one takes the place of an
earlier one of the same name: every run's, the task's, plug-ins', the user's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from grokviz import plugins
from grokviz.dataset.checkpoint import RunView
from grokviz.dataset.contract import Dimension, Measure, Published
from grokviz.errors import InputError, nearest
from grokviz.runs import Run
from grokviz.task import Task, any_task, known_task, tasks

CLOCKS = {
    "epoch": "number of updates before the checkpoint",
    "field_epoch": "epochs of the large variables",
}


@dataclass(frozen=True)
class Table:
    """The measures and dimensions of one kind of runs, by name."""

    measures: dict[str, Measure]
    dimensions: dict[str, Dimension]

    def measure(self, name: str) -> Measure:
        """The measure of that name; ``InputError`` names the nearest one."""
        if name not in self.measures:
            raise InputError(f"there is no measure {name}: {nearest(name, list(self.measures))}")
        return self.measures[name]


def _members(module: ModuleType) -> dict[str, Measure | Dimension]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, Measure | Dimension) and value.module == module.__name__
    }


MEASURES = plugins.PluginKind(
    "measure", "grokviz.measures", "", _members, listing="grokviz measures"
)


def view_type(task: Task | None) -> type[RunView]:
    """How the task's measures see a run; the general way where it has no way of its own."""
    view: type[RunView] | None = task.load("view") if task else None
    return view or RunView


def task_of(run: Run) -> Task | None:
    """The run's task if anybody knows it; any run has its curves and norms all the same."""
    return known_task(run.facts.get("task"))


def table_of(run: Run) -> Table:
    """The measures and dimensions that a run of its kind may have."""
    return table(task_of(run))


_TABLES: dict[tuple[Any, ...], tuple[list[Any], Table]] = {}


def table(task: Task | None) -> Table:
    """The measures and dimensions of a task's runs; of any run where no task is known."""
    given, view = [*_offers(task)], view_type(task)
    key = (task.name if task else "", *map(id, given))
    if key not in _TABLES:
        measures, dimensions = {}, {}
        for one in given:
            if isinstance(one, Dimension) and issubclass(view, one.owner):
                dimensions[one.name] = one
            elif isinstance(one, Measure) and one.is_of(view):
                measures[one.name] = one
        _TABLES[key] = given, Table(measures, dimensions)
    return _TABLES[key][1]


def tables() -> Iterator[Table]:
    """The table of any run, then that of each task's."""
    yield table(None)
    for one in tasks().values():
        yield table(one)


def tasks_with(name: str) -> list[str]:
    """The tasks whose runs can have a variable of this name."""
    return [task for task, one in tasks().items() if name in table(one).measures]


def _offers(task: Task | None) -> Iterator[Measure | Dimension]:
    for one in (any_task(), *((task,) if task else ())):
        for module in one.measure_modules():
            yield from _members(module).values()
    for plugin in plugins.modules(MEASURES):
        yield from _members(plugin).values()


def available(run: Run) -> list[str]:
    """The measures that can be taken of this run, by name."""
    return [name for name, one in table_of(run).measures.items() if not one.lacking(run)]


def unasked(run: Run) -> list[str]:
    """The measures of this run that are taken where none is named: all but those that are dear."""
    measures = table_of(run).measures
    return [name for name in available(run) if not measures[name].dear]


def check_measurable(run: Run, names: Iterable[str], own: Table) -> None:
    """Raise InputError unless all these variables and coordinates can be measured of the run."""
    for name in names:
        if name in own.measures:
            if lack := own.measures[name].lacking(run):
                raise InputError(f"{run.path} has no {lack}, which {name} is made of")
        elif name not in own.dimensions and name not in CLOCKS:
            task = task_of(run)
            what = f"a run of {task.name}" if task else "a run whose task grokviz does not know"
            known = [*own.measures, *own.dimensions]
            raise InputError(f"{what} has no measure {name!r}: {nearest(name, known)}")


def published_names(own: Table) -> list[str]:
    """The variables and coordinates of a kind of runs that carry a published name."""
    given: list[Measure | Dimension] = [*own.measures.values(), *own.dimensions.values()]
    return [one.name for one in given if one.published is not None]


def coordinates_of(own: Table, names: Iterable[str]) -> list[str]:
    """The coordinates that printing these variables takes."""
    every = (own.measures.get(name) for name in names)
    published = (one.published for one in every if one is not None)
    return [need for one in published if isinstance(one, Published) for need in one.needs]


def with_series(own: Table, names: Sequence[str]) -> list[str]:
    """These measures and those whose finished series they take, in the table's order."""
    every: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in every:
            every.add(name)
            for other in own.measure(name).series:
                if other not in own.measures:
                    raise InputError(
                        f"{name} takes the series {other}, which no measure makes: "
                        f"{nearest(other, list(own.measures))}"
                    )
                waiting.append(other)
    return [name for name in own.measures if name in every]
