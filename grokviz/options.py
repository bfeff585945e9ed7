"""Options: fields of frozen dataclasses that a user may set.

Scenes, task settings and everything else that takes ``--set key=value`` declare their options
with :func:`option`. They share one parser, one error message and one table of allowed values;
this module does not know what any option is for.
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
    """The values that an option accepts.

    Attributes:
        read: parses text or a value; raises ``ValueError`` or ``TypeError`` for anything else.
        allowed: a description of the values, which completes "is not ...".

    """

    read: Callable[[Any], Any]
    allowed: str


@dataclass(frozen=True)
class Option:
    """One row of an options table: key, field, default, accepted values and help."""

    key: str
    field: str
    default: Any
    kind: Kind
    help: str

    def value(self, raw: Any, owner: str = "") -> Any:
        """Parse ``raw``, text or a value, into this option's value.

        Raises :class:`InputError` with the allowed values and an example.
        """
        try:
            return self.kind.read(raw)
        except (ValueError, TypeError, OverflowError):
            prefix = f"{owner}: " if owner else ""
            example = (
                "" if self.default is None else f"; for example {self.key}={show(self.default)}"
            )
            raise InputError(
                f"{prefix}{self.key}={raw} is not {self.kind.allowed}{example}"
            ) from None


def option(default: T, help: str, kind: Kind | None = None) -> T:
    """Declare a dataclass field that a user may set.

    Args:
        default: the value if the user sets none.
        help: the description that listings show.
        kind: the accepted values; derived from the field's annotation by default.

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
    """The options of a dataclass by key, those it declares before inherited ones.

    Of an instance, the defaults are its values.
    """
    if isinstance(owner, type):
        return dict(_of_class(owner))
    return {
        key: replace(row, default=getattr(owner, row.field))
        for key, row in _of_class(type(owner)).items()
    }


@lru_cache(maxsize=256)
def _of_class(kind: type[Options]) -> Mapping[str, Option]:
    """The options of a class, cached because a sweep reads them for every member."""
    hints = typing.get_type_hints(kind)
    return {
        key_of(field.name): Option(
            key_of(field.name),
            field.name,
            field.default,
            field.metadata.get("kind") or kind_of(hints[field.name]),
            field.metadata.get("help", ""),
        )
        for field in _fields_in_order(kind)
    }


def _fields_in_order(kind: type[Options]) -> list[dataclasses.Field[Any]]:
    """A dataclass's fields in the order in which its classes declared them, base classes last."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    ranks = {
        name: rank
        for rank, ancestor in enumerate(kind.__mro__)
        for name in inspect.get_annotations(ancestor)
    }
    return sorted(fields.values(), key=lambda field: ranks[field.name])


def read_options(defaults: type[O] | O, overrides: Mapping[str, Any] | None, owner: str) -> O:
    """The options, with the values in ``overrides`` in place of their defaults.

    Args:
        defaults: the dataclass, or an instance whose values are the defaults.
        overrides: text or values by key; ``-`` and ``_`` are equivalent in keys.
        owner: what the options belong to, for error messages.

    Raises:
        InputError: an unknown key, a value that is not allowed, or one for which the
            dataclass itself raises ``ValueError``.

    """
    rows = options_of(defaults)
    values = {}
    for name, value in (overrides or {}).items():
        key = key_of(name)
        if key not in rows:
            raise InputError(f"{owner} has no option {name}: {nearest(key, list(rows))}")
        values[rows[key].field] = rows[key].value(value, owner)
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


def json_values(options: Options) -> dict[str, Any]:
    """All options by key, as JSON returns them: tuples become lists."""
    rows = options_of(options)
    return canonical({key: row.kind.read(row.default) for key, row in rows.items()})


def canonical(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON returns them, so that those of two runs can be compared."""
    result: dict[str, Any] = json.loads(json.dumps(dict(values)))
    return result


def key_of(name: str) -> str:
    """A field's name as typed on the command line."""
    return name.replace("_", "-")


def show(value: Any) -> str:
    """A value as displayed after ``--set key=``, floats to six digits."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ",".join(show(item) for item in value)
    return str(value)


def word(value: Any) -> str:
    """A value as text after ``key=`` that reads back as exactly the same value."""
    if isinstance(value, (list, tuple)):
        return ",".join(word(item) for item in value)
    text = show(value)
    return repr(value) if isinstance(value, float) and float(text) != value else text


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
    return _BASIC_KINDS.get(annotation) or Kind(annotation, str(annotation))


def whole(least: int = 1) -> Kind:
    """A whole number of at least ``least`` that fits in a signed 64-bit integer."""

    def read(raw: Any) -> int:
        if isinstance(raw, (bool, float)):
            raise ValueError
        number = int(raw)
        if not least <= number < 2**63:
            raise ValueError
        return number

    return Kind(read, f"a whole number of at least {least}, below 2^63")


def real(least: float, most: float = math.inf, *, open_ends: bool = False) -> Kind:
    """A finite number between ``least`` and ``most``, exclusive with ``open_ends``."""

    def read(raw: Any) -> float:
        if isinstance(raw, bool):
            raise ValueError
        number = float(raw)
        inside = least < number < most if open_ends else least <= number <= most
        if not inside or not math.isfinite(number):
            raise ValueError
        return number

    above = "above" if open_ends else "of at least"
    limit = "" if math.isinf(most) else f" and {'below' if open_ends else 'at most'} {most:g}"
    return Kind(read, f"a number {above} {least:g}{limit}")


def choice(*values: Any) -> Kind:
    """One of a few values."""

    def read(raw: Any) -> Any:
        for value in values:
            if str(value) == str(raw):
                return value
        raise ValueError

    return Kind(read, "one of " + ", ".join(map(str, values)))


def switch() -> Kind:
    """on or off."""
    return _BASIC_KINDS[bool]


def pair() -> Kind:
    """Adam's two betas."""

    def read(raw: Any) -> tuple[float, float]:
        items = raw.split(",") if isinstance(raw, str) else raw
        values = tuple(float(item) for item in items)
        if len(values) != 2 or not all(0 <= value < 1 for value in values):
            raise ValueError
        return values

    return Kind(read, "two numbers from 0 to below 1, with a comma between")


def _read_switch(raw: Any) -> bool:
    words = {"true": True, "on": True, "yes": True, "1": True}
    words |= {"false": False, "off": False, "no": False, "0": False}
    if str(raw).lower() not in words:
        raise ValueError
    return words[str(raw).lower()]


def _read_int(raw: Any) -> int:
    number = int(raw)
    if not isinstance(raw, str) and number != raw:
        raise ValueError  # 2.5 is not 2
    return number


_BASIC_KINDS = {
    bool: Kind(_read_switch, "on or off"),
    int: Kind(_read_int, "a whole number"),
    float: Kind(float, "a number"),
    str: Kind(str, "a text"),
}


def _optional(inner: Kind) -> Kind:
    def read(raw: Any) -> Any:
        return None if raw is None or str(raw).lower() in ("none", "") else inner.read(raw)

    return Kind(read, f"{inner.allowed} or none")


def _several(inner: Kind) -> Kind:
    def read(raw: Any) -> tuple[Any, ...]:
        items = raw.split(",") if isinstance(raw, str) else raw
        return tuple(inner.read(item) for item in items)

    return Kind(read, f"{inner.allowed}, several with commas between")
