"""A checkpoint of nanoGPT and of loops like it: ``model``, ``iter_num``, ``config``."""

from __future__ import annotations

from collections.abc import Mapping

from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.reading.values import is_state, number_in
from grokviz.importers.weights import read_weights
from grokviz.runs.layout import epoch_number


def _recognises(source: Source) -> bool:
    data = source.data
    if not isinstance(data, Mapping) or not is_state(data.get("model")):
        return False
    return isinstance(number_in(data.get("iter_num")), int)


def _read(source: Source, hints: Hints) -> list[RunContents]:
    data = source.data
    weights, sizes, layout = read_weights(data["model"], source.path, hints)
    settings = {**data, "model_config": data.get("model_args")}
    run = evidence.run_contents(source.name, settings, hints, sizes, weights, layout)
    step, because = epoch_number(number_in(data["iter_num"])), "the file's iter_num"
    if hints.epoch is not None:
        step, because = hints.epoch, "given"
    run.checkpoints, run.counts = [(step, weights)], "step"
    run.beliefs.append(Belief("epoch", step, because))
    return [run]


IMPORTER = Importer(
    "nanogpt",
    "a ckpt.pt of nanoGPT",
    _recognises,
    _read,
    order=2,
)
