from __future__ import annotations

import itertools
import logging
import re
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from colour_vision import contrast, distances, lab
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, FontProperties, findfont, fontManager

from grokviz.errors import InputError
from grokviz.media import VENUES, page, screen
from grokviz.media.formulas import FORMULAS
from grokviz.media.theme import COLOUR_MAPS, DARK, LIGHT, PALETTES, colour_map, theme
from grokviz.media.typefaces import DISPLAY, TEXT, font_folders, title_face
from grokviz.scene.clock import COMMA_SPACE, FIGURE_SPACE

# CIE 1976; about six times what is just noticeable side by side
APART = 15.0


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("deuteranopia", [False, True])
def test_meanings_stay_apart(name: str, deuteranopia: bool) -> None:
    c = PALETTES[name]
    meanings = [*c.frequencies, c.train, c.test, c.answer, c.ink, c.rest, c.background]
    apart = distances(meanings, deuteranopia=deuteranopia)
    for i, j in itertools.combinations(range(len(meanings)), 2):
        # what is grey may be near the page, but must be seen on it
        least = 10.0 if {i, j} == {len(meanings) - 2, len(meanings) - 1} else APART
        assert apart[i, j] >= least, (meanings[i], meanings[j], apart[i, j])


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("deuteranopia", [False, True])
def test_key_frequencies_stay_further_apart(name: str, deuteranopia: bool) -> None:
    colours = PALETTES[name].frequencies
    apart = distances(colours, deuteranopia=deuteranopia)
    least = 20.0 if deuteranopia else 29.0
    assert min(apart[i, j] for i, j in itertools.combinations(range(7), 2)) > least


@pytest.mark.parametrize("name", PALETTES)
def test_colours_stand_out_in_greyscale(name: str) -> None:
    c = PALETTES[name]
    lightness = lab([c.background, c.rest, c.train, c.test, c.ink, c.muted, *c.frequencies])[:, 0]
    page_, rest, *others = lightness
    assert abs(rest - page_) > 10
    # everything that is a point is further from the page than what is not
    assert all(abs(other - page_) > abs(rest - page_) + 10 for other in others)


@pytest.mark.parametrize("name", PALETTES)
def test_text_can_be_read(name: str) -> None:
    c = PALETTES[name]
    assert contrast(c.ink, c.background) > 12
    assert contrast(c.muted, c.background) > 5.5
    assert min(contrast(c.ink, phase) for phase in c.phases) > 10
    assert min(contrast(colour, c.background) for colour in c.frequencies) > 2.2
    assert {c.words(c.faint), c.words(c.rest)} == {c.muted}
    assert [c.words(colour) for colour in c.frequencies] == list(c.frequencies)


@pytest.mark.parametrize("name", PALETTES)
def test_phases_are_told_apart(name: str) -> None:
    c = PALETTES[name]
    ground = distances([c.background, *c.phases])
    # more than twice what is just noticeable from the page, and from the phase beside it
    assert min(ground[0, 1:]) > 5
    assert min(ground[i, i + 1] for i in range(1, len(c.phases))) > 4.5
    lightness = lab(c.phases)[:, 0]
    assert max(lightness) - min(lightness) < 3  # none is the louder one
    assert min(contrast(c.muted, phase) for phase in c.phases) > 5


@pytest.mark.parametrize("name", PALETTES)
def test_test_loss_is_the_one_orange_red(name: str) -> None:
    c = PALETTES[name]

    def hue(colour: str) -> tuple[float, float]:
        _, a, b = lab([colour])[0]
        return float(np.degrees(np.arctan2(b, a)) % 360), float(np.hypot(a, b))

    def red(colour: str) -> bool:
        angle, chroma = hue(colour)
        return chroma > 20 and 15 < angle < 70

    assert red(c.test)
    others = [*c.frequencies, c.train, c.answer, c.rest, c.ink, c.muted]
    assert not [other for other in others if red(other)]
    # what was trained on is the quiet one: a blue nearer to grey than any frequency's
    angle, chroma = hue(c.train)
    assert 220 < angle < 300
    assert 15 < chroma < min(hue(one)[1] for one in c.frequencies)


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_colour_maps_say_how_much(name: str) -> None:
    """Amounts go one way in lightness; signed values have their middle at one end of it."""
    lightness = lab([colour_map(name)(x)[:3] for x in np.linspace(0, 1, 33)])[:, 0]
    change = np.diff(lightness)
    if "signed" in name:
        sign = 1 if "dark" in name else -1
        assert (sign * change[:16] < 0).all()
        assert (sign * change[16:] > 0).all()
        assert abs(lightness[0] - lightness[-1]) < 12
        return
    rising = change[:21] if "heights" in name else change  # the tops of hills turn to their colour
    assert (rising > 0).all() or (rising < 0).all()


