"""A scene of two runs side by side: on common axes, one clock, and with both their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.text import Text
from pypdf import PdfReader

import grokviz as gv
from grokviz import cli
from grokviz.dataset.families import pairs
from grokviz.errors import InputError
from grokviz.media import read_provenance
from grokviz.render.comparing import CLOCK, names_of, of_two
from grokviz.render.drawing import build
from grokviz.render.job import render_options
from grokviz.render.plan import plan
from grokviz.render.render import data_of
from grokviz.scene import drawing_in
from grokviz.scene.registry import scene

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs of a small network, the second one longer and with larger steps."""
    place = tmp_path_factory.mktemp("two")
    for name, seed, epochs, size in (("short", 0, 60, 0.1), ("long", 1, 90, 0.3)):
        rng = np.random.default_rng(seed)
        state = {"embed": rng.normal(size=(6, 4)), "out": rng.normal(size=(4, 6))}
        with gv.record(place / name) as run:
            for epoch in range(0, epochs + 1, 5):
                step = size / (1 + epoch)
                state = {n: w + step * rng.normal(size=w.shape) for n, w in state.items()}
                loss = float(np.exp(-epoch / 20) + 1e-3)
                run.step(
                    epoch, {n: w.astype(np.float32) for n, w in state.items()},
                    train_loss=loss, test_loss=2 * loss, arrays={"gram": state["out"]},
                )  # fmt: skip
    return [place / "short", place / "long"]


def drawn(name: str, runs: Any, out: str = "a.png", **options: Any) -> tuple[Any, Any, xr.Dataset]:
    """The figure, what moves it, and the dataset."""
    compared = of_two(scene(name).with_options(options))
    data = data_of(compared, runs)
    (job,) = plan(compared, out, (), render_options({}))
    with drawing_in(job.theme):
        figure, _, drawing = build(job, data)
    return figure, drawing, data


def texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("tensors", "weights", "metrics")]


@pytest.mark.parametrize("name", ["grokking-curve", "steps", *SLOW])
def test_axes_that_show_the_same_have_the_same_limits(name: str, two: list[Path]) -> None:
    figure, drawing, data = drawn(name, two)
    drawing.update(len(data[CLOCK]) - 1)
    axes = [one for one in figure.findobj(Axes) if one.get_xlabel()]
    left, right = axes[: len(axes) // 2], axes[len(axes) // 2 :]
    assert [one.get_xlim() for one in left] == [one.get_xlim() for one in right]
    alone, still, own = drawn_alone(name, two[0])
    still.update(len(own[scene(name).clock or ""]) - 1)
    before = [one.get_xlim() for one in alone.findobj(Axes) if one.get_xlabel()]
    if name != "weights":
        # the run that ends earlier has the axes of the one that ends later
        assert before[0][1] < left[0].get_xlim()[1] == pytest.approx(90)
    assert {"short", "long"} <= set(texts(figure))


def drawn_alone(name: str, run: Path) -> tuple[Any, Any, xr.Dataset]:
    one = scene(name).with_options()
    data = data_of(one, [run])
    (job,) = plan(one, "a.png", (), render_options({}))
    with drawing_in(job.theme):
        figure, _, drawing = build(job, data)
    return figure, drawing, data


def test_each_run_is_at_its_last_checkpoint_up_to_the_moment(two: list[Path]) -> None:
    compared = of_two(scene("steps")())
    data = data_of(compared, two)
    assert data[CLOCK].values.tolist() == [*range(0, 91, 5)]
    text = compared.alt_text(data, 15)
    assert "short: " in text
    assert "Up to epoch 60 " in text
    assert "Up to epoch 75 " in text
    own = compared.claim(data)
    for part in pairs.separated(data):
        assert scene("steps")().claim(part).sentence in own.sentence
    assert compared.heading(data) == "steps: short beside long"


def test_the_datasets_are_as_they_were(two: list[Path]) -> None:
    needs = scene("weights").needs
    parts = [gv.load(run, needs) for run in two]
    both = pairs.separated(pairs.joined(parts, ["one", "two"]))
    for part, again, name in zip(parts, both, ("one", "two"), strict=True):
        xr.testing.assert_equal(part, again)
        assert again.attrs == {**part.attrs, "run_name": name}
        assert all(again[one].attrs == part[one].attrs for one in part.variables)


@pytest.mark.slow
def test_stills_and_films_are_made_of_two_runs(
    two: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import av

    monkeypatch.chdir(tmp_path)
    words = ["--run", str(two[0]), "--run", str(two[1]), "--set", "most=1", "-q"]
    out = ["-o", "a.pdf", "-o", "a.mp4", "--quality", "l", "--duration", "1"]
    assert cli.run(["render", "metrics", *words, *out]) == 0
    page = PdfReader("a.pdf").pages[0].extract_text()
    assert "short" in page
    assert "long" in page
    provenance = read_provenance(tmp_path / "a.pdf")
    assert provenance.run_name == "short and long"
    assert provenance.options == {"most": 1}
    with av.open("a.mp4") as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(frames) == 15
    assert (frames[0] != frames[-1]).any()


def test_two_paths_are_in_one_plane(two: list[Path], tmp_path: Path) -> None:
    compared = of_two(scene("path")())
    data = data_of(compared, two)
    assert data["pair_member"].values.tolist() == ["short", "long"]
    own = compared.claim(data)
    first, second = data["pair_plane"].values
    ended = np.hypot(*(second[-1] - first[np.isfinite(first).all(axis=1)][-1]))
    assert own.numbers["ended"] == pytest.approx(float(ended), rel=1e-5)
    assert f"end {ended:.2g} apart" in own.sentence
    gv.render("path", two, tmp_path / "a.pdf")
    figure, drawing, data = drawn("path", two)
    drawing.update(0)
    assert {"short", "long"} <= set(texts(figure))
    assert read_provenance(tmp_path / "a.pdf").run_name == "short and long"


def test_what_cannot_be_compared_is_told_in_a_sentence(two: list[Path], tmp_path: Path) -> None:
    with gv.record(tmp_path / "steps", counts="step") as run:
        for step in range(4):
            run.step(step, {"embed": np.full((6, 4), step, np.float32)}, train_loss=1.0)
    for name in ("steps", "path"):
        with pytest.raises(InputError, match="short counts epochs and steps steps"):
            gv.render(name, [two[0], tmp_path / "steps"], tmp_path / "a.png")
        with pytest.raises(InputError, match="both runs are short; give two that differ"):
            gv.render(name, [two[0], two[0]], tmp_path / "a.png")
    with pytest.raises(InputError, match="3 runs were given and this draws one"):
        gv.render("steps", [*two, two[0]], tmp_path / "a.png")
    with pytest.raises(InputError, match="2 runs were given and this draws one"):
        gv.render(["steps", "weights"], two, tmp_path / "a.png")
    with pytest.raises(InputError, match="made of all checkpoints, and modular-addition has not"):
        gv.render("path", [two[0], "modular-addition"], tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_runs_of_one_name_are_told_apart_by_their_folders() -> None:
    parts = [xr.Dataset(attrs={"run_name": "run"})] * 2
    assert names_of(parts, ["/x/a/run", "/x/b/run"]) == ["a/run", "b/run"]
    with pytest.raises(InputError, match="both runs are run"):
        names_of(parts, ["/x/a/run", "/x/a/run"])
