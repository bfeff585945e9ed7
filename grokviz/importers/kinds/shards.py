"""A model in shards, by the index that names them, as ``save_pretrained`` leaves it."""

from __future__ import annotations

from grokviz.importers import evidence
from grokviz.importers.choice import not_loaded
from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.kinds.final_model import epoch_by_name
from grokviz.importers.reading.shards import INDEXES, of_index
from grokviz.importers.reading.tables import load_json
from grokviz.importers.weights import read_weights


def _recognises(source: Source) -> bool:
    return source.path.name in INDEXES


def _read(source: Source, hints: Hints) -> list[RunContents]:
    path = source.path
    tensors, config = of_index(path), path.with_name("config.json")
    state, sizes, beliefs = read_weights(tensors.state, path, hints)
    data = {"config": load_json(config)} if config.is_file() else {}
    run = evidence.run_contents(source.name, data, hints, sizes, state, beliefs)
    epoch = epoch_by_name(source) if hints.epoch is None else Belief("epoch", hints.epoch, "given")
    run.checkpoints, run.epoch_is_stated = [(int(epoch.value), state)], False
    run.beliefs += [epoch, *not_loaded(tensors.stubs)]
    return [run]


IMPORTER = Importer(
    "shards",
    "a model in shards, by its model.safetensors.index.json",
    _recognises,
    _read,
    order=0,
    unopened=True,
    patterns=INDEXES,
)
