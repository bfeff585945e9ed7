"""A state dict and nothing else: TransformerLens, safetensors, or the published names."""

from __future__ import annotations

from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Found, Hints, Importer, Source
from grokviz.importers.kinds.final_model import named_epoch
from grokviz.importers.layouts import published
from grokviz.importers.reading.values import is_state, state_arrays


def _recognises(source: Source) -> bool:
    return is_state(source.data)


def _read(source: Source, hints: Hints) -> list[Found]:
    state, sizes, beliefs = published(state_arrays(source.data, source.path), source.path)
    run = evidence.described(source.path.name, {}, hints, sizes, state, beliefs)
    epoch = named_epoch(source) if hints.epoch is None else Belief("epoch", hints.epoch, "given")
    run.checkpoints = [(int(epoch.value), state)]
    run.beliefs.append(epoch)
    return [run]


IMPORTER = Importer(
    "state-dict",
    "a state dict (.pth or .safetensors) under the published or TransformerLens' names",
    _recognises,
    _read,
    order=6,
)
