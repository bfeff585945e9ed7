"""Which panels a page can have: one row each, and one file in ``web/panels``.

A dataset gets every panel whose variables it has. To add a panel: a row here, and a class in
``web/panels/<name>.js`` that draws it from the same variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import xarray as xr

Width = Literal["third", "half", "even", "wide", "full"]


@dataclass(frozen=True)
class Panel:
    """One panel: what it is called, what one sees in it, and what it is drawn from."""

    name: str
    title: str
    note: str
    needs: tuple[str, ...]
    width: Width = "half"
    also: tuple[str, ...] = ()
    """Variables drawn where the dataset has them."""
    scenes: tuple[str, ...] = ()
    """Scenes whose single page shows this panel."""
    one_of: bool = False
    """Whether one of ``needs`` is enough."""

    def fits(self, data: xr.Dataset) -> bool:
        """Whether the dataset has what this panel draws, and something in it."""
        found = [name in data and data[name].size > 0 for name in self.needs]
        return any(found) if self.one_of else all(found)

    def variables(self, data: xr.Dataset) -> list[str]:
        """Names of the variables drawn from this dataset."""
        wanted = [*self.needs, *self.also]
        return [name for name in wanted if name in data and data[name].size > 0]


PANELS: tuple[Panel, ...] = (
    Panel(
        "loss", "Loss", "As training logged it.",
        ("logged_train_loss", "logged_test_loss"), "wide", one_of=True,
        scenes=("grokking-curve", "embedding-waves", "wave-circles", "digit-phase-changes",
                "digit-grokking", "induction-phase-change", "induction-grokking", "skip-trigram"),
    ),
    Panel(
        "progress", "Progress measures",
        "Without the key frequencies (excluded), and with them alone (restricted).",
        ("loss", "restricted_loss", "excluded_loss_2d"), "half",
        also=("excluded_loss_2d_by_frequency",),
        scenes=("progress-measures", "excluded-loss", "memorise-then-generalise"),
    ),
    Panel(
        "digits", "Loss by digit", "Of each digit of the answer; the first one is the carry.",
        ("token_train_loss", "token_test_loss"), "half", one_of=True,
        scenes=("digit-phase-changes", "digit-grokking"),
    ),
    Panel(
        "held-out", "On fresh sequences",
        "Measured from the weights, always on the same sequences.",
        ("held_out_loss", "held_out_accuracy"), "half", also=("key_attention",),
        scenes=("skip-trigram",),
    ),
    Panel(
        "heads", "Scores of the heads",
        "How much each head attends to what an induction circuit needs.",
        ("induction_score", "previous_token_score"), "half",
        scenes=("induction-phase-change", "induction-grokking"),
    ),
    Panel(
        "pattern", "Attention pattern",
        "Of one fresh sequence; rings are where the next token can be read.",
        ("attention_pattern", "shown_layer", "shown_number", "shown_token", "shown_source"),
        "half", scenes=("induction-phase-change", "induction-grokking"),
    ),
    Panel(
        "rounding", "Norm and rounding",
        "As training logged them; spikes of the loss are slingshots.",
        ("logged_unembedding_norm", "logged_logit_gradient_sum"), "half",
    ),
    Panel(
        "family", "Every run", "The loss of each run; the clock is that of the longest.",
        ("member_train_loss", "member_test_loss", "member_epoch"), "full",
        also=("member_test_epoch", "member_name"), scenes=("fraction-sweep",),
    ),
    Panel(
        "waves", "Waves in the embedding",
        "Norm of each wave in the embedding; the pale bar is the highest it has been.",
        ("embedding_component_norm",), "wide", scenes=("embedding-waves",),
    ),
    Panel(
        "circles", "Circles",
        "The residues in the plane of each embedded frequency; a clean wave is a circle.",
        ("embedding_plane",), "half", scenes=("wave-circles",),
    ),
    Panel(
        "clusters", "Neuron clusters",
        "Each neuron by its frequency and how much that explains; ringed ones can be chosen.",
        ("all_neuron_frequency", "all_neuron_variance_explained"), "wide",
        also=("neuron_frequency",), scenes=("neuron-clusters",),
    ),
    Panel(
        "shares", "The whole network", "Shares, sparsity, weights and accuracy over training.",
        ("memorising_share", "generalising_share", "logit_variance_explained",
         "trig_fraction_neurons", "gini_embedding", "gini_neuron_logit_map",
         "sum_squared_weights", "accuracy"), "half", one_of=True,
        scenes=("memorise-then-generalise",),
    ),
    Panel(
        "neuron", "Activations of the neuron", "After the ReLU, for every pair (a, b).",
        ("neuron_table", "neuron_offset", "attention_score", "neuron_frequency"), "third",
        scenes=("neuron-activations", "neuron-spectra"),
    ),
    Panel(
        "spectrum", "Spectrum of the neuron",
        "Two-dimensional Fourier transform of those activations, less their mean.",
        ("neuron_table", "neuron_offset", "attention_score", "neuron_frequency"), "third",
        scenes=("neuron-spectra", "neuron-activations"),
    ),
    Panel(
        "attention", "Attention", "From '=' to a, for every pair (a, b), by head.",
        ("attention_score",), "third", also=("head_frequency", "head_variance_explained"),
        scenes=("attention-patterns",),
    ),
    Panel(
        "logit-map", "Neuron-logit map",
        "What each neuron writes into the key waves of the logits, cluster by cluster.",
        ("neuron_logit_key", "all_neuron_cluster", "neuron_logit_component_norm"), "wide",
        scenes=("neuron-logit-map",),
    ),
    Panel(
        "logits", "Logits by a + b − c", "Mean over all a, b, c; the answer is at 0.",
        ("logit_wave", "cosine_coefficient"), "half", scenes=("logit-waves",),
    ),
)  # fmt: skip


def available(data: xr.Dataset) -> list[Panel]:
    """The panels that this dataset has, in the page's order."""
    return [panel for panel in PANELS if panel.fits(data)]


def laid_out(panels: Sequence[Panel]) -> list[Width]:
    """Widths that fill every row: two panels side by side, three thirds, or one alone."""
    widths: list[Width] = []
    rest = [panel.width for panel in panels]
    while rest:
        if rest[:3] == ["third"] * 3:
            row: list[Width] = ["third"] * 3
        elif len(rest) > 1 and "full" not in rest[:2]:
            row = ["even", "even"] if "wide" not in rest[:2] else rest[:2]
            row = row if row != ["wide", "wide"] else ["even", "even"]
        else:
            row = ["full"]
        widths += row
        rest = rest[len(row) :]
    return widths


def of_scene(scene: str, data: xr.Dataset) -> list[Panel]:
    """The panels that show what a scene shows, its own one first; none for a scene without."""
    shown = [panel for panel in available(data) if scene in panel.scenes]
    return sorted(shown, key=lambda panel: panel.scenes.index(scene))
