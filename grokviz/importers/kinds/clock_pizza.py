"""A model of "The Clock and the Pizza", which adds modulo p without an "=" (arXiv:2306.17844).

Its inputs are two numbers and nothing else, so that p is the number of tokens, not one less. One
layer of ReLU neurons has a task of its own; how far its attention is a softmax is said by the
configuration beside it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grokviz.importers import evidence
from grokviz.importers.contract import Belief, Hints, Importer, RunContents, Source
from grokviz.importers.kinds.final_model import epoch_by_name
from grokviz.importers.reading.tables import load_json
from grokviz.importers.reading.values import is_state, number_in
from grokviz.importers.weights import read_weights

_SETTINGS = {
    "lr": "learning-rate", "weight_decay": "weight-decay", "frac": "train-fraction",
    "attn_coeff": "attention-rate",
}  # fmt: skip

_MODEL = ("act_fn", "diff_vocab")
"""What says of a configuration whether the model is one that the task knows."""


def _recognises(source: Source) -> bool:
    if not is_state(source.data) or "embed.W_E" not in source.data:
        return False
    shape = tuple(getattr(source.data.get("pos_embed.W_pos"), "shape", ()))
    return shape[:1] == (2,) and len(shape) == 2


def _read(source: Source, hints: Hints) -> list[RunContents]:
    weights, sizes, layout = read_weights(source.data, source.path, hints)
    config = _config(source.path)
    told = {"config": {word: config[word] for word in _MODEL if word in config}}
    run = evidence.run_contents(source.name, told, hints, sizes, weights, layout)
    if sizes and "p" not in run.settings:
        because = "the model has two positions and so no '=': every token is a number"
        run.settings["p"] = sizes["d_vocab"]
        run.beliefs.append(Belief("p", sizes["d_vocab"], because))
    for word, key in _SETTINGS.items():
        if (value := number_in(config.get(word))) is not None:
            run.settings[key] = float(value)
    if number_in(config.get("C")) not in (None, run.settings.get("p")):
        because = f"so many tokens, though the config beside the file says {config['C']} numbers"
        run.beliefs.append(Belief("p", run.settings.get("p"), because))
    epoch = epoch_by_name(source)
    trained = number_in(config.get("epoch"))
    if hints.epoch is not None:
        epoch = Belief("epoch", hints.epoch, "given")
    elif isinstance(trained, int) and 0 <= trained < 2**53:
        epoch = Belief("epoch", trained, "the config beside the file says for how long it trained")
    run.config = {**run.config, **evidence.plain_config({"config": config})}
    run.checkpoints, run.epoch_is_stated = [(int(epoch.value), weights)], False
    run.beliefs.append(epoch)
    return [run]


def _config(path: Path) -> Mapping[str, Any]:
    """The configuration beside ``model_NAME.pt``, in ``config_NAME.json``; empty without one."""
    file = path.with_name(path.stem.replace("model_", "config_", 1) + ".json")
    content = load_json(file) if file.is_file() and file.stem != path.stem else {}
    return content if isinstance(content, Mapping) else {}


IMPORTER = Importer(
    "clock-pizza",
    "a model of The Clock and the Pizza, of two positions",
    _recognises,
    _read,
    order=5,
    patterns=("*.pt",),
)
