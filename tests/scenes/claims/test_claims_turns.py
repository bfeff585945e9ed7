"""What pictures of a run's weights say and mark of when it memorised, and when it generalised."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from grokviz.scenes.any._turns import LOSSES, rules_of, turns_of
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import grokviz as gv
from grokviz.dataset.references.reference import load
from grokviz.scene import drawing_in
from grokviz.scene.registry import scene

MARKED = ("path", "spectra", "steps", "tensors")


def known(name: str) -> xr.Dataset:
    """What a scene needs and wishes for of its own reference, to be changed at will."""
    kind = scene(name)
    return load(None, (*kind.needs, *kind.wishes), default=kind.reference).copy(deep=True)


def lost(data: xr.Dataset, **changes: float) -> xr.Dataset:
    """The data with losses that are 4 up to an epoch each, and 0.01 from then on."""
    for split, at in changes.items():
        name = f"logged_{split}_loss"
        (clock,) = data[name].dims
        data[name] = (clock, np.where(data[str(clock)].values < at, 4.0, 0.01))
    # the phases were those of the losses before
    return data.drop_vars("phase_end", errors="ignore")


def names_of(data: xr.Dataset) -> list[str]:
    return [turn.name for turn in turns_of(data, "step_epoch")]


def test_a_run_turns_where_its_losses_say_so() -> None:
    data = known("steps")
    assert [(turn.name, turn.at) for turn in turns_of(data, "step_epoch")] == [
        ("memorised", 208), ("test loss halved", 3780),
    ]  # fmt: skip
    assert names_of(lost(data, test=4000)) == ["memorised", "generalised"]
    assert names_of(lost(data, train=1000, test=1500)) == ["learned"]
    assert names_of(lost(data, train=1000, test=9999)) == ["memorised"]
    assert names_of(lost(data, train=9999, test=9999)) == []
    assert names_of(data.drop_vars(list(LOSSES))) == []
    assert rules_of(data.drop_vars(list(LOSSES)), "step_epoch") == ""
    rules = "memorised, a training loss below 0.1; generalised, a test loss below 0.1."
    told = scene("steps")().definition(lost(data, train=1000, test=4000))
    assert told.endswith(f" Marked: {rules}")


@pytest.mark.parametrize("name", MARKED)
@pytest.mark.parametrize("wide", [3.3, 19.2])
def test_marks_stand_apart_and_on_the_page(name: str, wide: float) -> None:
    data, kind = known(name), scene(name)
    with drawing_in(gv.theme("light", "slide" if wide > 5 else "paper")):
        aspect = kind.aspect if wide > 5 else kind.narrow_aspect
        figure = Figure(figsize=(wide, wide / aspect), dpi=50 if wide > 5 else 100)
        kind().draw(figure, data).update(data.sizes[str(kind.clock)] - 1)
        FigureCanvasAgg(figure).draw()
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    words = {text.get_text().split("\n")[0] for text in texts}
    assert {"memorised", "test loss halved"} <= words | {
        text.get_text().replace("\n", " ").split(" epoch")[0].rstrip(",") for text in texts
    }
    marks = [text for text in texts if text.get_fontweight() == "bold"]
    for n, text in enumerate(marks):
        box = text.get_window_extent()
        assert box.x0 >= -1
        assert box.x1 <= figure.bbox.x1 + 1
        for other in marks[n + 1 :]:
            near = other.get_window_extent()
            across = min(box.x1, near.x1) - max(box.x0, near.x0)
            down = min(box.y1, near.y1) - max(box.y0, near.y0)
            assert min(across, down) < 0.25 * box.height, (text.get_text(), other.get_text())


def walked(data: xr.Dataset, early: float, turn: float) -> xr.Dataset:
    """A path at one speed from epoch 200 on, and until then so many times as fast, which turns."""
    epochs = data["step_epoch"].values.astype(float)
    before = early * np.minimum(epochs, 200.0)
    after = np.maximum(epochs - 200.0, 0)
    angle = np.radians(turn)
    points = np.stack([before + after * np.cos(angle), after * np.sin(angle)], axis=1)
    data["whole_plane"] = (data["whole_plane"].dims, points)
    sizes = np.zeros(data["step_size"].shape)
    sizes[1:, 0] = np.hypot(*np.diff(points, axis=0).T)
    data["step_size"] = (data["step_size"].dims, sizes)
    return lost(data, train=200)


@pytest.mark.parametrize(
    ("early", "turn", "words"),
    [
        (2.1, 46, "The weights sprint to memorising, then turn and slow down"),
        (2.1, 44, "The weights sprint to memorising, then slow down"),
        (1.9, 46, "Once they have memorised, the weights turn"),
        (1.9, 44, "A plane holds 89% of the weights' path through training"),
    ],
)
def test_a_path_sprints_and_turns_where_it_does(early: float, turn: float, words: str) -> None:
    own = scene("path")().claim(walked(known("path"), early, turn))
    assert own.holds
    assert own.sentence == words
    plane = "This plane holds 89% of the path's variance; a random walk's would hold 76%"
    assert own.watch.endswith(plane) == ("memoris" in own.sentence)


def test_a_path_is_told_by_its_plane_where_it_never_memorised_or_holds_little() -> None:
    data = known("path")
    never = lost(data.copy(deep=True), train=9999)
    assert scene("path")().claim(never).sentence.startswith("A plane holds 89% of the weights'")
    shares = np.full(data.sizes["path_component"], 0.05)
    data["whole_component_share"] = ("path_component", shares)
    assert not scene("path")().claim(data).holds


@pytest.mark.parametrize(("at", "before"), [(1400, True), (1200, False)])
def test_dots_are_compared_with_the_later_turn(at: int, before: bool) -> None:
    data = lost(known("tensors"), train=200, test=at)
    own = scene("tensors")().claim(data)
    assert own.numbers["last"] == pytest.approx(1285, abs=1)
    assert own.watch.endswith(", always before the run generalises") == before
