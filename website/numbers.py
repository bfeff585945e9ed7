"""Numbers of the bundled runs in the pages: written between comments, and computed anew.

A page says ``<!--=RUN QUANTITY WORD...:FORMAT-->NUMBER<!--/-->``, which readers see as the number.
RUN is a bundled reference, QUANTITY one of ``website.quantities``, ``mainline`` and ``drift`` or
any variable of the dataset, and of the words those with ``=`` select. FORMAT is one of Python's, of
which ``%`` leaves a space before the sign, or ``w`` for a number in words; an ``&`` at its end lets
a list end in "and". ``python -m website.numbers`` writes the numbers of all pages anew; with
``--check`` it names those that are not what the data say, and writes nothing.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from grokviz.dataset.references.reference import reference
from grokviz.errors import GrokvizError, InputError
from website import drift, mainline
from website.quantities import QUANTITIES, value

# their quantities are registered
assert drift
assert mainline

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = tuple(sorted(page.name for page in DOCS.glob("*.md") if "<!--=" in page.read_text("utf-8")))
MARK = re.compile(r"<!--=(?P<words>.+?):(?P<format>[^:]*?)-->(?P<text>.*?)<!--/-->")
WORDS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
EDGE = 1e-9
"""A number that is so near to where its rounding changes, relative to itself, keeps its text."""


@dataclass(frozen=True)
class Number:
    """A number of a page.

    Attributes:
        words: the run, the quantity and its words.
        format: how it is written.
        text: what the page says.
        line: the line of the page, from 1.

    """

    words: tuple[str, ...]
    format: str
    text: str
    line: int

    def texts(self, data: Mapping[str, xr.Dataset]) -> list[str]:
        """What the data say; first to the last bit, then a hair above and below."""
        run, name, *words = self.words
        exact = np.asarray(value(data[run], name, *words))
        return [written(by * exact, self.format) for by in (1, 1 + EDGE, 1 - EDGE)]


def numbers(page: str) -> list[Number]:
    """The numbers of a page in their order.

    Raises:
        InputError: a mark that is not closed, has no words, or begins a line.

    """
    every = [_number(page, mark) for mark in MARK.finditer(page)]
    if page.count("<!--=") != len(every) or page.count("<!--/-->") != len(every):
        raise InputError("a mark is not whole; write <!--=RUN QUANTITY:FORMAT-->NUMBER<!--/-->")
    return every


def _number(page: str, mark: re.Match[str]) -> Number:
    words, line = tuple(shlex.split(mark["words"])), page.count("\n", 0, mark.start()) + 1
    if len(words) < 2:
        raise InputError(f"line {line}: name a run and a quantity before the colon")
    # Markdown takes a line that begins with a comment for HTML, to its end
    if mark.start() == 0 or page[mark.start() - 1] == "\n":
        raise InputError(f"line {line} begins with a mark; put a word before it")
    return Number(words, mark["format"], mark["text"], line)


def written(exact: Any, form: str) -> str:
    """A number or a list as the pages write it: 1.2e-7, 96.2 %, and the list's sign at its end."""
    last = ", "
    if form.endswith("&"):
        form, last = form[:-1], " and "
    values = np.atleast_1d(exact).tolist()
    if not form.endswith(("e", "f", "g", "%")):
        values = [round(one) if isinstance(one, float) else one for one in values]
    sign = " %" if form.endswith("%") else ""
    texts = [_text(one, form).removesuffix("%") for one in values]
    return ", ".join(texts[:-1]) + (last if len(texts) > 1 else "") + texts[-1] + sign


def _text(one: float, form: str) -> str:
    if form == "w":
        return WORDS[int(one)] if one < len(WORDS) else f"{one:,}"
    return format(one, form).replace("e+0", "e").replace("e-0", "e-")


def read(pages: Sequence[str]) -> dict[str, xr.Dataset]:
    """The references that pages speak of, each read once and with what is asked of it alone."""
    needs: dict[str, set[str]] = defaultdict(set)
    for page in pages:
        for number in numbers(page):
            run, *words = number.words
            for word in words:
                needs[run] |= {word, *(QUANTITIES[word].needs if word in QUANTITIES else ())}
    return {run: reference(run, names) for run, names in needs.items()}


def differences(page: str, data: Mapping[str, xr.Dataset]) -> Iterator[tuple[Number, str]]:
    """The numbers of a page that are not what the data say, and what these say."""
    for number in numbers(page):
        try:
            texts = number.texts(data)
        except (GrokvizError, LookupError, TypeError, ValueError) as error:
            raise InputError(f"line {number.line}, {' '.join(number.words)}: {error}") from error
        if number.text not in texts:
            yield number, texts[0]


def rewritten(page: str, data: Mapping[str, xr.Dataset]) -> str:
    """The page with every number as the data have it."""
    current = dict(differences(page, data))

    def anew(mark: re.Match[str]) -> str:
        number = _number(page, mark)
        text = current.get(number, number.text)
        return f"<!--={mark['words']}:{mark['format']}-->{text}<!--/-->"

    return MARK.sub(anew, page)


def main(words: Sequence[str]) -> int:
    """Write the numbers of the pages, or with ``--check`` say which differ."""
    if set(words) - {"--check"}:
        print("usage: python -m website.numbers [--check]", file=sys.stderr)
        return 2
    pages = {name: (DOCS / name).read_text("utf-8") for name in PAGES}
    try:
        data = read(list(pages.values()))
        differing = [
            (name, *one) for name, page in pages.items() for one in differences(page, data)
        ]
        anew = {name: rewritten(page, data) for name, page in pages.items()}
    except GrokvizError as error:
        print(error, file=sys.stderr)
        return 2
    for name, number, text in differing:
        asked = " ".join(number.words)
        print(f"docs/{name}:{number.line}: {asked} is {text}, and the page had {number.text}")
    if "--check" in words:
        return 1 if differing else 0
    for name, page in anew.items():
        (DOCS / name).write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
