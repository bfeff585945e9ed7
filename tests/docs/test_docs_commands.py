"""What the docs, the README and the notebook tell a reader to type can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from docs_commands import (
    PAGES,
    ROOT,
    blocks,
    check_command,
    check_python,
    commands,
    notebook_cells,
)

from grokviz.errors import InputError
from grokviz.scene.registry import scenes

OFFER = re.compile(r"^class \w+\((?:Scene|Film)\):$|^TASK = Task\($", re.MULTILINE)


@pytest.fixture
def _own_files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The page's own scenes and tasks are where its reader would put them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes").mkdir()
    page: Path = request.getfixturevalue("page")
    for number, code in enumerate(blocks(page.read_text("utf-8"), "python")):
        if OFFER.search(code):
            (tmp_path / "scenes" / f"of_page_{page.stem}_{number}.py").write_text(code, "utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.usefixtures("_own_files")
def test_every_command_of_a_page_can_be_typed(page: Path) -> None:
    wrong = []
    for command in commands(page.read_text("utf-8")):
        try:
            check_command(command)
        except (InputError, click.ClickException, AssertionError, ValueError) as error:
            wrong.append(f"{command}: {error}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.usefixtures("_own_files")
def test_the_python_of_a_page_asks_for_what_there_is(page: Path) -> None:
    for code in blocks(page.read_text("utf-8"), "python"):
        check_python(code)


def test_the_notebook_asks_for_what_there_is() -> None:
    for kind, text in notebook_cells():
        if kind == "code":
            check_python(re.sub(r"(?m)^( *)%.*$", r"\1pass", text))
        else:
            for command in commands(text):
                check_command(command)


@pytest.mark.slow
def test_the_commands_of_the_gallery_can_be_typed() -> None:
    from website.gallery import commands as of_scene

    for scene in scenes(user=False).values():
        for command in of_scene(scene):
            check_command(command)


def test_every_open_question_has_a_command_that_starts_on_it() -> None:
    text = (ROOT / "docs" / "open-questions.md").read_text("utf-8")
    sections = re.split(r"(?m)^## ", text)[1:]
    assert len(sections) > 8
    for section in sections:
        assert commands(section), section.splitlines()[0]


def test_no_page_is_without_commands_by_mistake() -> None:
    found = {page.stem: len(commands(page.read_text("utf-8"))) for page in PAGES}
    for name in (
        "README",
        "tutorial",
        "sweeps",
        "importing",
        "slides",
        "films",
        "open-questions",
        "disputed",
    ):
        assert found[name] >= 3, name


@pytest.mark.parametrize(
    "command",
    [
        "grokviz rendr embedding-waves",
        "grokviz render embeding-waves",
        "grokviz render embedding-waves --qality h",
        "grokviz render embedding-waves --set colour=red",
        "grokviz render embedding-waves --venue icmlr -o a.pdf",
        "grokviz render embedding-waves -o a.mp5",
        "grokviz render embedding-waves --run modular-adition",
        "grokviz train modular-addition --set weight-decya=1",
        "grokviz train modular-adition",
        "grokviz train modular-addition --set p=4",
        "grokviz sweep modular-addition-59 --grid sedd=0,1",
        "grokviz measures modular-addition --epoch grokk",
        "grokviz import FILE --aut RUN",
        "grokviz slides embeding-waves",
    ],
)
def test_a_wrong_command_is_found(command: str) -> None:
    with pytest.raises((InputError, click.ClickException, AssertionError)):
        check_command(command)


@pytest.mark.parametrize(
    "code",
    [
        "import grokviz as gv\ngv.rendr('embedding-waves')",
        "import grokviz as gv\ngv.render('embedding-waves', qality='h')",
        "import grokviz as gv\ngv.render('embeding-waves')",
        "import grokviz as gv\ngv.load('modular-adition')",
        "from grokviz.scene import Sceene",
        "import grokviz as gv\ngv.train()",
    ],
)
def test_wrong_python_is_found(code: str) -> None:
    with pytest.raises((InputError, AssertionError, TypeError)):
        check_python(code)
