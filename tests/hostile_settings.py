"""Another value for every setting of matplotlib's, as a user's matplotlibrc may have it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import matplotlib

WORDS = {
    "animation.codec": "mpeg4", "animation.convert_args": "x", "animation.convert_path": "x",
    "animation.bitrate": "300",
    "animation.ffmpeg_args": "x", "animation.ffmpeg_path": "x", "animation.frame_format": "jpeg",
    "animation.html": "html5", "animation.writer": "pillow",
    "axes.autolimit_mode": "round_numbers", "axes.axisbelow": "False",
    "axes.formatter.limits": "-1, 1", "axes.grid.axis": "x", "axes.grid.which": "both",
    "axes.prop_cycle": "cycler('color', ['lime', 'cyan'])", "axes.titlelocation": "right",
    "axes.titley": "0.3", "axes3d.mouserotationstyle": "azel", "backend": "svg",
    "boxplot.bootstrap": "10", "contour.algorithm": "serial",
    "contour.negative_linestyle": "solid", "date.converter": "concise",
    "date.epoch": "2000-01-01T00:00:00", "errorbar.capthick": "5", "figure.figsize": "3, 3",
    "figure.hooks": "nosuchmodule:f", "figure.subplot.left": "0.4",
    "figure.subplot.right": "0.6", "figure.subplot.bottom": "0.4", "figure.subplot.top": "0.6",
    "font.family": "serif", "font.stretch": "condensed", "font.style": "italic",
    "font.variant": "small-caps", "image.aspect": "2", "image.cmap": "hot",
    "image.interpolation": "bilinear", "image.interpolation_stage": "rgba", "image.lut": "4",
    "image.origin": "lower", "legend.loc": "lower left", "lines.dash_capstyle": "round",
    "lines.dash_joinstyle": "miter", "lines.dashdot_pattern": "1, 2, 3, 4",
    "lines.dashed_pattern": "9, 9", "lines.dotted_pattern": "9, 9", "lines.marker": "o",
    "lines.solid_capstyle": "butt", "lines.solid_joinstyle": "bevel",
    "macosx.window_mode": "tab", "markers.fillstyle": "none", "mathtext.default": "bf",
    "mathtext.fallback": "stix", "mathtext.fontset": "stix", "path.sketch": "1, 100, 2",
    "pcolor.shading": "nearest", "pdf.fonttype": "42", "pgf.preamble": "x",
    "pgf.texsystem": "lualatex", "ps.fonttype": "42", "ps.papersize": "a4",
    "ps.usedistiller": "xpdf", "savefig.bbox": "tight", "savefig.directory": "elsewhere",
    "savefig.dpi": "33", "savefig.format": "svg", "savefig.orientation": "landscape",
    "scatter.edgecolors": "red", "scatter.marker": "x", "svg.fonttype": "none",
    "svg.hashsalt": "x", "svg.id": "x", "text.hinting": "none", "text.hinting_factor": "3",
    "text.kerning_factor": "6", "text.language": "sr", "text.latex.engine": "latex+dvipng",
    "text.latex.preamble": "x", "timezone": "Asia/Tokyo", "toolbar": "None",
    "webagg.address": "0.0.0.0", "xaxis.labellocation": "left", "xtick.alignment": "left",
    "yaxis.labellocation": "top", "ytick.alignment": "top",
}  # fmt: skip

ENDINGS = {
    "size": "3", "weight": "bold", "linestyle": ":", "linewidth": "5", "marker": "x",
    "direction": "in", "ndivs": "7", "alpha": "0.3",
}  # fmt: skip
"""By how a key ends."""

BEGINNINGS = {
    "date.autoformatter": "%y", "font.": "DejaVu Serif", "keymap": "z", "mathtext.": "serif",
}  # fmt: skip

NO_TEXT = frozenset({"path.effects"})
"""What a file cannot hold."""


def hostile() -> dict[str, str]:
    """Another value for each key, as text that the file may hold."""
    defaults = matplotlib.rcParamsDefault
    values = {key: dict.__getitem__(defaults, key) for key in defaults if key not in NO_TEXT}
    return {key: _other(key, value) for key, value in values.items()}


def _other(key: str, default: Any) -> str:
    if key in WORDS:
        return WORDS[key]
    if isinstance(default, bool):
        return str(not default)
    if isinstance(default, float) and 0 <= default <= 1:
        return f"{1 - default:g}" if default != 0.5 else "0.1"
    if isinstance(default, (int, float)):
        return str(type(default)(default * 3 + 2))
    if "color" in key:
        return "lime"
    for ending, text in ENDINGS.items():
        if key.endswith(ending):
            return text
    return next(text for beginning, text in BEGINNINGS.items() if key.startswith(beginning))


@contextlib.contextmanager
def set_to(values: dict[str, Any]) -> Iterator[None]:
    """A user's settings, which stay as they are; some of them are deprecated."""
    values = {key: value for key, value in values.items() if key != "backend"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matplotlib.MatplotlibDeprecationWarning)
        context: Any = matplotlib.rc_context(values)  # type: ignore[arg-type]
        with context:
            before = dict(matplotlib.rcParams)
            yield
            assert dict(matplotlib.rcParams) == before
