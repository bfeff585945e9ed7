"""The contract of a measure: a function of a checkpoint, or of a run, that says what it is.

.. code-block:: python

    @measure("bit", source="my notes")
    def bit_norm(at: Checkpoint) -> Float[np.ndarray, " bit"]:
        \"\"\"Norm of the weights that leave an input bit.\"\"\"
        return np.linalg.norm(at.state["0.weight"], axis=0)

Its name is the variable and its docstring's first paragraph the definition. The type of its first
parameter says of which runs it is: those whose task sees them so.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.variables import Variable
from grokviz.errors import InputError
from grokviz.runs import Run

if TYPE_CHECKING:
    import xarray as xr

Clock = Literal["epoch", "field_epoch", "run", "series"]
"""When a measure is taken: at every checkpoint, at about a hundred of them, once a run, or over
the finished series."""

Publish = Callable[["xr.DataArray", "xr.Dataset", int], Mapping[str, Any]]
"""What ``grokviz measures`` prints of a variable (all of it, the dataset, the epoch), by name."""


@dataclass(frozen=True)
class Published:
    """What ``grokviz measures`` prints of a variable, and which coordinates that takes."""

    publish: Publish
    needs: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    """Of rows of numbers: what stands above the rows' own numbers, then above each column."""
    labels: tuple[tuple[str, str], ...] = ()
    """Names, and what stands before their numbers where a name does not say enough by itself."""


@dataclass(frozen=True)
class Storage:
    """How values are stored: their type, and to what they are rounded, if at all.

    ``step`` is a power of two whose multiples they are rounded to, ``bits`` a number of
    significant binary digits.
    """

    dtype: str = "float32"
    step: float = 0
    bits: int = 0


FLOAT32 = Storage()
FLOAT64 = Storage("float64")


@dataclass(frozen=True)
class Coordinate:
    """Values of a dimension that say more of themselves than their meaning, as attributes."""

    values: Any
    attrs: Mapping[str, str]


@dataclass(frozen=True)
class Dimension:
    """What variables run along: its values in a run, by :func:`dimension`."""

    name: str
    meaning: str
    function: Callable[..., Any]
    published: Published | None = None

    def __call__(self, run: Any) -> Any:
        """Its values in a run."""
        return self.function(run)

    @cached_property
    def owner(self) -> type:
        """The kind of runs that it is of."""
        return _annotated(self.function, "run", RunView)

    @property
    def module(self) -> str:
        """The module that defines it."""
        return self.function.__module__


@dataclass(frozen=True)
class Measure:
    """A measure, made by :func:`measure`; calling it calls the function.

    Attributes:
        variable: what it makes.
        on: when it is taken.
        function: the function itself.
        published: what ``grokviz measures`` prints of it.
        lacks: what it needs and a run lacks, as in "it has no ..."; else "".
        gather: what is kept of each checkpoint for it, called with the run and the checkpoint.
        dear: whether it is taken only where it is asked for by its name.

    """

    variable: Variable
    on: Clock
    function: Callable[..., Any]
    published: str | Published | None = None
    lacks: Callable[[Run], str] | None = None
    gather: Callable[[Any, Any], None] | None = None
    dear: bool = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The measure itself."""
        return self.function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process by name, where it can be imported there."""
        if self.module == "__main__" or self.module not in sys.modules:
            return (type(self), (self.variable, self.on, self.function, None, None, self.gather))
        return (_named, (self.module, self.function.__qualname__))

    @property
    def name(self) -> str:
        """The variable's name."""
        return self.variable.name

    @property
    def module(self) -> str:
        """The module that defines it."""
        return self.function.__module__

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of what it takes: ``at``, ``run``, and other measures' finished series."""
        return tuple(inspect.signature(self.function).parameters)

    @property
    def series(self) -> tuple[str, ...]:
        """The measures whose finished series it takes."""
        return tuple(name for name in self.parameters if name not in ("at", "run"))

    @property
    def is_of_all(self) -> bool:
        """Whether it is made of all checkpoints: of other series, or of what it gathers."""
        return bool(self.series) or self.gather is not None

    @cached_property
    def owner(self) -> type:
        """The kind of runs, or of checkpoints, that it is of."""
        if "at" in self.parameters:
            return _annotated(self.function, "at", Checkpoint)
        return _annotated(self.function, "run", RunView)

    def is_of(self, view: type[RunView]) -> bool:
        """Whether it can be asked of runs that are seen so."""
        return issubclass(view, self.owner) or issubclass(view.checkpoint_type, self.owner)

    @property
    def weighs(self) -> bool:
        """Whether it is a measure of weights, rather than of what was logged."""
        return "at" in self.parameters or self.lacks is None or self.gather is not None

    def lacking(self, run: Run) -> str:
        """What it needs and the run lacks, as in "it has no ..."; else ""."""
        if self.lacks is not None:
            return self.lacks(run)
        return "" if len(run.epochs) else "checkpoints"


