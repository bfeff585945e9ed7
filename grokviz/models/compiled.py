"""Loops compiled by numba, the [fast] extra; their machine code is cached beside their source.

numba keeps the cache in the user's cache folder where the source's folder cannot be written.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import torch


@lru_cache
def compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """A function on arrays, compiled when it is first called with their types.

    Sums within it may be added up in another order, which lets the processor add up several at
    once; one compiler and one processor always choose the same. It leaves Python's lock to others.
    """
    import numba

    function, reorder = inspect.unwrap(loop), {"reassoc", "contract", "nsz"}
    try:
        machine = numba.njit(nogil=True, fastmath=reorder, cache=True)(function)
    except RuntimeError:  # no folder for a cache can be written
        machine = numba.njit(nogil=True, fastmath=reorder)(function)
    return machine  # type: ignore[no-any-return]


def in_parts(indices: range, loop: Callable[..., None], *arrays: Any) -> None:
    """Call ``loop((first, end), *arrays)`` for parts of ``indices``, in torch's many threads.

    The result must not depend on the parts: each index writes what no other does.
    """
    start, count = indices.start, len(indices)
    threads = min(torch.get_num_threads(), count)
    if threads <= 1:
        loop((start, start + count), *arrays)
        return
    bounds = [start + count * i // threads for i in range(threads + 1)]
    parts = [_pool(threads).submit(loop, part, *arrays) for part in itertools.pairwise(bounds)]
    for part in parts:
        part.result()


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="loop")
