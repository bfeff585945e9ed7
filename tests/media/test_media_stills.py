from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from matplotlib.figure import Figure
from pypdf import PdfReader

from grokviz.errors import InputError
from grokviz.media import Provenance, page, read_provenance, save_still, transparent_background
from grokviz.media.theme import theme

MADE = Provenance(
    title="Waves & circles — seen",
    alt="Bars <rise>; the loss “falls”.",
    caption="After Nanda et al. (2023).",
    scene="embedding-waves",
    run_name="modular-addition",
    run_checksum="ab" * 8,
    options={"note": "a (nested (one)) \\ back", "k": [1, 2]},
    epochs=(9000,),
    command="grokviz render embedding-waves",
)
KINDS = ["pdf", "svg", "png"]


def drawn(venue: str = "icml") -> Any:
    chosen = theme("light", "paper")
    size = page(venue, 1, 1.5, chosen)
    chosen = chosen.sized(size.points)
    with chosen.applied():
        figure = Figure(figsize=size.inches, dpi=size.dpi)
        axes = figure.subplots()
        axes.plot([1, 2, 3], [1e-6, 1e-2, 1], color=chosen.colours.test, label=r"$\cos(w_k a)$")
        axes.set(yscale="log", xlabel="epoch", ylabel="loss")
        axes.text(2, 0.1, "test loss", weight="bold")
        axes.legend()
    return figure


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_same_figure_same_bytes(tmp_path: Path, kind: str) -> None:
    for name in ("a", "b"):
        save_still(drawn(), tmp_path / f"{name}.{kind}", provenance=MADE)
    assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a POSIX system")
@pytest.mark.parametrize("suffix", [".png", ".mp4", ".pdf", ".html"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"pipe{suffix}")
    with pytest.raises(InputError, match="is a pipe or a device; give a picture or film"):
        read_provenance(tmp_path / f"pipe{suffix}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_provenance_round_trip(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    save_still(drawn(), path, provenance=MADE)
    assert read_provenance(path) == MADE


@pytest.mark.parametrize(("venue", "points"), [("icml", 234), ("neurips", 396), ("acl", 218.16)])
def test_pdf_width_is_exact(tmp_path: Path, venue: str, points: float) -> None:
    path = tmp_path / "x.pdf"
    save_still(drawn(venue), path, provenance=MADE)
    (only,) = PdfReader(path).pages
    assert float(only.mediabox.width) == pytest.approx(points, abs=0.01)
    assert float(only.mediabox.height) == pytest.approx(points / 1.5, abs=0.01)


def fonts_of(resources: Any) -> list[Any]:
    fonts = [font.get_object() for font in (resources.get("/Font") or {}).values()]
    for inner in (resources.get("/XObject") or {}).values():
        fonts += fonts_of(inner.get_object().get("/Resources") or {})
    return fonts


@pytest.mark.slow
def test_pdf_has_no_type_3_fonts(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    save_still(drawn(), path, provenance=MADE)
    reader = PdfReader(path)
    fonts = fonts_of(reader.pages[0]["/Resources"])
    assert fonts
    assert {font["/Subtype"] for font in fonts} <= {"/Type0", "/TrueType"}
    assert "test loss" in reader.pages[0].extract_text()


@pytest.mark.slow
def test_pdf_says_what_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    save_still(drawn(), path, provenance=MADE)
    said = PdfReader(path).metadata
    assert said.title == MADE.title
    assert said.subject == MADE.alt
    assert "/CreationDate" not in said
    assert "/ModDate" not in said


def test_svg_text_can_be_edited_and_read(tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    save_still(drawn(), path, provenance=MADE)
    root = ElementTree.parse(path).getroot()
    name = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    ids = {child.get("id"): child.text for child in root}
    assert [ids[key] for key in root.get("aria-labelledby", "").split()] == [MADE.title, MADE.alt]
    texts = ["".join(text.itertext()).strip() for text in root.iter(f"{name}text")]
    assert "epoch" in texts
    assert "test loss" in texts
    assert root.get("width") == "234pt"
    assert b"<dc:date>" not in path.read_bytes()


def test_png_pixels_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    save_still(drawn(), path, provenance=MADE, dpi=200)
    assert iio.improps(path).shape == (433, 650, 3)
    said = iio.immeta(path)
    assert said["dpi"] == pytest.approx((200, 200), abs=0.01)
    assert said["Title"] == MADE.title
    assert said["Description"] == MADE.alt


def test_dpi_is_put_back(tmp_path: Path) -> None:
    figure = drawn()
    save_still(figure, tmp_path / "x.png", provenance=MADE, dpi=50)
    assert figure.dpi == 300


def test_transparent(tmp_path: Path) -> None:
    figure = drawn()
    save_still(figure, tmp_path / "x.png", provenance=MADE, transparent=True)
    pixels = iio.imread(tmp_path / "x.png")
    assert pixels.shape[2] == 4
    assert pixels[2, 2, 3] == 0
    # straight alpha: a half covered pixel of the red line is as red as the line
    line = pixels[(pixels[..., 3] > 60) & (pixels[..., 3] < 200)].astype(int)
    red = line[(line[:, 0] - line[:, 1] > 100)]
    assert len(red)
    assert np.abs(red[:, :3] - [221, 68, 22]).max() < 25
    assert figure.patch.get_facecolor() == (1, 1, 1, 1)
    save_still(figure, tmp_path / "y.png", provenance=MADE)
    assert iio.improps(tmp_path / "y.png").shape[2] == 3


def test_see_through_puts_back_after_an_error() -> None:
    figure = drawn()
    before = figure.axes[0].patch.get_facecolor()
    seen = []

    def fail() -> None:
        with transparent_background(figure):
            seen.append(figure.axes[0].patch.get_facecolor()[3])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [0]
    assert figure.axes[0].patch.get_facecolor() == before


def test_old_picture_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_text("old")
    figure = drawn()
    figure.axes[0].set_title(r"$\broken$")
    with pytest.raises(ValueError, match="broken"):
        save_still(figure, path, provenance=MADE)
    assert [p.name for p in tmp_path.iterdir()] == ["x.pdf"]
    assert path.read_text() == "old"


def test_film_is_no_still(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"choose \.png, \.svg, \.pdf or \.avif"):
        save_still(drawn(), tmp_path / "x.mp4", provenance=MADE)


def test_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").mkdir()
    with pytest.raises(InputError, match="it is a folder"):
        save_still(drawn(), tmp_path / "x.pdf", provenance=MADE)


def test_what_is_empty_is_left_out_of_a_provenance() -> None:
    plain = Provenance("only a title")
    assert plain.as_json() == '{"grokviz":{"title":"only a title"}}'


def test_provenance_takes_numpy_and_paths() -> None:
    made = Provenance("x", options={"k": np.int64(3), "where": Path("a/b"), "f": np.float64(0.5)})
    assert Provenance.from_json(made.as_json()).options == {"k": 3, "where": "a/b", "f": 0.5}
    with pytest.raises(ValueError, match="no grokviz"):
        Provenance.from_json("{}")


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys, grokviz.media, grokviz.media.theme, grokviz.media.venues\n"
        "grokviz.media.FORMATS, grokviz.media.Provenance, grokviz.media.write_film\n"
        "heavy = {'matplotlib', 'av', 'PIL', 'torch', 'xarray', 'imageio'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "from matplotlib.figure import Figure\n"
        "figure = Figure(); figure.subplots().plot([1, 2])\n"
        "grokviz.media.save_still(figure, sys.argv[1],"
        " provenance=grokviz.media.Provenance('x'))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    path = tmp_path / "x.pdf"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes()[:4] == b"%PDF"
