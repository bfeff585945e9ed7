"""What the program says of itself."""

from __future__ import annotations

import click
import pytest

from grokviz import cli
from grokviz.cli import render
from grokviz.render.job import RenderOptions


def test_without_words_the_help_and_a_sentence_go_to_standard_error(called) -> None:
    asked, bare = called("--help"), called()
    assert (bare.returncode, bare.stdout) == (2, "")
    assert bare.stderr.startswith(asked.stdout)
    assert bare.stderr.removeprefix(asked.stdout) == (
        "grokviz: give one of these commands, such as grokviz scenes\n"
    )


def test_the_help_says_the_duration_that_a_film_gets(called) -> None:
    asked = RenderOptions().duration
    (option,) = [one for one in render.command.params if one.name == "duration"]
    assert option.default == asked
    assert f"Seconds of a film [{asked:g}]." in " ".join(called("render", "--help").stdout.split())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_says_of_itself_what_is_said_of_it(name: str) -> None:
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    own, listed = " ".join((command.help or "").split()), cli.COMMANDS[name].removesuffix(".")
    assert own.startswith(listed)
    assert own[len(listed)] in ".,:; ", own


@pytest.mark.parametrize("character", ["\0", "\ud800"], ids=["NUL", "half"])
@pytest.mark.parametrize(
    "words", [["info"], ["data", "loss", "-o"], ["import", "a.pth", "--out"]], ids=len
)
def test_what_no_file_can_be_called_is_one_sentence(
    character: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*words, f"a{character}"]) == 2
    assert capsys.readouterr().err.startswith("grokviz: no name can hold")
