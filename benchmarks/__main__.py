"""Run the benchmarks of this machine, and keep ratios and goals in docs/speed.md.

``python -m benchmarks`` measures all; ``python -m benchmarks first_picture films`` only these. Each
part's table is written as soon as it is measured, and the others are left as they are; ``--keep``
leaves the page. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import re
from pathlib import Path

from benchmarks.rows import table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "speed.md"
BEGIN, END = "<!--benchmark {}-->", "<!--/benchmark {}-->"
PARTS = (
    "first_picture", "frames", "films", "figures", "film_memory", "training", "stacking",
    "analysing", "trajectory", "explorer",
)  # fmt: skip
"""The modules with a function `rows`, in the order of the page."""


def processor() -> str:
    """The processor's name and its number of cores."""
    name = platform.processor() or platform.machine()
    described = Path("/proc/cpuinfo")
    if described.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", described.read_text(), re.MULTILINE)
        name = found[1].strip() if found else name
    return f"{name}, {os.cpu_count()} cores"


def main() -> None:
    """Measure, print, and write the page anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--keep", action="store_true", help="leave docs/speed.md as it is")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    for part in given.parts:
        print(f"measuring {part} ...", flush=True)
        rows = importlib.import_module(f"benchmarks.{part}").rows()
        on = f"On {processor()}, of which other work kept {load:.1f} busy when it began:"
        text = f"{on}\n\n{table(rows)}" if rows else "Not measured."
        print(text, flush=True)
        if not given.keep:
            PAGE.write_text(put(PAGE.read_text(), part, text))


def put(page: str, part: str, text: str) -> str:
    """The page with this text in the place of the part."""
    begin, end = BEGIN.format(part), END.format(part)
    before, rest = page.split(begin, 1)
    return f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}"


if __name__ == "__main__":
    main()
