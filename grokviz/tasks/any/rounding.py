"""Rounding of log-softmax: what torch returns if one logit leads all others.

Near the lead at which 1 plus the other classes' share rounds to 1, the loss moves in steps of
the precision's last bit and then is 0, while the other classes keep their gradients. Source:
thread, tweet 14; arXiv:2605.06152. The exact lead depends on how an implementation sums the
classes, so everything is measured, and the dataset records the torch version and the device.

``python -m grokviz.tasks.any.rounding OUT.nc [DEVICE]`` repeats the measurement; with a folder
instead of a file it writes a reference.
"""

from __future__ import annotations

import hashlib
import math
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from grokviz.dataset import schema
from grokviz.errors import GrokvizError, InputError, MissingExtra, WorkError

if TYPE_CHECKING:
    import torch
    import xarray as xr

SIGNIFICANDS = {"float32": 24, "float64": 53, "bfloat16": 8}
"""Bits of each precision's significand, including the leading one."""

X = np.arange(15, 17.5, 1 / 400)
"""Values of the larger of two logits, through ln 2^24 = 16.6355, where float32 reaches 0."""

CLASSES = np.array([2, 3, 10, 16, 32, 48, 64, 96, 113, 114, 128, 256, 512])
GAPS = np.arange(0, 30 + 1 / 16, 1 / 8)
GAP_CLASSES = 113
COMMAND = "python -m grokviz.tasks.any.rounding"
FARTHEST = 80.0
"""A lead at which the loss is 0 in every precision here."""


def rounding(device: str = "cpu") -> xr.Dataset:
    """Measure torch's rounding on a device, as a labelled dataset.

    Variables and their definitions are the rows of part ``rounding`` in
    :mod:`grokviz.dataset.families.family_variables`.

    Raises :class:`InputError` for a device that torch cannot use.
    """
    import xarray as xr

    torch = _torch()
    where = _device(device)
    names = list(SIGNIFICANDS)
    values: dict[str, Any] = {
        "log_softmax_value": _table(names, lambda name: two_logits(X, name, where)),
        "rounding_threshold": np.array(
            [[threshold(int(n), name, where) for name in names] for n in CLASSES]
        ),
        "rounding_threshold_theory": np.array(
            [[expected_threshold(int(n), name) for name in names] for n in CLASSES]
        ),
    }
    leads = [at_gaps(GAPS, GAP_CLASSES, name, where) for name in names]
    for name in leads[0]:
        values[name] = np.stack([lead[name] for lead in leads], axis=1)
    coords = {"x": X, "precision": names, "classes": CLASSES, "gap": GAPS}
    rows = schema.rows_of(values)
    data = xr.Dataset(
        {n: (rows[n].dims, rows[n].stored(value), rows[n].attrs) for n, value in values.items()},
        coords={name: (name, np.asarray(value)) for name, value in coords.items()},
        attrs=_attrs(torch, where, values) | {"command": f"{COMMAND} OUT.nc {device}"},
    )
    dimensions = schema.dimensions()
    for name in coords:
        data[name].attrs["long_name"] = dimensions[name]
    return data


def two_logits(
    x: Float[np.ndarray, " x"], precision: str, device: Any = "cpu"
) -> Float[np.ndarray, " x"]:
    """``log_softmax([0, x])[1]`` for each x, in nats, both logits in that precision."""
    torch = _torch()
    logits = torch.zeros((len(x), 2), dtype=getattr(torch, precision), device=device)
    logits[:, 1] = torch.as_tensor(x).to(logits)
    log_probabilities: np.ndarray = torch.log_softmax(logits, -1)[:, 1].double().cpu().numpy()
    return log_probabilities


