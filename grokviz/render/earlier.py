"""Scenes of what is measured at the last checkpoint alone, drawn of an earlier one of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from grokviz.dataset.build import assemble
from grokviz.dataset.learning import grok_epoch
from grokviz.dataset.measured import grok_epoch_of
from grokviz.dataset.numerics import curves
from grokviz.dataset.references.reference import check_drawable, resolve
from grokviz.errors import InputError
from grokviz.progress import ProgressCallback
from grokviz.runs import Run
from grokviz.scene.clock import spaced
from grokviz.scene.data import load_for
from grokviz.scene.scene import Scene

if TYPE_CHECKING:
    import xarray as xr


def data_at(
    scene: Scene, source: Any, epoch: str, report: ProgressCallback | None = None
) -> xr.Dataset:
    """What such a scene is drawn from at an epoch: a run is measured as it was then.

    Raises :class:`InputError` where only measurements are there, which cannot be taken again, and
    they are of another epoch.
    """
    one = source[0] if isinstance(source, Sequence) and len(source) == 1 else source
    several = isinstance(one, Sequence) and not isinstance(one, str)
    run = None if several else resolve(one, scene.reference, scene.variables())
    if isinstance(run, Run):
        check_drawable(run, scene.variables())
        return load_for(scene, _as_it_was(scene, run, epoch, report), default=scene.reference)
    data = load_for(scene, source, default=scene.reference, report=report)
    _check_last(scene, data, epoch)
    return data


def _as_it_was(scene: Scene, run: Run, epoch: str, report: ProgressCallback | None) -> xr.Dataset:
    """A run measured at a checkpoint as at its last one; of that alone, and nothing is kept."""
    epochs = assemble.epochs_of(run)
    at = curves.index_of(epochs, epoch, lambda: grok_epoch_of(run), run.name)
    earlier = run.until(int(epochs[at]))
    # where weights are no numbers any more, the last checkpoint before is shown, and named
    shown = assemble.view_of(earlier, earlier.epochs, earlier.epochs).alive[-1:].tolist()
    data = assemble.assemble(earlier, scene.variables(), epochs=shown, report=report)
    # the picture is of the whole run
    data.attrs["run_checksum"] = run.checksum
    return data


def _check_last(scene: Scene, data: xr.Dataset, epoch: str) -> None:
    """Raise InputError unless the epoch asked for is the last one of the data."""
    epochs = data["epoch"].values
    name = str(data.attrs.get("run_name", "the dataset"))
    at = curves.index_of(epochs, epoch, lambda: grok_epoch(data), name)
    if at < len(epochs) - 1:
        last = spaced(float(epochs[-1]))
        raise InputError(
            f"--epoch {epoch}: what {scene.name} draws is kept of {name} at its last checkpoint "
            f"alone, epoch {last}; leave --epoch out, or draw a run of your own at any checkpoint: "
            f"grokviz train {scene.recipe} --out RUN, then --run RUN --epoch {epoch}"
        )