def test_the_top_of_a_surface_is_not_the_test_colour() -> None:
    top = colour_map(DARK.heights)(1.0)[:3]
    for deuteranopia in (False, True):
        assert distances([top, DARK.test], deuteranopia=deuteranopia)[0, 1] > APART


def test_known_distance() -> None:
    # black and white are 100 apart; red and green come nearer without green cones
    assert distances(["black", "white"])[0, 1] == pytest.approx(100, abs=0.01)
    plain = distances(["#d62728", "#2ca02c"])[0, 1]
    assert distances(["#d62728", "#2ca02c"], deuteranopia=True)[0, 1] < plain / 3


def test_frequency_keeps_its_colour() -> None:
    assert LIGHT.frequency(14, [52, 14, 35]) == LIGHT.frequencies[0]
    assert LIGHT.frequency(52, [14, 35, 52]) == LIGHT.frequencies[2]
    assert LIGHT.frequency(7, [14, 35, 52]) == LIGHT.rest
    assert DARK.frequency(9, list(range(10))) == DARK.frequencies[2]


@pytest.mark.parametrize("name", PALETTES)
def test_slide_text_is_30_pixels_high(name: str) -> None:
    rc = theme(name, "slide").rc
    sizes = {key: value for key, value in rc.items() if re.search(r"size$", key)}
    texts = {k: v for k, v in sizes.items() if "font" in k or "label" in k or "title" in k}
    assert len(texts) >= 8
    for key, points in texts.items():
        assert points * rc["figure.dpi"] / 72 >= 30, key


@pytest.mark.parametrize(("name", "medium"), [*itertools.product(PALETTES, ("paper", "slide"))])
def test_every_setting_is_matplotlibs_and_cannot_be_changed(name: str, medium: Any) -> None:
    chosen = theme(name, medium)
    assert set(chosen.rc) <= set(matplotlib.rcParamsDefault)
    colours = chosen.colours
    for maps in (colours.sequential, colours.diverging, colours.heights):
        assert colour_map(maps).N == 256
    with pytest.raises(TypeError):
        chosen.rc["font.size"] = 3  # type: ignore[index]


HOSTILE = {
    "lines.linestyle": "--", "lines.marker": "o", "axes.facecolor": "red", "font.weight": "bold",
    "axes.spines.left": False, "xtick.direction": "in", "figure.constrained_layout.use": True,
    "image.origin": "lower", "legend.loc": "lower left", "path.sketch": (1, 100, 2),
    "figure.dpi": 33, "text.usetex": True, "axes.labelweight": "bold", "grid.linestyle": ":",
}  # fmt: skip


@pytest.mark.parametrize("name", PALETTES)
def test_a_users_own_matplotlibrc_changes_nothing(name: str) -> None:
    def drawn() -> np.ndarray:
        with theme(name, "paper").applied():
            figure = Figure(figsize=(3, 2), dpi=60)
            left, right = figure.subplots(1, 2)
            left.plot([1, 2], [3, 4], label="a line")
            left.set(xlabel="epoch", ylabel="loss")
            left.legend()
            right.imshow([[0, 1], [2, 3]])
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            return np.array(canvas.buffer_rgba())

    plain = drawn()
    with matplotlib.rc_context(HOSTILE):
        before = dict(matplotlib.rcParams)
        np.testing.assert_array_equal(drawn(), plain)
        assert dict(matplotlib.rcParams) == before
    ground = [int(PALETTES[name].background[i : i + 2], 16) for i in (1, 3, 5)]
    assert plain[1, 1, :3].tolist() == ground


