"""The gallery's pages, generated from the scenes' metadata."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grokviz.dataset import schema
from grokviz.dataset.references.reference import reference_facts
from grokviz.media.plain import plain_text
from grokviz.render import figures
from grokviz.scene.film import Film
from grokviz.scene.scene import Scene
from grokviz.slides.story import STORY
from grokviz.task import tasks

FILMS, FAMILIES = "Films that explain", "Many runs side by side"

DISPUTED = "[What others say](../disputed.md) has these claims with our numbers beside."


@dataclass(frozen=True)
class Entry:
    """A scene in the gallery, with its picture and film, if any."""

    scene: type[Scene]
    still: Path | None = None
    film: Path | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """The scene's name, also that of its page and files."""
        return self.scene.name

    @property
    def part(self) -> str:
        """The part of the gallery to which it belongs."""
        if issubclass(self.scene, Film):
            return FILMS
        facts = reference_facts(self.scene.reference)
        task = str(facts.get("task") or "")
        return _titles().get(task, FAMILIES) if "members" not in facts else FAMILIES


def _titles() -> dict[str, str]:
    """Titles of the tasks' parts in order; films come before them, families after."""
    return {name: task.title or name for name, task in tasks().items()}


def parts(entries: Sequence[Entry]) -> Mapping[str, list[Entry]]:
    """The entries by part: complete stories first, then the thread's scenes in its order."""
    order = {name: place for place, name in enumerate(STORY)}

    def rank(entry: Entry) -> tuple[bool, int, str]:
        whole = issubclass(entry.scene, Film) and entry.scene.joined()
        return not whole, order.get(entry.name, len(order)), entry.name

    ranked = sorted(entries, key=rank)
    by_part: dict[str, list[Entry]] = {part: [] for part in (FILMS, *_titles().values(), FAMILIES)}
    for entry in ranked:
        by_part[entry.part].append(entry)
    return {part: members for part, members in by_part.items() if members}


def index(entries: Sequence[Entry]) -> str:
    """The gallery's index page, with a card for each scene."""
    lines = [
        "# Gallery",
        "",
        f"Every picture that grokviz can draw, {len(entries)} in all, made by the commands that "
        "stand beside them from the runs that come with the package. A card leads to the film, "
        "the options and the numbers.",
    ]
    for part, members in parts(entries).items():
        lines += ["", f"## {part}", "", '<div class="gallery" markdown>']
        lines += [card for entry in members for card in _card(entry)]
        lines += ["</div>"]
    return "\n".join(lines) + "\n"


def _card(entry: Entry) -> list[str]:
    title = escape(plain_text(entry.scene.title))
    picture = "*not drawn: manim is not installed*"
    if entry.still is not None:
        picture = f"[![{title}](media/{entry.name}.png){{ loading=lazy }}]({entry.name}.md)"
    marks = "film" if entry.scene.moves() else "figure"
    return [
        "",
        '<div class="card" markdown>',
        picture,
        "",
        f"[**{title}**]({entry.name}.md)",
        "",
        f"`{entry.name}`, {marks}",
        "</div>",
        "",
    ]


def page(entry: Entry) -> str:
    """One scene's page."""
    scene = entry.scene
    data = figures.loaded(scene.reference, ())
    title = plain_text(scene.title)
    lines = [f"# {escape(title)}", ""]
    if watch := scene().claim(data).watch:
        lines += [f"What to watch: {escape(plain_text(watch))}.", ""]
    alt = html.escape(plain_text(scene().alt_text(data, _last(scene, data))), quote=True)
    lines += _media(entry, alt)
    lines += ["", "```sh", *commands(scene), "```", ""]
    caption = escape(plain_text(scene().caption(data)))
    lines += [caption, ""] if caption else []
    lines += [DISPUTED, ""] if scene.disputed else []
    lines += _facts(entry)
    lines += _options(scene)
    lines += ["", "## What it shows, in words", "", escape(html.unescape(alt)), ""]
    return "\n".join(lines)


def _last(scene: type[Scene], data: object) -> int:
    return len(data[scene.clock]) - 1 if scene.clock else 0  # type: ignore[index]


def _media(entry: Entry, alt: str) -> list[str]:
    """The film with its poster, or the picture, or why there is neither."""
    lines = []
    if entry.film is not None and entry.still is not None:
        lines = [
            f'<video controls muted loop playsinline preload="none" title="{alt}"'
            f' poster="media/{entry.name}.png" src="media/{entry.name}.mp4"></video>'
        ]
    elif entry.still is not None:
        lines = [f'<img src="media/{entry.name}.png" alt="{alt}">']
    if entry.note:
        lines += ["", '!!! warning "Not drawn here"', f"    {entry.note}"]
    return lines


def commands(scene: type[Scene]) -> list[str]:
    """The commands that make this scene's film and its figure."""
    name = scene.name
    lines = [f"grokviz render {name}"] if scene.moves() else []
    if issubclass(scene, Film):
        return [*lines, *([f"grokviz render {name} --sections"] if scene.parts else [])]
    lines += [f"grokviz render {name} -o {name}.png"] if not scene.moves() else []
    lines += [f"grokviz render {name} -o {name}.pdf --venue neurips"]
    return [*lines, f"grokviz data {name} -o {name}.csv"]


def _facts(entry: Entry) -> list[str]:
    scene = entry.scene
    lines = [
        "| | |",
        "|---|---|",
        f"| after | {escape(plain_text(scene.source))} |",
        f"| drawn from | the bundled reference `{scene.reference}` |",
    ]
    if isinstance(film_of := scene, type) and issubclass(film_of, Film):
        lines += [f"| drawn with | manim, {film_of.seconds:g} seconds |"]
    elif scene.clock:
        lines += [f"| moves along | `{scene.clock}`: {schema.dimensions().get(scene.clock, '')} |"]
    names = ", ".join(f"[`{name}`](../reference/variables.md#{name})" for name in scene.needs)
    return [*lines, f"| draws | {names} |"]


def _options(scene: type[Scene]) -> list[str]:
    options = scene.options()
    if not options:
        return []
    lines = [
        "",
        "## Options",
        "",
        "| `--set` | default | what it is | allowed |",
        "|---|---|---|---|",
    ]
    for name, row in options.items():
        description = escape(plain_text(row["help"]))
        lines += [
            f"| `{name}` | `{_value(row['default'])}` | {description} | {escape(row['type'])} |"
        ]
    return lines


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value).lower()


def escape(text: str) -> str:
    """Escape text, so that Markdown shows it unchanged."""
    for character in "\\`*_[]<>|":
        text = text.replace(
            character,
            f"\\{character}"
            if character not in "<>|"
            else {"<": "&lt;", ">": "&gt;", "|": "&#124;"}[character],
        )
    return text
