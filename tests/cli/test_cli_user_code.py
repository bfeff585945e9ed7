"""When the user's own files are run: in commands that can use them, and never in any other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from click.shell_completion import ShellComplete

import grokviz as gv
from grokviz import cli, plugins
from grokviz.render.figures import FigureTask, draw
from grokviz.render.paper import Part
from grokviz.runs import RunWriter

EVIL = """
from pathlib import Path

MARK = Path(__file__).parents[1] / "it-ran"
MARK.touch()
"""

USING = {
    "scenes": ("scenes", "--json"),
    "recipes": ("recipes", "--json"),
    "render": ("render", "nosuch"),
    "data": ("data", "nosuch", "-o", "numbers.csv"),
    "figures": ("figures", "--run", "nosuch"),
    "slides": ("slides", "nosuch"),
    "train": ("train", "nosuch"),
    "sweep": ("sweep", "nosuch", "--dry-run"),
    "measures": ("measures", "skip-trigram"),
    "explore": ("explore", "skip-trigram", "-o", "page.html"),
}
"""Commands that can use what a user adds, each with words with which it looks for it."""

NOT_USING = {
    "info": ("info", "skip-trigram", "--verify"),
    "info of a run": ("info", "run"),
    "doctor": ("doctor",),
    "completion": ("completion", "bash"),
    "bundle": ("bundle", "run", "--out", "reference"),
    "import": ("import", "small.pth"),
}

TASK = """
from dataclasses import replace

from grokviz.tasks.modular_addition import TASK as OURS
from grokviz.task import Recipe, Task

