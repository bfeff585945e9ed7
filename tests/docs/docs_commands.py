"""What the docs tell a reader to type: found in pages, and held against the package."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import grokviz as gv
from grokviz.cli import COMMANDS, cli
from grokviz.cli.common import parse_assignments
from grokviz.importers.contract import Hints
from grokviz.media.venues import VENUES
from grokviz.options import options_of
from grokviz.render.figures import FigureOptions
from grokviz.render.job import RenderOptions, render_options
from grokviz.render.render import plan_all
from grokviz.scene.registry import scene as find_scene
from grokviz.slides.options import SlideOptions
from grokviz.task import recipe as find_recipe
from grokviz.task import recipes
from grokviz.training.grid import read_grid

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
NOTEBOOK = ROOT / "notebooks" / "grokking.ipynb"
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"\[|\.\.\.|(?<![-.\w])[A-Z]{2,}")
"""A word that stands for another: SCENE, [--out RUN], KEY=V1."""


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [
        inspect.cleandoc("\n" + body) for _, kind, body in FENCE.findall(text) if kind == language
    ]


def indented(text: str) -> Iterator[str]:
    """Lines of indented code outside fences."""
    outside = FENCE.sub("", text)
    yield from (line.strip() for line in outside.splitlines() if line.startswith("    "))


def commands(text: str) -> list[str]:
    """Every ``grokviz ...`` that a page tells its reader to type, one a line."""
    lines = [
        line for block in blocks(text, "sh") for line in block.replace("\\\n", " ").splitlines()
    ]
    lines += [line for line in indented(text) if line.startswith("grokviz ")]
    lines += re.findall(r"`(grokviz [^`]+)`", FENCE.sub("", text))
    return [line.strip() for line in lines if line.strip().startswith("grokviz ")]


def words_of(command: str) -> list[str]:
    """The words after ``grokviz``, up to a comment, a pipe or another command."""
    words = shlex.split(command, comments=True)[1:]
    ends = [at for at, word in enumerate(words) if word in ("|", "&&", ";", ">")]
    return words[: min(ends, default=len(words))]


def check_command(command: str) -> None:
    """Whether the command exists and takes these words; raises what a reader would be told."""
    words = words_of(command)
    if not words or words[0].startswith("-"):
        assert words in ([], ["--help"], ["-h"], ["--version"])
        return
    parent = click.Context(cli, info_name="grokviz")
    found = cli.get_command(parent, words[0])
    assert found is not None
    if PLACEHOLDER.search(" ".join(words[1:])):
        _options_exist(found, words[1:])
        return
    if _is_a_mention(found, words[1:]):
        return
    given = dict(found.make_context(words[0], words[1:], parent=parent).params)
    check = globals().get(f"_check_{words[0]}")
    if check:
        check(given)


def _is_a_mention(command: click.Command, words: list[str]) -> bool:
    """``grokviz explore`` or ``grokviz render --run`` in a sentence names them, no more."""
    needed = [p for p in command.params if isinstance(p, click.Argument) and p.required]
    if needed and not [word for word in words if not word.startswith("-")]:
        _options_exist(command, words)
        return True
    return False


def _options_exist(command: click.Command, words: list[str]) -> None:
    known = {name for parameter in command.params for name in parameter.opts}
    known |= {name for parameter in command.params for name in parameter.secondary_opts}
    options = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(words))
    assert set(options) - known - {"--help"} == set(), f"{options} of {command.name}"


def _runs(names: Any) -> None:
    for name in names if isinstance(names, (list, tuple)) else [names]:
        ours = str(name).startswith(("runs/", "figures/"))
        assert name is None or ours or name in gv.references(), f"no run {name}"


def _check_render(given: dict[str, Any]) -> None:
    wish = {key: value for key, value in given.items() if key in RenderOptions.__dataclass_fields__}
    wish["style"] = None  # a reader's own file
    if str(wish["venue"]).endswith(".toml"):  # another one
        wish["venue"] = None
    options, out = parse_assignments(given["assignments"]), list(given["output"])
    plan_all(given["scenes"], options, out, given["formats"], render_options(wish))
    _runs(given["run"])


def _check_data(given: dict[str, Any]) -> None:
    find_scene(given["scene"])
    _runs(given["run"])


def _check_figures(given: dict[str, Any]) -> None:
    assert given["venue"] is None or given["venue"] in VENUES
    _runs(given["runs"])


def _check_slides(given: dict[str, Any]) -> None:
    for name in given["scenes"]:
        if not name.endswith((".mp4", ".png")):
            find_scene(name)
    _runs(given["run"])


def _can_be_drawn(settings: Any) -> None:
    """The data of settings that make it themselves, as all of ours do."""
    assert getattr(settings, "data", True)


def _check_train(given: dict[str, Any]) -> None:
    settings: dict[str, Any] = dict(parse_assignments(given["assignments"]))
    short = {"epochs": "epochs", "checkpoint-every": "checkpoint_every", "seed": "seed"}
    settings |= {key: given[name] for key, name in short.items() if given[name] is not None}
    recipe = find_recipe(given["recipe"])
    _can_be_drawn(recipe.read(settings))


def _check_sweep(given: dict[str, Any]) -> None:
    from grokviz.training.sweep import plan as plan_sweep

    settings: dict[str, Any] = dict(parse_assignments(given["assignments"]))
    settings |= {} if given["epochs"] is None else {"epochs": given["epochs"]}
    made = plan_sweep(
        given["recipe"], read_grid(given["grid"]), given["out"], seeds=given["seeds"],
        settings=settings,
    )  # fmt: skip
    assert len(made.members) > 1
    for member in made.members:
        _can_be_drawn(made.recipe.read(member.settings))


def _check_import(given: dict[str, Any]) -> None:
    keys = {key for recipe in recipes().values() for key in recipe.keys}
    assert set(parse_assignments(given["assignments"])) <= keys | set(options_of(Hints))


def _check_measures(given: dict[str, Any]) -> None:
    _runs(given["run"])
    assert re.fullmatch(r"\d+|last|grok([+-]\d+)?", given["epoch"])


def _check_info(given: dict[str, Any]) -> None:
    _runs(given["run"])


def _check_explore(given: dict[str, Any]) -> None:
    assert len(given["runs"]) <= 2
    for run in given["runs"]:
        _runs(run)


def check_python(code: str) -> None:
    """Whether a block is Python, and whether what it takes of grokviz is there."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("grokviz"):
            there = _names_in(str(node.module))
            left = {alias.name for alias in node.names} - there
            assert left == set(), f"{node.module} has no {', '.join(sorted(left))}"
        elif isinstance(node, ast.Attribute) and _is_gv(node.value):
            assert node.attr in gv.__all__, f"gv has no {node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            _check_call(node.func, node)


