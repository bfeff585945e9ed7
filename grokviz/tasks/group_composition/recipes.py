"""Recipes of group composition: the published runs, smaller siblings, and one that fails."""

from __future__ import annotations

from functools import partial

from grokviz.task import Recipe
from grokviz.tasks.group_composition.settings import GroupSettings

PAPER = "arXiv:2302.03025"
COSETS = "arXiv:2312.06581"

_small = partial(
    GroupSettings,
    elements="lexicographic",
    train_fraction=0.8,
    d_model=64,
    d_mlp=64,
    seed=0,
    split_seed=0,
    checkpoint_every="50",
)
_transformer = partial(GroupSettings, model="transformer", d_model=128, d_mlp=512, epochs=100_000)

RECIPES = (
    Recipe(
        "group-composition",
        "composition in S5, the 120 permutations of five things, by an MLP",
        f"{PAPER} and its code, S5_MLP_seed1",
        "about 2 hours on 2 CPU cores",
        GroupSettings(),
    ),
    Recipe(
        "group-composition-A5",
        "the same in A5, the 60 even ones of these permutations",
        f"{PAPER} and its code, A5_MLP_seed1",
        "about half an hour on 2 CPU cores",
        GroupSettings(group="A5", train_fraction=0.5),
    ),
    Recipe(
        "group-composition-C113",
        "the same in C113, which is addition mod 113",
        f"{PAPER} and its code, C113_MLP_seed1",
        "about an hour on 2 CPU cores",
        GroupSettings(group="C113", train_fraction=0.3),
    ),
    Recipe(
        "group-composition-D59",
        "the same in D59, the symmetries of a polygon with 59 sides",
        f"{PAPER} and its code, D59_MLP_seed1",
        "about an hour on 2 CPU cores",
        GroupSettings(group="D59", train_fraction=0.3),
    ),
    Recipe(
        "group-composition-A5-transformer",
        "A5 by a one-layer transformer",
        f"{PAPER} and its code, A5_T_seed1 (weights drawn in our order)",
        "about 2 hours on 2 CPU cores",
        _transformer(group="A5", train_fraction=0.6),
    ),
    Recipe(
        "group-composition-S5-cosets",
        "S5 by the MLP in which cosets were first seen: permutations y before x, torch's weights",
        f"{COSETS} and its code (weights and split drawn in our order)",
        "about 3 hours on 2 CPU cores",
        GroupSettings(elements="lexicographic", train_fraction=0.5, init="torch", output_bias=True),
    ),
    Recipe(
        "group-composition-S5-cosets-transformer",
        "S5 by a transformer of twice the width, with half of the weight decay",
        f"{COSETS} and its code (weights and split drawn in our order)",
        "many hours on 2 CPU cores",
        _transformer(
            elements="lexicographic", train_fraction=0.8, d_model=256, d_mlp=1024, weight_decay=0.5
        ),
    ),
    Recipe(
        "group-composition-D10",
        "the symmetries of a decagon: groks at ten times the epoch at which it has memorised",
        f"ours, after {PAPER}",
        "about 10 seconds on a CPU core",
        _small(group="D10", epochs=6_000),
        sibling_of="group-composition-D59",
    ),
    Recipe(
        "group-composition-S4",
        "the 24 permutations of four things",
        f"ours, after {PAPER}",
        "about 15 seconds on a CPU core",
        _small(group="S4", epochs=12_000, checkpoint_every="100"),
        sibling_of="group-composition",
    ),
    Recipe(
        "group-composition-D30",
        "the symmetries of a polygon with 30 sides",
        f"ours, after {PAPER}",
        "about 15 seconds on a CPU core",
        _small(group="D30", train_fraction=0.7, epochs=3_000),
        sibling_of="group-composition-D59",
    ),
    Recipe(
        "group-composition-A5-small",
        "A5 with half of the width, on more of the pairs",
        f"ours, after {PAPER}",
        "about a minute on a CPU core",
        _small(group="A5", d_model=128, d_mlp=128, epochs=8_000),
        sibling_of="group-composition-A5",
    ),
    Recipe(
        "group-composition-D10-half",
        "the symmetries of a decagon from half of the pairs: memorised, and never generalised",
        f"ours, after {PAPER}",
        "about 15 seconds on a CPU core",
        _small(group="D10", train_fraction=0.5, epochs=8_000),
        sibling_of="group-composition-D59",
    ),
)
