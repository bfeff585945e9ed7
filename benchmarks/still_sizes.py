"""How large stills and pages are: what ``grokviz/render/still_sizes.json`` is taken from.

    python benchmarks/still_sizes.py [--pages] [SCENE]...

Draws each of our scenes without options as PNG (a slide of 1920 x 1080), SVG and PDF, and
writes their bytes to two digits into the table; with ``--pages`` those of a page. Rows of other
scenes stay.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import grokviz as gv
from grokviz.errors import GrokvizError
from grokviz.files import replacing
from grokviz.render.sizes import TABLE, sizes
from grokviz.scene.registry import scenes

STILLS, PAGES = ("png", "svg", "pdf"), ("html",)


def measure(name: str, kinds: tuple[str, ...]) -> dict[str, int]:
    """The bytes of a scene in each format, to two digits."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            (path,) = gv.render(name, None, Path(folder) / f"a.{kind}")
            found[kind] = int(float(f"{path.stat().st_size:.1e}"))
    return found


def main(words: list[str]) -> None:
    """Measure, and write the table after each scene."""
    kinds = PAGES if "--pages" in words else STILLS
    ours = {name: kind for name, kind in scenes(user=False).items() if kind.engine == "matplotlib"}
    named = [word for word in words if word != "--pages"] or list(ours)
    for name in named:
        try:
            row = measure(name, kinds)
        except GrokvizError as error:
            print(f"{name}: {error}", flush=True)
            continue
        sizes.cache_clear()
        table = {key: {**value} for key, value in sizes().items() if key in ours}
        table[name] = {**table.get(name, {}), **row}
        with replacing(TABLE) as part:
            part.write_text(json.dumps(dict(sorted(table.items())), indent=1) + "\n", "utf-8")
        print(name, row, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
