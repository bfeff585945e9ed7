"""Matrix products by the faster of two exact kernels.

torch ships oneDNN beside its BLAS. On an AMD EPYC with AVX-512 oneDNN reaches 200 Gflop/s per core
and BLAS 90; on an Intel Xeon BLAS reaches 160 to 190 and oneDNN, with tall matrices, 63 to 133.
Both round as any float32 product does; :mod:`grokviz.models.kernels` chooses.
"""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from grokviz.models import kernels


@lru_cache(maxsize=1)
def onednn_works() -> bool:
    """Whether oneDNN's linear operator is available and computes correctly on this machine."""
    try:
        x, w = torch.arange(6.0).view(2, 3), torch.arange(12.0).view(4, 3)
        return bool(torch.allclose(_onednn(x, w, None, relu=False), x @ w.T))
    except (AttributeError, RuntimeError, NotImplementedError):
        return False


def product(
    x: Float[Tensor, "n k"],
    w: Float[Tensor, "m k"],
    bias: Float[Tensor, " m"] | None = None,
    *,
    relu: bool = False,
) -> Float[Tensor, "n m"]:
    """``x @ w.T + bias``, optionally followed by a ReLU."""
    if x.device.type != "cpu" or x.dtype != torch.float32 or not onednn_works():
        return _blas(x, w, bias, relu=relu)
    shape = "x".join(map(str, (*x.shape, len(w)))) + _layout(x) + _layout(w)
    return kernels.current().compute(
        shape + ("+relu" if relu else ""),
        {
            kernels.ONEDNN: lambda: _onednn(x, w, bias, relu=relu),
            kernels.BLAS: lambda: _blas(x, w, bias, relu=relu),
        },
    )


def _layout(x: Tensor) -> str:
    """Whether a matrix lies in memory by rows (n) or by columns (t), as BLAS calls it."""
    return "n" if x.stride(1) == 1 else "t"


def _blas(x: Tensor, w: Tensor, bias: Tensor | None, *, relu: bool) -> Tensor:
    out = x @ w.T if bias is None else torch.addmm(bias, x, w.T)
    return out.relu_() if relu else out


def _onednn(x: Tensor, w: Tensor, bias: Tensor | None, *, relu: bool) -> Tensor:
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, w, bias, "relu" if relu else "none", [], "")
    return out


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Let glibc keep large freed blocks, because their page faults cost as much as the arithmetic.

    Returns whether the C library accepted the setting; on other systems nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    mmap_threshold, trim_threshold, gigabyte = -3, -1, 1 << 30
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all(mallopt(option, gigabyte) == 1 for option in (mmap_threshold, trim_threshold))
