"""What is kept of a run's measures: only what is missing, or has changed, is taken anew."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from analysis_runs import weights_at, write_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured_state import TABLE

import grokviz as gv
from grokviz.dataset import table
from grokviz.dataset.build import facts, measurement, source, workers
from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.checkpoint import Checkpoint, RunView
from grokviz.dataset.contract import gathers, measure
from grokviz.errors import InputError
from grokviz.runs import Run, RunWriter, open_run

ALONG = [
    name
    for name, one in TABLE.measures.items()
    if one.on in ("epoch", "field_epoch") and not one.dear
]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each measure is taken at a checkpoint."""
    counts: Counter[str] = Counter()
    original = workers.values_at

    def counted(view, measures, checkpoint, names):
        counts.update(names)
        return original(view, measures, checkpoint, names)

    monkeypatch.setattr(workers, "values_at", counted)
    return counts


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run")


def go_on(path: Path, share: float, epoch: int = 60) -> None:
    """The same run with another checkpoint."""
    run = open_run(path)
    states = {int(e): run.weights(int(e)) for e in run.epochs} | {epoch: weights_at(share)}
    logs = {name: run.metric(name) for name in run.metrics}
    facts = {k: v for k, v in run.facts.items() if k in ("task", "settings")}
    cache = path.parent / "kept"
    (path / "cache").rename(cache)
    shutil.rmtree(path)
    with RunWriter.create(path, facts) as writer:
        for e, state in states.items():
            writer.checkpoint(e, state)
        for name, (epochs, values) in logs.items():
            for e, value in zip(epochs, values, strict=True):
                writer.log(int(e), **{name: float(value)})
        writer.close(finished=True)
    cache.rename(path / "cache")


def identical(path: Path, needs: list[str] | None = None) -> None:
    """What the cache gives is what is measured without it."""
    xr.testing.assert_identical(gv.analyze(path, needs), gv.analyze(path, needs, cache=False))


def test_nothing_is_taken_twice(run: Path, taken: Counter[str]) -> None:
    whole = gv.analyze(run)
    assert set(taken.values()) == {6}
    taken.clear()
    xr.testing.assert_identical(gv.analyze(run), whole)
    assert not taken


def test_no_checkpoint_is_read_for_what_is_known(run: Path, monkeypatch) -> None:
    gv.analyze(run, ["embedding_frequency_norm"])
    monkeypatch.setattr(Run, "weights", lambda *_: pytest.fail("a checkpoint was read"))
    known = gv.analyze(run, ["logged_train_loss", "phase_end"])
    assert known.sizes["logged_epoch"] == 6


def test_a_measure_more_is_taken_alone(run: Path, taken: Counter[str]) -> None:
    gv.analyze(run, ["loss", "accuracy"])
    taken.clear()
    gv.analyze(run, ["loss", "margin"])
    assert taken == {"margin": 6}
    identical(run, ["loss", "accuracy", "margin"])


def test_a_run_that_went_on_has_its_new_checkpoints_measured(run: Path, taken) -> None:
    needs = ["restricted_loss", "embedding_frequency_norm", "path_length"]
    gv.analyze(run, needs)
    go_on(run, 0.97)
    taken.clear()
    longer = gv.analyze(run, needs)
    # the key frequencies are the same, and so is what was measured with them
    assert taken == {"restricted_loss": 1, "embedding_frequency_norm": 1}
    assert longer.sizes["epoch"] == 7
    identical(run, needs)


def test_other_key_frequencies_change_what_uses_them_and_nothing_else(run: Path, taken) -> None:
    before = gv.analyze(run)
    go_on(run, 0.0)  # a last checkpoint without clean neurons
    taken.clear()
    after = gv.analyze(run)
    assert before["key_frequency"].values.tolist() != after["key_frequency"].values.tolist()
    anew = {name for name, count in taken.items() if count == 7}
    assert {"restricted_loss", "excluded_loss_2d", "neuron_logit_key", "linear_share_pre"} <= anew
    once = {name for name, count in taken.items() if count == 1}
    assert {"loss", "accuracy", "embedding_frequency_norm", "logit_wave", "attention_mean"} <= once
    assert anew | once == {*ALONG, "sum_squared_weights"}
    identical(run)


def test_a_split_that_is_corrected_changes_what_uses_it(run: Path, taken: Counter[str]) -> None:
    gv.analyze(run, ["loss", "margin"])
    file = run / "run.json"
    content = json.loads(file.read_text())
    from grokviz.runs import layout

    new = {k: v for k, v in content.items() if k not in ("checksum", "format")}
    new["settings"] = {**new["settings"], "train-fraction": 0.5}
    file.write_bytes(layout.encode_facts(new))
    taken.clear()
    gv.analyze(run, ["loss", "margin"])
    assert taken == {"loss": 6}


def test_other_code_takes_its_own_values(run: Path, taken, monkeypatch) -> None:
    gv.analyze(run, ["loss"])
    taken.clear()
    original = source.source_of
    monkeypatch.setattr(measurement, "source_of", lambda one: f"{original(one)} edited")
    gv.analyze(run, ["loss"])
    assert taken == {"loss": 6}


