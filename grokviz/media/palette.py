"""Colours by meaning, and the colour maps of amounts, of signed values and of surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.colors import Colormap


@dataclass(frozen=True)
class Colours:
    """Colours by meaning, which docs/look.md shows and tests/media/test_media_theme.py measures.

    Attributes:
        ink, muted, faint: of text, of what stands beside it, and of lines that are not data.
        grid, background: of the lattice, and of the page.
        train, test: of what was trained on, and what was not; nothing else is orange-red.
        answer: of the one thing to look at: the right answer, or the moment shown.
        accent: of a bar or a line that others are compared with.
        rest: of marks that stand for everything else.
        frequencies: of the key frequencies, the lowest first.
        phases: of the ground behind each phase.
        sequential, diverging, heights: names of the colour maps of amounts, of signed values and
            of surfaces, for :func:`colour_map`.

    """

    ink: str
    muted: str
    faint: str
    grid: str
    background: str
    train: str
    test: str
    answer: str
    accent: str
    rest: str
    frequencies: tuple[str, ...]
    phases: tuple[str, ...]
    sequential: str
    diverging: str
    heights: str

    def frequency(self, k: int, keys: Sequence[int]) -> str:
        """The colour of frequency ``k`` among the key frequencies ``keys``.

        The keys are sorted first, so a frequency has the same colour in every panel and
        scene of a run; other frequencies get :attr:`rest`. After seven keys the colours
        repeat.
        """
        sorted_keys = sorted({int(key) for key in keys})
        if int(k) not in sorted_keys:
            return self.rest
        return self.frequencies[sorted_keys.index(int(k)) % len(self.frequencies)]

    def words(self, colour: str) -> str:
        """The colour of the words beside a mark: the mark's, if words can be read in it."""
        return self.muted if colour in (self.faint, self.rest) else colour


SINGLE_COLOURS = (
    "ink", "muted", "faint", "grid", "background", "train", "test", "answer", "accent", "rest",
)  # fmt: skip
"""The meanings that have one colour each, in the order of :class:`Colours`."""

LIGHT = Colours(
    ink="#1a1d24",
    muted="#565e6c",
    faint="#8d95a3",
    grid="#e6e8ec",
    background="#ffffff",
    train="#44698f",
    test="#dd4416",
    answer="#6f4700",
    accent="#1a1d24",
    rest="#c9ced6",
    frequencies=("#1a4fd6", "#b8157c", "#12a5b8", "#17a673", "#d49a00", "#135438", "#7f8a3c"),
    phases=("#faf0f0", "#eef4f8", "#f3eef7", "#f1f6ef"),
    sequential="grokviz-ink",
    diverging="grokviz-signed-light",
    heights="grokviz-heights",
)

DARK = Colours(
    ink="#f4efe6",
    muted="#a3adbd",
    faint="#5d6878",
    grid="#1b212c",
    background="#0b0e14",
    train="#7fa8d9",
    test="#ff7a4d",
    answer="#ffd98a",
    accent="#f4efe6",
    rest="#3d4554",
    frequencies=("#5285f8", "#e146a2", "#64eefc", "#93d992", "#fbd509", "#2e8f5b", "#578c19"),
    phases=("#1e151a", "#0f1b2b", "#1a1630", "#0d1f22"),
    sequential="grokviz-glow",
    diverging="grokviz-signed-dark",
    heights="grokviz-heights",
)

COLOUR_MAPS: dict[str, tuple[str, ...]] = {
    "grokviz-glow": (
        "#12161f", "#2a1c26", "#6d2f33", "#c9553d", "#ff8a4d", "#ffc98f", "#fff1d6",
    ),
    "grokviz-ink": (
        "#faf8f4", "#fbe0c4", "#f6b184", "#e07b4f", "#b04a36", "#6f2a2c", "#341821",
    ),
    "grokviz-signed-dark": (
        "#a9cfe0", "#3d86c8", "#1f4d80", "#12161f", "#6d2f33", "#c9553d", "#ffc98f",
    ),
    "grokviz-signed-light": (
        "#123a6b", "#3d86c8", "#a9cfe6", "#f8f7f4", "#f6c29c", "#d9603a", "#6f1f22",
    ),
    "grokviz-heights": (
        "#16243f", "#1f4d80", "#3d86c8", "#a9cfe0", "#f7ecd2", "#ffdfac", "#ffc976",
    ),
}  # fmt: skip
"""Colours of our maps at equal distances: of amounts (light that grows on dark, ink on paper), of
signed values (blue below zero, warm above) and of surfaces."""

PHASE_MARKS = ("#b8707f", "#4b93c9", "#8d6bc0", "#5fae9a")
"""Of each phase, what its ground is mixed with where it is a mark: on the slider of a page."""

PALETTES: dict[str, Colours] = {"light": LIGHT, "dark": DARK}


def colour_map(name: str) -> Colormap:
    """The colour map with as many steps as matplotlib gives it: one of ours, or one of its own.

    By its name matplotlib finds one of as many as the user's ``image.lut`` said at its import.
    """
    import matplotlib
    from matplotlib.colors import LinearSegmentedColormap

    name_colour_maps()
    steps = matplotlib.rcParamsDefault["image.lut"]
    colours = matplotlib.colormaps[name]
    if isinstance(colours, LinearSegmentedColormap) and steps != colours.N:
        return colours.resampled(steps)
    return colours


def name_colour_maps() -> None:
    """Have matplotlib know our colour maps by their names, beside its own."""
    import matplotlib
    from matplotlib.colors import LinearSegmentedColormap

    steps = matplotlib.rcParamsDefault["image.lut"]
    for name in COLOUR_MAPS.keys() - set(matplotlib.colormaps):
        colours = LinearSegmentedColormap.from_list(name, COLOUR_MAPS[name], N=steps)
        matplotlib.colormaps.register(colours)
