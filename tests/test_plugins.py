"""What installed packages and the user's files add, who wins, and when their code is run."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xarray as xr

from grokviz import plugins
from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.measured import measures
from grokviz.dataset.references.reference import load
from grokviz.dataset.tables import write_data
from grokviz.errors import InputError
from grokviz.importers.choice import importers
from grokviz.importers.importing import import_run
from grokviz.pages.own import own_panels
from grokviz.pages.panels import available
from grokviz.runs import RunWriter, open_run
from grokviz.scene.registry import SCENES, scene, scenes
from grokviz.task import TASKS, recipe, recipes, task, tasks

OFFER = '''
"""A task, a scene and an importer."""

from dataclasses import dataclass
from typing import ClassVar

from grokviz.importers.contract import Importer
from grokviz.options import option, whole
from grokviz.scene import Scene
from grokviz.task import Recipe, Task
from grokviz.training.settings import TrainingSettings


@dataclass(frozen=True)
class Settings(TrainingSettings):
    bits: int = option({bits}, "number of bits", whole())


TASK = Task(
    name="parity",
    package=__name__,
    settings=Settings,
    recipes=(Recipe("parity", "parity of {bits} bits", "ours", "seconds", Settings()),),
)


@dataclass(frozen=True)
class Spread(Scene):
    """How far apart."""

    name: ClassVar[str] = "spread"
    title: ClassVar[str] = "{bits} bits"


NOTHING = Importer("nothing", "a file of {bits} bits", lambda source: False, lambda *_: [])
'''
GROUPS = ("grokviz.tasks", "grokviz.scenes", "grokviz.importers")


@pytest.fixture(autouse=True)
def anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder to work in, and nothing remembered."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    plugins.forget()
    yield
    plugins.forget()
    for name in [n for n in sys.modules if n.startswith(("offer_", plugins.PREFIX))]:
        del sys.modules[name]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with entry points in every group, as pip installs one."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "offer_installed.py").write_text(OFFER.format(bits=6))
    about = site / "offer-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: offer\nVersion: 1.0\n")
    lines = [f"[{group}]\noffer = offer_installed\n" for group in GROUPS]
    (about / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(site))
    return "offer_installed"


def write_file(bits: int = 30, name: str = "mine") -> None:
    Path("scenes").mkdir(exist_ok=True)
    Path("scenes", f"{name}.py").write_text(OFFER.format(bits=bits))


def test_an_installed_package_adds_to_every_kind(installed: str) -> None:
    assert task("parity").package == installed
    assert recipe("parity").read().bits == 6
    assert recipe("parity").task == "parity"
    assert scene("spread").title == "6 bits"
    assert "nothing" in {one.name for one in importers()}
    assert installed in sys.modules


def test_one_file_of_the_users_holds_every_kind() -> None:
    write_file()
    assert recipe("parity").read({"bits": "12"}).bits == 12
    assert scene("spread").title == "30 bits"
    assert "nothing" in {one.name for one in importers()}


def test_ours_come_first_in_lists_and_a_users_last() -> None:
    write_file()
    assert next(iter(tasks())) == "modular-addition"
    assert list(tasks())[-1] == "parity"
    assert list(recipes())[-1] == "parity"


@pytest.mark.usefixtures("installed")
def test_a_users_file_takes_the_place_of_an_installed_package() -> None:
    assert scene("spread").title == "6 bits"
    write_file()
    assert scene("spread").title == "30 bits"
    assert recipe("parity").read().bits == 30


def test_of_two_files_the_later_wins() -> None:
    write_file(3, "a")
    write_file(4, "b")
    assert scene("spread").title == "4 bits"


def test_a_recipe_named_like_another_tasks_is_refused() -> None:
    write_file()
    file = Path("scenes", "mine.py")
    file.write_text(file.read_text().replace('Recipe("parity"', 'Recipe("modular-addition"'))
    with pytest.raises(InputError, match="parity both have a recipe modular-addition; give yours"):
        recipe("modular-addition")
    with plugins.user_code(False):
        assert recipe("modular-addition").task == "modular-addition"
    twice = OFFER.format(bits=3).replace("recipes=(Recipe(", "recipes=2 * (Recipe(")
    file.write_text(twice)
    with pytest.raises(InputError, match="the task parity has two recipes parity; give yours"):
        recipe("parity")


def test_an_edited_file_is_read_again() -> None:
    write_file(3)
    assert scene("spread").title == "3 bits"
    write_file(50)
    assert scene("spread").title == "50 bits"


@pytest.mark.parametrize(
    ("places", "expected"),
    [((), set()), ((plugins.INSTALLED,), {6}), (plugins.PLACES, {30})],
)
def test_code_runs_only_from_the_places_allowed(
    installed: str, places: tuple[str, ...], expected: set[int]
) -> None:
    write_file()
    with plugins.looking_in(places):
        found = {kind.title for name, kind in scenes().items() if name == "spread"}
        with plugins.looking_in(plugins.PLACES):  # what is not allowed stays so
            again = {kind.title for name, kind in scenes().items() if name == "spread"}
    assert found == again == {f"{bits} bits" for bits in expected}
    assert (installed in sys.modules) == bool(places)
    ran = any(name.startswith(plugins.PREFIX) for name in sys.modules)
    assert ran == (plugins.FILES in places)


def test_a_plug_in_that_cannot_be_imported_takes_nothing_down(
    installed: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "site" / f"{installed}.py").write_text("raise SystemExit('oops')")
    assert "grokking-curve" in scenes()
    assert "modular-addition" in tasks()
    assert "offer cannot be imported: oops" in caplog.text


def test_what_is_unknown_is_answered_with_the_nearest() -> None:
    write_file()
    with pytest.raises(InputError, match=r"no task partiy: did you mean parity\?"):
        task("partiy")
    with pytest.raises(InputError, match=r"no recipe paritty: did you mean parity\?"):
        recipe("paritty")


def test_a_package_that_offers_an_object_is_taken_by_its_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType("offer_object")
    monkeypatch.setitem(sys.modules, "offer_object", module)
    exec(compile(OFFER.format(bits=9), "offer_object.py", "exec"), module.__dict__)

    class Entry:
        name, value = "offer", "offer_object:Spread"

        @staticmethod
        def load() -> type:
            return module.Spread  # type: ignore[no-any-return]

    def entry_points(group: str) -> list[type[Entry]]:
        return [Entry] if group == "grokviz.scenes" else []

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    assert scene("spread").title == "9 bits"


@pytest.mark.parametrize("kind", [SCENES, TASKS], ids=lambda kind: kind.noun)
def test_each_of_ours_is_found_alone_by_its_name(kind: plugins.PluginKind[Any]) -> None:
    every = plugins.find_all(kind)
    plugins.forget()
    assert len(every) > 4
    for name, plugin in every.items():
        assert plugins.get(kind, name) is plugin
    assert plugins.get(kind, "no-such-name") is None
    assert not plugins._MEMBERS  # nobody asked for all of them


def test_whether_code_of_others_runs(installed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plugins.runs_foreign_code()
    with plugins.user_code(False):
        assert not plugins.runs_foreign_code()
    monkeypatch.setattr(sys, "path", sys.path[1:])
    assert not plugins.runs_foreign_code()
    write_file()
    assert plugins.runs_foreign_code()
    with plugins.looking_in([plugins.INSTALLED]):
        assert not plugins.runs_foreign_code()
    assert installed not in sys.modules


NPY = """
import numpy as np