@pytest.mark.parametrize("place", [60, -60])
def test_a_damaged_cache_is_noticed_and_made_again(place: int, run: Path, caplog) -> None:
    whole = gv.analyze(run, ["loss", "margin"])
    (file,) = (run / "cache").glob("*.epoch.safetensors")
    damaged = bytearray(file.read_bytes())
    damaged[place] ^= 1
    file.write_bytes(damaged)
    xr.testing.assert_identical(gv.analyze(run, ["loss", "margin"]), whole)
    assert "is made again" in caplog.text
    caplog.clear()
    xr.testing.assert_identical(gv.analyze(run, ["loss", "margin"]), whole)
    assert caplog.text == ""


def test_a_cache_that_says_other_of_its_numbers_is_made_again(run: Path, caplog) -> None:
    whole = gv.analyze(run, ["loss", "margin"])
    (file,) = (run / "cache").glob("*.epoch.safetensors")
    good = file.read_bytes()
    places = [match.end() for match in re.finditer(rb'"dtype":"(?=F)', good)]
    assert len(places) >= 2
    for place in places:
        caplog.clear()
        file.write_bytes(good[:place] + b"I" + good[place + 1 :])
        xr.testing.assert_identical(gv.analyze(run, ["loss", "margin"]), whole)
        assert "is made again" in caplog.text


def test_a_place_that_takes_nothing_is_a_warning(run: Path, caplog) -> None:
    (run / "cache").write_text("a file in the way")
    identical(run, ["loss"])
    assert "not cached" in caplog.text


def test_epochs_that_are_left_out_stay_known(run: Path, taken: Counter[str]) -> None:
    gv.analyze(run, ["loss"])
    gv.analyze(run, ["loss", "margin"], epochs=[0, 50])
    taken.clear()
    gv.analyze(run, ["loss", "margin"])
    assert taken == {"margin": 4}


def test_what_an_option_draws_is_measured_where_it_is_asked_for(
    run: Path, tmp_path: Path, taken: Counter[str]
) -> None:
    """Accuracy takes a forward pass, which a picture of the losses does not wait for."""
    from grokviz.render import figures
    from grokviz.scene.registry import scene

    gv.render("grokking-curve", run, tmp_path / "a.png")
    assert not taken
    gv.render("grokking-curve", run, tmp_path / "b.png", options={"accuracy": "on"})
    assert taken == {"accuracy": 6}
    assert "accuracy" in figures.needs_of(str(run), [scene("grokking-curve")])


# --- measures of one's own -----------------------------------------------------------


@measure("residue_", units="1", source="this test")
def unknown_dimension(at: Checkpoint) -> np.ndarray:
    """Along something nobody explains."""
    return np.zeros(3)


@measure(units="1", source="this test")
def from_the_end(at: Checkpoint, run: RunView) -> float:
    """Distance of the embedding from that of the last checkpoint."""
    return float(np.linalg.norm(at.state["embed.W_E"] - run.last.state["embed.W_E"]))


@measure(on="series", units="epoch", source="this test")
def nearest_half(run: RunView, from_the_end: np.ndarray) -> float:
    """Where half of the way is gone."""
    return float(run.epochs[np.argmax(from_the_end < from_the_end[0] / 2)])


def _keep(run: RunView, at: Checkpoint) -> None:
    run.gathered.setdefault("biases", []).append(float(at.state["unembed.W_U"].sum()))


@measure("epoch", on="series", source="this test")
@gathers(_keep)
def running_sum(run: RunView) -> np.ndarray:
    """Running sum of the unembedding's sum."""
    return np.cumsum(run.gathered["biases"])


@pytest.mark.slow
def test_measures_may_be_given_themselves(run: Path) -> None:
    data = gv.analyze(run, [from_the_end, "loss"])
    assert list(data.data_vars) == ["from_the_end", "loss"]
    assert float(data["from_the_end"][-1]) == 0
    assert data["from_the_end"].attrs["definition"].startswith("Distance of the embedding")
    identical_again = gv.analyze(run, [from_the_end, "loss"])
    xr.testing.assert_identical(identical_again, data)
    for count in (1, 2):
        xr.testing.assert_identical(
            assemble(open_run(run), [from_the_end, "loss"], workers=count), data
        )


def test_what_uses_the_last_checkpoint_changes_with_it(run: Path, taken: Counter[str]) -> None:
    gv.analyze(run, [from_the_end])
    go_on(run, 0.97)
    taken.clear()
    assert float(gv.analyze(run, [from_the_end])["from_the_end"][-1]) == 0
    assert taken == {"from_the_end": 7}


def test_a_series_is_made_of_other_measures(run: Path) -> None:
    given = [nearest_half, from_the_end]
    data = gv.analyze(run, given)
    way = data["from_the_end"].values
    assert float(data["nearest_half"]) == data["epoch"].values[np.argmax(way < way[0] / 2)]
    with pytest.raises(gv.InputError, match="takes the series from_the_end, which no measure"):
        gv.analyze(run, [nearest_half])


