"""A state dict alone: TransformerLens', safetensors, or under the published names."""

from __future__ import annotations

from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.kinds.final_model import epoch_by_name
from grokviz.importers.reading.values import is_state
from grokviz.importers.weights import read_weights


def _recognises(source: Source) -> bool:
    return is_state(source.data)


def _read(source: Source, hints: Hints) -> list[RunContents]:
    state, sizes, beliefs = read_weights(source.data, source.path, hints)
    run = evidence.run_contents(source.name, {}, hints, sizes, state, beliefs)
    epoch = epoch_by_name(source) if hints.epoch is None else Belief("epoch", hints.epoch, "given")
    run.checkpoints = [(int(epoch.value), state)]
    run.epoch_is_stated = source.header_epoch is not None
    run.beliefs.append(epoch)
    return [run]


IMPORTER = Importer(
    "state-dict",
    "a state dict (.pth or .safetensors) under the published or TransformerLens' names",
    _recognises,
    _read,
    order=6,
    patterns=("*.safetensors", "*.npz", "*.pth", "*.pt", "*.bin"),
)