SMALL = replace(OURS.load("recipes")[0].settings, p=5, epochs=2)
MINE = Task(
    "mine",
    settings=OURS.load("settings"),
    recipes=[Recipe("mine-small", "a small one", "mine", "seconds", SMALL)],
    problem=OURS.load("problem"),
)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a file of the user's that leaves a mark where it is run."""
    monkeypatch.setenv("GROKVIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "evil.py").write_text(EVIL, "utf-8")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(plugins.PREFIX)]:
        del sys.modules[name]


def ran(folder: Path) -> bool:
    return (folder / "it-ran").exists()


@pytest.mark.parametrize("command", USING)
def test_commands_that_use_it_run_it_unless_told_not_to(command, called, folder) -> None:
    if command in ("train", "sweep"):
        pytest.importorskip("torch")
    for option in ("--no-user-code", "--no-user-scenes"):
        left_out = called(*USING[command], option)
        assert left_out.returncode in (0, 2), left_out.stderr
        assert not ran(folder)
        assert "evil.py" not in left_out.stderr
        if command == "explore":
            break
    done = called(*USING[command])
    assert done.returncode == left_out.returncode
    assert ran(folder)
    assert done.stderr.splitlines()[0] == (
        "running your own scenes/evil.py (--no-user-code leaves such files out)"
    )


def test_every_command_is_said_to_use_it_or_not() -> None:
    assert {words[0] for words in (*USING.values(), *NOT_USING.values())} == set(cli.COMMANDS)


@pytest.mark.parametrize("case", NOT_USING)
def test_other_commands_never_run_it(case, called, folder) -> None:
    if case == "import":
        torch = pytest.importorskip("torch")
        from grokviz.models.transformer import Shape, Transformer

        torch.save(Transformer(Shape(6, 3, 8, 2, 12), seed=3).state_dict(), "small.pth")
    with RunWriter.create("run", {"task": "modular-addition", "settings": {"p": 5}}) as run:
        run.checkpoint(0, {"w": np.zeros(2)})
        run.log(0, train_loss=1.0)
    done = called(*NOT_USING[case])
    # what is missing here is no matter to a test, and the run has too little to be bundled
    assert done.returncode == 0 or case in ("doctor", "bundle"), done.stderr
    assert not ran(folder)
    assert "evil.py" not in done.stderr


def test_a_task_named_to_import_is_not_looked_for_in_the_users_files(called, folder) -> None:
    for task in ("modular-addition", "nosuch"):
        called("import", "small.pth", "--set", f"task={task}")
    assert not ran(folder)


IMPORTER = """
from pathlib import Path

from grokviz.importers.contract import Importer

IMPORTER = Importer(
    name="{name}", title="{name}", order=0, read=lambda source, hints: [],
    recognises=lambda source: Path("{name}-ran").touch(), unopened=True,
)
"""


def test_import_leaves_the_importers_of_plug_ins_out_where_it_is_told_to(
    called, folder, monkeypatch
) -> None:
    (folder / "plugged.py").write_text(IMPORTER.format(name="plugged"), "utf-8")
    (folder / "named.py").write_text(IMPORTER.format(name="named"), "utf-8")
    (folder / "losses.csv").write_text("epoch,train_loss\n0,1.0\n", "utf-8")
    monkeypatch.syspath_prepend(folder)
    entry = EntryPoint("plugged", "plugged", "grokviz.importers")
    monkeypatch.setattr(
        plugins, "entry_points", lambda group: [entry] if group == entry.group else []
    )
    plugins.forget()
    try:
        words = ("import", "losses.csv", "--importer", "named.py")
        called(*words, "--no-user-code", "--out", "a")
        assert not (folder / "plugged-ran").exists()
        assert (folder / "named-ran").exists()
        called(*words, "--out", "b")
        assert (folder / "plugged-ran").exists()
    finally:
        plugins.forget()
        sys.modules.pop("plugged", None)
    assert not ran(folder)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_and_tab_never_run_it(command, called, folder) -> None:
    done = called(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage:")
    for words in ([command], [command, "--run"], [command, "--out"]):
        ShellComplete(cli.cli, {}, "grokviz", "_GROKVIZ_COMPLETE").get_completions(words, "")
    assert not ran(folder)


def test_the_files_are_named_the_first_time_in_a_folder(called, folder, monkeypatch) -> None:
    (folder / "scenes" / "mine.py").write_text("", "utf-8")
    assert "scenes/evil.py, scenes/mine.py" in called("recipes", "--json").stderr

    def told(*options: str) -> bool:
        plugins.forget()
        return "evil.py" in called("recipes", "--json", *options).stderr

    assert not told()
    other = folder / "other"
    (other / "scenes").mkdir(parents=True)
    (other / "scenes" / "evil.py").write_text(EVIL, "utf-8")
    monkeypatch.chdir(other)
    assert not told("--quiet")
    assert told()
    assert not told()


def test_where_nothing_can_be_remembered_it_is_said_again(called, folder, monkeypatch) -> None:
    (folder / "cache").write_text("a file in its way", "utf-8")
    for _ in range(2):
        plugins.forget()
        done = called("recipes", "--json")
        assert done.returncode == 0
        assert done.stderr.count("evil.py") == 1
        # a command that looks twice says it once
        assert called("scenes", "evil").stderr.count("running your own") == 1


@pytest.mark.parametrize("user", [True, False])
def test_a_worker_looks_where_its_parent_does(user, folder) -> None:
    part = Part("", "grokking-curve", {}, None)
    task = FigureTask((part,), "modular-addition", (str(folder / "a.png"),), {})
    with plugins.user_code(user):
        there = plugins.with_current_places(draw)
    written, failure = there(task)
    assert (written, failure) == ([folder / "a.png"], None)
    assert ran(folder) == user


@pytest.mark.slow
@pytest.mark.train
def test_a_users_task_is_found_by_the_members_of_a_sweep(called, folder) -> None:
    pytest.importorskip("torch")
    (folder / "scenes" / "task.py").write_text(TASK, "utf-8")
    words = ("sweep", "mine-small", "--grid", "seed=0", "--out", "many")
    refused = called(*words, "--no-user-code")
    assert (refused.returncode, "no recipe mine-small" in refused.stderr) == (2, True)
    done = called(*words)
    assert done.returncode == 0, done.stderr
    assert gv.open_run("many/seed=0").facts["task"] == "mine"


@pytest.mark.slow
@pytest.mark.train
def test_the_members_of_a_sweep_leave_out_what_it_leaves_out(called, folder) -> None:
    pytest.importorskip("torch")
    words = ("sweep", "modular-addition", "--grid", "seed=0", "--epochs", "1", "--set", "p=5")
    done = called(*words, "--no-user-code", "--out", "many")
    assert done.returncode == 0, done.stderr
    assert not ran(folder)


SCENE = """
from grokviz.scene import Drawing, Scene


class Wrong(Scene):
    name = "wrong"

    def draw(self, figure, data):
        axes = figure.add_subplot()
        {draw}

        def update(i):
            {update}

        return Drawing(moving=axes.plot([0]), update=update)
"""


@pytest.mark.parametrize(
    ("once", "moving", "line", "words"),
    [
        ("axes.bax()", "pass", 10, ("-o", "a.png")),
        ("pass", "axes.bax()", 13, ("-o", "a.mp4", "--quality", "l", "-j", "2")),
    ],
)
def test_a_mistake_in_a_users_scene_is_a_sentence_with_its_line(
    once, moving, line, words, called, folder
) -> None:
    file = folder / "scenes" / "wrong.py"
    file.write_text(SCENE.format(draw=once, update=moving), "utf-8")
    done = called("render", "wrong", *words)
    assert done.returncode == 2
    (said,) = [row for row in done.stderr.splitlines() if row.startswith("grokviz: ")]
    assert said.startswith("grokviz: AttributeError: 'Axes' object has no attribute 'bax'")
    assert said.endswith(f"({file.resolve()}, line {line})")