def test_a_series_gathers_from_every_checkpoint(run: Path) -> None:
    opened = open_run(run)
    sums = [opened.weights(int(e))["unembed.W_U"].sum() for e in opened.epochs]
    for _ in range(2):
        data = gv.analyze(run, [running_sum])
        np.testing.assert_allclose(data["running_sum"], np.cumsum(sums), rtol=1e-5)


def test_a_dimension_that_nobody_explains_is_a_sentence(run: Path) -> None:
    with pytest.raises(gv.InputError, match=r"write a function residue_\(run\) under @dimension"):
        gv.analyze(run, [unknown_dimension])


def test_a_coordinate_may_be_asked_for(run: Path) -> None:
    data = gv.analyze(run, ["key_frequency", "logged_train_loss"])
    assert list(data.data_vars) == ["logged_train_loss"]
    assert "at least 5 neurons" in data["key_frequency"].attrs["rule"]


@pytest.mark.parametrize(
    "value",
    [1, "word", 2.5, None, np.arange(3), [1, [2]], {"a": 1}, {3, 1}, np.float32(2), TABLE.measures],
)
def test_values_of_a_run_have_digests(value: object) -> None:
    view = RunView(None, np.zeros(0), np.zeros(0))  # type: ignore[arg-type]
    view.__dict__["settings"] = value
    note = json.dumps(["settings"])
    if value is TABLE.measures:
        with pytest.raises(facts.Undigestible):
            facts.digest_of(view, note)
    else:
        assert facts.digest_of(view, note) == facts.digest_of(view, note)


# --- in any order --------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(small_run: Run) -> xr.Dataset:
    return assemble(small_run, workers=0)


def same_bits(ours: xr.Dataset, whole: xr.Dataset) -> None:
    for name, array in ours.data_vars.items():
        wanted = whole[name].sel(epoch=array["epoch"]) if "epoch" in array.dims else whole[name]
        assert array.dtype == wanted.dtype, name
        np.testing.assert_array_equal(array.values, wanted.values, err_msg=str(name))


@pytest.mark.slow
@settings(
    max_examples=12, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_the_order_of_asking_changes_no_bit(
    data: st.DataObject, small_run: Run, whole: xr.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Some measures at some checkpoints, and others at others, from one cache."""
    cache = tmp_path_factory.mktemp("cache")
    able = [str(name) for name in whole.data_vars]
    known = table.table_of(small_run).measures
    for _ in range(data.draw(st.integers(1, 3))):
        names = data.draw(st.lists(st.sampled_from(able), min_size=1, max_size=6, unique=True))
        # a series is of the checkpoints asked for
        plain = [name for name in names if known[name].on != "series"]
        epochs = data.draw(
            st.lists(st.sampled_from([0, 10, 20, 30, 40, 50]), min_size=1, unique=True)
        )
        ours = assemble(small_run, plain, epochs=epochs, cache=cache, workers=0)
        fields = ours.drop_vars([n for n in plain if "field_epoch" in ours[n].dims])
        same_bits(fields, whole)
    same_bits(assemble(small_run, cache=cache, workers=0), whole)


@pytest.mark.slow
@settings(
    max_examples=6, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    names=st.permutations(ALONG).map(lambda names: names[:8]),
    count=st.integers(1, 3),
)
def test_the_number_of_workers_changes_no_bit(
    names: list[str], count: int, small_run: Run, whole: xr.Dataset
) -> None:
    same_bits(assemble(small_run, names, workers=count), whole)


def test_checkpoints_that_are_no_numbers_any_more_are_left_out(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    with gv.record(tmp_path / "run", settings={"seed": 0}) as run:
        for epoch in range(0, 100, 10):
            weight = draw.normal(size=(3, 3)).astype(np.float32)
            run.step(epoch, {"w": weight if epoch < 70 else weight * np.nan}, train_loss=1.0)
    data = gv.analyze(tmp_path / "run", ["sum_squared_weights", "logged_train_loss"])
    assert data["epoch"].values.tolist() == [0, 10, 20, 30, 40, 50, 60]
    assert data.attrs["no_numbers_from"] == 70
    assert np.isfinite(data["sum_squared_weights"]).all()
    logged = gv.analyze(tmp_path / "run", ["logged_train_loss"])
    assert logged["epoch"].values[-1] == 90
    assert "no_numbers_from" not in logged.attrs


def test_a_mistake_in_a_measure_that_is_not_ours_is_one_sentence(tmp_path: Path) -> None:
    @measure(on="run")
    def mistaken(run: RunView) -> float:
        """One over nothing."""
        return 1.0 / len(run.settings["nothing"])

    write_run(tmp_path / "run", checkpoints=3)
    with pytest.raises(InputError, match=r"mistaken cannot be measured in this run: KeyError"):
        gv.analyze(tmp_path / "run", [mistaken])
