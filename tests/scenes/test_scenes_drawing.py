"""What a scene hands over: a Drawing, never a dict of artists, and options that stay as given."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import grokviz as gv
from grokviz import cli
from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene import Drawing, Scene, drawing_in, panels
from grokviz.scene.bars import Bars
from grokviz.scene.registry import scenes
from grokviz.scene.scene import drawing_of

SCENES = {name: s for name, s in scenes(user=False).items() if s.engine == "matplotlib"}
FOLDER = Path(__file__).resolve().parents[2] / "scenes"
FORWARD = {"excluded-loss", "memorise-then-generalise", "progress-measures"}
"""Scenes that draw the loss that a forward pass measures; all others draw what was logged."""


# --- the contract ------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: file.stem)
def test_no_scene_changes_a_frozen_option(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"__setattr__", "setattr", "__dict__"}


@pytest.mark.parametrize("name", SCENES)
def test_an_aspect_is_of_a_value_that_the_option_takes(name: str) -> None:
    scene = SCENES[name]
    for option, by_value in scene.aspects.items():
        for value, (wide, narrow) in by_value.items():
            drawn = scene.with_options({option: value})
            assert getattr(drawn, option) == value
            assert (drawn.aspect_at(60), drawn.aspect_at(20)) == (wide, narrow)


def test_only_scenes_that_draw_it_need_a_loss_of_a_forward_pass() -> None:
    assert {name for name, scene in SCENES.items() if "loss" in scene.needs} == FORWARD


class Old(Scene):
    """Written as scenes were before there was a Drawing."""

    name, title, source = "old", "A dot", "here"

    def draw(self, figure: Any, data: xr.Dataset) -> Any:
        dot = figure.add_subplot().plot([], [], "o")[0]
        return {"dot": dot, "moving": [dot]}

    def update(self, artists: dict[str, Any], data: xr.Dataset, i: int) -> None:
        artists["dot"].set_data([i], [i])


class Half(Old):
    """The same with a Drawing that nobody moves."""

    name = "half"

    def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
        return Drawing(figure.add_subplot().plot([], [], "o"))


@pytest.fixture
def data() -> xr.Dataset:
    epochs = np.arange(0, 2001, 100)
    loss = np.interp(epochs, [0, 400, 800, 1000, 2000], [4.0, 20.0, 8.0, 1e-3, 1e-4])
    return xr.Dataset(
        {
            "logged_train_loss": ("logged_epoch", loss / 9),
            "logged_test_loss": ("tested_epoch", loss),
            "phase_end": ("phase", [400, 800, 1000]),
        },
        coords={"epoch": epochs, "logged_epoch": epochs, "tested_epoch": epochs},
    )


@pytest.mark.parametrize("scene", [Old(), Half()])
@pytest.mark.parametrize("panels", [1, 2])
def test_a_scene_of_the_old_manner_is_refused_with_the_remedy(
    scene: Scene, panels: int, data: xr.Dataset, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=rf"^{scene.name}: draw must return Drawing\("):
        gv.render([scene] * panels, data, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_it_is_one_sentence_on_the_command_line(
    data: xr.Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    data.to_netcdf("a.nc", engine="h5netcdf")
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "old.py").write_text(
        "from grokviz import Scene\n"
        "class Old(Scene):\n"
        "    name, title, source = 'old', 'A dot', 'here'\n"
        "    def draw(self, figure, data):\n"
        "        return {'moving': []}\n"
        "    def update(self, artists, data, i):\n"
        "        pass\n"
    )
    for file in ("a.png", "a.mp4", "a.html"):
        assert cli.run(["render", "old", "--run", "a.nc", "-o", file, "-q"]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert lines[-1].startswith("grokviz: old: draw must return Drawing(")
        assert not (tmp_path / file).exists()


def test_a_drawing_of_parts_moves_all_of_them() -> None:
    moved: list[tuple[str, int]] = []
    parts = [Drawing([name], lambda i, name=name: moved.append((name, i))) for name in "ab"]
    whole = Drawing.of(*parts, Drawing())
    assert whole.moving == [["a"], ["b"], ()]
    whole.update(3)
    assert moved == [("a", 3), ("b", 3)]


@pytest.mark.parametrize(
    ("watch", "subtitle"),
    [("a cell is a sum", "A cell is a sum"), ("W_E is wide", "W_E is wide"), ("", "")],
)
def test_a_subtitle_begins_with_a_capital(data: xr.Dataset, watch: str, subtitle: str) -> None:
    own = type("Own", (Scene,), {"name": "own", "watch": watch, "clock": None})
    assert own().subtitle(data) == subtitle


# --- how far a film goes -------------------------------------------------------------


def test_a_film_over_training_ends_a_while_after_the_clean_up(data: xr.Dataset) -> None:
    class Own(Scene):
        name = "own"

    assert Own().film_span(data) == (0, 1500)
    assert Own().film_span(data.drop_vars("phase_end")) == (0, 2000)

    class Counted(Own):
        clock = "count"

    assert Counted().film_span(data) is None

    class Still(Own):
        clock = None

    assert Still().film_span(data) is None

    class Tested(Own):
        clock = "tested_epoch"

    assert Tested().film_span(data.isel(tested_epoch=slice(0, 9))) == (0, 800)


# --- panels ------------------------------------------------------------------------


def panel(data: xr.Dataset, **look: Any) -> panels.CurvePanel:
    axes = Figure(figsize=(8, 4)).add_subplot()
    with drawing_in(gv.theme("light", "slide")):
        curve = panels.at_checkpoints(data, data["epoch"].values / 1000)
        return panels.CurvePanel(axes, data, {"share": curve}, ylabel="share", **look)


def test_a_curve_is_drawn_up_to_the_epoch_and_the_axis_grows(data: xr.Dataset) -> None:
    drawn = panel(data, phases="named")
    with drawing_in(gv.theme("light", "slide")):
        for epoch, end in ((700, 1500), (1800, 2000), (0, 1500)):
            drawn.update(epoch)
            assert drawn.axes.get_xlim() == (0, end)
            assert drawn.traces["share"].line.get_xdata()[-1] == epoch
            assert list(drawn.marker.line.get_xdata()) == [epoch, epoch]
            names = [text.get_text() for text in drawn.axes.texts]
            assert names.count("share") == 1
            assert names.count("memorisation") <= 1
    assert drawn.moving == [drawn.traces["share"].line, drawn.marker.line]


def test_a_film_begins_with_the_level_of_each_curve_and_a_still_has_none(data: xr.Dataset) -> None:
    curve = panels.Curve.of([0, 100, 2000], [3, 1, 2], "red")

    def levels(ghost: bool, *, named: bool = True) -> list[list[float]]:
        with drawing_in(gv.theme("light", "slide"), ghost=ghost):
            axes = Figure(figsize=(8, 4)).add_subplot()
            curves = {"share" if named else "_share": curve}
            drawn = panels.CurvePanel(axes, data, curves, ylabel="share", end=2000.0)
            drawn.update(0)
        dotted = [line for line in axes.lines if line.get_zorder() == 1.5]
        assert ghost or set(dotted) <= set(drawn.moving)
        return [[*line.get_xdata(), *line.get_ydata()] for line in dotted]

    assert levels(ghost=False) == [[0, 2000, 3, 3]]
    assert levels(ghost=False, named=False) == [[0, 2000, 3, 3]]
    assert levels(ghost=True) == []


def test_on_a_logarithmic_time_axis_it_begins_at_ten(data: xr.Dataset) -> None:
    drawn = panel(data, time="log", end=2000.0)
    assert drawn.axes.get_xlim() == (10, 2000)
    assert drawn.curves["share"].x.min() == 100
    drawn.update(0)
    assert list(drawn.marker.line.get_xdata()) == [10, 10]


@pytest.mark.parametrize("time", ["linear", "log"])
@pytest.mark.parametrize("last", [900, 9_999, 40_000, 1_200_000])
@pytest.mark.parametrize("wide", [1.5, 3.0, 8.0])
def test_epochs_on_an_axis_are_written_as_in_sentences(time: str, last: int, wide: float) -> None:
    """With commas, apart from one another, and on the page."""
    figure = Figure(figsize=(wide, 2), dpi=100)
    with drawing_in(gv.theme("light", "paper")):
        axes = figure.add_axes((0.2, 0.3, 0.8, 0.6))
        axes.set_xscale(time)
        (panels.thousands if time == "linear" else panels.decades)(axes)
        axes.set_xlim(10 if time == "log" else 0, last)
        figure.draw_without_rendering()
        ticks = axes.get_xticks()
        labels = [axes.get_xticklabels()[n] for n in np.flatnonzero(ticks <= last)]
    assert len(labels) >= (2 if wide > 2 else 1)
    assert [text.get_text() for text in labels] == [f"{n:,.0f}" for n in ticks if n <= last]
    boxes = [text.get_window_extent() for text in labels]
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))
    assert boxes[-1].x1 <= figure.bbox.x1


def test_a_panel_of_losses_has_what_was_logged(data: xr.Dataset) -> None:
    with drawing_in(gv.theme("light", "slide")):
        axes = Figure(figsize=(8, 4)).add_subplot()
        drawn = panels.LossPanel(axes, data.isel(logged_epoch=[]))
        drawn.along(data["epoch"]).update(3)
    assert list(drawn.traces) == ["test"]
    assert "test" in [text.get_text() for text in axes.texts]
    assert axes.get_yscale() == "log"


def test_bars_leave_a_trace_of_where_they_have_been() -> None:
    axes = Figure().add_subplot()
    heights = np.array([[1.0, 4.0], [3.0, 2.0]])
    bars = Bars(axes, np.array([1.0, 2.0]), heights, "red", width=0.5)
    bars.update(1)
    been, now = ([path.vertices[:, 1].max() for path in c.get_paths()] for c in bars.moving)
    assert now == [3, 2]
    assert been == [3, 4]
    untraced = Bars(axes, np.array([1.0, 2.0]), heights, "red", width=0.5, foot=-1, trace=0)
    untraced.update(0)
    assert [path.vertices[:, 1].min() for path in untraced.now.get_paths()] == [-1, -1]
    assert untraced.moving == [untraced.now]


def test_a_path_is_strong_up_to_its_moment() -> None:
    axes = Figure().add_subplot()
    with drawing_in(gv.theme("light", "slide")):
        drawing = panels.path(axes, np.arange(5.0), np.arange(5.0) ** 2, "red")
    drawing.update(2)
    past, dot = drawing.moving
    assert past.get_ydata().tolist() == [0, 1, 4]
    assert dot.get_ydata().tolist() == [4]


def test_a_loss_is_said_as_it_was_logged_else_as_it_was_measured(data: xr.Dataset) -> None:
    assert panels.loss_at(data, "test", 8) == "8"
    unlogged = data.isel(tested_epoch=[])
    assert panels.loss_at(unlogged, "test", 8) == "not logged"
    measured = xr.DataArray(np.full((21, 1), 0.5), dims=("epoch", "split"))
    measured = measured.assign_coords(split=["test"])
    assert panels.loss_at(unlogged.assign(loss=measured), "test", 8) == "0.5"


def test_a_scene_in_a_layout_of_ones_own_is_a_drawing() -> None:
    data = load("modular-addition", ["logged_train_loss", "logged_test_loss", "phase_end"])
    with drawing_in(gv.theme("light", "slide")):
        figure = Figure(figsize=(8, 4))
        drawing = drawing_of(SCENES["grokking-curve"](), figure, data)
        drawing.update(data.sizes["epoch"] - 1)
    lines, _ = drawing.moving
    assert lines[0].get_xdata()[-1] > 39_900  # a curve is thinned


# --- what is drawn is within its axes ---------------------------------------------------


@pytest.mark.parametrize("ghost", [True, False])
def test_all_dots_of_an_embedding_are_within_its_axes_at_every_moment(ghost: bool) -> None:
    from grokviz.media.theme import theme

    scene = SCENES["embedding-map"].with_options({})
    data = load(scene.reference, scene.needs)
    with drawing_in(theme("light"), ghost=ghost) as current, current.theme.applied():
        figure = Figure(figsize=(19.2, 7.2))
        drawing = drawing_of(scene, figure, data)
        assert len(figure.axes) == 2, "that of the first moment, and that of the one shown"
        for i in range(len(data[scene.clock])):
            drawing.update(i)
            for axes in figure.axes:
                dots = np.asarray(axes.collections[-1].get_offsets())
                for values, limits in zip(dots.T, (axes.get_xlim(), axes.get_ylim()), strict=True):
                    assert min(limits) < values.min()
                    assert values.max() < max(limits)


# --- a picture that also moves while its clock stands still --------------------------


class Turning(Scene):
    """A dot that goes round, whatever the clock does."""

    name, title, source, needs = "turning", "A dot goes round", "here", ("gini_embedding",)

    def film_span(self, data: xr.Dataset) -> None:
        """All of it."""

    def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, 1), ylim=(0, 1))
        dot = axes.plot([], [], "s", ms=60, color="white")[0]
        played.clear()

        def update(i: int) -> None:
            dot.set_data([0.5], [0.5])

        def play(share: float, index: Sequence[int]) -> int:
            played.append((share, tuple(index)))
            dot.set_data([0.1 + 0.8 * share], [0.5])
            return index[0] if share < 0.5 else index[-1]

        return Drawing([dot], update, play)


played: list[tuple[float, tuple[int, ...]]] = []


@pytest.mark.slow
def test_a_film_is_played_by_shares_of_its_time_and_held(tmp_path: Path) -> None:
    epochs = np.arange(0, 50, 10)
    data = xr.Dataset({"gini_embedding": ("epoch", 1.0 / (1 + epochs))}, coords={"epoch": epochs})
    (path,) = gv.render(
        Turning(), data, tmp_path / "a.mp4", quality="l", duration=2, hold=0.8, epochs="10:40",
        theme="dark",
    )  # fmt: skip
    import av

    shares = [share for share, _ in played]
    assert {index for _, index in played} == {(1, 2, 3, 4)}
    assert shares[-18:] == [n / 17 for n in range(18)]
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
    assert len(frames) == 30
    middle = [
        float(np.average(np.arange(854), weights=(f[160:420] > 128).sum(axis=0))) for f in frames
    ]
    assert (np.diff(middle[:18]) > 10).all()
    assert np.allclose(middle[18:], middle[17], atol=1)


@pytest.mark.parametrize("wide", [5.0, 8.0, 12.0, 17.0])
def test_the_name_of_a_phase_stands_over_its_own_shade(wide: float) -> None:
    from grokviz.scene.phases import shade_phases

    data = load("modular-addition", ("logged_test_loss",))
    with drawing_in(gv.theme("dark")) as current, current.theme.applied():
        figure = Figure(figsize=(wide, 3), dpi=100)
        axes = figure.add_axes((0.1, 0.2, 0.85, 0.5))
        axes.set_xlim(0, float(data["epoch"].values[-1]))
        shades = shade_phases(axes, data, names=True)
        figure.draw_without_rendering()
        for phase, text in shades.names:
            if hasattr(text, "xy"):  # what is on a chip has its shade's colour
                box = axes.transData.inverted().transform(text.get_window_extent())
                low, high = shades.edges[phase : phase + 2]
                assert low <= box[:, 0].mean() <= high or box[0, 0] <= low < high <= box[1, 0]
