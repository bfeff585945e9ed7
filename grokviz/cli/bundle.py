"""``grokviz bundle RUN``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grokviz.cli.common import progress_bar, quiet_option, without_user_code
from grokviz.cli.completion import complete_file
from grokviz.cli.output import echo
from grokviz.errors import InputError

if TYPE_CHECKING:
    from grokviz.progress import ProgressCallback


@click.command("bundle")
@click.argument(
    "runs",
    nargs=-1,
    required=True,
    metavar="RUN...",
    type=click.Path(path_type=Path),
    shell_complete=complete_file,
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The reference.")
@click.option("--file", help="Name of the part's file. [core]")
@click.option("--variables", help="Variables, with commas. [all but those of the path]")
@click.option("--epochs", help="Checkpoints: numbers with commas, last, or A:B:STEP. [all]")
@click.option(
    "--weights",
    multiple=True,
    help="Epochs of the weights kept: numbers with commas, or last; of several runs a member "
    "whose last weights are kept. Repeatable.",
)
@quiet_option
@without_user_code
def command(
    runs: tuple[Path, ...],
    out: Path,
    weights: tuple[str, ...],
    quiet: bool,
    **parts: str | None,
) -> None:
    """Make a reference of RUN in the folder --out, or add a part to the one that is there.

    RUN is a run directory; of several, or of a sweep's folder, the reference is that of the
    family.
    """
    from grokviz.runs.sweeps import is_sweep

    with progress_bar(quiet, "analysing") as report:
        if len(runs) > 1 or is_sweep(runs[0]):
            target = _bundle_family(runs, out, weights, parts, report)
        else:
            target = _bundle_run(runs[0], out, weights, parts, report)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    if not quiet:
        echo(f"{target} ({target.stat().st_size:,} bytes; {out.name} {size:,} in all)")


def _bundle_run(
    path: Path,
    out: Path,
    weights: tuple[str, ...],
    parts: dict[str, str | None],
    report: ProgressCallback | None,
) -> Path:
    from grokviz.dataset.references.bundling import CORE, Selection, bundle, checkpoints_in
    from grokviz.runs import open_run

    run = open_run(path)
    selection = Selection(
        variables=_variable_names(parts["variables"]),
        epochs=checkpoints_in(parts["epochs"], run),
        weights=checkpoints_in(",".join(weights) or None, run),
    )
    return bundle(run, out, parts["file"] or CORE, selection, report=report)


def _bundle_family(
    paths: tuple[Path, ...],
    out: Path,
    weights: tuple[str, ...],
    parts: dict[str, str | None],
    report: ProgressCallback | None,
) -> Path:
    from grokviz.dataset.references.family_bundling import bundle_family

    for option, text in parts.items():
        if text is not None:
            raise InputError(f"--{option} applies to a single run; leave it out for several")
    return bundle_family(paths, out, weights, report)


def _variable_names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(text.split(","))
