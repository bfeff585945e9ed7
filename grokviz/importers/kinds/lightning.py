"""A checkpoint of PyTorch Lightning: ``state_dict``, ``epoch``, ``global_step``."""

from __future__ import annotations

from collections.abc import Mapping

from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.reading.values import is_state, number_in
from grokviz.importers.weights import run_at_step


def _recognises(source: Source) -> bool:
    data = source.data
    if not isinstance(data, Mapping) or not is_state(data.get("state_dict")):
        return False
    return isinstance(number_in(data.get("global_step")), int)


def _read(source: Source, hints: Hints) -> list[RunContents]:
    data = source.data
    settings, epoch = {"config": data.get("hyper_parameters")}, number_in(data.get("epoch"))
    because = "the file's global_step" if epoch is None else f"the global_step, in epoch {epoch}"
    stated = Belief("epoch", data["global_step"], because)
    return [run_at_step(source, hints, data["state_dict"], settings, stated)]


IMPORTER = Importer(
    "lightning",
    "a .ckpt of PyTorch Lightning",
    _recognises,
    _read,
    order=2,
    patterns=("*.ckpt",),
)
