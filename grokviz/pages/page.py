"""One self-contained HTML page: the template, our styles and scripts, plotly.js and the data.

The sources are the files in ``web/``; the scripts are put behind one another in the order of
:data:`SCRIPTS` inside one function, so that they share their names and add none to the page.
Nothing of a run is ever put into the page as markup: facts travel as JSON with every ``<``
escaped, and the scripts set them as text.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grokviz.errors import MissingExtra
from grokviz.media.palette import PHASE_MARKS, SINGLE_COLOURS
from grokviz.media.plain import clean_text, clean_values
from grokviz.media.theme import PALETTES
from grokviz.pages.pack import deflated

WEB = Path(__file__).parent / "web"
SCRIPTS = (
    "data.js",
    "state.js",
    "views.js",
    "measure.js",
    "chart.js",
    "marks.js",
    "zoom.js",
    "panel.js",
    "curves.js",
    "heatmap.js",
    "circles.js",
)
LAST = ("controls.js", "guide.js", "notes.js", "page.js")
DATA_BESIDE = '<script type="application/octet-stream" id="data-beside">{}</script>\n'
PLACE = re.compile(r"<!--page:([a-z-]+)-->")


def page(
    title: str,
    facts: Mapping[str, Any],
    data: str,
    panels: Sequence[str],
    *,
    last: Sequence[str] = LAST,
    plotly: bool = True,
    beside: str = "",
) -> str:
    """The page's text.

    Args:
        title: of the page.
        facts: plain data that the scripts read.
        data: the packed arrays (:func:`grokviz.pages.pack.pack`).
        panels: names of the panels whose scripts are needed.
        last: scripts that start the page.
        plotly: whether plotly.js is needed.
        beside: the packed arrays of a second run.

    Raises:
        MissingExtra: plotly is not installed.

    """
    sources = [*SCRIPTS, *(f"panels/{name}.js" for name in dict.fromkeys(panels)), *last]
    script = "\n".join((WEB / name).read_text("utf-8") for name in sources)
    parts = {
        "title": html.escape(clean_text(title)),
        "palettes": _palettes(),
        "style": (WEB / "page.css").read_text("utf-8"),
        "script": script.replace("</script", "<\\/script"),
        "facts": json_text(facts),
        "data": data,
        "data-beside": beside and DATA_BESIDE.format(beside),
        "plotly": deflated(plotly_script().encode()) if plotly else "",
    }
    template = (WEB / "page.html").read_text("utf-8")
    return PLACE.sub(lambda match: parts[match[1]], template)


def plotly_script() -> str:
    """plotly.js as the plotly package carries it, licence notice included."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise MissingExtra("a page to scrub", "web") from None
    return str(get_plotlyjs())


def json_text(facts: Any) -> str:
    """JSON that can stand inside a script element: no ``<``, and no NaN."""
    text = json.dumps(
        clean_values(_finite(facts)), ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def _palettes() -> str:
    """Both themes' colours as CSS variables."""
    rules = []
    for theme, colours in PALETTES.items():
        variables = [f"--{name}: {getattr(colours, name)};" for name in SINGLE_COLOURS]
        variables += [f"--phase-{n}: {tint};" for n, tint in enumerate(colours.phases)]
        variables += [f"--phase-mark-{n}: {mark};" for n, mark in enumerate(PHASE_MARKS)]
        rules.append(f':root[data-theme="{theme}"] {{ {" ".join(variables)} }}')
    return "\n".join(rules)
