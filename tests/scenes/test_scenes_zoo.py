"""Every scene on the runs of the zoo: it draws what is there, or says why not in one sentence."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zoo
from matplotlib.axes import Axes
from test_scenes_all import SCENES, Drawn, View

from grokviz.dataset.references.reference import load
from grokviz.errors import InputError
from grokviz.scene.outcome import outcome
from grokviz.scene.registry import scenes
from grokviz.task import recipe

# a task that is not here is trained by the recipes of its scenes as they are
SMALL: dict[str, dict[str, Any]] = {
    "modular-addition": {"p": 13, "d-model": 16, "d-mlp": 32, "heads": 2},
    "repeated-subsequence-320": {"examples": 32, "batch": 16, "test-examples": 16},
    "digit-addition-small-500": {
        "digits": 2, "d-model": 16, "d-mlp": 32, "heads": 2, "examples": 32, "batch": 16,
        "test-examples": 16,
    },
    "skip-trigram-50": {"examples": 32, "batch": 16, "test-examples": 16},
    "two-layer-addition": {"p": 13, "width": 32},
    "clock-59": {"p": 13, "d-model": 16, "d-mlp": 32, "heads": 2},
    "group-composition-S4": {"group": "S3", "d-model": 8, "d-mlp": 16},
    "layernorm-addition": {"p": 13, "d-model": 16, "heads": 2, "layers": 1},
}  # fmt: skip
OF_TASK = {recipe(name).task: name for name in SMALL}
MANY = {"p": 149, "d-model": 32, "d-mlp": 64, "heads": 2}
"""A network with 74 frequencies, all of which stand out where it is random."""

KINDS = [*zoo.ZOO]
ALL = scenes(user=False)
FILMS = {name: s for name, s in scenes(user=False).items() if s.engine == "manim"}
OF_THE_RUN = {"run_checksum", "run_name", "run_path", "command", "created"}
CROWD = 3
"""So many texts over one another are a black block."""


def base(name: str) -> str:
    """The recipe that is trained for a scene of this recipe: one a task."""
    return OF_TASK.get(recipe(name).task, name)


def of_many(scene: Any) -> bool:
    """Whether it draws several runs."""
    return any(name.startswith("member_") for name in scene.needs)


def cases(names: list[str]) -> list[Any]:
    """One kind a scene in ``make test``, all in ``test-all``."""
    return [
        pytest.param(name, kind, marks=() if (n + m) % len(KINDS) == 0 else pytest.mark.slow)
        for n, name in enumerate(names)
        for m, kind in enumerate(KINDS)
        if kind != "many" or base(ALL[name].recipe) == "modular-addition"
    ]


@pytest.fixture(scope="session")
def animals(trained: Callable[..., Path], shared: Callable[..., Path]) -> Callable[..., Path]:
    """``animals(recipe, kind)``: the folder of such a run, written once."""

    def run(name: str, kind: str) -> Path:
        small = base(name)
        settings = MANY if kind == "many" else SMALL.get(small, {})
        source = trained(small, {**settings, "epochs": 40, "checkpoint-every": 20})
        return shared(
            f"zoo-{small}-{kind}", lambda place: zoo.write(kind, source, place / "run")
        ) / "run"  # fmt: skip

    return run


@pytest.fixture(scope="session")
def drawn_before(shared: Callable[..., Path]) -> Path:
    """A folder with a file for each scene and data that were looked at.

    Many kinds differ in their losses alone, which most scenes do not draw.
    """
    return shared("zoo-drawn", lambda place: None)


def contents(name: str, data: xr.Dataset) -> str:
    """A checksum of a scene's name and all that its data say but from which run they are."""
    told = {key: value for key, value in data.attrs.items() if key not in OF_THE_RUN}
    sum_of = hashlib.sha256(repr((name, sorted(told.items()))).encode())
    for key, array in sorted(data.variables.items(), key=lambda item: str(item[0])):
        values = np.asarray(array.values)
        values = values.astype("U") if values.dtype.hasobject else values
        sum_of.update(repr((key, array.dims, array.shape, values.dtype)).encode())
        sum_of.update(np.ascontiguousarray(values).tobytes())
    return sum_of.hexdigest()