def _names_in(module: str) -> set[str]:
    """What can be imported from a module, read and not run: some need manim."""
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"there is no module {module}"
    assert spec.origin is not None
    file, found = Path(spec.origin), set[str]()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    inside = file.parent.iterdir() if file.name == "__init__.py" else ()
    return found | {path.stem for path in inside}


OPTIONS: dict[str, Any] = {
    "figures": FigureOptions,
    "render": RenderOptions,
    "slides": SlideOptions,
}
"""What further keywords a function takes."""


def _is_gv(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("gv", "grokviz")


def _check_call(called: ast.Attribute, node: ast.Call) -> None:
    """Whether a function of ours takes these arguments, and knows the name that is the first."""
    starred = [word for word in node.args if isinstance(word, ast.Starred)]
    if not _is_gv(called.value) or starred or not all(word.arg for word in node.keywords):
        return
    name = called.attr
    assert name in gv.__all__, f"gv has no {name}"
    function = getattr(gv, name)
    named: dict[str, Any] = {str(k.arg): None for k in node.keywords}
    inspect.signature(function).bind(*node.args, **named)
    if name in OPTIONS:
        own = set(inspect.signature(function).parameters)
        assert set(named) - own <= set(OPTIONS[name].__dataclass_fields__)
    first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
    if not isinstance(first, str):
        return
    if name in ("render", "scene", "schema"):
        find_scene(first)
    elif name in ("train", "sweep", "recipe"):
        find_recipe(first)
    elif name in ("load", "reference", "measures", "explore"):
        _runs(first)


def notebook_cells() -> list[tuple[str, str]]:
    """Kind and text of each cell of the notebook."""
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]


__all__ = ["COMMANDS", "NOTEBOOK", "PAGES", "ROOT", "blocks", "check_command", "check_python",
           "commands", "notebook_cells"]  # fmt: skip
