"""A deck as one offline HTML file, with reveal.js, films and posters inside.

reveal.js is read from the package ``pyreveal``, which contains it as published; no code of that
package is run.
"""

from __future__ import annotations

import base64
import html
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

from grokviz.errors import InputError, MissingExtra
from grokviz.files import replacing
from grokviz.media.theme import theme
from grokviz.slides.deck import Deck, Slide

COLOURS = ("ink", "muted", "background")
REVEAL = {
    "style": "dist/reveal.css",
    "licence": "LICENSE",
    "script": "dist/reveal.js",
    "speaker view": "dist/plugin/notes.js",
}
"""The files of reveal.js in a page, by paths in its published package."""

MARKED = """
The speaker view contains marked, https://github.com/markedjs/marked:
Copyright (c) 2018+, MarkedJS; Copyright (c) 2011-2018, Christopher Jeffrey.
Its licence, MIT, has the words of the one above. It follows Markdown, Copyright (c) 2004,
John Gruber, http://daringfireball.net/; what he permits stands in marked's LICENSE.md.
"""
"""The licence of a part of the speaker view that does not state it itself."""


def ready() -> None:
    """Raise InputError unless reveal.js is installed completely."""
    for name in REVEAL:
        reveal(name)


@lru_cache
def reveal(name: str) -> str:
    """Text of one of the files in :data:`REVEAL`.

    Raises :class:`MissingExtra` without the package, :class:`InputError` if it lacks the file.
    """
    try:
        package = distribution("pyreveal")
    except PackageNotFoundError:
        raise MissingExtra("a page of slides", "slides") from None
    try:
        path = Path(str(package.locate_file(f"pyreveal/revealjs/{REVEAL[name]}")))
        return path.read_text("utf-8")
    except OSError as error:
        raise InputError(
            f"pyreveal {package.version} has no {REVEAL[name]} of reveal.js; install it anew: "
            "pip install --force-reinstall 'grokviz[slides]'"
        ) from error


def write(deck: Deck, path: Path) -> None:
    """Write the page atomically."""
    with replacing(path) as part:
        part.write_text(page(deck), "utf-8")


def page(deck: Deck) -> str:
    """The complete page as text."""
    provenance = deck.provenance
    title = html.escape(deck.title)
    alt = f"Slides: {'; '.join(slide.title for slide in deck.slides)}"
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f"<title>{title}</title>",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta name="generator" content="grokviz {provenance.versions.get("grokviz", "")}">',
        f'<meta name="description" content="{html.escape(alt)}">',
        f"<style>\n{reveal('style')}\n</style>",
        f"<style>\n{_root(deck.theme)}\n{_asset('player.css')}</style>",
        f"<noscript><style>\n{_asset('still.css')}</style></noscript>",
        "</head>\n<body>",
        '<div class="reveal"><div class="slides">',
        *([f"<section><h1>{title}</h1></section>"] if deck.heading else []),
        *(_section(slide, number) for number, slide in enumerate(deck.slides, 1)),
        "</div></div>",
        *(_film(slide, number) for number, slide in enumerate(deck.slides, 1) if slide.film),
        f'<script type="application/json" id="provenance">{_script(provenance.as_json())}</script>',
        *(f"<!--\n{text}-->" for text in (reveal("licence"), MARKED.lstrip())),
        *(
            f"<script>\n{_script(text)}\n</script>"
            for text in (reveal("script"), reveal("speaker view"), _asset("player.js"))
        ),
        "</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _root(name: str) -> str:
    colours = theme(name).colours
    variables = "; ".join(f"--{colour}: {getattr(colours, colour)}" for colour in COLOURS)
    return f":root {{ color-scheme: {name}; {variables} }}"


def _section(slide: Slide, number: int) -> str:
    """A slide's section; the poster under the film shows before it starts and in print."""
    title, alt = html.escape(slide.title), html.escape(slide.alt)
    poster = base64.b64encode(slide.poster).decode("ascii")
    loop = " loop" if slide.loops else ""
    film = (
        f'<video data-film="film-{number}" data-autoplay muted playsinline{loop} preload="none"'
        f' aria-label="{alt}"></video>'
    )
    notes = html.escape(slide.notes).replace("\n", "<br>")
    return (
        f'<section data-name="{html.escape(slide.name)}" aria-label="{title}">\n'
        f'<h2>{title}</h2>\n<figure><img alt="{alt}" src="data:image/png;base64,{poster}">'
        f'{film if slide.film else ""}</figure>\n<aside class="notes">{notes}</aside>\n</section>'
    )


def _film(slide: Slide, number: int) -> str:
    """The film as text, which the page decodes shortly before its slide."""
    data = base64.b64encode(slide.media.read_bytes()).decode("ascii")
    return f'<script type="text/plain" id="film-{number}">{data}</script>'


@lru_cache
def _asset(name: str) -> str:
    return files("grokviz.slides").joinpath(name).read_text("utf-8")


def _script(text: str) -> str:
    """Escape a script, so that HTML in its strings does not end the script element."""
    for word in ("</script", "<script", "<!--"):
        text = text.replace(word, "\\u003c" + word[1:])
    return text