from grokviz.importers.contract import Curve, Importer, RunContents


def recognises(source):
    return source.data is None and source.path.suffix == ".npy"


def read(source, hints):
    losses = np.load(source.path)
    return [RunContents(curves={"train_loss": Curve(np.arange(len(losses)), losses)})]


LOSSES = Importer("losses", "losses as .npy", recognises, read, unopened=True)
"""


def test_a_file_of_any_kind_is_read_by_an_importer_that_opens_it(tmp_path: Path) -> None:
    here = tmp_path / "here"
    np.save(here / "a.npy", np.array([3.0, 2.0]))
    (here / "losses.py").write_text(NPY)
    with pytest.raises(InputError, match=r"a\.npy"):
        import_run(here / "a.npy", here / "without")
    made = import_run(here / "a.npy", here / "run", importer=here / "losses.py")
    run = open_run(made.path)
    assert run.metric("train_loss")[1].tolist() == [3.0, 2.0]
    assert (
        run.facts["imported"]["sha256"] == hashlib.sha256((here / "a.npy").read_bytes()).hexdigest()
    )


def test_files_of_one_name_in_two_folders_are_two_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {}
    for bits in (3, 5):
        folder = tmp_path / f"with{bits}"
        (folder / "scenes").mkdir(parents=True)
        (folder / "scenes" / "same.py").write_text(OFFER.format(bits=bits))
        monkeypatch.chdir(folder)
        kinds[bits] = scene("spread")
    for bits, kind in kinds.items():
        file = plugins.file_of(kind.__module__)
        assert file is not None
        assert file.parents[1].name == f"with{bits}"
        assert kind.title == f"{bits} bits"


MEASURED = """
from __future__ import annotations

from grokviz.dataset.checkpoint import Checkpoint
from grokviz.dataset.contract import measure
from grokviz.task import Task


@measure(source="this test")
def total(at: Checkpoint) -> float:
    \"\"\"The sum of the weights.\"\"\"
    return at.state["w"].sum()


TASK = Task(name="mine", package=__name__, settings=object, recipes=())
"""


SERIES = """

@measure(on="series", source="this test")
def growth(run, total) -> float:
    \"\"\"How much it grew.\"\"\"
    return total[-1] - total[0]
"""

SHOWN = """

from dataclasses import dataclass

import grokviz as gv


@dataclass(frozen=True)
class Total(gv.Scene):
    \"\"\"The sum alone.\"\"\"

    name, title, source = "total", "It grows", "this test"
    needs = ("total",)
