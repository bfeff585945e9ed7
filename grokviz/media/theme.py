"""Themes: the palette, the typefaces and the type sizes as matplotlib styles, in dictionaries.

A style is a dictionary of rcParams; styles are composed with ``|``, and the later one wins::

    theme("dark").rc | {"axes.grid": False}

``paper`` themes take the type size of a venue (:meth:`Theme.sized`); ``slide`` themes
are laid out at 1920 x 1080 with 100 dots per inch, and all text in them,
including ticks, is at least 30 pixels high. Other film sizes change only the dpi, so that a
preview has the layout of the final film.
"""

from __future__ import annotations

import contextlib
import locale
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from grokviz.errors import InputError, nearest
from grokviz.media.fonts import tell_missing_glyphs
from grokviz.media.palette import (
    COLOUR_MAPS,
    DARK,
    LIGHT,
    PALETTES,
    Colours,
    colour_map,
    name_colour_maps,
)
from grokviz.media.typefaces import DISPLAY_WEIGHT, FALLBACK, MONO, TEXT, fonts_of_ours

__all__ = [
    "AUTO", "COLOUR_MAPS", "DARK", "LIGHT", "PALETTES", "REPRODUCIBLE", "Colours", "Medium",
    "Theme", "colour_map", "matplotlib_settings", "read_style", "theme", "theme_name",
]  # fmt: skip

Medium = Literal["paper", "slide"]

AUTO = "auto"
"""The theme that a medium has by itself; see :func:`theme_name`."""

SLIDE_INCHES = (19.2, 10.8)
SLIDE_DPI = 100.0
_SLIDE_POINTS = 23.4  # 32.5 px at 100 dpi; ticks are .93 of it, 30.2 px
_PAPER_POINTS = 9.0


# fonts that are installed with us and fixed ids make files the same on every machine
REPRODUCIBLE: dict[str, Any] = {
    "font.family": [TEXT, FALLBACK],
    "font.sans-serif": [TEXT, FALLBACK],
    "font.monospace": [MONO],
    "mathtext.fontset": "custom",
    "mathtext.rm": TEXT,
    "mathtext.sf": TEXT,
    "mathtext.it": f"{TEXT}:italic",
    "mathtext.bf": f"{TEXT}:bold",
    "mathtext.bfit": f"{TEXT}:italic:bold",
    "mathtext.cal": f"{TEXT}:italic",
    "mathtext.tt": MONO,
    "mathtext.fallback": "stixsans",
    "text.hinting": "none",  # the tables of hinted widths in the typefaces are wrong
    "text.usetex": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "grokviz",
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "savefig.bbox": None,
    "savefig.dpi": "figure",
}

# the axis is below the data, so that films need not redraw it
CLEAN: dict[str, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.formatter.use_mathtext": True,
    "axes.unicode_minus": True,
    "axes.xmargin": 0.0,
    "figure.titleweight": DISPLAY_WEIGHT,
    "legend.frameon": False,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "image.interpolation": "nearest",
    "image.aspect": "auto",
}


def _sizes(points: float) -> dict[str, Any]:
    """Type sizes and line widths in proportion to the body type size."""
    small = round(0.93 * points, 2)
    line = points / 23.4
    return {
        "font.size": points,
        "axes.titlesize": points,
        "axes.labelsize": points,
        "figure.titlesize": round(1.85 * points, 2),
        "figure.labelsize": points,
        "xtick.labelsize": small,
        "ytick.labelsize": small,
        "legend.fontsize": small,
        "legend.title_fontsize": small,
        "axes.linewidth": 1.2 * line,
        "grid.linewidth": 1.2 * line,
        "lines.linewidth": 3.6 * line,
        "lines.markersize": 9 * line,
        "patch.linewidth": 1.2 * line,
        "xtick.major.width": 1.2 * line,
        "ytick.major.width": 1.2 * line,
        "xtick.major.size": 0.0,
        "ytick.major.size": 0.0,
        "xtick.minor.size": 0.0,
        "ytick.minor.size": 0.0,
        "xtick.major.pad": 9 * line,
        "ytick.major.pad": 9 * line,
        "axes.titlepad": 16 * line,
        "axes.labelpad": 8 * line,
    }


