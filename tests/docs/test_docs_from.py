"""The pages that lead from a user's own files to the first picture, run as they stand there."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from grokviz import cli

PAGES = Path(__file__).resolve().parents[2] / "docs" / "from"
NEEDS = {
    "folder": ("torch",), "nanogpt": ("torch",), "curves": (),
    "trainer": ("torch", "transformers"), "lightning": ("torch", "lightning"),
    "transformerlens": ("torch", "transformer_lens.HookedTransformer"),
}  # fmt: skip
"""What each page's code imports; the hub's is run with the server of its own tests."""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(
        rf"```{language}\n(.*?)```", (PAGES / f"{page}.md").read_text("utf-8"), re.DOTALL
    )


def follow(page: str, folder: Path) -> None:
    """Run a page's code, and its commands after it; each picture that they name is drawn."""
    for code in blocks(page, "python"):
        (folder / "code.py").write_text(code, "utf-8")
        runpy.run_path("code.py")
    pictures = []
    for line in "".join(blocks(page, "sh")).splitlines():
        program, *words = shlex.split(line)
        if program == "grokviz":
            assert cli.run(words) == 0, line
            pictures += [word for word in words if word.endswith(".png")]
    assert pictures
    for picture in pictures:
        assert (folder / picture).stat().st_size > 10_000, picture


def test_every_page_is_run() -> None:
    assert {*NEEDS, "hub"} == {page.stem for page in PAGES.glob("*.md")}


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", NEEDS)
def test_a_page_ends_in_a_picture(page, tmp_path, monkeypatch) -> None:
    for library in NEEDS[page]:
        pytest.importorskip(library, reason="the page is about it")
    monkeypatch.chdir(tmp_path)
    follow(page, tmp_path)
