"""Recipes of two-layer networks: the five published configurations, and smaller siblings."""

from __future__ import annotations

from functools import partial

from grokviz.task import Recipe
from grokviz.tasks.two_layer_addition.settings import TwoLayerSettings

PAPER = "arXiv:2602.16849"

_all_pairs = partial(TwoLayerSettings, train_fraction=1.0, weight_decay=0.0)
_adamw = partial(_all_pairs, learning_rate=5e-5, epochs=5_000)
_descent = partial(_all_pairs, optimiser="sgd", epochs=10_000)

RECIPES = (
    Recipe(
        "two-layer-addition",
        "a + b mod 23 with 512 ReLU neurons: memorises three quarters of the pairs, then groks",
        f"{PAPER}, its configuration grokking",
        "about 2 minutes on a CPU core",
        TwoLayerSettings(),
    ),
    Recipe(
        "two-layer-addition-all-pairs",
        "the same on all pairs: nothing to memorise",
        f"{PAPER}, its configuration standard",
        "about half a minute on a CPU core",
        _adamw(),
    ),
    Recipe(
        "two-layer-addition-quadratic",
        "neurons that square, from random weights, on all pairs",
        f"{PAPER}, its configuration quad_random",
        "about half a minute on a CPU core",
        _adamw(activation="quadratic"),
    ),
    Recipe(
        "two-layer-addition-quadratic-lottery",
        "neurons that square, by gradient descent: which wave wins can be told from the start",
        f"{PAPER}, the settings stored with its run of random initial weights",
        "about half a minute on a CPU core",
        _descent(activation="quadratic", learning_rate=0.1),
    ),
    Recipe(
        "two-layer-addition-quadratic-single",
        "neurons that square and begin with one wave each, by gradient descent",
        f"{PAPER}, its configuration quad_single_freq",
        "about half a minute on a CPU core",
        _descent(activation="quadratic", init="single", scale=0.02, learning_rate=0.1),
    ),
    Recipe(
        "two-layer-addition-single",
        "ReLU neurons that begin with one wave each, by gradient descent",
        f"{PAPER}, its configuration relu_single_freq",
        "about half a minute on a CPU core",
        _descent(init="single", scale=0.002, learning_rate=0.01),
    ),
    Recipe(
        "two-layer-addition-59",
        "a + b mod 59 with 256 ReLU neurons and faster training: a smaller sibling",
        f"ours, after {PAPER}",
        "about half a minute on a CPU core",
        TwoLayerSettings(
            p=59,
            width=256,
            learning_rate=1e-3,
            weight_decay=1.0,
            epochs=3_000,
            checkpoint_every="20",
            seed=0,
            split_seed=0,
            loss_precision="float64",
        ),
        sibling_of="two-layer-addition",
    ),
)
