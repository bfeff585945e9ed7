"""Venues: their sources, the table of them in the docs, and those that a user writes down."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from grokviz.errors import InputError
from grokviz.media import VENUES
from grokviz.media.theme import theme
from grokviz.media.venues import TEX_POINTS_PER_INCH, Venue, find_venue, page
from grokviz.render.render import render

PAGE = Path(__file__).parents[2] / "docs" / "paper-figures.md"
THREE = 'text = "174 mm"\ncolumn = "84 mm"\npoints = 8\n'


def row(venue: Venue) -> str:
    sizes = f"{25.4 * venue.column:.1f} | {25.4 * venue.text:.1f} | {venue.points:g}"
    return f"| `{venue.name}` | {sizes} | {venue.source} | {venue.checked} |"


def test_the_docs_have_every_venue_with_its_source_and_day() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    header, *rows = rows
    assert header.startswith("| `--venue` ")
    assert rows == [row(venue) for name, venue in VENUES.items() if name != "slide"]
    for venue in VENUES.values():
        assert datetime.date.fromisoformat(venue.checked) >= datetime.date(2026, 11, 30)


def test_points_and_picas_are_those_of_latex() -> None:
    ieee, acm = VENUES["ieee"], VENUES["acm"]
    assert ieee.text * TEX_POINTS_PER_INCH == pytest.approx(43 * 12)
    assert ieee.text - 2 * ieee.column == pytest.approx(12 / TEX_POINTS_PER_INCH)
    assert acm.text - 2 * acm.column == pytest.approx(24 / TEX_POINTS_PER_INCH)


def test_a_venue_of_ones_own_is_three_lines(tmp_path: Path) -> None:
    file = tmp_path / "Mine.TOML"
    file.write_text(THREE, "utf-8")
    venue = find_venue(str(file), 1)
    assert (venue.column, venue.text) == pytest.approx((84 / 25.4, 174 / 25.4))
    assert page(str(file), 1, 2.0, theme("light", "paper")).points == 8
    file.write_text('text = 5.5\nsource = "mine.sty"', "utf-8")
    venue = find_venue(str(file), 2)
    assert (venue.column, venue.text, venue.points, venue.source) == (5.5, 5.5, 9, "mine.sty")
    file.write_text('text = "43pc"\ncolumn = "252 pt"', "utf-8")
    assert find_venue(str(file), 1).column == pytest.approx(VENUES["ieee"].column)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("text = ", "cannot read"),
        ("points = 9", "text is None"),
        ('text = "12 furlongs"', "furlongs"),
        ('text = "5.5"', "give a width"),
        ("text = true", "text is True"),
        ("text = 500", "1 to 100 inches"),
        ("text = nan", "text is nan"),
        ("text = 3\ncolumn = 4", "wider than the text"),
        ("text = 3\npoints = 1", "points is 1"),
        ("text = 3\nwidth = 4", "no key 'width'"),
    ],
)
def test_a_wrong_venue_file_is_one_sentence(tmp_path: Path, lines: str, said: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(lines, "utf-8")
    with pytest.raises(InputError, match=said) as caught:
        find_venue(str(file), 2)
    assert "mine.toml" in str(caught.value)


def test_a_venue_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no venue file .*gone\.toml; write three lines"):
        find_venue(str(tmp_path / "gone.toml"), 2)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot read"):
        find_venue(str(tmp_path / "bytes.toml"), 2)
    with pytest.raises(InputError, match=r"file of your own, such as mine\.toml"):
        find_venue("zzzzzz", 2)


def test_a_figure_has_the_width_that_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(THREE, "utf-8")
    (path,) = render("grokking-curve", None, "a.pdf", venue="mine.toml", columns=1)
    assert float(PdfReader(path).pages[0].mediabox.width) == pytest.approx(72 * 84 / 25.4, abs=0.01)