def test_applied_leaves_nothing_behind() -> None:
    before = dict(matplotlib.rcParams)
    with theme("dark").applied():
        assert matplotlib.rcParams["text.color"] == DARK.ink
    assert dict(matplotlib.rcParams) == before


def test_fonts_are_installed_with_us() -> None:
    own = [Path(folder) for folder in font_folders(TEXT, DISPLAY)]
    families = ("sans-serif", "monospace", TEXT, DISPLAY, "DejaVu Sans")
    with theme("light").applied():
        for family, weight in itertools.product(families, ("normal", 600, "bold")):
            font = Path(findfont(FontProperties(family=family, weight=weight)))
            assert font.parent in own
    semibold = findfont(FontProperties(family=DISPLAY, weight=600))
    assert Path(semibold).name == "SourceSerifPro-Semibold.ttf"


def test_a_font_of_the_same_name_elsewhere_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    other = findfont(FontProperties(family="DejaVu Serif"))
    entry = FontEntry(
        fname=other, name=TEXT, style="normal", variant="normal", weight=400, stretch="normal",
        size="scalable",
    )  # fmt: skip
    monkeypatch.setattr(fontManager, "ttflist", [entry, *fontManager.ttflist])
    with theme("light").applied():
        assert findfont(FontProperties(family=TEXT)) != other
        with theme("dark").applied():
            assert findfont(FontProperties(family=TEXT)) != other
    # afterwards the user's own is found as before, and the rest of ours is still known
    assert findfont(FontProperties(family=TEXT)) == other
    assert "SourceSerifPro" in findfont(FontProperties(family=DISPLAY), fallback_to_default=False)


def test_what_matplotlib_has_found_is_kept_between_two_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with theme("light").applied():
        pass
    listed: list[str] = []
    monkeypatch.setattr(fontManager, "addfont", listed.append)  # it forgets all fonts found
    with theme("dark").applied():
        assert "SourceSans" in findfont(FontProperties(family=TEXT), fallback_to_default=False)
    assert listed == []


@pytest.mark.parametrize("size", [14.4, 23.4, 29.2])
def test_numerals_are_equally_wide(size: float) -> None:
    with theme("dark").applied():
        figure = Figure(figsize=(4, 1), dpi=100)
        FigureCanvasAgg(figure)
        text = figure.text(0, 0, "", fontsize=size, fontweight=600)

        def wide(words: str) -> float:
            text.set_text(words)
            return float(text.get_window_extent().width)

        for shape in ("{0}", "{0}{0}", "{0},{0}{0}{0}", "{0}.{0}"):
            widths = [wide("epoch " + shape.format(n)) for n in "0123456789"]
            assert max(widths) - min(widths) < 0.05
        # and before the first thousand there are spaces as wide
        assert abs(wide(f"{FIGURE_SPACE}{COMMA_SPACE}888") - wide("8,888")) < 2


def test_a_percent_sign_takes_its_room_in_a_title() -> None:
    with theme("dark").applied():
        figure = Figure(figsize=(4, 1), dpi=100)
        FigureCanvasAgg(figure)
        title = figure.text(0, 0, "", fontsize=40, **title_face([TEXT]))

        def wide(words: str) -> float:
            title.set_text(words)
            return float(title.get_window_extent().width)

        assert wide("5% of it") - wide("5 of it") > 30


def test_size_of_a_venue() -> None:
    paper = theme("light", "paper").sized(7)
    assert paper.rc["font.size"] == 7
    assert paper.rc["xtick.labelsize"] < 7
    assert theme("light", "paper").rc["font.size"] == 9


def test_own_style_comes_last(tmp_path: Path) -> None:
    style = tmp_path / "mine.mplstyle"
    style.write_text("font.size: 31\nlines.linewidth: 7.5\naxes.grid: False\nsvg.hashsalt: x\n")
    chosen = theme("light", "slide", style)
    assert chosen.rc["font.size"] == 31
    assert chosen.rc["lines.linewidth"] == 7.5
    assert chosen.rc["axes.grid"] is False
    assert chosen.sized(12).rc["font.size"] == 31
    assert chosen.rc["svg.hashsalt"] == "grokviz"


