"""Recipes of modular addition: the published runs, and smaller siblings."""

from __future__ import annotations

from functools import partial
from typing import Any

from grokviz.task import Recipe
from grokviz.tasks.modular_addition.settings import ModularAdditionSettings

PAPER = "arXiv:2301.05217"

_half = partial(
    ModularAdditionSettings, p=59, d_model=64, d_mlp=256, train_fraction=0.5,
    checkpoint_every="50", record_accuracy=True,
)  # fmt: skip


def _race(ending: str, title: str, source: str, **settings: Any) -> Recipe:
    return Recipe(
        f"modular-addition-59-{ending}",
        title,
        f"ours, after {source}",
        "about half a minute on 2 CPU cores",
        _half(**settings),
        sibling_of="modular-addition",
    )


RECIPES = (
    Recipe(
        "modular-addition",
        "a + b mod 113 with a one-layer transformer: the mainline run of the grokking work",
        f"{PAPER} section 3 and appendix A; the paper analyses epoch 40,000 of 50,000",
        "about 15 minutes for 40,000 epochs on 2 CPU cores, 0.4 GB of disk",
        ModularAdditionSettings(),
    ),
    Recipe(
        "modular-addition-no-weight-decay",
        "without weight decay, on nine tenths of the pairs",
        "published run mod_addition_no_wd (its fraction inferred from its losses)",
        "about 5 minutes on 2 CPU cores",
        ModularAdditionSettings(weight_decay=0.0, train_fraction=0.9, epochs=5_000),
    ),
    Recipe(
        "modular-addition-weight-decay-0.1",
        "a tenth of the weight decay: grokking takes ten times as long",
        "published run wd_10-1_mod_addition_loss_curve",
        "about 45 minutes on 2 CPU cores, 0.3 GB of disk",
        ModularAdditionSettings(
            weight_decay=0.1, seed=1, split_seed=1, epochs=107_790, checkpoint_every="500"
        ),
    ),
    Recipe(
        "modular-addition-float32",
        "log-softmax in float32: the loss spikes called slingshots",
        "thread, tweet 14; published run low_precision_mod_addition (weight decay inferred)",
        "about 20 minutes on 2 CPU cores, 0.1 GB of disk",
        ModularAdditionSettings(
            loss_precision="float32",
            seed=1,
            split_seed=1,
            checkpoint_every="500",
            record_norms=True,
        ),
    ),
    Recipe(
        "modular-addition-no-biases",
        "without biases in the MLP",
        f"{PAPER} (its later versions leave the biases out)",
        "about 20 minutes on 2 CPU cores, 0.5 GB of disk",
        ModularAdditionSettings(mlp_biases=False),
    ),
    Recipe(
        "modular-addition-transformerlens",
        "as in the TransformerLens demo: its split, its initial spread, no biases, no warm-up",
        "TransformerLens, Grokking_Demo.ipynb (the same seeds, but weights drawn in our order)",
        "about 10 minutes on 2 CPU cores, 0.25 GB of disk",
        ModularAdditionSettings(
            seed=999,
            split_seed=598,
            split_order="torch",
            init="transformerlens",
            mlp_biases=False,
            equals_class=False,
            warm_up=0,
            epochs=25_000,
        ),
    ),
    Recipe(
        "modular-addition-53",
        "a + b mod 53, with the weight decay of 5 that it needs to grok",
        f"{PAPER} appendix D",
        "about 4 minutes on 2 CPU cores",
        ModularAdditionSettings(p=53, weight_decay=5.0, epochs=40_000),
    ),
    Recipe(
        "modular-addition-109",
        "a + b mod 109: much like 113",
        f"{PAPER} appendix D",
        "about 14 minutes on 2 CPU cores, 0.4 GB of disk",
        ModularAdditionSettings(p=109, epochs=40_000),
    ),
    Recipe(
        "modular-addition-401",
        "a + b mod 401: enough data that nothing is delayed",
        f"{PAPER} appendix D",
        "about 2 hours for 5,000 epochs on 2 CPU cores, and 6 GB of memory",
        ModularAdditionSettings(p=401, epochs=5_000),
    ),
    Recipe(
        "modular-addition-59",
        "a + b mod 59 with half the width: a smaller sibling for sweeps and first tries",
        "ours, for trying things out and for sweeps on a CPU",
        "about 2 minutes on 2 CPU cores",
        ModularAdditionSettings(p=59, d_model=64, d_mlp=256, train_fraction=0.4, epochs=12_000),
        sibling_of="modular-addition",
    ),
    Recipe(
        "modular-addition-59-float32",
        "the smaller sibling with log-softmax in float32: slingshots in minutes",
        "ours, after thread, tweet 14",
        "about 2 minutes on 2 CPU cores",
        ModularAdditionSettings(
            p=59,
            d_model=64,
            d_mlp=256,
            train_fraction=0.4,
            epochs=12_000,
            loss_precision="float32",
            seed=1,
            split_seed=1,
            record_norms=True,
        ),
        sibling_of="modular-addition-float32",
    ),
    _race(
        "half",
        "the smaller sibling on half of the pairs, for races of optimisers: AdamW",
        PAPER,
        epochs=2_500,
    ),
    _race(
        "muon",
        "the same by Muon, which without LayerNorm memorises and does not generalise",
        "PeterPonyu/muon-norm-cap-grokking",
        optimiser="muon",
        weight_decay=0.1,
        epochs=400,
        checkpoint_every="25",
    ),
    _race("grokfast", "the same by Grokfast", "arXiv:2405.20233", optimiser="grokfast", epochs=800),
    _race(
        "stablemax-orthogonal",
        "the same by StableMax and orthogonal gradients, without decay",
        "arXiv:2501.04697",
        optimiser="orthogonal",
        loss="stablemax",
        weight_decay=0.0,
        epochs=800,
        checkpoint_every="10",
    ),
    _race(
        "orthogonal",
        "the same by orthogonal gradients alone, without decay",
        "arXiv:2501.04697",
        optimiser="orthogonal",
        weight_decay=0.0,
        epochs=400,
        checkpoint_every="10",
    ),
    _race(
        "stablemax",
        "the same by StableMax alone, without decay",
        "arXiv:2501.04697",
        loss="stablemax",
        weight_decay=0.0,
        epochs=600,
    ),
)
