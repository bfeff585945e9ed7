"""A checkpoint of PyTorch Lightning: ``state_dict``, ``epoch``, ``global_step``."""

from __future__ import annotations

from collections.abc import Mapping

from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.reading.values import is_state, number_in
from grokviz.importers.weights import read_weights
from grokviz.runs.layout import epoch_number


def _recognises(source: Source) -> bool:
    data = source.data
    if not isinstance(data, Mapping) or not is_state(data.get("state_dict")):
        return False
    return isinstance(number_in(data.get("global_step")), int)


def _read(source: Source, hints: Hints) -> list[RunContents]:
    data = source.data
    weights, sizes, layout = read_weights(data["state_dict"], source.path, hints)
    settings = {"config": data.get("hyper_parameters")}
    run = evidence.run_contents(source.name, settings, hints, sizes, weights, layout)
    step, epoch = epoch_number(number_in(data["global_step"])), number_in(data.get("epoch"))
    because = "the file's global_step" if epoch is None else f"the global_step, in epoch {epoch}"
    if hints.epoch is not None:
        step, because = hints.epoch, "given"
    run.checkpoints, run.counts = [(step, weights)], "step"
    run.beliefs.append(Belief("epoch", step, because))
    return [run]


IMPORTER = Importer(
    "lightning",
    "a .ckpt of PyTorch Lightning",
    _recognises,
    _read,
    order=2,
    patterns=("*.ckpt",),
)
