"""A checkpoint of nanoGPT and of loops like it: ``model``, ``iter_num``, ``config``."""

from __future__ import annotations

from collections.abc import Mapping

from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.reading.values import is_state, number_in
from grokviz.importers.weights import run_at_step


def _recognises(source: Source) -> bool:
    data = source.data
    if not isinstance(data, Mapping) or not is_state(data.get("model")):
        return False
    return isinstance(number_in(data.get("iter_num")), int)


def _read(source: Source, hints: Hints) -> list[RunContents]:
    data = source.data
    settings = {**data, "model_config": data.get("model_args")}
    stated = Belief("epoch", data["iter_num"], "the file's iter_num")
    return [run_at_step(source, hints, data["model"], settings, stated)]


IMPORTER = Importer(
    "nanogpt",
    "a ckpt.pt of nanoGPT",
    _recognises,
    _read,
    order=2,
)
