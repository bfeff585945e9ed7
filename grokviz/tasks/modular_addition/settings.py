"""The keys of modular addition's recipes, with the published values of the main one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grokviz.options import Kind, choice, option, option_like, real, switch, whole
from grokviz.tasks.modular_addition.data import PAIRS, SHUFFLES, ModularAddition
from grokviz.training.settings import TrainingSettings


def _read_order(raw: Any) -> str:
    if str(raw) not in SHUFFLES and not str(raw).startswith(PAIRS):
        raise ValueError
    return str(raw)


_ORDER = Kind(_read_order, f"one of {', '.join(SHUFFLES)}, or the pairs as an import writes them")


@dataclass(frozen=True)
class ModularAdditionSettings(TrainingSettings):
    """The mainline run of the grokking work (arXiv:2301.05217, section 3 and appendix A)."""

    p: int = option(113, "number of residues (odd)", whole(3))
    train_fraction: float = option(
        0.3, "share of the p² pairs trained on", real(0, 1, open_ends=True)
    )
    split_seed: int = option(0, "seed of the split into train and test", whole(0))
    split_order: str = option("python", "whose shuffle makes the split", _ORDER)
    seed: int = option(0, "seed of the initial weights", whole(0))
    init: str = option("published", "spread of the weights", choice("published", "transformerlens"))
    d_model: int = option(128, "width of the residual stream", whole())
    d_mlp: int = option(512, "number of MLP neurons", whole())
    heads: int = option(4, "number of attention heads", whole())
    epochs: int = option_like(TrainingSettings, "epochs", 50_000)
    mlp_biases: bool = option(True, "whether the MLP has biases", switch())
    equals_class: bool = option(True, 'whether "=" is one of the classes', switch())
    record_norms: bool = option(False, "log ||W_U|| and the sum of the logits' gradients", switch())
    record_accuracy: bool = option(False, "log the share of test pairs answered right", switch())

    @property
    def data(self) -> ModularAddition:
        """All pairs and their split."""
        return ModularAddition(self.p, self.train_fraction, self.split_seed, self.split_order)
