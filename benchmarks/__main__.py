"""Run the benchmarks of this machine, and keep ratios and goals in docs/speed.md.

``python -m benchmarks`` measures all; ``python -m benchmarks first_picture films`` only these, and
leaves the page as it is, as ``--keep`` does. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import re
from pathlib import Path

from benchmarks.rows import Row, table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "speed.md"
BEGIN, END = "<!--benchmark-->", "<!--/benchmark-->"
PARTS = (
    "first_picture", "frames", "films", "film_memory", "training", "stacking", "analysing",
    "trajectory", "explorer",
)  # fmt: skip
"""The modules with a function `rows`, in the order of the table."""


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
    rows: list[Row] = []
    for part in given.parts:
        print(f"measuring {part} ...", flush=True)
        rows += importlib.import_module(f"benchmarks.{part}").rows()
    text = f"Measured by `make benchmark` on {processor()}.\n\n{table(rows)}"
    print(text)
    if given.keep or tuple(given.parts) != PARTS:
        return
    page = PAGE.read_text()
    before, rest = page.split(BEGIN, 1)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}")


if __name__ == "__main__":
    main()
