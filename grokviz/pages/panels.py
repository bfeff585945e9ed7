"""Which panels a page can have: one row each, and one file in ``web/panels``.

A dataset gets every panel whose variables it has; a scene names those that show what it shows.
To add a panel: a row here, and a class in ``web/panels/<name>.js`` that draws it from the same
variables. What no panel here draws and nobody here knows has panels in :mod:`grokviz.pages.own`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
    one_of: bool = False
    """Whether one of ``needs`` is enough."""

    def fits(self, data: xr.Dataset) -> bool:
        """Whether the dataset has what this panel draws, and something in it."""
        present = [name in data and data[name].size > 0 for name in self.needs]
        return any(present) if self.one_of else all(present)

    def variables(self, data: xr.Dataset) -> list[str]:
        """Names of the variables drawn from this dataset."""
        wanted = [*self.needs, *self.also]
        return [name for name in wanted if name in data and data[name].size > 0]

    @property
    def script(self) -> str:
        """The file in ``web/panels`` that draws it."""
        return self.name

    def facts(self, data: xr.Dataset, width: Width) -> dict[str, Any]:
        """What the page's scripts know of it, as plain data."""
        words = {"name": self.name, "title": self.title, "note": self.note, "width": width}
        return {**words, "variables": self.variables(data)}


PANELS: tuple[Panel, ...] = (
    Panel(
        "loss", "Loss", "As training logged it, at every record.",
        ("logged_train_loss", "logged_test_loss"), "wide", one_of=True,
    ),
    Panel(
        "progress", "Progress measures",
        "Measured from the weights: without the key frequencies (excluded), with them alone "
        "(restricted); fitted on all pairs, test pairs included.",
        ("loss", "restricted_loss", "excluded_loss_2d"), "half",
        also=("excluded_loss_2d_by_frequency",),
    ),
    Panel(
        "digits", "Loss by digit", "Of each digit of the answer; the first one is the carry.",
        ("token_train_loss", "token_test_loss"), "half", one_of=True,
    ),
    Panel(
        "held-out", "On fresh sequences",
        "Measured from the weights, always on the same sequences: 2,048, and fewer in references "
        "that were bundled earlier.",
        ("held_out_loss", "held_out_accuracy"), "half", also=("key_attention",),
    ),
    Panel(
        "heads", "Scores of the heads",
        "How much each head attends to what an induction circuit needs.",
        ("induction_score", "previous_token_score"), "half",
    ),
    Panel(
        "pattern", "Attention pattern",
        "Of one fresh sequence; rings are where the next token can be read.",
        ("attention_pattern", "shown_layer", "shown_number", "shown_token", "shown_source"),
        "half",
    ),
    Panel(
        "rounding", "Norm and rounding",
        "As training logged them; spikes of the loss are slingshots.",
        ("logged_unembedding_norm", "logged_logit_gradient_sum"), "half",
    ),
    Panel(
        "family", "Every run", "The loss of each run; the clock is that of the longest.",
        ("member_train_loss", "member_test_loss", "member_epoch"), "full",
        also=("member_test_epoch", "member_name"),
    ),
    Panel(
        "waves", "Waves in the embedding",
        "Norm of each wave in the embedding; the faint bar is the highest it has been.",
        ("embedding_component_norm",), "wide",
    ),
    Panel(
        "circles", "Circles",
        "The residues in the plane of each embedded frequency; a clean wave is a circle.",
        ("embedding_plane",), "half",
    ),
    Panel(
        "sum", "One sum",
        "Type a and b: where they and their sum stand in the circles, and what the network says.",
        ("embedding_plane",), "half",
        also=("own_answer_error", "own_answer_probability", "accuracy"),
    ),
    Panel(
        "clusters", "Neuron clusters",
        "Each neuron by its frequency and how much that explains; ringed ones can be chosen.",
        ("all_neuron_frequency", "all_neuron_variance_explained"), "wide",
        also=("neuron_frequency",),
    ),
    Panel(
        "shares", "The whole network", "Shares, sparsity, weights and accuracy over training.",
        ("memorising_share", "generalising_share", "logit_variance_explained",
         "trig_fraction_neurons", "gini_embedding", "gini_neuron_logit_map",
         "sum_squared_weights", "accuracy"), "half", one_of=True,
    ),
    Panel(
        "neuron", "Activations of the neuron", "After the ReLU, for every pair (a, b).",
        ("neuron_table", "neuron_offset", "attention_score", "neuron_frequency"), "third",
    ),
    Panel(
        "spectrum", "Spectrum of the neuron",
        "Two-dimensional Fourier transform of those activations, less their mean.",
        ("neuron_table", "neuron_offset", "attention_score", "neuron_frequency"), "third",
    ),
    Panel(
        "attention", "Attention", "From '=' to a, for every pair (a, b), by head.",
        ("attention_score",), "third", also=("head_frequency", "head_variance_explained"),
    ),
    Panel(
        "logit-map", "Neuron-logit map",
        "What each neuron writes into the key waves of the logits, cluster by cluster.",
        ("neuron_logit_key", "all_neuron_cluster", "neuron_logit_component_norm"), "wide",
    ),
    Panel(
        "logits", "Logits by a + b − c", "Mean over all a, b, c; the answer is at 0.",
        ("logit_wave", "cosine_coefficient"), "half",
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


def named(names: Sequence[str], data: xr.Dataset) -> list[Panel]:
    """The panels of these names that this dataset has, in the order of the names."""
    shown = {panel.name: panel for panel in available(data)}
    return [shown[name] for name in names if name in shown]
