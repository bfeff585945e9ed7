"""The names of a pickle are found by following its stack, whatever it does with its texts."""

from __future__ import annotations

import collections
import contextlib
import io
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokviz.importers.reading.pickle_names import COMPUTED, imported_names


def text(word: str) -> bytes:
    """Push a text."""
    return b"\x8c" + bytes([len(word)]) + word.encode()


STACK_GLOBAL, STOP, POP, DUP, MARK, MEMOIZE = b"\x93", b".", b"0", b"2", b"(", b"\x94"
EVASIONS = {
    "a text between them is dropped": (
        text("os") + text("system") + text("torch") + POP + STACK_GLOBAL, "os.system",
    ),
    "a decoy above the mark": (
        text("os") + text("system") + MARK + text("torch") + text("Size") + b"1" + STACK_GLOBAL,
        "os.system",
    ),
    "by way of the memo": (
        text("system") + MEMOIZE + POP + text("os") + b"h\0" + STACK_GLOBAL, "os.system",
    ),
    "a memo written twice": (
        text("Size") + b"q\5" + POP + text("system") + b"q\5" + POP + text("os") + b"h\5"
        + STACK_GLOBAL,
        "os.system",
    ),
    "one text for both": (text("os") + DUP + STACK_GLOBAL, "os.os"),
    "joined by a call": (
        text("os") + text("torch") + text("Size") + STACK_GLOBAL + b")R" + STACK_GLOBAL, COMPUTED,
    ),
    "of an instance": (MARK + b"ios\nsystem\n", "os.system"),
    "of an extension": (b"\x82\x07", "extension 7"),
    "of two lines": (b"cos\nsystem\n", "os.system"),
    "bytes for a text": (text("os") + b"C\6system" + STACK_GLOBAL, COMPUTED),
}  # fmt: skip


@pytest.mark.parametrize("name", EVASIONS)
def test_no_detour_hides_a_name(name: str) -> None:
    program, expected = EVASIONS[name]
    assert imported_names(b"\x80\x04" + program + STOP)[-1] == expected


@pytest.mark.parametrize(
    "program",
    [STACK_GLOBAL, POP, DUP, b"h\3", MEMOIZE, MARK + MEMOIZE, MARK + b"R", b"t", b"b", text("a")],
)
def test_what_cannot_be_followed_is_refused(program: bytes) -> None:
    if program == text("a"):
        program = program + b"\x8c"  # cut short
    with pytest.raises(ValueError, match=r"\w"):
        imported_names(b"\x80\x04" + program + STOP)


class Named(pickle.Unpickler):
    """Notes what Python itself imports."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.names: list[str] = []

    def find_class(self, module: str, name: str) -> Any:
        self.names.append(f"{module}.{name}")
        return super().find_class(module, name)


LEAVES = st.sampled_from([len, collections.OrderedDict, complex, io.BytesIO, 1 + 2j, "os", b"a", 7])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner)
        | st.dictionaries(st.text(max_size=3), inner).map(collections.OrderedDict)
    ),
    max_leaves=12,
)


@settings(max_examples=30)
@given(value=VALUES, protocol=st.integers(0, 5))
def test_the_names_are_those_that_python_imports(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    python = Named(data)
    python.load()
    ours = imported_names(data)
    if protocol >= 3:  # before it, Python gives some modules their older names
        assert ours == python.names
    else:
        assert len(ours) == len(python.names)


@given(data=st.binary(max_size=60))
def test_any_bytes_are_names_or_refused(data: bytes) -> None:
    try:
        names = imported_names(b"\x80\x04" + data)
    except ValueError:
        return
    python = Named(b"\x80\x04" + data)
    python.find_class = lambda module, name: python.names.append(f"{module}.{name}")  # type: ignore[method-assign]
    with contextlib.suppress(Exception):
        python.load()
    # whatever Python gets to, it has been named
    assert [n for n in python.names if n not in names and COMPUTED not in names] == []
