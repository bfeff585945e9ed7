"""The pictures of pages: each is drawn by a command that the page tells its reader to type."""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokviz.cli.common import parse_assignments
from grokviz.cli.render import command as render_command
from grokviz.media.plain import plain_text
from grokviz.render import figures
from grokviz.render.films.cache import data_hash
from grokviz.scene.registry import scene as find_scene
from grokviz.scene.scene import Scene
from website.drawing import DrawingJob, path_of

PAGE = "atlas.md"
PAGES = (PAGE, "open-questions.md", "science.md")
"""The pages whose commands that write a picture have it below them."""
MEDIA = "pictures"
BLOCK = re.compile(r"^```sh\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """A picture that a command of the page draws.

    Attributes:
        name: the file's name, as the command gives it.
        scene: what is drawn, with the options that the command gives.
        run: the bundled reference that it is drawn from.
        epoch: the moment asked for; None for the scene's own choice.

    """

    name: str
    scene: Scene
    run: str
    epoch: str | None

    @classmethod
    def of(cls, command: str) -> Picture:
        """What a line of the page draws, read as the command line reads it."""
        words = shlex.split(command, comments=True)[2:]
        with render_command.make_context("render", words) as context:
            given = context.params
        scene = find_scene(given["scenes"][0], user=False)
        options = parse_assignments(given["assignments"])
        run = given["run"][0] if given["run"] else scene.reference
        return cls(given["output"][0], scene.with_options(options), run, given["epoch"])

    def job(self, folder: Path, quality: str) -> DrawingJob:
        """What a worker draws, in a file whose name changes with all that it depends on."""
        options: dict[str, Any] = {"quality": quality, "epoch": self.epoch}
        data = data_hash(figures.loaded(self.run, ()), self.scene.variables())
        path = path_of(folder / self.name, data, {**options, "scene": repr(self.scene)})
        return DrawingJob(self.scene.name, path, options, run=self.run, drawn=self.scene)

    def image(self) -> str:
        """The picture in the page, with what it shows in words."""
        data = figures.loaded(self.run, ())
        shown = self.scene.index_of(data, self.epoch) if self.scene.clock else 0
        alt = html.escape(plain_text(self.scene.alt_text(data, shown)), quote=True)
        return f'<img src="{MEDIA}/{self.name}" alt="{alt}" loading="lazy">\n'


def pictures(page: str, only: Collection[str] = ()) -> list[Picture]:
    """The pictures of the page's commands; with ``only`` those of these scenes."""
    return [one for block in BLOCK.findall(page) for one in _of_block(block, only)]


def with_pictures(page: str, only: Collection[str] = ()) -> str:
    """The page with each picture below the commands that draw it."""

    def below(block: re.Match[str]) -> str:
        images = "\n".join(one.image() for one in _of_block(block[1], only))
        return f"{block[0]}\n{images}" if images else block[0]

    return BLOCK.sub(below, page)


def _of_block(block: str, only: Collection[str]) -> list[Picture]:
    lines = [
        line for line in block.splitlines() if line.startswith("grokviz render ") and " -o " in line
    ]
    every = [Picture.of(line) for line in lines]
    return [one for one in every if not only or one.scene.name in only]
