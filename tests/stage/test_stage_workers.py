"""What is said, and what is kept, when a process that draws dies."""

from __future__ import annotations

from pathlib import Path

import pytest
from slide_decks import prepare

from grokviz import cli

DEADLY = """

import os

from grokviz.parallel import in_worker


@dataclass(frozen=True)
class Deadly(Dot):
    \"\"\"What uses up all memory, as the system sees it.\"\"\"

    name = "deadly"

    def draw(self, figure: Any, data: xr.Dataset) -> Drawing:
        \"\"\"Nothing, for the process is killed, which is none of the tests'.\"\"\"
        assert in_worker()
        os.kill(os.getpid(), 9)
        raise AssertionError
"""
SENTENCE = (
    "a worker process ended with signal 9; was there enough memory for it? a lower -j needs less"
)

COMMANDS = {
    "render": (
        ["render", "deadly", "--run", "small.nc", "-o", "a.png", "-o", "b.png", "-j", "2", "-q"],
        f"grokviz: a.png was not drawn: {SENTENCE}\n",
        [],
    ),
    "figures": (
        ["figures", "--run", "small.nc", "--no-films", "-j", "2", "-q"],
        f"grokviz: 1 of 4 pictures were not drawn: {SENTENCE}\n",
        ["figures/dot.pdf", "figures/dot.png", "figures/poster.png", "figures/ring.pdf"],
    ),
    "slides": (
        ["slides", "dot", "deadly", "--run", "small.nc", "--quality", "l", "--films", "films",
         "-j", "2", "-q"],
        f"grokviz: deadly was not drawn: {SENTENCE}\n",
        ["films/dot-*.mp4"],
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_process_that_dies_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    prepare(here)
    with (here / "scenes" / "small.py").open("a", encoding="utf-8") as file:
        file.write(DEADLY)
    arguments, sentence, written = COMMANDS[command]
    assert cli.run(arguments) == 1
    assert capsys.readouterr() == ("", sentence)
    for name in written:
        assert list(here.glob(name)), name
    assert not [file for file in here.rglob(".*") if file.is_file()]
