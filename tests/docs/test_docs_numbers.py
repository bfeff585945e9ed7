"""Every figure of ours on the science pages is what the bundled data say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset.references.reference import reference
from grokviz.errors import InputError
from website import numbers as page_numbers
from website.numbers import DOCS, MARK, PAGES, differences, numbers, read, rewritten, written

TEXTS = {name: (DOCS / name).read_text("utf-8") for name in PAGES}

STRICT = {name: text for name, text in TEXTS.items() if name != "learning-coefficient.md"}
"""Pages whose figures are all of bundled data; the other is mostly of samplings that tests make."""

ORIGIN = re.compile(
    r"published|notebook|not bundled|by hand|thread|arXiv|source|definition|drawn by", re.I
)
"""What says that a number is not of the bundled data."""

FIGURE = re.compile(r"(?<![\w.^])-?\d[\d,]*(?:\.\d+)*(?:e-?\d+)?(?: %)?(?![\w²])")

RULES = {
    # what defines memorising, spikes, phases and ties, and an exact share
    "0.1", "0.3", "0.001", "0.0001", "5 %", "10 %", "95 %", "1e-10", "0.06 %",
    # settings of runs, and the version that measured
    "0.2", "0.25", "0.28", "0.4", "0.5", "0.6", "0.8", "0.9", "1e-3", "2.13.0",
}  # fmt: skip
"""Numbers in sentences that are rules and settings, and no results."""

WHOLE = {
    "science.md": {
        # checkpoints that are bundled, where films end, and a table's epoch
        "1,400", "5,400", "8,000", "13,000", "19,000", "40,000",
        "1,000", "5,600", "2,000",  # sequences, updates and records of settings
    },
    "phase-changes.md": {"5,000"},
    "phase-change-to-grokking.md": set[str](),
    "disputed.md": set[str](),
}  # fmt: skip
"""Numbers of four and more digits in sentences of pages, that are settings and no results."""


@pytest.fixture(scope="module")
def data() -> dict[str, xr.Dataset]:
    return read(list(TEXTS.values()))


def plain(text: str) -> str:
    """Text without its marks, code, links and references."""
    return re.sub(r"<!--=.*?<!--/-->|`[^`]*`|\]\([^)]*\)|\d{4}\.\d{5}", "", text)


def unmarked(text: str) -> list[str]:
    """Figures outside marks that are no argument of a mark beside them."""
    asked = {part for mark in MARK.finditer(text) for part in re.split(r"[ =,]", mark["words"])}
    asked = {float(part) for part in asked if re.fullmatch(r"-?[\d.]+(e-?\d+)?", part)}
    figures = [one.rstrip(",") for one in FIGURE.findall(plain(text))]
    return [one for one in figures if "%" in one or _number(one) not in asked]


def _number(figure: str) -> float:
    return float("nan") if figure.count(".") > 1 else float(figure.replace(",", ""))


def tables(page: str) -> Iterator[list[list[str]]]:
    """The tables of a page as rows of cells, the header first."""
    for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        rows = [line.strip()[1:-1].split("|") for line in block.splitlines()]
        yield [[cell.strip() for cell in row] for row in (rows[0], *rows[2:])]


def prose(page: str) -> list[str]:
    """The lines that are neither code nor of a table."""
    text = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    return [line for line in text.splitlines() if not line.startswith(("|", "    "))]


# --- pages and data --------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_the_page_says_what_the_data_say(page: str, data: dict[str, xr.Dataset]) -> None:
    wrong = [(one.line, one.words, one.text, text) for one, text in differences(TEXTS[page], data)]
    assert wrong == [], "run: make numbers"


def test_figures_of_ours_in_tables_are_marked() -> None:
    looked_at = 0
    for name, page in STRICT.items():
        for header, *rows in tables(page):
            for row in rows:
                assert len(row) == len(header), (name, row)
                if ORIGIN.search(row[0]):
                    continue
                for title, cell in zip(header[1:], row[1:], strict=True):
                    if not ORIGIN.search(title):
                        assert unmarked(cell) == [], (name, row[0], cell)
                        looked_at += bool(MARK.search(cell))
    assert looked_at > 150


def test_results_in_sentences_are_marked_or_say_where_they_are_from() -> None:
    """Decimals, powers of ten and percentages; of small whole numbers nobody can tell."""
    looked_at = 0
    for name, page in STRICT.items():
        for line in prose(page):
            for sentence in re.split(r"(?<=[.:;]) (?=[A-Z`])", line):
                results = [one for one in unmarked(sentence) if re.search(r"[.e%]", one)]
                left = [] if ORIGIN.search(sentence) else [x for x in results if x not in RULES]
                assert left == [], (name, sentence)
                looked_at += bool(MARK.search(sentence))
    assert looked_at > 20


def test_large_whole_numbers_in_sentences_are_marked_or_settings() -> None:
    """Epochs and counts: a number that no mark says or asks for is listed above."""
    for name, allowed in WHOLE.items():
        used = set()
        for line in prose(TEXTS[name]):
            for sentence in re.split(r"(?<=[.:;]) (?=[A-Z`])", line):
                left = {one for one in unmarked(sentence) if re.fullmatch(r"\d{1,3}(,\d{3})+", one)}
                left = set() if ORIGIN.search(sentence) else left
                assert left <= allowed, (name, sentence)
                used |= left
        assert used == allowed, "a number that stands nowhere is not to be allowed"


# --- the marks -------------------------------------------------------------------------

MARKED = "so <!--=one loss split=all:.1e-->1.0e-7<!--/--> it is\n"


def tiny(loss: float = 1e-7) -> dict[str, xr.Dataset]:
    losses = xr.Dataset({"loss": ("split", np.array([0.5, loss]))}, {"split": ["train", "all"]})
    return {"one": losses}


def test_a_changed_page_and_changed_data_are_told_and_written() -> None:
    assert list(differences(MARKED, tiny())) == []
    assert [text for _, text in differences(MARKED, tiny(2e-7))] == ["2.0e-7"]
    changed = MARKED.replace("1.0e-7<", "1.1e-7<")
    assert [(one.text, one.line) for one, _ in differences(changed, tiny())] == [("1.1e-7", 1)]
    assert rewritten(changed, tiny()) == MARKED


def test_the_last_bits_of_a_number_that_rounds_either_way_change_no_page() -> None:
    page = "so <!--=one loss split=all:.1f-->0.4<!--/-->"
    for loss in (np.nextafter(0.35, 0), np.nextafter(0.35, 1)):
        assert list(differences(page, tiny(loss))) == []
    assert len(list(differences(page, tiny(0.3499)))) == 1


def test_numbers_are_written_as_the_pages_have_them() -> None:
    assert written(2.317e-7, ".3e") == "2.317e-7"
    assert written(1e-10, ".0e") == "1e-10"
    assert written(3.2e5, ".1e") == "3.2e5"
    assert written([0.9903, 0.9839], ".2%") == "99.03, 98.39 %"
    assert written([0.1, 0.25, 1], ".0%&") == "10, 25 and 100 %"
    assert written(np.float32(955.7), ",") == "956"
    assert written([1611, 2926], ",") == "1,611, 2,926"
    assert [written(n, "w") for n in (0, 4, 38)] == ["none", "four", "38"]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<!--=one loss:.1f-->1<!--/-->", "begins with a mark"),
        ("so <!--=one loss:.1f-->1", "not whole"),
        ("so <!--=one:.1f-->1<!--/-->", "name a run and a quantity"),
        ("so <!--=one los split=all:.1f-->1<!--/-->", "line 1, one los split=all: there is no"),
        ("so <!--=one loss split=al:.1f-->1<!--/-->", "there is no split al"),
        ("so <!--=one loss at=1:.1f-->1<!--/-->", "there is no dimension at"),
        ("so <!--=one at train 3:.1f-->1<!--/-->", "logged_epoch"),
    ],
)
def test_a_wrong_mark_is_told_in_a_sentence(page: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        list(differences(page, tiny()))


def test_an_epoch_without_a_record_is_no_number_of_another() -> None:
    thinned = {"one": reference("digit-addition")}
    page = "so <!--=one {} train 1500:.3f-->1<!--/-->"
    with pytest.raises(InputError, match="no record of epoch 1500"):
        list(differences(page.format("at"), thinned))
    ((_, text),) = differences(page.format("near"), thinned)
    assert 0.7 < float(text) < 1


def test_the_command_checks_and_writes(tmp_path, monkeypatch, capsys) -> None:
    text = "so <!--=skip-trigram count epoch:d-->1<!--/-->\n"
    (tmp_path / "page.md").write_text(text)
    monkeypatch.setattr(page_numbers, "DOCS", tmp_path)
    monkeypatch.setattr(page_numbers, "PAGES", ("page.md",))
    assert page_numbers.main(["--check"]) == 1
    assert "skip-trigram count epoch is 109, and the page had 1" in capsys.readouterr().out
    assert (tmp_path / "page.md").read_text() == text
    assert page_numbers.main([]) == 0
    assert [one.text for one in numbers((tmp_path / "page.md").read_text())] == ["109"]
    assert page_numbers.main(["--check"]) == 0
    assert page_numbers.main(["--help"]) == 2