@pytest.mark.parametrize(
    "text", ["lines.linewdith: 3\n", "lines.linewidth: thick\n", "no colon here\n"]
)
def test_bad_style_is_said(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    style = tmp_path / "bad.mplstyle"
    style.write_text(text)
    with caplog.at_level(logging.WARNING), pytest.raises(InputError, match=r"bad\.mplstyle"):
        theme("light", "slide", style)


def test_a_style_that_asks_for_latex_is_refused(tmp_path: Path) -> None:
    style = tmp_path / "tex.mplstyle"
    style.write_text("text.usetex: True\ntext.latex.preamble: \\input{x}\n")
    with pytest.raises(InputError, match=r"tex\.mplstyle sets text\.usetex"):
        theme("light", "slide", style)
    style.write_text("text.usetex: False\nlines.linewidth: 3\n")
    assert theme("light", "slide", style).rc["lines.linewidth"] == 3


def test_style_of_bytes_is_said(tmp_path: Path) -> None:
    style = tmp_path / "bad.mplstyle"
    style.write_bytes(b"\xff\xfe\x00lines.linewidth: 3\n")
    with pytest.raises(InputError, match=r"bad\.mplstyle"):
        theme("light", "slide", style)
    with pytest.raises(InputError, match=r"no style file .*gone"):
        theme("light", "slide", tmp_path / "gone")


def test_unknown_theme() -> None:
    with pytest.raises(InputError, match="did you mean dark"):
        theme("drak")
    with pytest.raises(InputError, match="medium"):
        theme("dark", "poster")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", VENUES)
def test_venue_is_plausible(name: str) -> None:
    venue = VENUES[name]
    assert 0 < venue.column <= venue.text
    assert 6 <= venue.points <= 22
    assert venue.source
    if venue.column < venue.text and name != "slide":
        assert 2 * venue.column < venue.text  # there is a gap between columns


def test_page_is_the_venues_width() -> None:
    paper = theme("light", "paper")
    assert page("icml", 1, 1.5, paper).inches == (3.25, 3.25 / 1.5)
    assert page("NeurIPS", 2, 2.0, paper).inches == (5.5, 2.75)
    assert page("nature", 1, 1, paper).width == pytest.approx(89 / 25.4, abs=1e-12)
    assert page("nature", 1, 1, paper).points == 7


def test_unknown_venue() -> None:
    paper = theme("light", "paper")
    with pytest.raises(InputError, match="did you mean neurips"):
        page("neurisp", 1, 1.5, paper)
    with pytest.raises(InputError, match="1 or 2 columns"):
        page("icml", 3, 1.5, paper)
    with pytest.raises(InputError, match="aspect"):
        page("icml", 1, 0, paper)


@pytest.mark.parametrize("size", [(854, 480), (1280, 720), (1920, 1080), (3840, 2160), (426, 240)])
def test_screen_has_exactly_the_pixels(size: tuple[int, int]) -> None:
    shown = screen(*size)
    assert shown.pixels == size
    figure = Figure(figsize=shown.inches, dpi=shown.dpi)
    assert FigureCanvasAgg(figure).get_width_height() == size


def test_screen_of_another_shape() -> None:
    with pytest.raises(InputError, match="16:9"):
        screen(1000, 1000)


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_is_set_by_matplotlib(name: str) -> None:
    from matplotlib.mathtext import MathTextParser

    formula = FORMULAS[name]
    assert formula.mathtext.count("$") == 2
    with theme("light").applied():
        width, height, *_ = MathTextParser("path").parse(formula.mathtext, 72)
    assert width > 10
    assert height > 5
    assert formula.words
    assert formula.source


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_is_balanced_typst(name: str) -> None:
    typst = FORMULAS[name].typst
    assert "$" not in typst
    assert typst.count("(") == typst.count(")")
    assert typst.count('"') % 2 == 0
    # words of more than one letter are Typst's own symbols, or quoted
    own = {"cos", "sin", "sum", "pi", "alpha", "theta", "hat", "norm", "sqrt", "approx"}
    own |= {"arrow", "bar", "mod", "log", "cal"}
    bare = re.sub(r'"[^"]*"', " ", typst)
    assert not set(re.findall(r"[A-Za-z]{2,}", bare)) - own
