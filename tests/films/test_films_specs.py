"""What films say of themselves and refuse, with manim or without."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from films_helper import FILMS

from grokviz.dataset import schema
from grokviz.dataset.references.reference import load, references
from grokviz.errors import InputError
from grokviz.media import FORMATS
from grokviz.render.films import needs
from grokviz.render.job import render_options
from grokviz.render.listing import listing
from grokviz.render.plan import plan
from grokviz.render.render import render
from grokviz.scene.registry import scene

ROOT = Path(__file__).parents[2]
NAMES = ("clock", "fourier-multiplication", "neuron-wave", "waves-to-circles")


def data_of(name: str) -> Any:
    film = FILMS[name]
    if film.reference not in references():
        pytest.skip(f"the reference {film.reference} is not bundled")
    lacking = sorted(set(film.needs) - set(load(None, default=film.reference).data_vars))
    if lacking:
        pytest.skip(f"the reference {film.reference} has no {', '.join(lacking)}")
    return load(None, film.needs, default=film.reference)


def test_the_films_are_there() -> None:
    assert set(NAMES) <= set(FILMS)


def test_they_are_listed_without_manim() -> None:
    """As where it is not installed: not even a look at it is taken."""
    program = (
        "import sys\n"
        "sys.modules['manim'] = None\n"
        "import json\n"
        "from grokviz.render.listing import listing\n"
        "print(json.dumps([r for r in listing(user=False) if r['engine'] == 'manim']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    rows = {row["name"]: row for row in json.loads(ran.stdout)}
    assert set(NAMES) <= set(rows)
    for row in rows.values():
        assert {"mp4", "webm", "mov", "srt"} <= set(row["formats"])
        assert not {"pdf", "svg"} & set(row["formats"])


@pytest.mark.parametrize("name", FILMS)
def test_it_says_what_it_is(name: str) -> None:
    film = FILMS[name]
    assert re.fullmatch(r"[A-Z][^\n$]+[^.\s]", film.title)
    assert 0 < len(film.watch) <= 75
    assert re.search(r"thread|tweet|figure|section|notebook|arXiv", film.source)
    assert film.seconds > 0
    assert film.parts
    assert film.poster in ("", *film.parts)
    for key, title in film.parts.items():
        assert re.fullmatch(r"[a-z0-9-]+", key)
        assert title
    assert schema.describe(film.needs)
    for key, row in film.options().items():
        assert row["help"], key
    (listed,) = [row for row in listing(user=False) if row["name"] == name]
    assert set(listed["options"]) == {field.name.replace("_", "-") for field in fields(film)}


@pytest.mark.parametrize("name", FILMS)
def test_its_drawing_is_there(name: str) -> None:
    film = FILMS[name]
    tree = ast.parse(film.file().read_text("utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    (drawing,) = [node for node in classes if node.name == film.drawn_by.partition(":")[2]]
    said = {
        target.id: node.value.value
        for node in drawing.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert said["film"] == name
    # as plain manim is told to draw it
    words = " ".join(str(ast.get_docstring(tree)).split())
    assert f"manim -qm {film.file().relative_to(ROOT)} {drawing.name}" in words


@pytest.mark.parametrize("name", FILMS)
def test_its_alt_text_is_of_the_data(name: str) -> None:
    data, film = data_of(name), FILMS[name]()
    said = film.alt_text(data, 0)
    assert len(said) > 60
    assert re.search(r"\d", said)
    assert said.endswith(".")
    assert not re.search(r"nan|\binf\b|None|\$|\n|  ", said)
    other, rng = data.copy(), np.random.default_rng(0)
    for key in film.needs:
        if data[key].dtype.kind == "f":
            other[key] = data[key] * rng.uniform(0.5, 1.5, data[key].shape)
    try:
        assert film.alt_text(other, 0) != said
    except InputError:  # no run has such data, and a film says so
        assert name == "finale"
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|doi\.org|https?://", film.caption(data))


# --- what is refused --------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "wish", "said"),
    [
        ("a.pdf", {}, "are .png"),
        ("a.mp4", {"duration": 3.0}, "leave out --duration"),
        ("a.mp4", {"hold": 1.0}, "leave out --hold"),
        ("a.mp4", {"epochs": "0:100"}, "leave out --epochs"),
        ("a.mp4", {"style": Path("a.mplstyle")}, "--style is for matplotlib"),
        ("a.png", {"venue": "icml"}, "--venue is for matplotlib"),
        ("a.mp4", {"epoch": "last"}, "--epoch is for a still; leave it out"),
        ("a.html", {"epoch": "last"}, "--epoch is for a still; leave it out"),
        ("a.png", {"epoch": "8000"}, "clock does not go through one run's epochs; give last"),
        ("a.png", {"epoch": "trn"}, "no moment of clock: give last, seconds"),
        ("a.png", {"sections": True}, "--sections is for films"),
        ("a.mp4", {"transparent": True}, "cannot be transparent"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(out: str, wish: Any, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        plan(FILMS["clock"](), out, (), render_options(wish))
    assert "\n" not in str(caught.value)


def test_a_figure_has_neither_captions_nor_sections() -> None:
    figure = scene("wave-circles")()
    with pytest.raises(InputError, match="no captions"):
        plan(figure, "a.srt", (), render_options({}))
    with pytest.raises(InputError, match="no chapters"):
        plan(figure, "a.mp4", (), render_options({"sections": True}))
    assert not figure.able(FORMATS["srt"])


def test_a_frequency_that_is_none_is_refused() -> None:
    data = data_of("clock")
    with pytest.raises(InputError, match="13 is no key frequency; there are 14"):
        FILMS["clock"].with_options({"frequency": 13}).alt_text(data, 0)


@pytest.mark.parametrize("name", ["clock", "fourier-multiplication"])
@pytest.mark.parametrize(("given", "said"), [({"a": 500}, "a=500"), ({"b": -1}, "b=-1")])
def test_a_number_that_the_network_does_not_know_is_refused(
    name: str, given: dict[str, int], said: str
) -> None:
    with pytest.raises(InputError, match=f"{name}: {said} is no number mod 113; .* 0 to 112"):
        FILMS[name].with_options(given).alt_text(data_of(name), 0)


def test_sections_are_files_in_order() -> None:
    jobs = plan(FILMS["clock"](), "talk/c.mp4", (), render_options({"sections": True}))
    assert [job.path.name for job in jobs] == [
        f"c-{n:02d}-{part}.mp4" for n, part in enumerate(FILMS["clock"].parts, 1)
    ]
    assert "section turn" in jobs[1].line()


# --- without manim -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "system", "said"),
    [
        (("manim", "cairo"), "Linux", "apt-get install"),
        (("manim", "cairo"), "Darwin", "brew install cairo pango"),
        (("manim",), "Linux", "pip install 'grokviz[manim]'"),
        (("typst",), "Linux", "pip install 'grokviz[manim]'"),
        (("cairo",), "Linux", "apt-get install"),
        (("pillow",), "Linux", "pip install 'grokviz[manim]'"),
    ],
)
def test_what_is_missing_is_said_with_its_command(
    missing: tuple[str, ...],
    system: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    versions = {"manim": "0.22.0", "typst": "0.15", "pillow": "12.3.0"}
    versions["pillow"] = "13.0.0" if "pillow" in missing else versions["pillow"]
    monkeypatch.setattr(needs.platform, "system", lambda: system)
    monkeypatch.setattr(needs.shutil, "which", lambda name: f"/usr/bin/{name}")
    known = importlib.util.find_spec

    def find(name: str, *others: Any) -> Any:
        return known(name, *others) if name not in ("manim", "typst") else name not in missing

    monkeypatch.setattr(needs.importlib.util, "find_spec", find)
    monkeypatch.setattr(needs, "version", versions.__getitem__)
    monkeypatch.setattr(
        needs.ctypes.util, "find_library", lambda name: None if "cairo" in missing else name
    )
    monkeypatch.setattr(needs, "_linked", lambda: False)
    needs.lacking.cache_clear()
    try:
        with pytest.raises(InputError, match="clock is drawn with manim") as caught:
            render("clock", None, tmp_path / "a.mp4", quality="l", fps=1, title=str(missing))
    finally:
        needs.lacking.cache_clear()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_libraries_that_load_are_there_wherever_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs.platform, "system", lambda: "Linux")
    monkeypatch.setattr(needs.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setitem(sys.modules, "cairo", needs)
    monkeypatch.setitem(sys.modules, "manimpango", needs)
    assert needs.libraries().ok
    monkeypatch.setitem(sys.modules, "manimpango", None)
    assert not needs.libraries().ok


def test_the_module_of_needs_takes_no_manim() -> None:
    text = Path(importlib.import_module("grokviz.render.films.needs").__file__ or "").read_text()
    assert not re.search(r"^import manim|^from manim", text, re.M)
