"""Which scenes there are: ours, those of ./scenes, and plugins."""

from __future__ import annotations

import logging
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grokviz import plugins
from grokviz.errors import InputError
from grokviz.scene import registry
from grokviz.scene.scene import Scene

ROOT = Path(__file__).parents[2]
OURS = {"embedding-waves", "grokking-curve", "wave-circles"}

MINE = '''
from __future__ import annotations

from dataclasses import dataclass

from grokviz.scene import Drawing, Scene, style, option


@dataclass(frozen=True)
class {cls}(Scene):
    """A square."""

    name = "{name}"
    title = "{title}"
    clock = None
    needs = ("logged_test_loss",)

    side: int = option(1, "of the square")

    def draw(self, figure, data):
        axes = style().panels(figure)[0][0]
        axes.plot([0, self.side], [0, self.side])
        return Drawing()
'''


def write(folder: Path, file: str, name: str, title: str = "A square", cls: str = "Mine") -> Path:
    (folder / "scenes").mkdir(exist_ok=True)
    path = folder / "scenes" / file
    path.write_text(MINE.format(name=name, title=title, cls=cls))
    return path


@pytest.fixture(autouse=True)
def forgotten() -> Any:
    """What a test loads of users' files is forgotten after it."""
    yield
    plugins.forget()
    for name in [n for n in sys.modules if n.startswith(plugins.PREFIX)]:
        del sys.modules[name]


def test_our_own_scenes_are_found(here: Path) -> None:
    found = registry.scenes()
    assert set(found) >= OURS
    assert list(found) == sorted(found)
    assert all(name == scene.name for name, scene in found.items())
    # a name that begins with an underscore is a helper of several scenes
    files = {f.stem for f in (ROOT / "scenes").rglob("[!_]*.py") if f.parent.name != "films"}
    assert files <= {scene.__module__.rpartition(".")[2] for scene in found.values()}


def test_a_wrong_name_is_answered_with_the_nearest(here: Path) -> None:
    with pytest.raises(InputError, match="did you mean embedding-waves"):
        registry.scene("embeding-waves")


def test_a_users_scene_is_found_and_left_out_on_request(here: Path) -> None:
    write(here, "mine.py", "my-square")
    assert registry.scene("my-square").title == "A square"
    assert "my-square" not in registry.scenes(user=False)
    with pytest.raises(InputError, match="there is no scene my-square"):
        registry.scene("my-square", user=False)


def test_a_users_scene_takes_the_place_of_ours(here: Path) -> None:
    write(here, "waves.py", "embedding-waves", title="Mine instead")
    assert registry.scene("embedding-waves").title == "Mine instead"
    assert registry.scene("embedding-waves", user=False).title != "Mine instead"


def test_a_class_that_is_only_imported_is_not_a_scene_of_the_file(here: Path) -> None:
    write(here, "mine.py", "my-square")
    (here / "scenes" / "more.py").write_text(
        "from grokviz.scenes.modular_addition.embedding.embedding_waves import EmbeddingWaves\n"
    )
    found = registry.scenes()
    assert (
        found["embedding-waves"].__module__
        == "grokviz.scenes.modular_addition.embedding.embedding_waves"
    )


BROKEN = {
    "syntax": "def (:\n",
    "import": "import no_such_library_at_all\n",
    "error": "raise RuntimeError('two\\nlines')\n",
    "exit": "import sys\nsys.exit(3)\n",
    "bytes": b"\xff\xfe\x00nonsense",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_reported_once_and_takes_nothing_down(
    here: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    write(here, "mine.py", "my-square")
    body = BROKEN[kind]
    path = here / "scenes" / "broken.py"
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    with caplog.at_level(logging.WARNING, logger="grokviz"):
        found = registry.scenes()
        again = registry.scenes()
    assert set(found) == set(again) >= {*OURS, "my-square"}
    assert len(caplog.records) == 1
    said = caplog.records[0].getMessage()
    assert "broken.py cannot be imported" in said
    assert "\n" not in said


def test_a_repaired_file_is_read_again(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    (here / "scenes").mkdir()
    (here / "scenes" / "mine.py").write_text("oops")
    with caplog.at_level(logging.WARNING, logger="grokviz"):
        assert "my-square" not in registry.scenes()
    write(here, "mine.py", "my-square")
    assert registry.scene("my-square").title == "A square"
    write(here, "mine.py", "my-square", title="Another, longer title")
    assert registry.scene("my-square").title == "Another, longer title"


class Entry:
    def __init__(self, name: str, load: Callable[[], Any]) -> None:
        self.name, self.value, self.load = name, name, load


def plugin(module: str, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    made = types.ModuleType(module)
    monkeypatch.setitem(sys.modules, module, made)
    exec(MINE.format(name=f"from-{module}", title="A plugin", cls="Plugged"), made.__dict__)
    return made


def test_plugins_are_found_whether_they_name_a_module_or_a_class(
    here: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = plugin("plugin_one", monkeypatch), plugin("plugin_two", monkeypatch)

    def refuse() -> None:
        raise ImportError("something is missing")

    def leave() -> None:
        raise SystemExit(1)

    entries = [
        Entry("one", lambda: one), Entry("two", lambda: two.Plugged), Entry("bad", refuse),
        Entry("worse", leave),
    ]  # fmt: skip

    def found(*, group: str) -> list[Entry]:
        return entries if group == "grokviz.scenes" else []

    monkeypatch.setattr(plugins, "entry_points", found)
    plugins.forget()
    with caplog.at_level(logging.WARNING, logger="grokviz"):
        names = set(registry.scenes())
    assert names >= {*OURS, "from-plugin_one", "from-plugin_two"}
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "the plug-in bad cannot be imported: something is missing" in said[0]
    assert not set(registry.scenes(user=False)) & {"from-plugin_one", "from-plugin_two"}


def test_a_script_of_another_folder_is_no_scene(here: Path) -> None:
    write(here, "mine.py", "my-square")
    inner = here / "inner"
    inner.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", "from grokviz.scene.registry import scenes; print(*scenes())"],
        cwd=inner, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "my-square" not in done.stdout.split()


def test_the_base_class_is_no_scene() -> None:
    assert Scene not in registry.scenes(user=False).values()