def _paint(colours: Colours) -> dict[str, Any]:
    return {
        "figure.facecolor": colours.background,
        "figure.edgecolor": colours.background,
        "axes.facecolor": colours.background,
        "savefig.facecolor": "auto",
        "axes.edgecolor": colours.faint,
        "axes.labelcolor": colours.ink,
        "axes.titlecolor": colours.ink,
        "text.color": colours.ink,
        "xtick.color": colours.faint,
        "ytick.color": colours.faint,
        "xtick.labelcolor": colours.ink,
        "ytick.labelcolor": colours.ink,
        "grid.color": colours.grid,
        "lines.color": colours.ink,
        "patch.edgecolor": colours.background,
        "axes.prop_cycle": "cycler('color', ["
        + ", ".join(repr(c) for c in colours.frequencies)
        + "])",
        "image.cmap": colours.sequential,
    }


@dataclass(frozen=True)
class Theme:
    """A look for one medium.

    ``rc`` holds matplotlib's rcParams, ``points`` their body type size, and ``own`` the user's
    overrides. Draw inside :meth:`applied`, which changes nothing outside.
    """

    name: str
    medium: Medium
    dark: bool
    rc: Mapping[str, Any]
    colours: Colours
    points: float
    own: Mapping[str, Any] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the theme with plain dictionaries, since read-only mappings cannot be pickled."""
        own, rc = dict(self.own), dict(self.rc)
        return _unpickle, (self.name, self.medium, self.dark, rc, self.colours, self.points, own)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Make matplotlib draw in this theme within the block, for one thread at a time.

        Settings outside the theme have matplotlib's defaults, not those of the user.
        """
        settings = _defaults() | dict(self.rc)
        name_colour_maps()
        with matplotlib_settings(settings), fonts_of_ours(), tell_missing_glyphs():
            yield

    def sized(self, points: float) -> Theme:
        """The same theme with another body type size in points (a venue's, say)."""
        rc = dict(self.rc) | _sizes(points) | dict(self.own)
        return replace(self, rc=MappingProxyType(_in_points(rc)), points=points)


_ONE_AT_A_TIME = threading.RLock()


@contextlib.contextmanager
def matplotlib_settings(rc: Mapping[str, Any]) -> Iterator[None]:
    """Make these rcParams matplotlib's within the block, for one thread at a time.

    They belong to the whole process, so another thread of ours waits until they are as before,
    the backend too.
    """
    import matplotlib

    new: Any = dict(rc)
    with _ONE_AT_A_TIME:
        own: Any = dict.__getitem__(matplotlib.rcParams, "backend")  # asking resolves it
        try:
            with matplotlib.rc_context(new):
                yield
        finally:
            if dict.__getitem__(matplotlib.rcParams, "backend") is not own:
                dict.__setitem__(matplotlib.rcParams, "backend", own)


def _defaults() -> dict[str, Any]:
    """Settings as matplotlib has them; ``InputError`` where those of the user stop its import."""
    try:
        import matplotlib
    except (ValueError, locale.Error) as error:
        raise InputError(
            f"matplotlib does not start with your settings ({error}); "
            "mend your matplotlibrc, MPLBACKEND or LC_ALL"
        ) from error
    defaults = matplotlib.rcParamsDefault.items()
    return {key: value for key, value in defaults if key not in _OF_THE_PROCESS}


def _unpickle(
    name: str, medium: Medium, dark: bool, rc: Any, colours: Colours, points: float, own: Any
) -> Theme:
    return Theme(name, medium, dark, MappingProxyType(rc), colours, points, own)


