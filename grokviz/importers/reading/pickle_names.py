"""The names that a pickle imports, from its bytes, by following its stack without building a thing.

Texts are followed exactly, through the stack and the memo; everything else is one opaque value. So
a name that is put together while loading (by a call, from a tuple) cannot be followed, and is
returned as :data:`COMPUTED`, which no list of names allows.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, NamedTuple

COMPUTED = "a name that it computes"
EXTENSION = "extension "
"""How a name begins that stands in a registry of the process that loads it."""

DEEPEST = 1000
"""Tuples within each other; Python's hash of a tuple crashes at a hundred times as many."""

_MARK = object()
_OPAQUE = 0
"""A value that is followed no further; a tuple is the number of tuples within each other."""

_TEXTS = frozenset({
    "STRING", "BINSTRING", "SHORT_BINSTRING",
    "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
})  # fmt: skip


class _Effect(NamedTuple):
    """What an opcode does to the stack: values popped below and above a mark, values pushed."""

    pops: int
    to_mark: bool
    pushes: tuple[object, ...]


def _effect(code: pickletools.OpcodeInfo) -> _Effect:
    before = code.stack_before
    to_mark = pickletools.markobject in before
    pops = before.index(pickletools.markobject) if to_mark else len(before)
    pushes = (_MARK if kind is pickletools.markobject else _OPAQUE for kind in code.stack_after)
    return _Effect(pops, to_mark, tuple(pushes))


_EFFECTS = {code.name: _effect(code) for code in pickletools.opcodes}


def imported_names(content: bytes | BinaryIO) -> list[str]:
    """Every ``module.name`` that a pickle imports, in order.

    Raises ``ValueError`` for bytes that are not a pickle.
    """
    machine = _Machine()
    for code, argument, at in pickletools.genops(content):
        machine.at = at or 0
        special = _SPECIAL.get(code.name)
        if special is not None:
            special(machine, argument)
        elif code.name in _TEXTS:
            machine.stack.append(argument)
        else:
            machine.apply(_EFFECTS[code.name])
    return machine.names


class _Machine:
    """The stack and the memo of a pickle, with texts and opaque values."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}
        self.names: list[str] = []
        self.at = 0

    def apply(self, effect: _Effect) -> None:
        """Pop and push as an ordinary opcode does."""
        if effect.to_mark:
            while self.top() is not _MARK:
                self.stack.pop()
            self.stack.pop()
        for _ in range(effect.pops):
            self.pop()
        self.stack.extend(effect.pushes)

    def top(self) -> object:
        """The value on top; ``ValueError`` for an empty stack."""
        if not self.stack:
            raise ValueError("it takes more from its stack than is there")
        return self.stack[-1]

    def pop(self) -> object:
        """Take the value on top, which must not be a mark."""
        if self.top() is _MARK:
            raise ValueError("it takes a mark for a value")
        return self.stack.pop()

    def name(self, text: str) -> None:
        """Note an imported name; the object of that name is opaque."""
        self.names.append(text)
        self.stack.append(_OPAQUE)

    def stack_global(self, _: Any) -> None:
        name, module = self.pop(), self.pop()
        texts = isinstance(name, str) and isinstance(module, str)
        self.name(f"{module}.{name}" if texts else COMPUTED)

    def global_(self, argument: str) -> None:
        self.name(argument.replace(" ", ".", 1))

    def inst(self, argument: str) -> None:
        self.apply(_EFFECTS["INST"])
        self.stack.pop()
        self.global_(argument)

    def extension(self, argument: int) -> None:
        self.name(f"{EXTENSION}{argument}")

    def get(self, argument: Any) -> None:
        if int(argument) not in self.memo:
            raise ValueError(f"it asks for {argument}, which it has not stored")
        self.stack.append(self.memo[int(argument)])

    def put(self, argument: Any) -> None:
        if self.top() is _MARK:
            raise ValueError("it stores a mark")
        index = len(self.memo) if argument is None else int(argument)
        if index > max(self.at, 255):  # Python sets memory aside for as many
            raise ValueError(f"it stores a value at {index}, far from the others")
        self.memo[index] = self.top()

    def tuple_(self, count: int | None) -> None:
        """A tuple of so many values, or of those above a mark."""
        parts: list[object] = []
        while (self.top() is not _MARK) if count is None else len(parts) < count:
            parts.append(self.pop())
        if count is None:
            self.stack.pop()
        deep = 1 + max((part for part in parts if isinstance(part, int)), default=0)
        if deep > DEEPEST:
            raise ValueError("its tuples are nested too deeply")
        self.stack.append(deep)

    def drop(self, _: Any) -> None:
        self.top()
        self.stack.pop()  # a mark, too

    def duplicate(self, _: Any) -> None:
        self.stack.append(self.top())


def _tuple(machine: _Machine, _: Any, count: int | None) -> None:
    machine.tuple_(count)


_SPECIAL: dict[str, Callable[[_Machine, Any], None]] = {
    "GLOBAL": _Machine.global_,
    "INST": _Machine.inst,
    "STACK_GLOBAL": _Machine.stack_global,
    **dict.fromkeys(["EXT1", "EXT2", "EXT4"], _Machine.extension),
    **dict.fromkeys(["GET", "BINGET", "LONG_BINGET"], _Machine.get),
    **dict.fromkeys(["PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"], _Machine.put),
    "TUPLE": partial(_tuple, count=None),
    **{f"TUPLE{n}": partial(_tuple, count=n) for n in (1, 2, 3)},
    "POP": _Machine.drop,
    "DUP": _Machine.duplicate,
}