"""


WRONG_MEASURES = [
    ('at.state["w"]', 'at.state["v"]', r"KeyError: 'v' \(.*mine\.py, line 12\)"),
    ('measure(source', 'measure("bit", source', r"total has the shape \(4,\) and should run over"),
    ("def total(", "def totals(", "there is no dataset variable total: did you mean totals?"),
    (
        'measure(source="this test")',
        'measure("bit", source="this test")',
        r"shape \(4,\) and should run over \(epoch, bit\)",
    ),
    (
        'at.state["w"].sum()', 'at.state["w"][: at.epoch + 1]',
        r"has the shapes \(1,\) and \(2,\) at different checkpoints",
    ),
    ("at: Checkpoint", "at: Nothing", "which its module does not have when it runs"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "sentence"), WRONG_MEASURES)
def test_a_mistake_in_a_users_measure_is_a_sentence(
    tmp_path: Path, right: str, wrong: str, sentence: str
) -> None:
    (tmp_path / "here" / "scenes").mkdir()
    (tmp_path / "here" / "scenes" / "mine.py").write_text(MEASURED.replace(right, wrong))
    with RunWriter.create(Path("run"), {"task": "mine"}) as writer:
        for epoch in range(4):
            writer.log(epoch, train_loss=1.0, test_loss=1.0)
            writer.checkpoint(epoch, {"w": np.full(3, epoch, np.float32)})
    with pytest.raises(InputError, match=sentence):
        load("run", ["total"])
    if "KeyError" in sentence:
        with pytest.raises(InputError, match=sentence):
            assemble(open_run("run"), ["total"], workers=1)


def test_where_all_is_asked_for_a_users_measure_of_other_runs_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "here" / "scenes").mkdir()
    source = MEASURED.replace('source="this', 'published="total", source="this') + SERIES
    (tmp_path / "here" / "scenes" / "mine.py").write_text(source)
    for name, weight in (("mine", "w"), ("other", "v")):
        with RunWriter.create(Path(name), {}) as writer:
            for epoch in range(4):
                writer.log(epoch, train_loss=1.0, test_loss=1.0)
                writer.checkpoint(epoch, {weight: np.full(3, epoch, np.float32)})
    assert measures("mine")["total"] == 9
    assert list(measures("other", 1)) == [n for n in measures("mine", 1) if n != "total"]
    data = load("other")
    assert "sum_squared_weights" in data
    assert not {"total", "growth"} & {*data}
    assert {"total", "growth"} < {*load("mine")}
    (sentence,) = {one.getMessage() for one in caplog.records}
    assert sentence.startswith("total cannot be measured in this run: KeyError: 'w'")
    assert sentence.endswith("it is left out")


def test_a_users_measure_is_in_the_explorer_and_in_numbers(tmp_path: Path) -> None:
    (tmp_path / "here" / "scenes").mkdir()
    (tmp_path / "here" / "scenes" / "mine.py").write_text(MEASURED + SHOWN)
    with RunWriter.create(Path("run"), {"task": "mine"}) as writer:
        for epoch in range(4):
            writer.log(epoch, train_loss=1.0, test_loss=1.0)
            writer.checkpoint(epoch, {"w": np.full(3, epoch, np.float32)})
    for name in ("run.csv", "run.nc"):
        write_data(load("run", scene("total").needs), scene("total").needs, Path(name))
    assert Path("run.csv").read_text().splitlines()[2] == "total,1,3.0,1"
    for source in ("run", "run.nc"):
        data = load(source)
        assert own_panels(data, available(data))[0][0].name == "own-total"
    with plugins.user_code(False):
        assert "total" not in load("run")


@pytest.mark.slow
def test_a_users_measure_is_taken_in_worker_processes(tmp_path: Path) -> None:
    files = tmp_path / "here" / "scenes"
    files.mkdir()
    (files / "mine.py").write_text(MEASURED)
    with RunWriter.create(Path("run"), {"task": "mine"}) as writer:
        for epoch in range(4):
            writer.log(epoch, train_loss=1.0, test_loss=1.0)
            writer.checkpoint(epoch, {"w": np.full(3, epoch, np.float32)})
    data = assemble(open_run("run"), ["total"], workers=0)
    np.testing.assert_array_equal(data["total"], [0, 3, 6, 9])
    xr.testing.assert_identical(assemble(open_run("run"), ["total"], workers=2), data)
    (files / "other.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('x')\n")
    with plugins.user_code(False):
        assert assemble(open_run("run"), ["sum_squared_weights"], workers=2).sizes["epoch"] == 4
    assert not (tmp_path / "ran").exists()


LARGEST = """

@measure(on="series", source="this test", published="largest_total")
def largest_total(run, total):
    \"\"\"The largest sum of the weights.\"\"\"
    return total.max()
"""


def test_a_published_measure_over_the_series_is_of_all_checkpoints(tmp_path: Path) -> None:
    files = tmp_path / "here" / "scenes"
    files.mkdir()
    (files / "mine.py").write_text(MEASURED + LARGEST)
    with RunWriter.create(Path("run"), {"task": "mine"}) as writer:
        for epoch in range(4):
            writer.log(epoch, train_loss=1.0, test_loss=1.0)
            writer.checkpoint(epoch, {"w": np.full(3, epoch, np.float32)})
    assert measures("run", epoch=1)["largest_total"] == 9
    assert measures("run", epoch=1)["epoch"] == 1
