"""Evidence in foreign files about clocks and pizzas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokviz.errors import InputError
from grokviz.task import Evidence
from grokviz.tasks.clock_or_pizza.weights import SideBySideWeights, weights_of


def fits(sizes: Mapping[str, int]) -> bool:
    """Whether the sizes are one layer with an MLP, two positions and an answer for each token."""
    one_layer = sizes.get("layers") == 1 and sizes.get("n_ctx") == 2 and "d_mlp" in sizes
    return one_layer and sizes.get("d_vocab_out") == sizes.get("d_vocab")


def refuses(data: Mapping[str, Any]) -> str:
    """The reason to reject a file: its config names other neurons, or two tables of numbers."""
    config = data.get("config")
    if not isinstance(config, Mapping):
        return ""
    activation = str(config.get("act_fn") or "relu")
    if activation.lower() != "relu":
        return f"the stored config says {activation[:40]}"
    if config.get("diff_vocab"):
        return "the stored config says that a and b have tokens of their own"
    return ""


def own_model(state: Mapping[str, Any]) -> bool:
    """Whether the tensors are those of the network that reads a and b side by side."""
    try:
        return isinstance(weights_of(state), SideBySideWeights)
    except InputError:
        return False


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The modulus and the kind of network."""
    if own_model(state):
        return {"p": weights_of(state).p, "network": "side-by-side"}
    return {"p": sizes["d_vocab"], "network": "attention"} if fits(sizes) else {}


EVIDENCE = Evidence(
    fits=fits,
    could_be=fits,
    own_model=own_model,
    refuses=refuses,
    settings=settings,
    needed=("train-fraction", "split-seed"),
)
