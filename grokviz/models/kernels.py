"""The kernels of a run on a CPU: which library multiplies matrices, and whether loops are compiled.

Kernels differ in the last bits and in speed, and which is faster depends on processor and shape. So
a new run measures, its ``run.json`` records the choice, and a resumed run keeps it. Two environment
variables set the choice of new runs instead: ``GROKVIZ_PRODUCTS`` (``oneDNN`` or ``BLAS``; by
default ``measured``) and ``GROKVIZ_COMPILED`` (``on`` or ``off``; by default whether numba is
installed).
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor

from grokviz.errors import InputError, MissingExtra

ONEDNN, BLAS, MEASURED = "oneDNN", "BLAS", "measured"
PRODUCTS, COMPILED = "GROKVIZ_PRODUCTS", "GROKVIZ_COMPILED"

ROUNDS, ENOUGH = 5, 0.1
"""A product is computed so many times by each kernel, or for so many seconds."""

ADVANTAGE = 0.95
"""The share of oneDNN's time below which BLAS is chosen, so that noise alone chooses nothing."""


class Kernels:
    """The kernels of one run.

    Args:
        products: the library of all products; or of each shape, where the others are measured when
            they are first computed.
        compile_loops: whether loops are compiled by numba, where a task has such.

    Attributes:
        compiled: whether a task asked for compiled loops and got them.
        recorded: whether :meth:`facts` has nothing new since it was last called.

    """

    def __init__(self, products: str | Mapping[str, str], *, compile_loops: bool) -> None:
        self.fixed = products if isinstance(products, str) else None
        self.by_shape = {} if isinstance(products, str) else dict(products)
        self._compile_loops, self.compiled = compile_loops, False
        self.recorded = True

    @classmethod
    def of_environment(cls) -> Kernels:
        """The kernels of a new run. Raises InputError for an unknown value of a variable."""
        products = _variable(PRODUCTS, (MEASURED, ONEDNN, BLAS), MEASURED)
        installed = importlib.util.find_spec("numba") is not None
        compile_loops = _variable(COMPILED, ("on", "off"), "on" if installed else "off") == "on"
        if compile_loops and not installed:
            raise MissingExtra(f"{COMPILED}=on", "fast")
        return cls({} if products == MEASURED else products, compile_loops=compile_loops)

    @classmethod
    def of_run(cls, facts: Mapping[str, Any]) -> Kernels:
        """The kernels that a run was begun with; runs of 0.1.0 have one library for all products.

        Raises MissingExtra if its loops were compiled and numba is not installed.
        """
        compiled = bool(facts.get("compiled", False))
        if compiled and importlib.util.find_spec("numba") is None:
            raise MissingExtra("going on with a run whose loops were compiled", "fast")
        products = facts.get("products")
        known = isinstance(products, (str, Mapping))
        return cls(products if known else ONEDNN, compile_loops=compiled)  # type: ignore[arg-type]

    def compile_loops(self) -> bool:
        """Whether a task that has compiled loops shall use them."""
        self.compiled = self._compile_loops
        return self.compiled

    def facts(self) -> dict[str, Any]:
        """What a run records of its kernels."""
        self.recorded = True
        return {"products": self.fixed or dict(self.by_shape), "compiled": self.compiled}

    def compute(self, shape: str, by_library: Mapping[str, Callable[[], Tensor]]) -> Tensor:
        """One product by this run's library for its shape; ``by_library`` computes it by each."""
        library = self.fixed or self.by_shape.get(shape)
        if library is None:
            library = self.by_shape[shape] = faster(by_library)
            self.recorded = False
        return by_library.get(library, by_library[BLAS])()


def faster(by_library: Mapping[str, Callable[[], Tensor]]) -> str:
    """The library that takes less time of the calling thread; oneDNN if they are about equal."""
    if len(by_library) == 1:
        return next(iter(by_library))
    least = {library: _seconds(compute) for library, compute in by_library.items()}  # warms up
    start = time.thread_time()
    for _ in range(ROUNDS):
        for library, compute in by_library.items():
            least[library] = min(least[library], _seconds(compute))
        if time.thread_time() - start > ENOUGH:
            break
    return BLAS if least[BLAS] < ADVANTAGE * least[ONEDNN] else ONEDNN


def _seconds(compute: Callable[[], Tensor]) -> float:
    # a thread's own time, since other programs may run meanwhile
    start = time.thread_time()
    compute()
    return time.thread_time() - start


_current: ContextVar[Kernels | None] = ContextVar("kernels", default=None)


def current() -> Kernels:
    """The kernels in use; outside a run those of the environment."""
    kernels = _current.get()
    if kernels is None:
        kernels = Kernels.of_environment()
        _current.set(kernels)
    return kernels


@contextmanager
def using(kernels: Kernels) -> Iterator[Kernels]:
    """Use these kernels within the block."""
    token = _current.set(kernels)
    try:
        yield kernels
    finally:
        _current.reset(token)


def _variable(name: str, values: tuple[str, ...], default: str) -> str:
    value = os.environ.get(name, default)
    if value not in values:
        raise InputError(f"{name}={value} is not possible; give {', '.join(values)}")
    return value
