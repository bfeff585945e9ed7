"""What mkdocs calls while it builds the site: the pages and media that are generated.

``extra.gallery`` of mkdocs.yml says what is drawn; environment variables change it for a quick
look (``GROKVIZ_DOCS_FILMS=false``, ``GROKVIZ_DOCS_ONLY=embedding-waves,clock``).
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
from website import drawing, gallery, references  # noqa: E402

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

log = logging.getLogger("mkdocs.hooks.grokviz")
GALLERY = "gallery"
NOTEBOOK = "notebooks/grokking.ipynb"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the gallery's pages into the navigation."""
    for section in config.nav or ():
        if "Gallery" in section:
            section["Gallery"] = [f"{GALLERY}/index.md"] + [
                {part: [f"{GALLERY}/{entry.name}.md" for entry in members]}
                for part, members in gallery.parts(_listed(config)).items()
            ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is generated; a scene that cannot be drawn stops the build."""
    try:
        entries = _drawn(config)
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
    files.append(File.generated(config, NOTEBOOK, abs_src_path=str(ROOT / NOTEBOOK)))
    return files


ROLE = re.compile(r":(?:func|class|meth|mod|data|attr):(?=<code>)")


def on_page_content(html: str, **_: object) -> str:
    """Leave out the roles of docstrings, which Markdown shows as words."""
    return ROLE.sub("", html)


def _wish(config: MkDocsConfig) -> dict[str, Any]:
    wish: dict[str, Any] = config.extra["gallery"]
    return wish


def _listed(config: MkDocsConfig) -> list[gallery.Entry]:
    only = [name for name in str(_wish(config)["only"] or "").split(",") if name]
    by_name = scenes(user=False)
    unknown = set(only) - set(by_name)
    if unknown:
        raise PluginError(f"there is no scene {', '.join(sorted(unknown))}")
    return [gallery.Entry(scene) for name, scene in by_name.items() if name in (only or by_name)]


def _drawn(config: MkDocsConfig) -> list[gallery.Entry]:
    """The entries with their pictures, drawn or kept from an earlier build."""
    wish = _wish(config)
    folder = Path(os.path.expandvars(str(wish["cache"])))
    folder = folder if folder.is_absolute() else ROOT / folder
    quality, entries, work = str(wish["quality"]), [], []
    for entry in _listed(config):
        scene = entry.scene
        if not drawing.drawable(scene):
            entries.append(gallery.Entry(scene, note=_without_manim(scene.name)))
            continue
        film = drawing.film(scene, folder, quality) if wish["films"] and scene.moves() else None
        if film is None and not drawing.has_still(scene):
            entries.append(gallery.Entry(scene, note="Its picture is made with its film."))
            continue
        still = drawing.poster(film, scene) if film else drawing.still(scene, folder, quality)
        work += [item for item in (film, still) if item]
        entries.append(gallery.Entry(scene, still.path, film.path if film else None))
    drawing.draw(work, int(wish["jobs"] or os.cpu_count() or 1), log.info)
    drawing.tidy(folder, work)
    return entries


def _without_manim(name: str) -> str:
    need = lacking()
    assert need is not None
    # said once more on standard error than mkdocs would: a gallery without films looks whole
    message = f"{name} is drawn with manim, and {need.name} is not installed: {need.remedy}"
    print(f"THE GALLERY LACKS A FILM: {message}", file=sys.stderr, flush=True)
    return f"This film is drawn with manim, and {need.name} is not installed. Run `{need.remedy}`."
