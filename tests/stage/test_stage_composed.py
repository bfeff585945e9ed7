"""Several scenes as the lettered panels of one figure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pypdf import PdfReader
from stage_scenes import Dot, Poster

import grokviz as gv
from grokviz import cli
from grokviz.media import read_provenance
from grokviz.media.pixels import read_picture
from grokviz.media.venues import VENUES
from grokviz.render.composing import default_run, figure_of, panelled

TWO = ["grokking-curve", "embedding-waves"]


def test_rows_have_two_panels_where_there_is_room(here: Path, dot: type[Dot]) -> None:
    figure = figure_of((dot(), dot(), dot()))
    row, last = 0.5 / dot.narrow_aspect, 1 / dot.aspect
    assert figure.aspect_at(54) == pytest.approx(1 / (row + last))
    assert figure.aspect_at(44) == pytest.approx(1 / (3 / dot.aspect))
    assert figure.aspect_at(26) == pytest.approx(1 / (3 / dot.narrow_aspect))


def test_a_figure_has_a_venues_width_and_its_own_height(here: Path) -> None:
    gv.render([*TWO, "wave-circles"], None, "a.pdf", venue="icml", options={"c.most": 2})
    page = PdfReader("a.pdf").pages[0]
    assert float(page.mediabox.width) / 72 == pytest.approx(VENUES["icml"].text, rel=1e-3)
    lines = page.extract_text().splitlines()
    # what stands before a letter is written on its line
    letters = {line.removeprefix("memorisation circuit formation") for line in lines}
    assert [letter in letters for letter in "abcd"] == [True, True, True, False]
    provenance = read_provenance(Path("a.pdf"))
    assert provenance.scene == "grokking-curve-embedding-waves-wave-circles"
    assert provenance.options["wave-circles"] == {"most": 2}
    assert "b: " in provenance.alt
    assert "(c) " in provenance.caption


@pytest.mark.slow
def test_a_png_is_of_paper_and_a_film_has_one_clock(here: Path) -> None:
    gv.render(TWO, None, ["a.png", "a.mp4"], quality="l", duration=1)
    assert read_picture(Path("a.png")).shape[1] == int(VENUES["tmlr"].text * 300)
    assert read_provenance(Path("a.mp4")).epochs


@pytest.mark.slow
def test_names_that_panels_share_stand_once_below_them(here: Path) -> None:
    shared = ["train", "test", "memorisation", "clean-up", "stable"]
    with_losses = [TWO[0], "progress-measures"]
    options = {"layout": "paper"}
    gv.render(with_losses, None, "both.pdf", venue="icml", epoch="last", options=options)
    words = PdfReader("both.pdf").pages[0].extract_text().split()
    assert [words.count(name) for name in shared] == [1] * len(shared)
    gv.render(TWO[0], None, "one.pdf", venue="icml", columns=1, epoch="last")
    words = PdfReader("one.pdf").pages[0].extract_text().split()
    assert [words.count(name) for name in shared[2:]] == [1] * len(shared[2:])
    # ink means something else in each of these panels
    gv.render(["progress-measures", "weight-norms"], None, "ink.pdf", venue="icml", epoch="last")
    words = PdfReader("ink.pdf").pages[0].extract_text().split()
    assert {"five", "waves", "alone"} <= {*words}


def test_panels_move_together(data: xr.Dataset, dot: type[Dot], poster: type[Poster]) -> None:
    figure = figure_of((dot(), poster(), dot()))
    assert figure.clock == "epoch"
    assert figure.alt_text(data, 3).count(dot().alt_text(data, 3)) == 2
    assert figure_of((dot(),)) == dot()


@pytest.mark.parametrize(
    ("given", "of_panels"),
    [
        ({"b.size": 3}, [2, 3]),
        ({"dot.size": 3}, [3, 3]),
        ({"size": 3}, [3, 3]),
        ({"size": 3, "a.size": 4}, [4, 3]),
    ],
)
def test_options_are_set_by_panel_by_scene_or_for_all(
    given: dict[str, int], of_panels: list[int], dot: type[Dot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[panelled.__module__], "find_scene", lambda name: dot)
    default = dot().size
    expected = [default if size == 2 else size for size in of_panels]
    assert [panel.size for panel in panelled(["dot", "dot"], given)] == expected


WRONG = [
    ([*TWO, "-o", "a.pdf", "--set", "c.a=1"], "there is no panel c"),
    ([*TWO, "-o", "a.pdf", "--set", "b.a=1"], "embedding-waves has no option a"),
    ([*TWO, "-o", "a.pdf", "--set", "a=1"], "none of grokking-curve, embedding-waves has an"),
    (["grokking-curve", "seeds", "-o", "a.pdf"], "seeds from seeds); give --run"),
    (["grokking-curve", "clock", "-o", "a.pdf"], "clock is a film, which cannot be a panel"),
    (
        ["grokking-curve", "fraction-sweep", "-o", "a.pdf"],
        "fraction-sweep along fraction; draw them into two figures",
    ),
    (
        ["grokking-curve", "neuron-clusters", "progress-measures", "-o", "a.mp4"],
        "times the height of a slide; draw fewer",
    ),
    ([*["grokking-curve"] * 27, "-o", "a.pdf"], "27 panels are more than letters"),
]


@pytest.mark.parametrize(("words", "sentence"), WRONG, ids=lambda value: str(value)[-30:])
def test_what_cannot_be_one_figure_is_a_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert cli.run(["render", *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert sentence in error
    assert list(here.iterdir()) == []


def test_without_a_file_each_scene_has_its_own(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["render", *TWO, "--format", "png", "--set", "b.value=squared", "-q"]) == 0
    assert sorted(file.name for file in here.iterdir()) == [f"{name}.png" for name in sorted(TWO)]
    assert read_provenance(Path("embedding-waves.png")).options == {"value": "squared"}
    assert default_run(figure_of(panelled(TWO))) == "modular-addition"


MINE = """
from dataclasses import dataclass
from grokviz.scene import Drawing, Scene, style

@dataclass(frozen=True)
class Mine(Scene):
    name, title, source, needs, clock = "mine", "A line", "me", ("logged_test_loss",), None

    def draw(self, figure, data):
        axes = style().panels(figure)[0][0]
        return Drawing(axes.plot(data["logged_test_loss"].values))
"""


@pytest.mark.slow
def test_a_users_scene_is_a_panel_in_worker_processes(here: Path) -> None:
    Path("scenes").mkdir()
    Path("scenes", "mine.py").write_text(MINE)
    command = [sys.executable, "-m", "grokviz", "render", "mine", "grokking-curve", "-q"]
    command += ["--venue", "icml", "-o", "a.png", "-o", "b.png", "-j", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(*map(read_picture, (Path("a.png"), Path("b.png"))))