def theme_name(name: str, *, shown: bool) -> str:
    """The theme meant by ``name``; ``auto`` is dark for what is ``shown`` and light for the rest.

    Shown on a screen are films and their posters, slides and pages; a still is for paper.
    """
    if name != AUTO:
        return name
    return "dark" if shown else "light"


def theme(name: str = "light", medium: Medium = "slide", style: Path | None = None) -> Theme:
    """The theme ``name`` (light, dark) for ``medium`` (slide, paper).

    ``style`` is a user's ``.mplstyle`` file, merged last. Raises :class:`InputError`
    for an unknown name or medium, and for an unusable style file.
    """
    if name not in PALETTES:
        raise InputError(f"unknown theme {name!r}: {nearest(name, [*PALETTES, AUTO])}")
    if medium not in ("paper", "slide"):
        raise InputError(f"unknown medium {medium!r}: {nearest(medium, ['paper', 'slide'])}")
    colours = PALETTES[name]
    points = _SLIDE_POINTS if medium == "slide" else _PAPER_POINTS
    rc = REPRODUCIBLE | CLEAN | _paint(colours) | _sizes(points)
    if medium == "slide":
        rc = rc | {"figure.figsize": list(SLIDE_INCHES), "figure.dpi": SLIDE_DPI}
    overrides = read_style(style) if style is not None else {}
    rc = _in_points(rc | overrides)
    return Theme(name, medium, name == "dark", MappingProxyType(rc), colours, points, overrides)


def _in_points(rc: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with type sizes in points where a style has words for them (``x-large``)."""
    words = {key for key, value in rc.items() if key.endswith("size") and isinstance(value, str)}
    if not words:
        return dict(rc)
    from matplotlib.font_manager import font_scalings

    sizes = {key: font_scalings[rc[key]] * rc["font.size"] for key in words}
    return {**rc, **sizes}


def read_style(path: Path) -> dict[str, Any]:
    """The rcParams of a user's ``.mplstyle`` file.

    A line that matplotlib does not understand, which it only logs, raises an
    :class:`InputError` with the file and the line; so does one that asks for LaTeX. Settings of
    windows and of matplotlib's paths are left out, as in ``matplotlib.style``.
    """
    import matplotlib

    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"there is no style file {path}; give the path of a matplotlib .mplstyle file"
        )
    collector = _LogCollector()
    logger = logging.getLogger("matplotlib")
    logger.addHandler(collector)
    propagate, logger.propagate = logger.propagate, False
    try:
        params = matplotlib.rc_params_from_file(str(path), use_default_template=False)
    except (ValueError, OSError) as error:
        raise InputError(f"cannot read the style file {path}: {error}") from error
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagate
    if collector.messages:
        message = " ".join(collector.messages[0].split())
        raise InputError(f"the style file {path} has a line matplotlib does not know: {message}")
    if params.get("text.usetex"):
        raise InputError(
            f"the style file {path} sets text.usetex, and no text is given to LaTeX here; "
            "leave that line out"
        )
    return {key: params[key] for key in params if key not in _NOT_STYLE}


# settings that are read once in a process, and never again
_OF_THE_PROCESS = frozenset({"backend", "date.epoch"})

# settings of windows and paths, and those on which a file's size and bytes depend
_NOT_STYLE = frozenset(
    {
        "backend",
        "backend_fallback",
        "date.epoch",
        "docstring.hardcopy",
        "figure.dpi",
        "figure.figsize",
        "figure.max_open_warning",
        "figure.raise_window",
        "interactive",
        "savefig.bbox",
        "savefig.directory",
        "savefig.dpi",
        "svg.hashsalt",
        "timezone",
        "tk.window_focus",
        "toolbar",
        "webagg.address",
        "webagg.open_in_browser",
        "webagg.port",
        "webagg.port_retries",
    }
)


class _LogCollector(logging.Handler):
    """Collects the warnings that matplotlib logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
