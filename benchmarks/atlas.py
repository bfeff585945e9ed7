"""Make references of the atlas from its runs: python benchmarks/atlas.py RUNS [NAME...].

RUNS is the folder in which the scripts of docs/atlas have recorded: runs. Without a NAME all that
are not there yet are made. Of each run what the
scenes of any run draw is bundled, except the entries of matrices, which are large, and its last
weights, from which tests/docs/test_docs_atlas.py makes the last measures again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import grokviz as gv
from grokviz.dataset.references.bundling import Selection, bundle
from grokviz.dataset.references.reference import folder
from grokviz.dataset.table import available
from grokviz.errors import GrokvizError
from grokviz.scene.registry import scenes

RUNS = {
    "sparse-parity": "sparse-parity",
    "language": "language",
    "digits": "digits",
    "superposition": "superposition",
    "autoencoder": "autoencoder",
    "double-descent": "double-descent/widths",
    "double-descent-250": "double-descent/width=250",
}
EARLIER = {"superposition": (1825,)}
"""Epochs of whose weights the page speaks, besides the last."""

SCENES = (
    "grokking-curve", "metrics", "tensors", "spectra", "steps", "weights", "weight-norms",
    "embedding-map", "heads", "path",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("names", nargs="*", choices=[[], *RUNS])
    given = parser.parse_args()
    needs = {name for scene in SCENES for name in scenes(user=False)[scene].needs}
    for name in given.names or [name for name in RUNS if not (folder() / name).exists()]:
        run = gv.open_run(given.runs / RUNS[name])
        weights = [*EARLIER.get(name, ()), *map(int, run.epochs[-1:])]
        selection = Selection(variables=sorted(needs & {*available(run)}), weights=weights)
        file = bundle(run, folder() / name, selection=selection)
        size = sum(one.stat().st_size for one in file.parent.rglob("*") if one.is_file())
        print(f"{name}: {size:,} bytes")


if __name__ == "__main__":
    try:
        main()
    except GrokvizError as error:
        sys.exit(f"atlas: {error}")
