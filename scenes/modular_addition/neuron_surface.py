"""One neuron over all pairs as a lit surface: an egg-crate that is one hill, and a torus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from grokviz.scenes.any._papers import after
from grokviz.scenes.modular_addition import _claims, _neurons
from grokviz.scenes.modular_addition._landscape import Landscape
from grokviz.scenes.modular_addition._surface_picture import FILM, Picture, Source

from grokviz.dataset.numerics import ties
from grokviz.errors import InputError
from grokviz.scene import Claim, Drawing, Scene, option
from grokviz.scene import clock as clocks
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.neurons import NO_FREQUENCY

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

WAVE, NOISE = 0.75, 0.5
"""Shares of its variance from which on a frequency is a neuron's shape, and below which none is."""

STAGES = {"epochs": (0.0,), "re-sorted": (2.0,), "torus": (4.0,), "all": FILM}
"""What a still shows beside one another, for each value of the option."""


@dataclass(frozen=True)
class NeuronSurface(Scene):
    """A real neuron's input over (a, b) as a landscape, in three orders of its numbers."""

    name = "neuron-surface"
    title = "A neuron's egg-crate is one hill, shuffled"
    watch = "a and b are re-sorted by the neuron's frequency, and the edges are glued"
    source = "thread, tweet 10; arXiv:2301.05217, figure 4"
    needs = (
        "neuron_table", "neuron_offset", "attention_score", "neuron_frequency",
        "neuron_variance_explained", "logged_train_loss", "logged_test_loss", "phase_end",
    )  # fmt: skip
    clock = "field_epoch"
    aspect = 2.2
    narrow_aspect = 0.52
    aspects = {  # noqa: RUF012
        "stage": {
            "epochs": (1.6, 1.25), "re-sorted": (1.6, 1.25), "torus": (1.6, 1.25),
            "landscape": (2.2, 1.6),
        },
    }  # fmt: skip

    neuron: int | None = option(
        None, "number of a stored neuron; if none, the clearest one of the lowest frequency"
    )
    stage: Literal["all", "epochs", "re-sorted", "torus", "landscape"] = option(
        "all",
        "which to draw: in counting order along epochs, re-sorted by the neuron's frequency, glued "
        "to a torus, or all of them; or a landscape whose columns are of ever later epochs",
    )

    def shown(self, data: xr.Dataset) -> int:
        """Where the neuron is among the stored ones.

        Of itself the one of the lowest frequency that this explains best: few waves are seen
        better than many.
        """
        numbers = [int(n) for n in data["neuron"].values]
        if self.neuron is None:
            k = data["neuron_frequency"].values
            place = ties.ranks(data["neuron_variance_explained"].values)
            return int(np.lexsort((place, k, k == NO_FREQUENCY))[0])
        if self.neuron in numbers:
            return numbers.index(self.neuron)
        listed = ", ".join(map(str, numbers))
        raise InputError(f"{self.name}: neuron {self.neuron} is not stored; there are {listed}")

    def frequency(self, data: xr.Dataset) -> int:
        """The frequency of the neuron; 0 for none."""
        return int(data["neuron_frequency"].values[self.shown(data)])

    def field(self, data: xr.Dataset, i: int) -> np.ndarray:
        """The neuron's input over (a, b) at a moment, before its ReLU."""
        return fields.neuron_activations(data, self._number(data), i, pre=True)

    def share(self, data: xr.Dataset, i: int) -> float:
        """Share of the neuron's variance before its ReLU that is in its own frequency."""
        share = _neurons.own_share(np.nan_to_num(self.field(data, i)), self.frequency(data))
        return share if np.isfinite(share) else 0.0

    def claim(self, data: xr.Dataset) -> Claim:
        """Whether the neuron is one frequency at the end, and was not at first."""
        end, k = _last(data), self.frequency(data)
        number, when = self._number(data), clocks.at(data, "field_epoch", end)
        if k == NO_FREQUENCY:
            return Claim.instead(f"Neuron {number} has no frequency to sort its numbers by")
        first, last = self.share(data, 0), self.share(data, end)
        numbers = {"first": first, "last": last}
        watch = self._watch(data)
        if last < WAVE:
            share = _neurons.floored_percent(last)
            sentence = f"Neuron {number} is {share} frequency {k} at {when}"
            return Claim.instead(sentence, watch, **numbers)
        if k == 1:
            sentence = f"Neuron {number} is one hill as it is: its frequency is 1"
            return Claim.instead(sentence, watch, **numbers)
        if self.stage in ("landscape", "epochs"):
            grown = f"A neuron learns a shape: noise, and then {k} \u00d7 {k} hills"
            sentence = f"Neuron {number} has {k} \u00d7 {k} hills from the beginning"
            if first < NOISE:
                return Claim(grown, watch, numbers=numbers)
            return Claim.instead(sentence, watch, **numbers)
        sentence = f"A neuron's {k} \u00d7 {k} hills are one hill, shuffled"
        return Claim(sentence, watch, numbers=numbers)

    def _watch(self, data: xr.Dataset) -> str:
        """What is drawn, and of which neuron."""
        p, word = data.sizes["row"] // 2, clocks.word(data)
        if self.stage == "landscape":
            return (
                f"neuron {self._number(data)}'s input for a + b: a runs to the right, each a at a "
                f"later {word}; b runs away from you"
            )
        return (
            f"neuron {self._number(data)}'s input for all {p * p:,} sums a + b, each {word} at its "
            "own scale"
        )

    def _number(self, data: xr.Dataset) -> int:
        return int(data["neuron"].values[self.shown(data)])

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """The surface at one stage, at three, or as a landscape of many epochs."""
        source = self._source(data)
        if self.stage == "landscape":
            return Landscape(figure, data, source).drawing()
        return Picture(figure, source, STAGES[self.stage], whole=self.stage == "all").drawing()

    def _source(self, data: xr.Dataset) -> Source:
        """The neuron's field at each moment, and the order that makes one hill of the last."""
        k, p = self.frequency(data), data.sizes["row"] // 2
        turn = _neurons.to_the_middle(np.nan_to_num(self.field(data, _last(data))), k)
        phases = np.argsort(np.arange(p) * max(k, 1) % p, kind="stable")
        orders = np.roll(phases, turn[0]), np.roll(phases, turn[1])
        return Source(lambda i: self.field(data, i), lambda i: self.share(data, i), k, p, *orders)

    def description(self, data: xr.Dataset, i: int) -> str:
        """Which neuron, how much of it is its frequency, and what is seen of it."""
        number, k = self._number(data), self.frequency(data)
        at = clocks.at(data, "field_epoch", i)
        field = np.nan_to_num(self.field(data, i))
        text = (
            f"The input of neuron {number} over all pairs (a, b) as a lit surface at {at}, from "
            f"{field.min():.2g} to {field.max():.2g}"
        )
        if k == NO_FREQUENCY:
            return f"{text}; no frequency explains it better than another."
        return f"{text}; frequency {k} explains {self.share(data, i):.1%} of its variance."

    def definition(self, data: xr.Dataset) -> str:
        """With the scale, the orders and the citation."""
        p, k = data.sizes["row"] // 2, self.frequency(data)
        scale = (
            f"Pre-activation at '=' of one MLP neuron over all {p} x {p} pairs (a, b), the surface "
            "between them a cubic spline; height and colour: less the middle, in units of "
            "the 99.5th percentile, at each epoch anew"
        )
        if self.stage == "landscape":
            return (
                f"{scale}, and lower the less of it is frequency {k}; the column at a is of an "
                f"epoch of its own, from the first at the left to the last at the right. "
                f"{after('figure 4, and the thread, tweet 10')}"
            )
        order = (
            f"; re-sorted: by {k}a and {k}b mod {p}, turned so that the hill is in the middle; "
            "glued: each edge to the one opposite, as phases go round, and stretched; the lines "
            "are the numbers in the middle of the hill"
        )
        return f"{scale}{order if k else ''}. {after('figure 4, and the thread, tweet 10')}"


def _last(data: xr.Dataset) -> int:
    """The last moment with numbers, as far as is shown."""
    end = _claims.film_end(data, "field_epoch")
    gone = clocks.gone_from(data, "field_epoch", ("neuron_offset",))
    return end if gone is None else min(end, gone - 1)
