"""Recipes of clock and pizza: the published networks, and smaller siblings."""

from __future__ import annotations

from functools import partial

from grokviz.task import Recipe
from grokviz.tasks.clock_or_pizza.settings import ClockOrPizzaSettings

PAPER = "arXiv:2306.17844"
TORUS = "arXiv:2512.25060"

# dense where the small networks learn
_small = partial(
    ClockOrPizzaSettings, d_model=32, d_mlp=128, epochs=1_500, checkpoint_every="50,10@0:600"
)

RECIPES = (
    Recipe(
        "clock",
        "a + b mod 59 with attention by softmax: a clock",
        f"{PAPER}, its Model B; what it draws at random is not published",
        "about 30 minutes on a CPU core, 0.2 GB of disk",
        ClockOrPizzaSettings(),
    ),
    Recipe(
        "pizza",
        "the same with attention of 1 everywhere: a pizza",
        f"{PAPER}, its Model A; what it draws at random is not published",
        "about 30 minutes on a CPU core, 0.2 GB of disk",
        ClockOrPizzaSettings(attention_rate=0.0),
    ),
    Recipe(
        "clock-59",
        "the clock at a quarter of the width: a smaller sibling, also for sweeps over attention",
        f"ours, after {PAPER}",
        "about a minute on a CPU core",
        _small(),
        sibling_of="clock",
    ),
    Recipe(
        "pizza-59",
        "the pizza at a quarter of the width: a smaller sibling",
        f"ours, after {PAPER}",
        "about a minute on a CPU core",
        _small(attention_rate=0.0),
        sibling_of="pizza",
    ),
    Recipe(
        "torus-59",
        "a layer of neurons that read a and b side by side, at the small sizes: a torus",
        f"ours, after {TORUS} and the networks without attention of {PAPER}",
        "about two minutes on a CPU core",
        _small(network="side-by-side", epochs=3_000),
    ),
    Recipe(
        "clock-31",
        "a clock mod 31, where distance irrelevance hardly tells it from a pizza",
        f"ours, after {PAPER}",
        "about half a minute on a CPU core",
        _small(p=31),
        sibling_of="clock",
    ),
    Recipe(
        "pizza-31",
        "a pizza mod 31, whose distance irrelevance is mostly above the limit published for pizzas",
        f"ours, after {PAPER}",
        "about half a minute on a CPU core",
        _small(p=31, attention_rate=0.0),
        sibling_of="pizza",
    ),
)