def threshold(classes: int, precision: str, device: Any = "cpu") -> float:
    """The smallest lead whose log-softmax is exactly 0, by bisection to neighbouring numbers.

    Raises :class:`WorkError` where it is not 0 at :data:`FARTHEST` either.
    """
    torch = _torch()
    dtype = getattr(torch, precision)

    def gone(lead: float) -> bool:
        logits = torch.zeros((1, classes), dtype=dtype, device=device)
        logits[0, -1] = lead
        return bool(torch.log_softmax(logits, -1)[0, -1] == 0)

    low, high = 0.0, FARTHEST
    if not gone(high):
        raise WorkError(
            f"torch's log-softmax in {precision} over {classes} classes is not 0 at a lead of "
            f"{FARTHEST:g} here; measure on another device, or with another torch"
        )
    while True:
        # rounded to the precision, so that the two ends become adjacent numbers
        middle = float(torch.tensor((low + high) / 2, dtype=torch.float64).to(dtype))
        if middle in (low, high):
            return high
        low, high = (low, middle) if gone(middle) else (middle, high)


def expected_threshold(classes: int, precision: str) -> float:
    """The lead at which 1 plus the exact sum of the others rounds to 1."""
    return math.log(classes - 1) + SIGNIFICANDS[precision] * math.log(2)


def at_gaps(
    gaps: Float[np.ndarray, " gap"], classes: int, precision: str, device: Any = "cpu"
) -> dict[str, Float[np.ndarray, " gap"]]:
    """Loss and gradient of one example whose correct class leads all others by each gap."""
    torch = _torch()
    logits = torch.zeros((len(gaps), classes), dtype=getattr(torch, precision), device=device)
    logits[:, -1] = torch.as_tensor(gaps).to(logits)
    logits.requires_grad_()
    loss = -torch.log_softmax(logits, -1)[:, -1]
    # one example at a time, since a mean over examples would divide the gradients
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    exact = gradient.double().cpu()
    return {
        "gap_loss": loss.detach().double().cpu().numpy() + 0.0,  # avoids -0
        "gap_right_gradient": exact[:, -1].numpy(),
        "gap_wrong_gradient": exact[:, 0].numpy(),
        "gap_gradient_sum": exact.sum(-1).numpy(),
    }


def _table(names: list[str], of: Any) -> np.ndarray:
    return np.stack([of(name) for name in names], axis=1)


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingExtra("measuring torch's rounding", "train") from error
    return torch


def _device(name: str) -> torch.device:
    torch = _torch()
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"torch cannot use the device {name} here; give cpu") from error
    return device  # type: ignore[no-any-return]


def _attrs(torch: Any, device: Any, values: dict[str, Any]) -> dict[str, Any]:
    from grokviz import __version__

    digest = hashlib.sha256()
    for name in sorted(values):
        digest.update(name.encode() + np.ascontiguousarray(values[name]).tobytes())
    if device.type == "cuda":
        hardware = torch.cuda.get_device_name(device)
    else:
        hardware = f"{platform.machine()} ({torch.backends.cpu.get_cpu_capability()})"
    return {
        "title": "Rounding of log-softmax as torch computes it",
        "run_name": f"torch {torch.__version__} on {device.type}",
        "run_checksum": digest.hexdigest(),
        "recipe": "",
        "task": "",
        "counts": "x",
        "settings": "{}",
        "torch_version": str(torch.__version__),
        "device": device.type,
        "hardware": hardware,
        "grokviz_version": __version__,
    }


def main(arguments: list[str]) -> int:
    """Measure on the given device, and write the dataset to the given file or folder."""
    from grokviz.dataset.cache import write
    from grokviz.dataset.references.bundling import seal

    if not 1 <= len(arguments) <= 2:
        print(f"usage: {COMMAND} OUT.nc|FOLDER [DEVICE]", file=sys.stderr)
        return 2
    out = Path(arguments[0])
    try:
        write(rounding(*arguments[1:]), out if out.suffix == ".nc" else out / "rounding.nc")
        if out.suffix != ".nc":
            seal(out)
    except GrokvizError as error:
        print(f"grokviz: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
