"""What a pickle gets for the classes and functions that it asks for: stand-ins, and nothing else.

What is built anew is on a list: mappings, tensors, numpy's arrays, paths as text. Anything else
becomes a :class:`Stub`, which keeps the name that was asked for and the fields. No stand-in can be
changed by a pickle, so that one file cannot alter how the next is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

LONGEST_NAME = 200
MOST_MODULES, DEEPEST = 100_000, 100


class Call:
    """A stand-in for a function or an allowed class: what a pickle may call, and not change."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise ValueError("it changes what it has imported")


class Stub(Mapping[str, Any]):
    """An object of a class that is never imported, with its plain fields as a mapping.

    ``name`` is that of the class, ``arguments`` are those that its constructor was to be given,
    and ``entries`` what such an object holds if it is a kind of list.
    """

    name = ""
    arguments: tuple[Any, ...]
    fields: dict[str, Any]
    entries: list[Any]

    def __new__(cls, *arguments: Any) -> Stub:
        """A stub with the arguments, which are not looked at."""
        stub = super().__new__(cls)
        stub.arguments, stub.fields, stub.entries = arguments, {}, []
        return stub

    def __setstate__(self, state: Any) -> None:
        # objects with __slots__ have a pair of mappings
        for part in state if isinstance(state, tuple) else (state,):
            for name, value in part.items() if isinstance(part, Mapping) else ():
                self[name] = value

    def __setitem__(self, name: Any, value: Any) -> None:
        self.fields[str(name)] = value

    def append(self, item: Any) -> None:
        """Keep an entry of a kind of list."""
        self.entries.append(item)

    add = append

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"<{self.name}>"


class _OrderedDict(dict[Any, Any]):
    """An OrderedDict, whose attributes such as a state dict's ``_metadata`` are left out."""

    def __setstate__(self, state: Any) -> None: ...


def stub_class(name: str) -> type[Stub]:
    """The class of the stubs of this name."""

    class Named(Stub):
        """A stub of this name."""

    Named.name = name[:LONGEST_NAME]
    return Named


def _joined(*parts: Any) -> str:
    """The text of a path."""
    texts = [str(part) for part in parts]
    return "/" + "/".join(texts[1:]) if texts[:1] == ["/"] else "/".join(texts)


def _new(cls: Any, *_: Any) -> Any:
    """An object without its constructor, as ``copyreg`` makes it."""
    if isinstance(cls, type) and issubclass(cls, Stub):
        return cls()
    return _OrderedDict() if cls is _OrderedDict else None


def _member(cls: Any, name: Any = "", *_: Any) -> Any:
    """``getattr``, with which Python 3.11 pickles the members of an enumeration."""
    if isinstance(cls, type) and issubclass(cls, Stub):
        stub = cls()
        stub["name"] = str(name)
        return stub
    return None


PLAIN: dict[str, Any] = {
    "collections.OrderedDict": _OrderedDict,
    "builtins.set": Call(lambda values=(): list(values)),
    "builtins.frozenset": Call(lambda values=(): list(values)),
    "builtins.getattr": Call(_member),
    "copyreg._reconstructor": Call(_new),
    "copyreg.__newobj__": Call(_new),
    **{
        f"{module}.{kind}": Call(_joined)
        for module in ("pathlib", "pathlib._local")
        for kind in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
    },
}
"""Stand-ins for what is plain data of Python."""


def plain(value: Any) -> Any:
    """The text or number that a stub such as an enumeration's member stands for, or the value."""
    if not isinstance(value, Stub):
        return value
    if not value.fields and len(value.arguments) == 1:
        return value.arguments[0]
    return value.fields.get("name") if value.fields.keys() == {"name"} else value


def state_of_module(value: Any) -> Any:
    """The state dict of a module that was saved whole, or the value itself.

    Raises ``ValueError`` for modules that hold each other.
    """
    if not _is_module(value):
        return value
    state: dict[str, Any] = {}
    parts, count = [("", value)], 0
    while parts:
        prefix, module = parts.pop()
        count += 1
        if count > MOST_MODULES or prefix.count(".") > DEEPEST:
            raise ValueError("its modules hold each other")
        for kind in ("_parameters", "_buffers"):
            tensors = _mapping(module.get(kind)).items()
            state.update({f"{prefix}{name}": t for name, t in tensors if t is not None})
        inner = [(f"{prefix}{name}.", part) for name, part in _mapping(module["_modules"]).items()]
        parts += [(name, part) for name, part in reversed(inner) if _is_module(part)]
    return state


def _is_module(value: Any) -> bool:
    return isinstance(value, Stub) and {"_parameters", "_modules"} <= value.keys()


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
