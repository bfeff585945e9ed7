"""Evidence in foreign files about runs of modular addition, its split included."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from grokviz.models.transformer_lens import reason_in_config
from grokviz.task import Evidence, Finding
from grokviz.tasks.modular_addition import split
from grokviz.tasks.modular_addition.data import PAIRS, ModularAddition, order_of_pairs


def fits(sizes: Mapping[str, int]) -> bool:
    """Whether the sizes are one layer with an MLP, three positions and a token as answer."""
    vocabulary = sizes.get("d_vocab", 0)
    one_layer = sizes.get("layers") == 1 and sizes.get("n_ctx") == 3 and "d_mlp" in sizes
    return one_layer and sizes.get("d_vocab_out") in (vocabulary, vocabulary - 1)


def refuses(data: Mapping[str, Any]) -> str:
    """The reason to reject a file: its config names another function of a and b, or a model that
    computes something else with such weights.
    """
    config = data.get("config")
    function = config.get("fn_name") if isinstance(config, Mapping) else None
    other = "" if function in (None, "add") else str(function)[:40]
    other = other or reason_in_config(config)
    return other and f"the stored config says {other}"


def settings(sizes: Mapping[str, int], state: Mapping[str, Any]) -> dict[str, Any]:
    """The modulus, and that the MLP has biases if any is not zero."""
    values: dict[str, Any] = {"p": sizes["d_vocab"] - 1} if "d_vocab" in sizes else {}
    biases = [array for name, array in state.items() if ".mlp.b_" in name]
    if biases and any(map(np.any, biases)):
        values["mlp-biases"] = True
    return values


def complete(
    values: Mapping[str, Any], epoch: int, state: Mapping[str, Any], logged: Mapping[str, float]
) -> list[Finding]:
    """Check the split against the last losses, or infer it from them."""
    if "train_loss" not in logged or not values.get("p", 0) % 2:
        return []
    last_losses = split.LoggedLosses(logged["train_loss"], logged.get("test_loss"))
    losses = split.pair_losses(state)
    seed, fraction = values.get("split-seed"), values.get("train-fraction")
    order = values.get("split-order", "python")
    evidence_text = f"the losses it gives the weights, as the file logs at epoch {epoch}"
    if seed is not None and fraction is not None:
        task = ModularAddition(values["p"], fraction, seed, order)
        is_confirmed = split.is_confirmed(losses, task, last_losses)
        verdict = "confirmed by" if is_confirmed else "NOT confirmed by"
        text = "the stored pairs" if order.startswith(PAIRS) else f"{fraction:g} of seed {seed}"
        return [Finding("", text, f"{verdict} {evidence_text}", "split")]
    splits = itertools.product(
        split.SEEDS if seed is None else [seed],
        split.FRACTIONS if fraction is None else [fraction],
    )
    best = split.best_split(losses, last_losses, splits, order)
    if best is None:
        return []
    because = f"of the splits tried it alone gives the weights the losses logged at {epoch}"
    split_settings = {"split-seed": best[0], "train-fraction": best[1]}
    return [Finding(key, value, because, key) for key, value in split_settings.items()]


def split_of(values: Mapping[str, Any], train: Any, test: Any) -> list[Finding]:
    """The settings of the split with these numbers of training and test pairs, each a * p + b.

    None if they are not all pairs.
    """
    p = values.get("p", 0)
    if sorted([*train.tolist(), *test.tolist()]) != list(range(p**2)):
        return []
    fraction = Finding(
        "train-fraction", split.fraction_of(p, len(train)), _INDICES, "train-fraction"
    )
    shuffle = split.order_and_seed(p, train, test)
    if shuffle is not None:
        because = f"{_INDICES}, which are its shuffle"
        order, seed = shuffle
        return [Finding("split-order", order, because, "split-order"),
                Finding("split-seed", seed, because, "split-seed"), fraction]  # fmt: skip
    stored = order_of_pairs(p, train)
    because = f"{_INDICES}, and no seed below {split.MOST_SEEDS:,} shuffles so"
    return [Finding("split-order", stored, because, "split-order"),
            Finding("split-seed", 0, "it is not used", "split-seed"), fraction]  # fmt: skip


_INDICES = "the stored indices say so"

EVIDENCE = Evidence(
    names=("mod_add", "modular_add", "no_wd_width_scan"),
    fits=fits,
    could_be=fits,
    refuses=refuses,
    settings=settings,
    seeds={"config": "split-seed"},  # in the published code, the seed determines only the split
    exact_losses=True,
    needed=("train-fraction", "split-seed"),
    complete=complete,
    split=split_of,
)