def measure(
    *dims: str,
    on: Clock = "epoch",
    units: str = "1",
    source: str = "",
    long_name: str = "",
    stored: Storage = FLOAT32,
    published: str | Published | None = None,
) -> Callable[[Callable[..., Any]], Measure]:
    """Make a measure of a function.

    Args:
        dims: what its values run along besides the clock, each a :func:`dimension`.
        on: ``epoch`` for every checkpoint, ``field_epoch`` for about a hundred of them, ``run``
            for once a run, ``series`` for once, when all checkpoints have been measured.
        units: the unit, "1" for a pure number.
        source: where it is defined.
        long_name: what it is called in words; the function's name by default.
        stored: the type, and what values are rounded to.
        published: the name under which ``grokviz measures`` prints it; ``loss_{split}`` prints a
            number for each coordinate of ``split``; a :class:`Published` says the names itself.

    The function takes ``at`` (a checkpoint), ``run`` (what stays the same along the run) or both;
    one over the finished series takes ``run`` and any measures by their names. The type of ``at``,
    or else of ``run``, says of which runs it is: a :class:`Checkpoint` or a :class:`RunView` for
    any run.
    """

    def decorate(function: Callable[..., Any]) -> Measure:
        name = function.__name__
        clock = (on,) if on in ("epoch", "field_epoch") else ()
        variable = Variable(
            name, (*clock, *dims), long_name or name.replace("_", " "), units,
            definition_of(function), source, stored.dtype, stored.step, stored.bits,
        )  # fmt: skip
        lacks = getattr(function, "grokviz_lacks", None)
        gather = getattr(function, "grokviz_gather", None)
        dear = getattr(function, "grokviz_dear", False)
        return Measure(variable, on, function, published, lacks, gather, dear)

    return decorate


def requires(
    lacks: Callable[[Run], str],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say what a measure needs of a run other than checkpoints; stands below :func:`measure`.

    ``lacks`` names what a run lacks, as in "it has no ...", and is "" where it lacks nothing.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function.grokviz_lacks = lacks  # type: ignore[attr-defined]
        return function

    return decorate


def logged(name: str, what: str = "") -> Callable[[Run], str]:
    """What :func:`requires` takes of a measure of a logged metric."""
    return lambda run: "" if name in run.metrics else what or f"{name} logged in training"


def nothing(run: Run) -> str:
    """What :func:`requires` takes of a measure that every run has."""
    return ""


def gathers(
    keep: Callable[[Any, Any], None],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Call ``keep(run, at)`` at every checkpoint for a measure over the series, which needs more
    than other measures' values; it keeps what it will in ``run.gathered``.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function.grokviz_gather = keep  # type: ignore[attr-defined]
        return function

    return decorate


def dear(function: Callable[..., Any]) -> Callable[..., Any]:
    """Take a measure only where it is asked for by its name, as a scene's ``needs`` do.

    For one that takes seconds a checkpoint: where all that a run has is asked for it is left out.
    Stands below :func:`measure`.
    """
    function.grokviz_dear = True  # type: ignore[attr-defined]
    return function


def dimension(function: Callable[..., Any]) -> Dimension:
    """Make a dimension of a function of a run, which returns its values there.

    Its name is the dimension's, without an underscore at its end, and its docstring's first
    paragraph the meaning. It returns a sequence, or a :class:`Coordinate`. The type of ``run``
    says of which runs it is.
    """
    return Dimension(function.__name__.rstrip("_"), definition_of(function), function)


def published_dimension(name: str) -> Callable[[Dimension], Dimension]:
    """Let ``grokviz measures`` print a dimension's values; stands above :func:`dimension`."""
    published = Published(lambda values, data, epoch: {name: values.values.tolist()})
    return lambda one: replace(one, published=published)


def published_as(name: str, label: str) -> Published:
    """Let ``grokviz measures`` print values under a name, with another label before them."""
    return Published(
        lambda values, data, epoch: {name: values.values.tolist()}, labels=((name, label),)
    )


def definition_of(function: Any) -> str:
    """A docstring's first paragraph in one line, without the full stop at its end."""
    text = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
    return text if text.endswith("...") else text.removesuffix(".")


def _named(module: str, name: str) -> Any:
    # a user's file that was loaded already is among the modules
    return getattr(importlib.import_module(module), name)


def _annotated(function: Callable[..., Any], parameter: str, default: type) -> type:
    """The class that a parameter is annotated with."""
    annotation = inspect.get_annotations(function).get(parameter, default)
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, function.__globals__)
        except NameError as error:
            raise InputError(
                f"{function.__name__} takes {parameter}: {annotation}, which its module does not "
                f"have when it runs ({error}); import it outside TYPE_CHECKING"
            ) from error
    return annotation if isinstance(annotation, type) else default


def array_of(values: Any) -> np.ndarray:
    """Values of a dimension as an array."""
    return np.asarray(values.values if isinstance(values, Coordinate) else values)
