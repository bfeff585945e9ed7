"""Runs of the other tasks, of loss curves alone, and of slingshots, as datasets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz.dataset import schema
from grokviz.dataset.build.assemble import assemble, epochs_of
from grokviz.dataset.learning import Curve, learning
from grokviz.dataset.numerics import curves
from grokviz.dataset.numerics.spikes import spikes
from grokviz.dataset.table import available, table_of, tasks_with
from grokviz.errors import InputError
from grokviz.runs import Run, RunWriter, open_run
from grokviz.task import task
from grokviz.tasks.digit_addition.measures import drop_of
from grokviz.tasks.repeated_subsequence.checkpoint import RepeatedSubsequenceRun
from grokviz.tasks.repeated_subsequence.probes import source_of
from grokviz.tasks.skip_trigram.checkpoint import SkipTrigramRun

pytest.importorskip("torch", reason="a run is trained with the [train] extra")

from grokviz.training.loop import train

TINY: dict[str, dict[str, Any]] = {
    "repeated-subsequence": {
        "vocabulary": 20, "length": 31, "subsequence": 5, "d-model": 12, "heads": 3, "batch": 128,
    },
    "digit-addition": {"digits": 2, "d-model": 12, "d-mlp": 16, "heads": 2, "batch": 8,
                       "examples": 16},
    "skip-trigram": {"d-model": 12, "heads": 2, "batch": 8},
}  # fmt: skip
OF_OTHERS = {
    "logged_unembedding_norm", "logged_logit_gradient_sum", "circle_share", "accuracy",
    "array_entry", "array_shape", "array_kept_shape",
}  # fmt: skip
"""Measures of slingshots, of embeddings of residues, and of what these tasks do not record."""
OWN = {
    "repeated-subsequence": {"induction_score", "previous_token_score", "attention_pattern"},
    "digit-addition": {"token_train_loss", "token_test_loss", "digit_drop", "held_out_digit_loss"},
    "skip-trigram": {"key_attention"},
}


@pytest.fixture(scope="module")
def runs(trained: Callable[..., Path]) -> dict[str, Run]:
    """Sixty updates of each task."""
    each = {"epochs": 60, "checkpoint-every": "20", "test-every": 5}
    return {name: open_run(trained(name, {**TINY[name], **each})) for name in TINY}


@pytest.fixture(scope="module")
def datasets(runs: dict[str, Run]) -> dict[str, xr.Dataset]:
    return {name: assemble(run, workers=0) for name, run in runs.items()}


@pytest.fixture
def curves_alone(tmp_path: Path) -> Path:
    with RunWriter.create(tmp_path / "curves", {"task": "modular-addition"}) as writer:
        for epoch in range(2000):
            writer.log(epoch, train_loss=4.0 * 0.99**epoch)
            if epoch % 10 == 0:
                rising = 4.0 + min(epoch, 500) / 100
                writer.log(epoch, test_loss=rising * 0.97 ** max(epoch - 1200, 0))
        writer.close(finished=True)
    return tmp_path / "curves"


@pytest.mark.parametrize("name", TINY)
def test_a_tasks_dataset_has_every_variable_of_its_measures(name: str, runs, datasets) -> None:
    data, able = datasets[name], available(runs[name])
    assert {*table_of(runs[name]).measures} - {*able} == OF_OTHERS
    assert set(data.data_vars) == {*able}
    assert OWN[name] <= set(data.data_vars)
    known = schema.variables()
    for key, array in data.data_vars.items():
        row = known[str(key)]
        assert array.dims == row.dims
        assert array.dtype == row.dtype
        assert array.attrs["definition"] == row.definition
    for coord in data.coords.values():
        assert coord.attrs["long_name"]
    assert data["epoch"].values.tolist() == [0, 20, 40, 60]
    assert data.attrs["counts"] == "step"
    assert np.isfinite(data["held_out_loss"]).all()


@pytest.mark.parametrize("name", TINY)
def test_it_holds_each_checkpoints_measures(name: str, runs, datasets) -> None:
    run, data = runs[name], datasets[name]
    sample = task(name).load("view").sample_of(run.facts["settings"])
    for i, epoch in enumerate(run.epochs):
        m = sample.measure(
            sample.weights(run.weights(int(epoch)), 1 + (name == "repeated-subsequence"))
        )
        now = data.isel(epoch=i)
        assert float(now["held_out_loss"]) == pytest.approx(m.loss.mean(), rel=1e-6)
        assert float(now["held_out_accuracy"]) == pytest.approx(m.accuracy.mean(), abs=1e-7)
        if name == "repeated-subsequence":
            np.testing.assert_allclose(now["induction_score"], m.attention["induction"], rtol=1e-6)
            np.testing.assert_allclose(
                now["previous_token_score"], m.attention["previous_token"], rtol=1e-6
            )
        elif name == "digit-addition":
            np.testing.assert_allclose(now["held_out_digit_loss"], m.loss, rtol=1e-6)
        else:
            assert float(now["key_attention"]) == pytest.approx(m.attention["key"].mean())


def test_the_held_out_loss_is_near_the_logged_one(datasets) -> None:
    """Of fresh data, by another forward pass: only the sample differs."""
    data = datasets["repeated-subsequence"]
    logged = data["logged_train_loss"].sel(logged_epoch=data["epoch"].values)
    np.testing.assert_allclose(data["held_out_loss"], logged, rtol=0.06)


def test_the_shown_heads_are_the_best_of_their_kind(datasets) -> None:
    data = datasets["repeated-subsequence"]
    last, task = data.isel(epoch=-1), TINY["repeated-subsequence"]
    layers, numbers = data["shown_layer"].values, data["shown_number"].values
    assert data["shown_head"].values.tolist() == ["previous token", "induction"]
    scores = last["induction_score"].values
    assert scores[layers[1], numbers[1]] == scores.max()
    before = last["previous_token_score"].values[: layers[1] or None]
    assert before[layers[0], numbers[0]] == before.max()
    pattern = data["attention_pattern"].values
    assert pattern.shape == (4, 2, task["length"], task["length"])
    np.testing.assert_allclose(pattern.sum(axis=-1), 1, atol=task["length"] / 512)
    batch = RepeatedSubsequenceRun.sample_of(task).batch
    np.testing.assert_array_equal(data["shown_token"], batch.tokens[0])
    np.testing.assert_array_equal(data["shown_source"], source_of(batch, 0))


def test_each_digits_losses_are_the_logged_ones(runs, datasets) -> None:
    run, data = runs["digit-addition"], datasets["digit-addition"]
    assert data["digit"].values.tolist() == [0, 1, 2]
    for k in range(3):
        np.testing.assert_allclose(
            data["token_train_loss"].sel(digit=k), run.metric(f"train_loss_token_{k}")[1], rtol=1e-6
        )
        np.testing.assert_allclose(
            data["token_test_loss"].sel(digit=k), run.metric(f"test_loss_token_{k}")[1], rtol=1e-6
        )
    assert data["tested_epoch"].values.tolist() == list(range(0, 61, 5))


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_processes_give_the_same(name: str, runs, datasets) -> None:
    xr.testing.assert_identical(assemble(runs[name], workers=2), datasets[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_measures_of_a_run_and_of_its_dataset_agree(name: str, runs, datasets, tmp_path) -> None:
    datasets[name].to_netcdf(tmp_path / "data.nc", engine="h5netcdf")
    for epoch in ("last", 20):
        ours, theirs = gv.measures(runs[name], epoch), gv.measures(tmp_path / "data.nc", epoch)
        assert ours == theirs
        assert ours["epoch"] == (60 if epoch == "last" else 20)
        assert OWN[name] & {*ours}


def test_a_recording_says_its_task_with_underscores_too(tmp_path) -> None:
    sample = SkipTrigramRun.sample_of({"noise": 4, "length": 9})
    rng = np.random.default_rng(0)
    sizes = {"embed.W_E": (8, 10), "pos_embed.W_pos": (11, 8), "unembed.W_U": (8, 4)}
    sizes |= {f"attn_blocks.0.attn.W_{x}": (2, 4, 8) for x in "QKV"}
    sizes |= {"attn_blocks.0.attn.W_O": (8, 8)}
    state = {k: rng.normal(size=s).astype(np.float32) for k, s in sizes.items()}
    with gv.record(tmp_path / "mine", task="skip-trigram", noise=4, length=9) as recorder:
        recorder.step(0, state, train_loss=1.4)
    data = gv.analyze(tmp_path / "mine")
    m = sample.measure(sample.weights(state, 1))
    assert float(data["held_out_loss"][0]) == pytest.approx(m.loss.mean(), rel=1e-6)
    assert data.attrs["counts"] == "epoch"
    with gv.record(tmp_path / "steps", counts="step") as recorder:
        recorder.step(0, train_loss=1.4)
    assert gv.analyze(tmp_path / "steps").attrs["counts"] == "step"


# --- loss curves alone -------------------------------------------------------------


def test_curves_alone_have_a_clock_and_no_weights(curves_alone) -> None:
    run = open_run(curves_alone)
    assert available(run) == [
        "event_epoch", "spike_epoch", "spike_height", "logged_metric", "logged_train_loss",
        "logged_test_loss", "phase_end",
    ]  # fmt: skip
    data = gv.analyze(run)
    assert data.sizes["epoch"] == 400
    assert data["epoch"].values[[0, -1]].tolist() == [0, 1999]
    assert np.diff(data["epoch"].values).max() <= 6
    assert "parameter" not in data.coords
    assert "sum_squared_weights" not in data
    assert data["phase_end"].values.tolist() == list(
        learning(Curve(*run.metric("train_loss")), Curve(*run.metric("test_loss"))).ends or ()
    )
    xr.testing.assert_identical(gv.analyze(run), data)  # from its cache


@pytest.mark.parametrize("file", ["a.png", "a.mp4"])
def test_curves_alone_are_drawn(file: str, curves_alone, tmp_path) -> None:
    (path,) = gv.render(
        "grokking-curve", curves_alone, tmp_path / file, quality="l", duration=1, hold=0.2
    )
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("needs", [["loss"], ["path_length"], ["phase_end", "neuron_table"]])
def test_a_measure_of_weights_is_refused(needs: list[str], curves_alone) -> None:
    with pytest.raises(InputError, match=r"has no (checkpoints|path of .*), which"):
        gv.analyze(curves_alone, needs, cache=False)


def test_every_scene_refuses_what_it_cannot_draw_in_one_sentence(curves_alone, runs) -> None:
    from grokviz.scene.registry import scenes

    needs = [
        scene.needs
        for scene in scenes(user=False).values()
        if scene.engine == "matplotlib" and scene.reference == "modular-addition"
    ]
    refused = 0
    for run in (open_run(curves_alone), runs["skip-trigram"]):
        for wanted in needs:
            if {*wanted} <= {*available(run)}:
                continue
            with pytest.raises(InputError, match="cannot be drawn so") as caught:
                gv.load(run, wanted)
            assert len(str(caught.value).splitlines()) == 1
            refused += 1
    assert refused > 30


def test_a_run_with_nothing_in_it_is_refused(tmp_path) -> None:
    RunWriter.create(tmp_path / "empty", {"task": "modular-addition"}).close()
    with pytest.raises(InputError, match="neither checkpoints nor losses yet"):
        epochs_of(open_run(tmp_path / "empty"))


def test_a_run_without_the_logged_norms_says_so(runs, small_run) -> None:
    with pytest.raises(InputError, match="it has no unembedding_norm logged in training"):
        gv.load(small_run, ["logged_unembedding_norm"])
    with pytest.raises(InputError, match="is of runs of repeated-subsequence and its task is"):
        gv.load(small_run, ["induction_score"])
    assert tasks_with("held_out_loss") == list(TINY)


@pytest.mark.slow
def test_several_runs_are_measured_one_by_one(tmp_path) -> None:
    for seed, level in (("seed=0", 0.01), ("seed=1", 3.0)):
        facts = {"task": "modular-addition", "settings": {"seed": int(seed[-1])}}
        with RunWriter.create(tmp_path / "mine" / seed, facts) as writer:
            for epoch in range(100):
                writer.log(epoch, train_loss=0.5**epoch, test_loss=level if epoch > 60 else 4.0)
            writer.close(finished=True)
    found = gv.measures(tmp_path / "mine")["members"]
    assert list(found) == ["seed=0", "seed=1"]
    one, two = found.values()
    assert (one["memorised_epoch"], one["generalised_epoch"], one["spikes"]) == (4, 61, 0)
    assert (two["memorised_epoch"], two["generalised_epoch"]) == (4, None)
    assert one["last_epoch"] == 99
    assert (one["test_loss"], two["test_loss"]) == pytest.approx((0.01, 3.0))
    with pytest.raises(InputError, match="--epoch 50 cannot be measured of several runs"):
        gv.measures(tmp_path / "mine", 50)
    with pytest.raises(InputError, match="no run in this dataset to measure"):
        gv.measures(xr.Dataset())


# --- rules -------------------------------------------------------------------------


def test_spikes_begin_high_and_end_low() -> None:
    epochs = 100 * np.arange(12)
    loss = np.array([5, 1e-2, 1e-5, 1e-5, 2e-2, 0.9, 2e-3, 2e-4, 8e-2, 1e-5, 5e-4, 3e-3])
    when, heights = spikes(epochs, loss)
    # the descent is none, one that does not come down between is one, and the last is not over
    assert when.tolist() == [500, 1100]
    assert heights.tolist() == [0.9, 3e-3]
    for quiet in (np.full(5, 1e-6), np.full(5, 2.0), np.zeros(0)):
        assert spikes(np.arange(len(quiet)), quiet)[0].size == 0


def test_a_spike_that_swings_is_one() -> None:
    loss = np.full(1000, 1e-6)
    loss[[100, 103, 107, 150, 300, 399]] = 0.1, 0.8, 0.3, 0.2, 0.5, 0.6
    when, heights = spikes(np.arange(1000), loss)
    assert when.tolist() == [103, 399]
    assert heights.tolist() == [0.8, 0.6]
    # 300 and 399 are 99 apart, which is one; 100 are two
    assert spikes(np.arange(1000) * 2, loss)[0].tolist() == [206, 600, 798]


def test_slingshots_are_read_from_a_run_of_their_recipe(tmp_path) -> None:
    small = {"p": 13, "d-model": 16, "d-mlp": 16, "heads": 2, "epochs": 20, "record-norms": "on"}
    train("modular-addition-float32", tmp_path / "run", settings=small, device="cpu")
    run = open_run(tmp_path / "run")
    data = gv.analyze(run, cache=False)
    for name in ("unembedding_norm", "logit_gradient_sum"):
        np.testing.assert_allclose(data[f"logged_{name}"], run.metric(name)[1], rtol=1e-6)
    norm = np.linalg.norm(run.weights(20)["unembed.W_U"])
    assert float(data["logged_unembedding_norm"][-1]) == pytest.approx(norm, rel=1e-5)


def test_a_digit_drops_where_fifty_losses_have_a_low_mean() -> None:
    loss = np.where(np.arange(300) < 100, 2.0, 0.1)
    # 50 values from 95 on: 5 at 2.0 and 45 at 0.1 have mean 0.29
    assert drop_of(np.arange(300), loss) == 95
    assert drop_of(3 * np.arange(300), loss) == 285
    assert drop_of(np.arange(300), loss + 0.3) is None
    assert drop_of(np.arange(49), np.zeros(49)) is None


def test_running_means_and_falls() -> None:
    values = np.arange(10.0)
    np.testing.assert_allclose(curves.running_mean(values, 3), [0, 0.5, 1, 2, 3, 4, 5, 6, 7, 8])
    loss = np.concatenate([np.full(200, 5.0), np.linspace(5, 1, 101)[1:], np.full(200, 1.0)])
    begins, ends = curves.fall(np.arange(500), loss) or (0, 0)
    # the mean lags by half its width behind 210 and 290
    assert abs(begins - 228) < 10
    assert abs(ends - 315) < 10
    assert curves.fall(np.arange(500), np.full(500, 3.0)) is None
    assert curves.fall(np.arange(500), np.linspace(5, 3, 500)) is None


def test_the_fields_of_fresh_data_look_closer_where_the_loss_falls() -> None:
    from types import SimpleNamespace

    from grokviz.dataset.build.assemble import field_epochs

    steps = np.arange(0, 4001)
    loss = np.where(steps < 900, 5.0, np.maximum(5.0 - (steps - 900) / 20, 0.3))
    run: Any = SimpleNamespace(
        facts={"task": "repeated-subsequence"}, metrics=["train_loss"],
        metric=lambda name: (steps, loss),
    )  # fmt: skip
    kept = np.arange(0, 4001, 5)
    found = field_epochs(run, kept)
    assert 65 < len(found) <= 100
    assert found[[0, -1]].tolist() == [0, 4000]
    assert ((found > 900) & (found < 1040)).sum() > 25
