"""Families of runs: who is in them, what their dataset says, and how it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz import cli
from grokviz.dataset import cache, schema
from grokviz.dataset.families import trajectory
from grokviz.dataset.families.family import MOMENTS, clock, family
from grokviz.dataset.families.family_variables import ROUNDING_ROWS
from grokviz.dataset.learning import Curve, first_low
from grokviz.dataset.references.reference import load, resolve
from grokviz.errors import InputError
from grokviz.render import figures
from grokviz.runs import RunWriter, layout, open_run
from grokviz.runs.sweeps import is_sweep, members_of
from grokviz.scene.registry import scene as find
from grokviz.task import tasks

WEIGHTS = (
    "member_frequency_norm", "member_key_frequency", *(row.name for row in trajectory.ROWS)
)  # fmt: skip
PIECES = [
    row.name
    for row in schema.family_rows().values()
    if row.name.startswith(("piece", "mean_steepest"))
]
OTHER = {*WEIGHTS, *PIECES, *(row.name for row in ROUNDING_ROWS)}
OF_OTHER_TASKS = {
    row.name
    for name, one in tasks().items()
    if name != "modular-addition" and (member := one.load("member"))
    for row in member.rows
}
FAMILY = [name for name in schema.family_rows() if name not in OTHER | OF_OTHER_TASKS]
Make = Callable[..., Path]


def falling(epochs: np.ndarray, at: float, top: float = 4.7) -> np.ndarray:
    """A loss that falls at an epoch, and rises above its start before."""
    return top / (1 + (epochs / at) ** 8) + 1e-7


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """``make("sweep/seed=1", generalises=500)`` writes a run of made-up curves."""

    def run(
        place: str, *, generalises: float = 500, epochs: int = 3000, curves: Any = None,
        weights: Any = None, recipe: str | None = "modular-addition",
        task: str = "modular-addition", **facts: Any,
    ) -> Path:  # fmt: skip
        path = tmp_path / place
        settings = facts.pop("settings", {"train-fraction": 0.3, "seed": 0, "p": 13})
        said = {"recipe": recipe, "task": task, "settings": settings, **facts}
        steps = np.arange(epochs + 1)
        made = curves or {
            "train_loss": (steps, falling(steps, 150)),
            "test_loss": (steps[::10], falling(steps[::10], generalises)),
        }
        with RunWriter.create(path, {k: v for k, v in said.items() if v is not None}) as writer:
            for name, (at, values) in made.items():
                for epoch, value in zip(at.tolist(), values.tolist(), strict=True):
                    writer.log(epoch, **{name: value})
            for epoch, state in (weights or {}).items():
                writer.checkpoint(epoch, state)
            writer.close(finished=True)
        return path

    return run


@pytest.fixture
def sweep(make: Make, tmp_path: Path) -> Path:
    """Two fractions and two seeds, one of them not begun."""
    names = [f"train-fraction={f},seed={s}" for f in (0.9, 0.3) for s in (1, 0)]
    for name in names[:3]:
        fraction, seed = (float(part.partition("=")[2]) for part in name.split(","))
        settings = {"train-fraction": fraction, "seed": int(seed), "p": 13, "weight-decay": 1.0}
        make(f"sweep/{name}", generalises=600 / fraction, settings=settings)
    content = {"format": 1, "recipe": "modular-addition", "members": names}
    (tmp_path / "sweep" / "sweep.json").write_bytes(layout.encode_document(content, indent=2))
    return tmp_path / "sweep"


def test_a_sweep_is_a_family(sweep: Path) -> None:
    data = family([sweep])
    schema.check(data, [*FAMILY, *PIECES])
    # in the order of the grid
    assert data["member_name"].values.tolist() == [
        "train-fraction=0.9,seed=1", "train-fraction=0.9,seed=0", "train-fraction=0.3,seed=1",
    ]  # fmt: skip
    assert data["member_fraction"].values.tolist() == [0.9, 0.9, 0.3]
    assert data["member_seed"].values.tolist() == [1, 0, 1]
    assert data["member_weight_decay"].values.tolist() == [1.0] * 3
    assert set(data["member_source"].values.tolist()) == {"ours"}
    assert data["fraction"].values.tolist() == [0.9, 0.3]
    assert data["fraction_member"].sel(source="ours").values.tolist() == [0, 2]
    assert (data["fraction_member"].sel(source="published") == -1).all()
    assert data.attrs["counts"] == "epoch"
    assert data.attrs["task"] == "modular-addition"
    assert '"p": 13' in data.attrs["settings"]
    assert "seed" not in data.attrs["settings"]


@pytest.mark.slow
def test_when_each_learned_is_told_by_the_whole_curves(sweep: Path) -> None:
    data = family([sweep])
    for i, path in enumerate(members_of(sweep)):
        run = open_run(path)
        for name, metric in (("memorised", "train_loss"), ("generalised", "test_loss")):
            epochs, loss = run.metric(metric)
            below = epochs[loss < 0.1]
            assert data[f"{name}_epoch"].values[i] == (below[0] if below.size else -1)
    # the smallest fraction has not come to it yet
    assert (data["generalised_epoch"] > 0).values.tolist() == [True, True, False]
    assert (data["member_last_epoch"] == 3000).all()


@pytest.mark.slow
def test_curves_are_thinned_and_keep_their_records(sweep: Path) -> None:
    data = family([sweep])
    assert 100 < data.sizes["point"] <= 2000
    run = open_run(members_of(sweep)[2])
    for times, name in (("member_epoch", "train_loss"), ("member_test_epoch", "test_loss")):
        at = data[times].values[2]
        known = at >= 0
        assert (np.diff(at[known]) > 0).all()
        assert not known[known.sum() :].any()
        epochs, loss = run.metric(name)
        assert (at[known][0], at[known][-1]) == (0, 3000)
        kept = data[f"member_{name}"].values[2]
        np.testing.assert_array_equal(
            kept[known], loss[np.searchsorted(epochs, at[known])].astype("f4")
        )
        assert np.isnan(kept[~known]).all()
        assert np.nanmin(kept) == np.float32(loss.min())
        assert np.nanmax(kept) == np.float32(loss.max())


def test_many_members_have_fewer_points(make: Make, tmp_path: Path) -> None:
    for seed in range(5):
        make(f"many/seed={seed}", epochs=2000)
    data = family([tmp_path / "many"])
    assert data.sizes["member"] == 5
    assert data.sizes["point"] <= 400
    assert data.sizes["epoch"] == 400
    assert data["epoch"].values[[0, -1]].tolist() == [0, 2000]


def test_families_stand_side_by_side(sweep: Path, make: Make, tmp_path: Path) -> None:
    """Ours, an imported one without sweep.json, and a run somebody recorded."""
    for fraction in (0.9, 0.25):
        facts = {"imported": {"kind": "sweep"}, "settings": {"train-fraction": fraction}}
        make(f"published/train-fraction={fraction}", generalises=900, **facts)
    make("mine", recipe=None, settings={"train_fraction": 0.25})
    make("import", recipe=None, imported={"kind": "state-dict"}, settings={})
    data = family([sweep, tmp_path / "published", tmp_path / "mine", tmp_path / "import"])
    assert data["member_source"].values.tolist() == [*["ours"] * 3, *["published"] * 2,
                                                     *["other"] * 2]  # fmt: skip
    # an imported folder has no grid: by the values in the names
    assert data["member_name"].values.tolist()[3:] == [
        "train-fraction=0.25", "train-fraction=0.9", "mine", "import",
    ]  # fmt: skip
    assert data["fraction"].values.tolist() == [0.9, 0.3, 0.25]
    assert data["fraction_member"].values.tolist() == [[0, 4, -1], [2, -1, -1], [-1, 3, 5]]
    assert data["member_seed"].values.tolist()[3:] == [-1] * 4
    assert np.isnan(data["member_fraction"].values[-1])


def test_members_of_one_name_are_told_apart(make: Make, tmp_path: Path) -> None:
    paths = [make("a/seed=0"), make("b/seed=0"), make("b/seed=1")]
    assert family(paths)["member_name"].values.tolist() == ["a/seed=0", "b/seed=0", "seed=1"]


def test_a_dataset_joins_a_family(sweep: Path, make: Make, tmp_path: Path) -> None:
    published = {"imported": {"kind": "sweep"}, "settings": {"train-fraction": 0.5}}
    other = make("published/train-fraction=0.5", epochs=30_000, **published)
    cache.write(family([sweep]), tmp_path / "bundled.nc")
    kept = cache.read(tmp_path / "bundled.nc")
    data = family([kept, other])
    schema.check(data, FAMILY)
    together = family([sweep, other])
    shared = [n for n in FAMILY if n not in ("member_epoch", "member_test_epoch")]
    known = schema.variables()
    for name in shared:
        if known[name].dims == ("member",):
            assert (
                data[name].values.tolist()
                == pytest.approx(together[name].values.tolist(), nan_ok=True)
                if data[name].dtype.kind == "f"
                else (data[name].values.tolist() == together[name].values.tolist())
            ), name
    assert data["fraction_member"].values.tolist() == together["fraction_member"].values.tolist()


@pytest.mark.slow
def test_a_reference_of_one_run_joins_a_family(make: Make, tmp_path: Path) -> None:
    other = make("seed=1", settings={"p": 113, "seed": 1})
    data = load(["modular-addition", other], ["member_key_frequency", "member_train_loss"])
    reference = gv.reference("modular-addition")
    assert data["member_name"].values.tolist() == ["modular-addition", "seed=1"]
    assert data["member_source"].values.tolist() == ["ours", "ours"]
    assert data["member_seed"].values.tolist() == [0, 1]
    keys = data["frequency"].values[data["member_key_frequency"].values[0] == 1]
    assert keys.tolist() == reference["key_frequency"].values.tolist()
    np.testing.assert_allclose(data["member_loss"].values[0], reference["loss"].values[-1])
    assert data["member_last_epoch"].values[0] == 40_000
    test = reference["logged_test_loss"]
    learned = int(data["generalised_epoch"].values[0])
    assert learned == test["tested_epoch"].values[np.argmax(test.values < 0.1)]
    bare = reference.drop_vars(["logged_train_loss"])
    with pytest.raises(InputError, match="has no logged training loss"):
        load([bare, other])


def test_the_last_weights_say_frequencies_and_losses(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    settings = {"p": 7, "d-model": 8, "d-mlp": 8, "heads": 2, "epochs": 30}
    for seed, p in ((0, 7), (1, 11)):
        gv.train(
            "modular-addition", tmp_path / "s" / f"seed={seed}",
            settings={**settings, "seed": seed, "p": p},
        )  # fmt: skip
    data = family([tmp_path / "s"])
    assert data["frequency"].values.tolist() == [1, 2, 3, 4, 5]
    for i, p in enumerate((7, 11)):
        alone = gv.analyze(tmp_path / "s" / f"seed={i}").isel(epoch=-1)
        known = (p - 1) // 2
        np.testing.assert_allclose(data["member_loss"].values[i], alone["loss"].values)
        np.testing.assert_allclose(data["member_accuracy"].values[i], alone["accuracy"].values)
        norms = data["member_frequency_norm"].values[i]
        np.testing.assert_allclose(norms[:known], alone["embedding_frequency_norm"].values)
        assert np.isnan(norms[known:]).all()
        keys = alone["key_frequency"].values
        expected = [int(k in keys) for k in range(1, known + 1)] + [-1] * (5 - known)
        assert data["member_key_frequency"].values[i].tolist() == expected


def test_what_is_not_known_is_said_to_be_unknown(sweep: Path) -> None:
    data = family([sweep])
    assert "frequency" not in data.dims
    with pytest.raises(InputError, match="the dataset has no member_key_frequency"):
        load(sweep, ["member_key_frequency"])
    assert np.isnan(data["member_loss"]).all()
    assert np.isnan(data["member_unembedding_norm"]).all()


def test_what_trained_a_run_and_how_right_it_is_are_there(make: Make) -> None:
    steps = np.arange(0, 101, 10)
    curves = {
        "train_loss": (steps, falling(steps, 20)),
        "test_loss": (steps, falling(steps, 50)),
        "test_accuracy": (steps, np.minimum(steps / 60, 0.97)),
    }
    settings = {"optimiser": "muon", "loss": "stablemax"}
    runs = [make("a", curves=curves, settings=settings), make("b"), make("c", recipe=None)]
    data = family(runs, cache=False)
    assert data["member_optimiser"].values.tolist() == ["muon", "adamw", ""]
    assert data["member_objective"].values.tolist() == ["stablemax", "cross-entropy", ""]
    assert data["member_recipe"].values.tolist() == ["modular-addition"] * 2 + [""]
    assert data["accurate_epoch"].values.tolist() == [60, -1, -1]
    shown = data["member_test_accuracy"].values[0]
    assert shown[np.isfinite(shown)][-1] == pytest.approx(0.97)
    assert not np.isfinite(data["member_test_accuracy"].values[1:]).any()
    again = family([data, runs[0]], cache=False)
    assert again["accurate_epoch"].values.tolist() == [60, -1, -1, 60]
    # a dataset from before there were such rows
    old = data.drop_vars(["member_optimiser", "accurate_epoch", "member_test_accuracy"])
    assert family([old, runs[0]], cache=False)["accurate_epoch"].values.tolist() == [-1] * 3 + [60]


def test_the_way_of_the_weights_is_their_norm_their_direction_and_their_waves(
    tmp_path: Path,
) -> None:
    """Hidden weights grow along themselves, then turn; embeddings and masks do not count."""
    numbers = np.cos(2 * np.pi * np.arange(5) / 5)
    states = [np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]]), np.array([[2.0, 2.0]])]
    with RunWriter.create(tmp_path / "run", {}) as writer:
        for epoch, weights in enumerate(states):
            embedding = {"embed.W_E": numbers[None], "attn.mask": np.ones((9, 9))}
            writer.checkpoint(epoch, {"W": weights, "b": np.ones(3), **embedding})
            writer.log(epoch, train_loss=1.0)
        writer.close(finished=True)
    norms = np.array([1.0, 0.0])
    made = trajectory.trajectory(open_run(tmp_path / "run"), lambda state: norms)
    assert made["member_kept_epoch"].tolist() == [0, 1, 2]
    assert made["member_weight_norm"] == pytest.approx([1, 2, 8**0.5])
    assert made["member_step_cosine"][:2] == pytest.approx([1, 0])
    assert np.isnan(made["member_step_cosine"][2])
    assert made["member_wave_gini"] == pytest.approx([0.5] * 3)
    assert made["member_wave_count"] == pytest.approx([1] * 3)
    level = trajectory.trajectory(open_run(tmp_path / "run"), lambda state: np.full(7, 0.3))
    assert level["member_wave_count"] == pytest.approx([7] * 3)


@pytest.mark.slow
def test_what_slingshots_log_is_there(make: Make) -> None:
    steps = np.arange(5001)
    loss = falling(steps, 150)
    loss[3000:3003] = 0.5
    logged = {
        "train_loss": (steps, loss),
        "unembedding_norm": (steps, np.sqrt(steps + 1)),
        "logit_gradient_sum": (steps, np.sin(steps)),
    }
    path = make("float32", curves=logged, settings={"loss-precision": "float32"})
    data = family([path])
    at = data["member_epoch"].values[0]
    assert data["member_spike_count"].values.tolist() == [1]
    assert data["member_precision"].values.tolist() == ["float32"]
    assert 3000 in at or 3002 in at
    np.testing.assert_allclose(data["member_unembedding_norm"].values[0], np.sqrt(at + 1))
    np.testing.assert_allclose(data["member_logit_gradient_sum"].values[0], np.sin(at), rtol=1e-6)
    assert data["generalised_epoch"].values.tolist() == [-1]
    assert np.isnan(data["member_test_loss"]).all()
    assert (data["member_test_epoch"] == -1).all()


def test_it_is_kept_until_a_member_changes(
    sweep: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = family([sweep])
    assert [f.suffix for f in (sweep / "cache").iterdir()] == [".nc"]
    with monkeypatch.context() as patch:
        patch.setattr("grokviz.dataset.families.family.record_of", None)
        again = family([sweep])
    xr.testing.assert_equal(first, again)
    assert not is_sweep(sweep / "cache")
    make("sweep/train-fraction=0.3,seed=0")
    assert family([sweep]).sizes["member"] == 4
    assert len(list((sweep / "cache").iterdir())) == 2


# --- asked for by what a scene needs -------------------------------------------------


@pytest.mark.slow
def test_a_scene_of_many_runs_takes_whatever_holds_them(sweep: Path, make: Make) -> None:
    one = make("one")
    needs = ["member_train_loss", "memorised_epoch"]
    assert load(sweep, needs).sizes["member"] == 3
    assert load(str(sweep)).sizes["member"] == 3
    assert load([str(sweep), one], needs).sizes["member"] == 4
    assert load((one,), needs).sizes["member"] == 1
    assert load(open_run(one), needs).sizes["member"] == 1
    assert load([open_run(one), sweep], needs).sizes["member"] == 4
    assert load([], ["logged_train_loss"]).attrs["run_name"] == gv.reference().attrs["run_name"]


def test_a_scene_of_one_run_does_not_take_many(sweep: Path, make: Make) -> None:
    one = make("one")
    needs = ["logged_train_loss"]
    assert load([one], needs)["logged_train_loss"].sizes == {"logged_epoch": 3001}
    with pytest.raises(InputError, match=r"2 runs were given and this draws one; give one"):
        load([one, sweep], needs)
    with pytest.raises(InputError, match=r"is a sweep of several runs.*train-fraction=0.9,seed=1"):
        load(sweep, needs)
    with pytest.raises(InputError, match="is a sweep of several runs"):
        resolve(sweep)


@pytest.mark.slow
def test_nothing_to_draw_is_one_sentence(make: Make, tmp_path: Path) -> None:
    steps = np.arange(20)
    flat = make("flat/seed=0", curves={"train_loss": (steps, np.ones(20))})
    with pytest.raises(InputError, match="the dataset has no piece_loss"):
        load(flat.parent, ["piece_loss"])
    silent = make("silent/seed=0", curves={"other": (steps, np.ones(20))})
    with pytest.raises(InputError, match="none of these runs has a training loss"):
        load(silent.parent, ["member_train_loss"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="there is no run there"):
        load(tmp_path / "empty", ["member_train_loss"])
    content = {"format": 1, "recipe": "modular-addition", "members": ["seed=0"]}
    (tmp_path / "empty" / "sweep.json").write_bytes(layout.encode_document(content, indent=2))
    with pytest.raises(InputError, match="has no members yet; train them with grokviz sweep"):
        load(tmp_path / "empty", ["member_train_loss"])
    content["format"] = 9
    (tmp_path / "empty" / "sweep.json").write_bytes(layout.encode_document(content, indent=2))
    with pytest.raises(InputError, match="of format 9"):
        load(tmp_path / "empty", ["member_train_loss"])


SCENE = """
from grokviz import Drawing, Scene
class Spread(Scene):
    name = "spread"
    title = "Runs differ"
    needs = ("member_name", "member_epoch", "member_train_loss")
    clock = None
    def draw(self, figure, data):
        axes = figure.add_subplot()
        for epochs, loss in zip(data["member_epoch"].values, data["member_train_loss"].values):
            axes.plot(epochs[epochs >= 0], loss[epochs >= 0])
        axes.set_title(str(len(axes.lines)))
        return Drawing()