@pytest.mark.parametrize(("name", "kind"), cases([*SCENES]))
def test_it_is_drawn_or_refused_in_a_sentence(
    name: str, kind: str, animals: Callable[..., Path], drawn_before: Path
) -> None:
    path = animals(SCENES[name].recipe, kind)
    scene = SCENES[name]()
    source: Any = [path, animals(SCENES[name].recipe, "memorised")] if of_many(scene) else path
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            data = load(source, scene.variables())
            scene.check(data)
            if (mark := drawn_before / contents(name, data)).exists():
                return
            drawn = Drawn(name, data=data)
            for i in sorted({0, scene.index_of(data, "last"), scene.index_of(data, None)}):
                looks_right(drawn, drawn.show(i))
                assert "nan" not in scene.alt_text(data, i).lower().split()
            scene.caption(data)
            scene.film_span(data)
    except InputError as error:
        text = str(error)
        assert "\n" not in text
        assert 20 < len(text) < 400, text
        return
    claim = scene.claim(data)
    assert 0 < len(claim.sentence) < 120
    assert "nan" not in claim.sentence.lower().replace(",", " ").split()
    mark.touch()


@pytest.mark.parametrize(("name", "kind"), cases([*FILMS]))
def test_a_film_says_what_is_true_of_it(
    name: str, kind: str, animals: Callable[..., Path], tmp_path: Path
) -> None:
    film = FILMS[name]()
    path = animals(film.recipe, kind)
    source: Any = [path, animals(film.recipe, "memorised")] if of_many(film) else path
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            data = load(source, film.variables())
            film.check(data)
            texts = [film.claim(data).sentence, film.alt_text(data, 0), film.caption(data)]
    except InputError as error:
        texts = [str(error)]
    assert not [text for text in texts if "\n" in text]
    assert not [text for text in texts if not text or re.search(r"\bnan\b", text)]


@pytest.mark.parametrize("kind", [kind for kind, one in zoo.ZOO.items() if one.sentence])
def test_what_became_of_it_is_told(kind: str, animals: Callable[..., Path]) -> None:
    data = load(animals("modular-addition", kind), ["logged_train_loss", "logged_test_loss"])
    assert outcome(data).sentence == zoo.ZOO[kind].sentence
    assert outcome(data).delay is None


def looks_right(drawn: Drawn, view: View) -> None:
    """No empty axes, no block of labels, nothing of the title outside the page."""
    for axes in drawn.figure.findobj(Axes):
        assert not axes.get_visible() or has_content(axes), f"{axes} is empty"
    boxes = [text for text in view.texts if text.box.width > 0]
    for one in boxes:
        over = sum(overlap(one.box, other.box) > 0.4 for other in boxes if other is not one)
        assert over < CROWD, f"{one.text!r} lies under {over} other labels"
    title = [text for text in view.texts if text.text == drawn.sheet.title]
    for text in title:
        assert text.box.x1 <= view.page.x1, "the title runs off the page"


def overlap(one: Any, other: Any) -> float:
    """The share of the smaller box that lies in the other."""
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(wide, 0) * max(high, 0) / smaller if smaller else 0.0


def has_content(axes: Axes) -> bool:
    """Whether anything but its frame is drawn in it: numbers, a picture, or words instead."""
    if any(np.isfinite(np.asarray(line.get_xydata(), float)).all(axis=1).any()
           for line in axes.lines if len(line.get_xydata()) and not marks(line)):  # fmt: skip
        return True
    if axes.images or axes.collections or axes.texts:
        return True
    return any(patch.get_visible() for patch in axes.patches if patch.get_height() != 0)


def marks(line: Any) -> bool:
    """Whether a line only marks the moment shown, from one end of the axes to the other."""
    return len(line.get_xydata()) == 2 and line.get_transform() != line.axes.transData
