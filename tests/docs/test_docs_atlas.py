"""The atlas: its scripts run, its references are what they give, and its sentences hold."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import grokviz as gv
from grokviz import cli
from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.references.reference import folder, reference_facts, reference_info
from grokviz.runs import RunWriter, open_run
from grokviz.runs.tensors import load
from grokviz.scene.outcome import outcome
from website import atlas

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / atlas.PAGE).read_text("utf-8")
SCRIPTS = {path.stem: path for path in sorted((DOCS / "atlas").glob("*.py"))}
REFERENCES = sorted(set(re.findall(r"--run (\S+) -o", PAGE)))
MOST = 2_000_000
"""Bytes of all references of the atlas, their last weights among them."""


def section(script: str) -> str:
    """What the page says of a run."""
    (text,) = [part for part in PAGE.split("\n## ") if f"[{script}.py]" in part]
    return text


@cache
def data(name: str) -> xr.Dataset:
    return gv.load(name)


def weights(name: str, epoch: int) -> dict[str, np.ndarray]:
    return load(folder() / name / "weights" / f"{epoch}.safetensors")[0]


def metric(name: str, which: str) -> tuple[np.ndarray, np.ndarray]:
    one = data(name)["logged_metric"].sel(logged_name=which).dropna("metric_epoch")
    return one["metric_epoch"].values, one.values


def at(name: str, which: str, epoch: int) -> float:
    epochs, values = metric(name, which)
    return float(values[np.flatnonzero(epochs == epoch)[0]])


def ends(values: xr.DataArray) -> tuple[float, float]:
    return float(values[0]), float(values[-1])


# --- the page --------------------------------------------------------------------------


def test_every_script_has_a_section_with_pictures_of_its_run() -> None:
    assert len(SCRIPTS) == 6
    for script in SCRIPTS:
        drawn = atlas.pictures(section(script))
        assert 2 <= len(drawn) <= 3
        assert all(one.run.startswith(script.replace("_", "-")) for one in drawn)


def test_each_picture_stands_below_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DOCS.parent)  # where the labels are found
    drawn = atlas.pictures(PAGE)
    assert len({one.name for one in drawn}) == len(drawn)
    for one in drawn:
        one.scene.check(data(one.run))
    page = atlas.with_pictures(PAGE)
    found = re.findall(r'-o (\S+)|<img src="pictures/([^"]+)" alt="[^"]{60,}"', page)
    commands, images = ([name for name in each if name] for each in zip(*found, strict=True))
    assert commands == images == [one.name for one in drawn]
    one = atlas.with_pictures(PAGE, ["path"])
    assert re.findall(r"<img src=\S+", one) == ['<img src="pictures/digits-path.png"']


def test_the_science_page_has_pictures_of_the_published_curves() -> None:
    page = (DOCS / "science.md").read_text("utf-8")
    drawn = atlas.pictures(page)
    assert {one.scene.name for one in drawn} == {"grokking-curve", "excluded-loss"}
    assert all(one.scene.changed_options()["published"] for one in drawn)
    assert {one.run for one in drawn} == {"modular-addition"}
    assert not {one.name for one in drawn} & {one.name for one in atlas.pictures(PAGE)}


def test_a_picture_of_other_options_or_another_moment_is_drawn_anew(tmp_path: Path) -> None:
    line = "grokviz render embedding-map --run superposition -o a.png --epoch {} --set labels={}"
    jobs = [
        atlas.Picture.of(line.format(*given)).job(tmp_path, "l").path
        for given in [("last", "a"), ("last", "a"), ("1825", "a"), ("last", "b")]
    ]
    assert jobs[0] == jobs[1]
    assert len({*jobs}) == 3


# --- the sentences ---------------------------------------------------------------------


def sparse_parity() -> list[str]:
    name, relevant = "sparse-parity", reference_facts("sparse-parity")["settings"]["relevant"]
    test, run = metric(name, "test_loss"), outcome(data(name))
    squares = np.square(weights(name, 3000)["0.weight"]).sum(axis=0)
    first, last = ends(data(name)["effective_rank"].sel(parameter="0.weight"))
    assert sorted(np.argsort(squares)[-3:].tolist()) == relevant
    assert at(name, "test_accuracy", int(test[0][test[1].argmax()])) < 0.55
    return [
        f"numbers {relevant[0]}, {relevant[1]} and {relevant[2]}",
        f"memorised its examples by step {run.memorised} ",
        f"climbs to {test[1].max():.1f}",
        f"only at step {run.generalised} ",
        f"{squares[relevant].sum() / squares.sum():.0%} of the squared weights",
        f"from {first:.1f} to {last:.1f}",
    ]


def language() -> list[str]:
    text = "\n" + "".join(map(chr, range(32, 127)))
    kinds = np.array([(c.isalpha(), c.isdigit()) for c in text])
    planes = data("language")["leading_plane"].sel(embedded="embed.weight").values
    alike = []
    for plane in planes[[0, -1]]:
        apart = np.linalg.norm(plane[:, None] - plane[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        alike.append((kinds[apart.argmin(axis=1)] & kinds).sum(axis=0) / kinds.sum(axis=0))
    bow = data("language")["leading_plane"].sel(embedded="positions.weight").values[-1, :64]
    lengths = np.linalg.norm(np.diff(bow, axis=0), axis=1)
    # in their order: neighbours are near one another
    assert np.median(lengths) < 0.1 * np.ptp(bow, axis=0).max()
    first, last = ends(data("language")["leading_plane_share"].sel(embedded="positions.weight"))
    losses = [at("language", "test_loss", step) for step in (0, 3000)]
    assert at("language", "test_loss", 500) < losses[1] + 0.25 * (losses[0] - losses[1])
    assert at("language", "train_loss", 3000) < losses[1]
    return [
        f"{reference_facts('language')['settings']['characters']:,} characters",
        f"from {losses[0]:.2f} to {losses[1]:.2f} nats",
        f"for {alike[1][0]:.0%} of them, where it was {alike[0][0]:.0%}",
        f"for {alike[1][1] * 10:.0f} of the 10 figures",
        f"holds {last:.0%} of their variance, {first:.0%} at first",
    ]


def digits() -> list[str]:
    wrong = 360 * (1 - at("digits", "test_accuracy", 1000))
    ranks = data("digits")["effective_rank"]
    first, last = ends(ranks.sel(parameter="conv2.weight"))
    change = np.abs(np.log(ranks[-1] / ranks[0])).values
    assert ranks["parameter"].values[np.nanargmax(change)] == "conv2.weight"
    assert at("digits", "train_accuracy", 1000) == 1
    assert 0.06 < at("digits", "test_loss", 1000) < 0.14
    plane = data("digits")["whole_plane"]
    epochs = data("digits")["step_epoch"].values
    way = np.linalg.norm(plane.values - plane.values[-1], axis=1)
    gone = 1 - way[epochs == 200] / way[0]
    share = float(data("digits")["whole_component_share"][:2].sum())
    return [
        f"goes on to {at('digits', 'train_loss', 1000):.4f}",
        f"{wrong:.0f} of 360 test digits",
        f"`conv2`, from {first:.1f} to {last:.1f}",
        f"{share:.0%} of its variance in a plane",
        f"{gone[0]:.0%} of the distance",
    ]


def superposition() -> list[str]:
    name, found = "superposition", []
    for epoch in (1825, 6000):
        W = weights(name, epoch)["W"]
        angles = np.sort(np.degrees(np.arctan2(*W.T)))
        found.append((np.linalg.norm(W, axis=1), np.diff([*angles, angles[0] + 360])))
    (early, apart), (lengths, last) = found
    assert np.sort(apart)[1:] == pytest.approx([90] * 4, abs=4)
    assert last == pytest.approx([72] * 5, abs=0.5)
    assert np.ptp(lengths) < 0.01
    assert early.argmin() == 4
    epochs, shortest = metric(name, "shortest_vector")
    after = shortest[epochs > 500].min()
    return [
        f"to {at(name, 'loss', 1000):.4f} at step 1,000 and to {at(name, 'loss', 3000):.4f} at",
        f"grows from {after:.2f} to {shortest[-1]:.2f}",
        f"only {apart.min():.0f} degrees from another",
    ]


def double_descent() -> list[str]:
    name = "double-descent"
    widths, loss = metric(name, "test_loss")
    accuracy = [round(100 * at(name, "test_accuracy", width)) for width in (50, 250, 1000)]
    steps, one = metric("double-descent-250", "test_loss")
    assert loss[:2].argmin() == 1
    assert widths[loss.argmax()] == 250
    assert (np.diff(loss[widths >= 250]) < 0).all()
    assert (np.diff(one[1:]) > 0).all()
    assert steps[one.argmin()] == 200
    return [
        f"falls to {loss[1]:.2f} at width {widths[1]}, climbs to {loss.max():.1f} at width 250",
        f"again to {loss[-1]:.2f} at width 1,000",
        f"from {accuracy[0]}% down to {accuracy[1]}% and up to {accuracy[2]}%",
        f"its lowest, {one.min():.2f}, after 200 steps",
    ]


def autoencoder() -> list[str]:
    own, name = data("autoencoder"), "autoencoder"
    values = own["singular_value"].sel(parameter="0.weight").values
    half = own["field_epoch"].values[(values >= values[-1] / 2).argmax(axis=0)]
    sizes = np.sqrt(np.square(own["step_size"].values).sum(axis=1))
    gone, steps = np.nancumsum(sizes) / np.nansum(sizes), own["step_epoch"].values
    assert values[-1] == pytest.approx(1, abs=0.01)
    assert len(half) == 16
    assert (np.diff(half) >= 0).all()
    return [
        f"first half way by step {half[0]} and the sixteenth by step {half[-1]:,}",
        f"The loss, {at(name, 'train_loss', 0):.2f} at first, falls to "
        f"{at(name, 'train_loss', 1500):.3f}",
        f"first {100 * np.interp(0.5, gone, steps) / steps[-1]:.0f}% of the steps",
        f"largest is at step {steps[np.nanargmax(sizes)]} and the last ones "
        f"are {np.nanmax(sizes) / sizes[-1]:.0f} times smaller",
    ]


@pytest.mark.parametrize(
    "numbers", [sparse_parity, language, digits, superposition, double_descent, autoencoder],
    ids=lambda one: one.__name__,
)  # fmt: skip
def test_what_the_page_says_is_what_the_data_say(numbers: Callable[[], list[str]]) -> None:
    text = section(numbers.__name__).replace(" %", "%")
    for words in numbers():
        assert words in text


@pytest.mark.slow
def test_the_autoencoder_is_compared_with_principal_components() -> None:
    images = pytest.importorskip("sklearn.datasets").load_digits().data / 16
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split

    train, _ = train_test_split(images, test_size=0.2, random_state=0)
    parts = PCA(16).fit(train)
    left = np.square(train - parts.inverse_transform(parts.transform(train))).sum(axis=1).mean()
    assert f"16 principal components of the same digits leave {left:.3f}" in PAGE


# --- the references --------------------------------------------------------------------


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_is_whole_and_its_last_measures_are_those_of_its_weights(
    name: str, tmp_path: Path
) -> None:
    info = reference_info(name, verify=True)
    assert info["problems"] == []
    assert info["facts"]["settings"]["seed"] == 0
    if not info["weights"]:
        assert info["checkpoints"] == 0
        return
    last, kept = max(info["weights"]), data(name)
    with RunWriter.create(tmp_path / "run", {"settings": info["facts"]["settings"]}) as writer:
        for epoch in (0, last):  # measures along a run take two
            writer.checkpoint(epoch, weights(name, last))
    wanted = [
        n
        for n in ("sum_squared_weights", "entry_quantile", "singular_value", "leading_plane_share")
        if n in kept
    ]
    assert len(wanted) > 2
    made = assemble(open_run(tmp_path / "run"), wanted, workers=0)
    for one in wanted:
        values = kept[one].values[-1]
        np.testing.assert_allclose(
            values, made[one].values[-1], rtol=2**-10, atol=1e-5 * np.nanmax(np.abs(values))
        )


def test_the_references_are_small() -> None:
    sizes = [file.stat().st_size for n in REFERENCES for file in (folder() / n).rglob("*")]
    assert sum(sizes) < MOST


# --- the scripts -----------------------------------------------------------------------

SHORT = {"language": 50, "double_descent": 200}
"""So many steps of a script are run again; 100 of the others."""


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_makes_its_run_again(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="the scripts train with it")
    pytest.importorskip("sklearn", reason="its digits are learned")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(SCRIPTS[script]))["main"](steps=SHORT.get(script, 100))
    name = script.replace("_", "-")
    anew, kept = (
        (gv.open_run("runs/double-descent/width=250"), "double-descent-250")
        if script == "double_descent" else (gv.open_run(f"runs/{name}"), name)
    )  # fmt: skip
    then = reference_facts(kept)["settings"].get("characters")
    if then in (None, anew.facts["settings"].get("characters")):
        compared = 0
        for which in anew.metrics:
            old = dict(zip(*metric(kept, which), strict=True))
            for epoch, value in zip(*anew.metric(which), strict=True):
                if epoch in old:
                    assert value == pytest.approx(old[epoch], rel=2e-3, abs=2e-3), (which, epoch)
                    compared += 1
        assert compared >= 4
    picture = ["render", "spectra", "--run", str(anew.path), "-o", "spectra.png", "--quality", "l"]
    assert cli.run(picture) == 0
    assert (tmp_path / "spectra.png").stat().st_size > 5_000
