"""Hooks of mkdocs that generate pages and media while it builds the site.

``extra.gallery`` of mkdocs.yml selects what is drawn; environment variables override it for a
quick preview (``GROKVIZ_DOCS_FILMS=false``, ``GROKVIZ_DOCS_ONLY=embedding-waves,clock``).
"""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from grokviz.errors import GrokvizError  # noqa: E402
from grokviz.render.films.needs import lacking  # noqa: E402
from grokviz.scene.registry import scenes  # noqa: E402
from website import atlas, drawing, gallery, references  # noqa: E402

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

log = logging.getLogger("mkdocs.hooks.grokviz")
GALLERY = "gallery"
NOTEBOOK = "notebooks/grokking.ipynb"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the gallery's pages to the navigation."""
    for section in config.nav or ():
        if "Gallery" in section:
            section["Gallery"] = [f"{GALLERY}/index.md"] + [
                {part: [f"{GALLERY}/{entry.name}.md" for entry in members]}
                for part, members in gallery.parts(_entries(config)).items()
            ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated files; a scene that cannot be drawn stops the build."""
    try:
        entries = _drawn_entries(config)
        maps = _page_pictures(config)
        pages = {
            f"{GALLERY}/index.md": gallery.index(entries),
            **{f"{GALLERY}/{entry.name}.md": gallery.page(entry) for entry in entries},
            "reference/command-line.md": references.command_line(),
            "reference/formats.md": references.formats(),
            "reference/recipes.md": references.recipes(),
            "reference/variables.md": references.variables(),
            "reference/python.md": references.python(),
        }
    except GrokvizError as error:
        raise PluginError(str(error)) from error
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    for entry in entries:
        for path in filter(None, (entry.still, entry.film)):
            name = f"{GALLERY}/media/{entry.name}{path.suffix}"
            files.append(File.generated(config, name, abs_src_path=str(path)))
    for name, path in maps.items():
        files.append(File.generated(config, f"{atlas.MEDIA}/{name}", abs_src_path=str(path)))
    files.append(File.generated(config, NOTEBOOK, abs_src_path=str(ROOT / NOTEBOOK)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Put the pictures of the atlas and the science page below their commands."""
    if page.file.src_uri not in atlas.PAGES:
        return markdown
    return atlas.with_pictures(markdown, _only(config))


ROLE = re.compile(r":(?:func|class|meth|mod|data|attr):(?=<code>)")


def on_page_content(html: str, **_: object) -> str:
    """Remove the Sphinx roles of docstrings, which Markdown would show as text."""
    return ROLE.sub("", html)


def _gallery_options(config: MkDocsConfig) -> dict[str, Any]:
    options: dict[str, Any] = config.extra["gallery"]
    return options


def _entries(config: MkDocsConfig) -> list[gallery.Entry]:
    only = _only(config)
    by_name = scenes(user=False)
    unknown = set(only) - set(by_name)
    if unknown:
        raise PluginError(f"there is no scene {', '.join(sorted(unknown))}")
    return [gallery.Entry(scene) for name, scene in by_name.items() if name in (only or by_name)]


def _only(config: MkDocsConfig) -> list[str]:
    """Scenes to which the site is confined; none where all are drawn."""
    return [name for name in str(_gallery_options(config)["only"] or "").split(",") if name]


def _folder(config: MkDocsConfig) -> Path:
    """Where pictures are kept from build to build."""
    folder = Path(os.path.expandvars(str(_gallery_options(config)["cache"])))
    return folder if folder.is_absolute() else ROOT / folder


def _page_pictures(config: MkDocsConfig) -> dict[str, Path]:
    """The pictures of pages by their names, drawn now or kept by an earlier build."""
    options, folder = _gallery_options(config), _folder(config) / atlas.MEDIA
    pages = [(Path(config.docs_dir) / name).read_text("utf-8") for name in atlas.PAGES]
    shown = [one for page in pages for one in atlas.pictures(page, _only(config))]
    work = [one.job(folder, str(options["quality"])) for one in shown]
    drawing.draw(work, int(options["jobs"] or os.cpu_count() or 1), log.info)
    drawing.tidy(folder, work)
    return {one.name: job.path for one, job in zip(shown, work, strict=True)}


def _drawn_entries(config: MkDocsConfig) -> list[gallery.Entry]:
    """The entries with their pictures, drawn now or cached by an earlier build."""
    options, folder = _gallery_options(config), _folder(config)
    quality, entries, work = str(options["quality"]), [], []
    for entry in _entries(config):
        scene = entry.scene
        if not drawing.drawable(scene):
            entries.append(gallery.Entry(scene, note=_without_manim(scene.name)))
            continue
        film = drawing.film(scene, folder, quality) if options["films"] and scene.moves() else None
        if film is None and not drawing.has_still(scene):
            entries.append(gallery.Entry(scene, note="Its picture is made with its film."))
            continue
        still = drawing.poster(film, scene) if film else drawing.still(scene, folder, quality)
        work += [item for item in (film, still) if item]
        entries.append(gallery.Entry(scene, still.path, film.path if film else None))
    drawing.draw(work, int(options["jobs"] or os.cpu_count() or 1), log.info)
    drawing.tidy(folder, work)
    return entries


def _without_manim(name: str) -> str:
    need = lacking()
    assert need is not None
    # printed to stderr too, since a gallery without films looks complete
    message = f"{name} is drawn with manim, and {need.name} is not installed: {need.remedy}"
    print(f"THE GALLERY LACKS A FILM: {message}", file=sys.stderr, flush=True)
    return f"This film is drawn with manim, and {need.name} is not installed. Run `{need.remedy}`."