"""


@pytest.mark.slow
def test_runs_are_named_on_the_command_line(
    sweep: Path, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    make("one")
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "spread.py").write_text(SCENE)
    monkeypatch.chdir(tmp_path)
    both = ["--run", "sweep", "--run", "one"]
    assert cli.run(["render", "spread", *both, "-o", "a.svg"]) == 0
    assert cli.run(["data", "spread", *both, "-o", "a.nc"]) == 0
    assert cache.read(tmp_path / "a.nc")["member_name"].values[-1] == "one"
    assert cli.run(["render", "spread", "--run", "sweep", "-o", "b.png"]) == 0
    assert cli.run(["data", "spread", "--run", "a.nc", "-o", "b.csv"]) == 0
    capsys.readouterr()
    assert cli.run(["render", "grokking-curve", *both, "-o", "c.png"]) == 2
    assert "sweep is a sweep of several runs and this takes one" in capsys.readouterr().err
    assert not (tmp_path / "c.png").exists()
    assert figures.Lacks()(find("spread"), "sweep") == ""
    assert "no logged_train_loss" in figures.Lacks()(find("grokking-curve"), "sweep")
    assert "is of runs of several networks" in figures.Lacks()(find("spread"), "one")
    assert figures.needs_of("sweep", [find("spread")]) == ()


@pytest.mark.slow
def test_a_moment_that_a_family_does_not_have_is_left_out(sweep: Path) -> None:
    """The argument of many pieces has a still of eight; this sweep has three."""
    skipped: dict[str, str] = {}
    scene = find("smooth-from-many")
    assert "8" in scene.stills
    options = figures.FigureOptions(films=False)
    tasks = figures._tasks({scene.name: scene}, str(sweep), sweep, options, skipped.__setitem__)
    assert [Path(task.paths[0]).stem for task in tasks] == [
        "smooth-from-many",
        "smooth-from-many-1",
    ]
    assert "a number from 1 to 3" in skipped["smooth-from-many-8"]


def test_first_below_is_what_learned_means() -> None:
    epochs = np.array([0, 10, 20])
    assert first_low(Curve(epochs, np.array([1, 0.1, 0.09]))) == 20


def test_the_clock_stands_where_shorter_runs_end() -> None:
    ends = np.array([300, 1, 1000, 2500, 300])
    moments = clock(ends)
    assert {0, 1, 300, 1000, 2500} <= set(moments.tolist())
    assert (np.diff(moments) > 0).all()
    even = clock(ends[3:4])
    assert len(moments) == len(even) == MOMENTS
    assert np.abs(moments - even).max() <= 2500 / MOMENTS
    assert clock(np.array([0, 1])).tolist() == [0, 1]
