"""Tab: what is offered, and that no file of the user's runs for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from grokviz import cli

ROOT = Path(__file__).parents[2]
PROGRAM = "from grokviz.cli import main; main()"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
EVIL = """
from dataclasses import dataclass
from pathlib import Path

from grokviz.scene.scene import Scene

Path("it-ran").touch()


@dataclass(frozen=True)
class Evil(Scene):
    name = "evil-scene"
"""


def offered(*words: str) -> list[str]:
    """What Tab offers for the last of ``words``; "file" where the shell is to offer files."""
    shell = BashComplete(cli.cli, {}, "grokviz", "_GROKVIZ_COMPLETE")
    items = shell.get_completions(list(words[:-1]), words[-1])
    return [item.value if item.type == "plain" else item.type for item in items]


def test_commands_and_their_options() -> None:
    assert offered("") == list(cli.COMMANDS)
    assert offered("re") == ["render", "recipes"]
    assert {"--title", "--theme", "--transparent"} <= set(offered("render", "--t"))
    assert offered("render", "x", "--quality", "") == ["l", "m", "h", "k"]
    assert offered("completion", "z") == ["zsh"]


def test_names_and_files() -> None:
    assert offered("render", "embedding-wa") == ["embedding-waves"]
    assert offered("data", "grokking-c") == ["grokking-curve"]
    assert "modular-addition-59" in offered("train", "modular-addition-5")
    assert "modular-addition-59" in offered("sweep", "mod")
    assert offered("info", "slingsh") == ["slingshots"]
    assert "seeds" in offered("render", "seeds", "--run", "")
    for words in (["info", "runs/a"], ["slides", "a.mp"], ["render", "x", "-o", ""],
                  ["import", "a"], ["explore", "./"]):  # fmt: skip
        assert offered(*words) == ["file"], words


def test_venues_and_themes_are_offered() -> None:
    assert offered("render", "x", "--venue", "ie") == ["ieee"]
    assert offered("figures", "--venue", "mine.t") == ["file"]
    assert offered("render", "x", "--theme", "") == ["auto", "light", "dark"]


def test_runs_of_ones_own_are_offered_beside_the_references(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("runs/mine/run.json", "sizes/sweep.json", "small.nc", "thesis/notes.txt"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / "runs" / "a\x1b[2Jb\nc").mkdir()
    (tmp_path / "runs" / "a\x1b[2Jb\nc" / "run.json").touch()
    everything = offered("info", "")
    assert all(name.isprintable() for name in everything)
    assert {"seeds", "runs/mine", "sizes", "small.nc"} <= set(everything)
    assert "thesis" not in everything
    begun = offered("render", "x", "--run", "s")
    assert {"seeds", "sizes", "small.nc"} <= set(begun)
    assert "runs/mine" not in begun
    assert offered("info", "runs/") == ["file"]


def test_of_an_unknown_command_nothing_is_offered_or_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert offered("rendr", "--t") == []
    assert capsys.readouterr() == ("", "")


def tab(place: Path, *words: str) -> list[str]:
    """The same from a shell that stands in ``place``."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=place, capture_output=True, text=True, check=True,
        env={
            **ENVIRONMENT, "_GROKVIZ_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(["grokviz", *words]), "COMP_CWORD": str(len(words)),
        },
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.slow
def test_no_file_of_the_users_runs_for_it(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "evil.py").write_text(EVIL)
    found = tab(tmp_path, "render", "e")
    assert "plain,embedding-waves" in found
    assert "plain,evil-scene" not in found
    assert tab(tmp_path, "slides", "evil-") == ["file,evil-"]
    assert [path.name for path in tmp_path.iterdir()] == ["scenes"]
    # the same file does run where it may
    listed = subprocess.run(
        [sys.executable, "-c", PROGRAM, "scenes"], cwd=tmp_path, env=ENVIRONMENT, text=True,
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert "evil-scene" in listed
    assert (tmp_path / "it-ran").exists()


HEAVY = """
import atexit, sys
heavy = ("torch", "matplotlib", "manim", "xarray", "av", "PIL", "pandas")
atexit.register(lambda: print(*[name for name in heavy if name in sys.modules]))
"""


@pytest.mark.parametrize("words", [["render", "emb"], ["train", "mod"], ["render", "--venue", "i"]])
def test_nothing_heavy_is_imported_for_it(tmp_path: Path, words: list[str]) -> None:
    environment = {
        **ENVIRONMENT, "_GROKVIZ_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["grokviz", *words]), "COMP_CWORD": str(len(words)),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", HEAVY + PROGRAM], cwd=tmp_path, env=environment, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    *found, heavy = done.stdout.splitlines()
    assert found
    assert heavy == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["completion", shell]) == 0
    out, err = capsys.readouterr()
    assert f"_GROKVIZ_COMPLETE={shell}_complete" in out
    assert err == ""


def test_another_shell_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["completion", "tcsh"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "bash" in err


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_with_it(tmp_path: Path) -> None:
    program = tmp_path / "grokviz"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PROGRAM}" "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(grokviz completion bash)" && COMP_WORDS=(grokviz rend) && COMP_CWORD=1 && '
        '_grokviz_completion grokviz && echo "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env={**ENVIRONMENT, "PATH": path}, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("render\n", "")
