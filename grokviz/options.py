"""Options: fields of frozen dataclasses that a user may set, read and explained in one way.

Scenes, settings of tasks and whatever else takes ``--set key=value`` declare their options with
:func:`option`; one reader turns words into values, one sentence says what is wrong with them,
and one table says what is allowed. Nothing here knows what an option is for.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, Protocol, TypeVar, Union, get_args, get_origin

from grokviz.errors import InputError, nearest

T = TypeVar("T")


class Options(Protocol):
    """Any dataclass whose fields are options."""

    __dataclass_fields__: typing.ClassVar[dict[str, Any]]


O = TypeVar("O", bound=Options)  # noqa: E741


@dataclass(frozen=True)
class Kind:
    """What values an option takes.

    Attributes:
        read: a word or a value to a value; ``ValueError`` or ``TypeError`` for anything else.
        allowed: the same in words, as the end of "is not ...".

    """

    read: Callable[[Any], Any]
    allowed: str


@dataclass(frozen=True)
class Option:
    """One option as it is listed: its key, its default, what it takes, and what it is for."""

    key: str
    field: str
    default: Any
    kind: Kind
    help: str

    def value(self, given: Any, owner: str = "") -> Any:
        """``given``, a word or a value, as this option's value.

        Raises :class:`InputError` naming what is allowed, with an example.
        """
        try:
            return self.kind.read(given)
        except (ValueError, TypeError, OverflowError):
            whose = f"{owner}: " if owner else ""
            example = (
                "" if self.default is None else f"; for example {self.key}={show(self.default)}"
            )
            raise InputError(
                f"{whose}{self.key}={given} is not {self.kind.allowed}{example}"
            ) from None


def option(default: T, help: str, kind: Kind | None = None) -> T:
    """A field that a user may set.

    Args:
        default: its value where nobody sets it.
        help: the sentence that lists show.
        kind: what it takes; by the field's annotation where left out.

    """
    metadata = {"help": help, "kind": kind}
    value: T = dataclasses.field(default=default, metadata=metadata)
    return value


def option_like(parent: type[Options], name: str, default: T) -> T:
    """The option ``name`` of another dataclass with another default."""
    value: T = dataclasses.field(
        default=default, metadata=dict(parent.__dataclass_fields__[name].metadata)
    )
    return value


def options_of(owner: type[Options] | Options) -> dict[str, Option]:
    """The options of a dataclass by key, its own before inherited ones.

    Defaults are those of an instance where one is given.
    """
    if isinstance(owner, type):
        return dict(_of_class(owner))
    return {
        key: replace(row, default=getattr(owner, row.field))
        for key, row in _of_class(type(owner)).items()
    }


@lru_cache(maxsize=256)
def _of_class(kind: type[Options]) -> Mapping[str, Option]:
    """The options of a class, which a sweep asks for at each of its members."""
    hints = typing.get_type_hints(kind)
    return {
        key_of(field.name): Option(
            key_of(field.name),
            field.name,
            field.default,
            field.metadata.get("kind") or kind_of(hints[field.name]),
            field.metadata.get("help", ""),
        )
        for field in _own_first(kind)
    }


def _own_first(kind: type[Options]) -> list[dataclasses.Field[Any]]:
    """A dataclass's fields in the order in which its classes introduced them, bases last."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    places = {
        name: place
        for place, ancestor in enumerate(kind.__mro__)
        for name in inspect.get_annotations(ancestor)
    }
    return sorted(fields.values(), key=lambda field: places[field.name])


def read_options(defaults: type[O] | O, given: Mapping[str, Any] | None, owner: str) -> O:
    """The options with what is ``given``, by key, in the place of their defaults.

    Args:
        defaults: the dataclass, or an instance whose values are the defaults.
        given: words or values by key; ``-`` and ``_`` are the same in keys.
        owner: what the options are of, for the sentence that refuses them.

    Raises:
        InputError: an unknown key, a value that is not allowed, or one that the dataclass
            itself refuses with ``ValueError``.

    """
    known = options_of(defaults)
    values = {}
    for word, value in (given or {}).items():
        key = key_of(word)
        if key not in known:
            raise InputError(f"{owner} has no option {word}: {nearest(key, list(known))}")
        values[known[key].field] = known[key].value(value, owner)
    try:
        if isinstance(defaults, type):
            return defaults(**values)
        return dataclasses.replace(defaults, **values)  # type: ignore[type-var]
    except ValueError as error:
        raise InputError(f"{owner}: {error}") from error


