"""The keys of the recipes of group composition, with the values of a published run in S5."""

from __future__ import annotations

from dataclasses import dataclass

from grokviz.options import Kind, choice, option, option_like, real, switch, whole
from grokviz.tasks.group_composition.data import GroupPairs
from grokviz.tasks.group_composition.formulas.groups import LARGEST, ORDERS, read_name
from grokviz.training.settings import TrainingSettings

_GROUP = Kind(read_name, f"C, D, S or A with a number, at most {LARGEST} elements")


@dataclass(frozen=True)
class GroupSettings(TrainingSettings):
    """The published MLP in S5 of seed 1 (arXiv:2302.03025)."""

    group: str = option("S5", "the group, such as S5, A5, D59 or C113", _GROUP)
    elements: str = option("generated", "order of permutations, as published", choice(*ORDERS))
    train_fraction: float = option(0.4, "share of the pairs trained on", real(0, 1, open_ends=True))
    split_seed: int = option(1, "seed of the split into train and test", whole(0))
    seed: int = option(1, "seed of the initial weights", whole(0))
    model: str = option("mlp", "the network", choice("mlp", "transformer"))
    d_model: int = option(256, "width of the embeddings", whole())
    d_mlp: int = option(128, "number of MLP neurons", whole())
    heads: int = option(4, "attention heads of the transformer", whole())
    init: str = option("fan-in", "spread of an MLP's weights", choice("fan-in", "torch"))
    output_bias: bool = option(False, "whether an MLP's answers have a bias", switch())
    epochs: int = option_like(TrainingSettings, "epochs", 250_000)
    checkpoint_every: str = option_like(TrainingSettings, "checkpoint_every", "log")
    warm_up: int = option_like(TrainingSettings, "warm_up", 0)

    @property
    def data(self) -> GroupPairs:
        """All pairs of elements and their split."""
        return GroupPairs(self.group, self.elements, self.train_fraction, self.split_seed)