def changed(options: Options) -> dict[str, Any]:
    """The options that differ from their dataclass's defaults, by key."""
    return {
        key: getattr(options, row.field)
        for key, row in options_of(type(options)).items()
        if getattr(options, row.field) != row.default
    }


def plain(options: Options) -> dict[str, Any]:
    """All options by key, as they come back from JSON: tuples are lists."""
    rows = options_of(options)
    return canonical({key: row.kind.read(row.default) for key, row in rows.items()})


def canonical(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they come back from JSON, so that those of two runs can be compared."""
    result: dict[str, Any] = json.loads(json.dumps(dict(values)))
    return result


def key_of(name: str) -> str:
    """A field's name as it is typed on the command line."""
    return name.replace("_", "-")


def show(value: Any) -> str:
    """A value as it is written after ``--set key=``."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ",".join(show(item) for item in value)
    return str(value)


def word(value: Any) -> str:
    """A value as it is written after ``key=``, and the same value when it is read again."""
    if isinstance(value, (list, tuple)):
        return ",".join(word(item) for item in value)
    short = show(value)
    return repr(value) if isinstance(value, float) and float(short) != value else short


# --- kinds ---------------------------------------------------------------------------


def kind_of(annotation: Any) -> Kind:
    """The kind of values that an annotation allows."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _optional(kind_of(next(item for item in inner if item is not type(None))))
    if origin is Literal:
        return choice(*inner)
    if origin is tuple:
        return _several(kind_of(inner[0]))
    return _PLAIN.get(annotation) or Kind(annotation, str(annotation))


def whole(least: int = 1) -> Kind:
    """A whole number of at least ``least`` that a machine word holds."""

    def read(given: Any) -> int:
        if isinstance(given, (bool, float)):
            raise ValueError
        number = int(given)
        if not least <= number < 2**63:
            raise ValueError
        return number

    return Kind(read, f"a whole number of at least {least}, below 2^63")


def real(least: float, most: float = math.inf, *, open_ends: bool = False) -> Kind:
    """A number between ``least`` and ``most``, ends left out where ``open_ends``."""

    def read(given: Any) -> float:
        if isinstance(given, bool):
            raise ValueError
        number = float(given)
        inside = least < number < most if open_ends else least <= number <= most
        if not inside or not math.isfinite(number):
            raise ValueError
        return number

    above = "above" if open_ends else "of at least"
    limit = "" if math.isinf(most) else f" and {'below' if open_ends else 'at most'} {most:g}"
    return Kind(read, f"a number {above} {least:g}{limit}")


def choice(*values: Any) -> Kind:
    """One of a few values."""

    def read(given: Any) -> Any:
        for value in values:
            if str(value) == str(given):
                return value
        raise ValueError

    return Kind(read, "one of " + ", ".join(map(str, values)))


def switch() -> Kind:
    """on or off."""
    return _PLAIN[bool]


def pair() -> Kind:
    """Adam's two betas."""

    def read(given: Any) -> tuple[float, float]:
        items = given.split(",") if isinstance(given, str) else given
        values = tuple(float(item) for item in items)
        if len(values) != 2 or not all(0 <= value < 1 for value in values):
            raise ValueError
        return values

    return Kind(read, "two numbers from 0 to below 1, with a comma between")


def _read_switch(given: Any) -> bool:
    words = {"true": True, "on": True, "yes": True, "1": True}
    words |= {"false": False, "off": False, "no": False, "0": False}
    if str(given).lower() not in words:
        raise ValueError
    return words[str(given).lower()]


def _read_whole(given: Any) -> int:
    number = int(given)
    if not isinstance(given, str) and number != given:
        raise ValueError  # 2.5 is not 2
    return number


_PLAIN = {
    bool: Kind(_read_switch, "on or off"),
    int: Kind(_read_whole, "a whole number"),
    float: Kind(float, "a number"),
    str: Kind(str, "a text"),
}


def _optional(inner: Kind) -> Kind:
    def read(given: Any) -> Any:
        return None if given is None or str(given).lower() in ("none", "") else inner.read(given)

    return Kind(read, f"{inner.allowed} or none")


def _several(inner: Kind) -> Kind:
    def read(given: Any) -> tuple[Any, ...]:
        items = given.split(",") if isinstance(given, str) else given
        return tuple(inner.read(item) for item in items)

    return Kind(read, f"{inner.allowed}, several with commas between")
