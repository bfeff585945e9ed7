"""The commands that list and draw, as a user meets them."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz import cli
from grokviz.dataset.references.reference import folder, reference
from grokviz.media import read_provenance

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]
SHORT = ["--quality", "l", "--duration", "0.4", "--hold", "0.2", "--fps", "10"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def left(place: Path) -> list[str]:
    """Everything in a folder, hidden part files too."""
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*"))


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command that goes well prints."""
    assert cli.run([str(a) for a in arguments]) == 0
    out, err = capsys.readouterr()
    # on a slow machine it says every ten seconds how far it is
    assert re.fullmatch(r"((drawing|analysing) \d+/\d+\n)*", err)
    return out


def refused(capsys: pytest.CaptureFixture[str], status: int, *arguments: object) -> str:
    """The one sentence that a command leaves with ``status`` and."""
    quiet = ["--quiet"] if arguments[0] in ("render", "data", "figures") else []
    assert cli.run([*map(str, arguments), *quiet]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("grokviz: ")
    assert err.count("\n") == 1, err
    return err


# --- lists -------------------------------------------------------------------


def test_scenes_as_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = {row["name"]: row for row in json.loads(said(capsys, "scenes", "--json"))}
    assert {"embedding-waves", "wave-circles", "grokking-curve"} <= set(listed)
    for row in listed.values():
        assert {
            "name", "title", "source", "engine", "formats", "recipe", "reference", "options",
        } <= set(row)  # fmt: skip
        assert row["engine"] in ("matplotlib", "manim")
    waves = listed["embedding-waves"]
    assert waves["reference"] == waves["recipe"] == "modular-addition"
    films = {"mp4", "webm", "mov", "gif", "webp", "apng", "png-sequence"}
    assert set(waves["formats"]) >= {"png", "svg", "pdf"} | films
    assert waves["options"]["value"]["default"] == "norm"


def test_scenes_for_a_reader(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "scenes")
    assert "embedding-waves  The network embeds a few waves" in text
    assert "--set value=norm  norm of each wave, or its square (one of norm, squared)" in text
    names = said(capsys, "scenes", "--quiet").splitlines()
    assert len(names) < len(text.splitlines()) / 3


@pytest.mark.parametrize(
    ("command", "name", "near"),
    [("scenes", "wave-circles", "wave-circle"), ("recipes", "skip-trigram", "skip-trigam")],
)
def test_one_scene_or_recipe_is_shown_alone(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, name: str, near: str
) -> None:
    all_rows = json.loads(said(capsys, command, "--json"))
    assert json.loads(said(capsys, command, name, "--json")) in all_rows
    assert json.loads(said(capsys, command, name, "--json"))["name"] == name
    shown = said(capsys, command, name)
    assert shown.startswith(f"{name}  ")
    assert shown.partition("    --set")[0] in said(capsys, command)
    assert cli.run([command, near]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"did you mean {name}?" in error


def test_a_broken_file_of_the_user_is_a_warning(grokviz: Run, tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "mine.py").write_text("import no_such_library_at_all\n")
    done = grokviz("scenes", "--json")
    assert done.returncode == 0
    assert "embedding-waves" in {row["name"] for row in json.loads(done.stdout)}
    assert "mine.py cannot be imported: ModuleNotFoundError" in done.stderr
    assert "Traceback" not in done.stderr
    assert grokviz("scenes", "--no-user-scenes").stderr == ""


def test_recipes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = {row["name"]: row for row in json.loads(said(capsys, "recipes", "--json"))}
    row = listed["modular-addition"]
    assert {
        "p", "train-fraction", "split-seed", "seed", "d-model", "d-mlp", "heads", "epochs",
        "checkpoint-every", "learning-rate", "weight-decay", "betas", "warm-up", "loss-precision",
        "mlp-biases",
    } <= {key["name"] if isinstance(key, dict) else key for key in row["keys"]}  # fmt: skip
    assert row["source"]
    assert row["cost"]
    assert listed["modular-addition-59"]["sibling_of"] == "modular-addition"
    assert listed["modular-addition"]["sibling_of"] == ""
    everything = said(capsys, "recipes")
    assert "; a smaller sibling of modular-addition-float32" in everything
    assert "a smaller sibling of layernorm-addition-muon" in said(
        capsys, "recipes", "layernorm-59-muon"
    )
    assert everything.endswith("grokviz recipes RECIPE lists the keys of one.\n")
    assert "--set" not in everything
    assert "--set p=113" in said(capsys, "recipes", "modular-addition")


def test_doctor(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = {row["name"]: row for row in json.loads(said(capsys, "doctor", "--json"))}
    assert {"python", "numpy", "matplotlib", "av", "encoders", "references", "torch"} <= set(checks)
    assert all(row["ok"] for row in checks.values() if row["needed"])
    assert "modular-addition" in checks["references"]["found"]
    assert said(capsys, "doctor", "--quiet") == ""


def test_doctor_names_the_remedy(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import PackageNotFoundError

    from grokviz.cli import checks

    known = checks.version

    def version(name: str) -> str:
        if name in ("torch", "av"):
            raise PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(checks, "version", version)
    assert cli.run(["doctor"]) == 1  # av is needed, torch is an extra
    out = capsys.readouterr().out
    assert "missing  torch" in out
    assert "pip install 'grokviz[train]'" in out
    assert "pip install --force-reinstall grokviz" in out


# --- render ------------------------------------------------------------------


def test_what_would_be_made(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "render", "embedding-waves", "--dry-run") == (
        "embedding-waves.mp4: embedding-waves, mp4, 1280 x 720 px, 16 s at 30 frames a second, "
        "usually 2 to 10 MB\n"
    )
    lines = said(
        capsys, "render", "embedding-waves", "--dry-run", "-o", "a.gif", "-o", "b.pdf",
        "--venue", "icml", "--columns", "1",
    ).splitlines()  # fmt: skip
    assert lines[0].startswith("a.gif: embedding-waves, gif, 960 x 540 px")
    assert lines[1].startswith("b.pdf: embedding-waves, pdf, 3.25 x ")
    assert lines[1].endswith(" in, about 0.03 MB")
    alpha = ["render", "wave-circles", "--transparent", "--dry-run"]
    prores, small = said(capsys, *alpha, "-o", "w.mov", "-o", "w.rle.mov").splitlines()
    # ProRes was 382 MB when it was drawn
    assert prores.endswith("usually 180 to 720 MB; as .rle.mov, usually 10 to 110 MB")
    assert small.endswith("usually 10 to 110 MB")
    assert said(capsys, *alpha, "-o", "w.mov", "--max-size", "90").endswith("at most 90 MB\n")
    assert left(here) == []


@pytest.mark.parametrize("name", ["embedding-waves", "grokking-curve"])
def test_its_size_is_known_to_a_factor_of_two(
    name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [f"a{suffix}" for suffix in (".png", ".svg", ".pdf", ".avif", ".html")]
    asked = ["render", name, *(word for file in files for word in ("-o", file))]
    lines = said(capsys, *asked, "--dry-run").splitlines()
    said(capsys, *asked)
    for file, line in zip(files, lines, strict=True):
        about = re.fullmatch(r".*, about ([\d.]+) MB", line)
        assert about, line
        assert 0.5 < float(about[1]) / ((here / file).stat().st_size / 1e6) < 2, line
    (small,) = said(
        capsys, "render", name, "--quality", "l", "-o", "b.png", "--dry-run"
    ).splitlines()
    said(capsys, "render", name, "--quality", "l", "-o", "b.png")
    about = re.fullmatch(r".*, about ([\d.]+) MB", small)
    assert about
    assert 0.5 < float(about[1]) / ((here / "b.png").stat().st_size / 1e6) < 2


@pytest.mark.slow
def test_several_files_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["render", "embedding-waves", "-o", "deep/a.mp4", "-o", "a.svg", "-o", "a.png"]
    command += [*SHORT, "--set", "by=component", "--theme", "dark"]
    out = said(capsys, *command)
    assert out.splitlines() == ["deep/a.mp4", "a.svg", "a.png"]
    assert left(here) == ["a.png", "a.svg", "deep", "deep/a.mp4"]
    for name in out.splitlines():
        made = read_provenance(name)
        assert made.options == {"by": "component"}
        assert made.run_checksum == reference().attrs["run_checksum"]
        # what the command line was given, whatever started this process
        assert made.command == " ".join(["grokviz", *command])


def test_quiet_says_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "render", "grokking-curve", "-q", "-o", "a.svg") == ""
    assert left(here) == ["a.svg"]


@pytest.mark.slow
def test_the_command_is_in_the_file(grokviz: Run, tmp_path: Path) -> None:
    command = ["render", "grokking-curve", "-o", "a b.svg", "--epoch", "grok-3000"]
    assert grokviz(*command).returncode == 0
    first = (tmp_path / "a b.svg").read_bytes()
    told = read_provenance(tmp_path / "a b.svg").command
    assert told == "grokviz render grokking-curve -o 'a b.svg' --epoch grok-3000"
    # drawn by another process and by another way of asking
    gv.render("grokking-curve", None, tmp_path / "a b.svg", epoch="grok-3000", command=told)
    assert (tmp_path / "a b.svg").read_bytes() == first


WAVES = ["render", "embedding-waves"]
WRONG: list[tuple[list[str], str]] = [
    (["render", "no-such-scene"], "there is no scene no-such-scene"),
    (["render", "embeding-waves"], "did you mean embedding-waves?"),
    (["render"], "name a SCENE to draw"),
    ([*WAVES, "--run", "missing/"], "missing/: there is no run there"),
    ([*WAVES, "--run", "missing"], "neither a run directory nor a reference called missing"),
    ([*WAVES, "--run", "modular-adition"], "did you mean modular-addition?"),
    ([*WAVES, "--run", "missing.nc"], "missing.nc"),
    ([*WAVES, "-o", "film.xyz"], "unknown format .xyz"),
    ([*WAVES, "-o", "film"], "no suffix says its format"),
    ([*WAVES, "--format", "mp5"], "did you mean mp4?"),
    ([*WAVES, "-o", "a.gif", "--format", "mp4"], "a.gif would be a mp4"),
    ([*WAVES, "-o", "a.html", "--venue", "icml"], "a page is for screens"),
    ([*WAVES, "--set", "valeu=norm"], "did you mean value?"),
    ([*WAVES, "--set", "value=nrom"], "is not one of norm, squared"),
    ([*WAVES, "--set", "value"], "--set value has no value"),
    ([*WAVES, "--epoch", "5"], "a film takes --epochs A:B:STEP"),
    ([*WAVES, "-o", "a.png", "--epoch", "soon"], "--epoch soon is not an epoch"),
    ([*WAVES, "-o", "a.png", "--epoch", "99999"], "is outside the run"),
    ([*WAVES, "--epochs", "5"], "is not a range"),
    ([*WAVES, "--epochs", "9:5"], "no moment of this run"),
    ([*WAVES, "--quality", "x"], "'x' is not one of"),
    ([*WAVES, "--fps", "0"], "give a number from 1 to 240"),
    ([*WAVES, "--fps", "nan"], "give a number from 1 to 240"),
    ([*WAVES, "--duration", "0"], "--duration 0 is not possible"),
    ([*WAVES, "--duration", "long"], "'long' is not a valid float"),
    ([*WAVES, "--hold", "-1"], "--hold -1 is not possible"),
    ([*WAVES, "--max-size", "0"], "--max-size 0 is not possible"),
    ([*WAVES, "--max-size", "0.000001", *SHORT], "cannot be made smaller"),
    ([*WAVES, "--theme", "lite"], "did you mean light?"),
    ([*WAVES, "--style", "no.mplstyle"], "no style file no.mplstyle"),
    ([*WAVES, "-o", "a.pdf", "--venue", "neurps"], "did you mean neurips?"),
    ([*WAVES, "-o", "a.mp4", "--venue", "neurps"], "did you mean neurips?"),
    ([*WAVES, "-o", "a.pdf", "--columns", "3"], "1 or 2 columns"),
    ([*WAVES, "-o", "a.mp4", "--columns", "3"], "1 or 2 columns"),
    ([*WAVES, "--transparent"], "mp4 cannot be transparent"),
    ([*WAVES, "--sections"], "has no chapters"),
    ([*WAVES, "-o", "a.png", "-j", "0"], "-j 0 is not possible"),
    ([*WAVES, "--titel", "x"], "--title"),
    ([*WAVES, "-o", "."], "folder"),
    (["data", "no-such-scene", "-o", "a.csv"], "there is no scene no-such-scene"),
    (["data", "embedding-waves"], "Missing option '-o'"),
    (["data", "embedding-waves", "-o", "a.xlsx"], "numbers are written as .csv or .nc"),
    (["figures", "--run", "missing"], "missing"),
    (["figures", "--venue", "neurps", "--no-films"], "did you mean neurips?"),
    (["figures", "--theme", "lite", "--no-films"], "did you mean light?"),
    (["figures", "-j", "0", "--no-films"], "-j 0 is not possible"),
    (["info", "missing"], "missing"),
    (["sceens"], "did you mean scenes?"),
    (["scenes", "--jsno"], "--json"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG, ids=lambda value: str(value)[-40:])
def test_wrong_input_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert text in refused(capsys, 2, *arguments)
    assert left(here) == []


def hand_made(path: Path, **changes: Any) -> Path:
    """A dataset of a user: the losses of a run that learns nothing."""
    import xarray as xr

    epochs = np.arange(0, 1001, 100)
    data = xr.Dataset(
        {
            "logged_train_loss": ("logged_epoch", np.linspace(4.7, 1e-3, 11, dtype="float32")),
            "logged_test_loss": ("tested_epoch", np.linspace(4.7, 20, 11, dtype="float32")),
            "phase_end": ("phase", np.full(3, -1)),
        },
        coords={
            "epoch": epochs, "logged_epoch": epochs, "tested_epoch": epochs,
            "phase": ["memorisation", "circuit formation", "clean-up"],
        },
        attrs={"run_name": "mine"},
    )  # fmt: skip
    for name in changes.get("without", ()):
        data = data.drop_vars(name)
    data.to_netcdf(path, engine="h5netcdf")
    return path


def test_a_run_that_did_not_grok(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_made(here / "mine.nc")
    curve = ["render", "grokking-curve", "--run", "mine.nc", "-o", "a.svg"]
    text = refused(capsys, 2, *curve, "--epoch", "grok")
    assert "mine did not grok: its test loss did not come down for good" in text
    assert left(here) == ["mine.nc"]
    assert said(capsys, *curve) == "a.svg\n"


@pytest.mark.parametrize("name", ["epoch", "logged_test_loss", "phase"])
def test_data_without_what_is_needed(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    hand_made(here / "mine.nc", without=[name])
    text = refused(capsys, 2, "render", "grokking-curve", "--run", "mine.nc", "-o", "a.svg")
    assert name in text
    assert left(here) == ["mine.nc"]


def test_a_file_that_is_no_netcdf(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine.nc").write_text("not at all")
    assert "mine.nc cannot be read as NetCDF" in refused(
        capsys, 2, "render", "grokking-curve", "--run", "mine.nc", "-o", "a.svg"
    )


# --- places that cannot be written ---------------------------------------------


OUTPUTS = {
    "png": ["render", "grokking-curve", "-o"],
    "pdf": ["render", "grokking-curve", "-o"],
    "mp4": ["render", "grokking-curve", *SHORT, "-o"],
    "gif": ["render", "grokking-curve", *SHORT, "-o"],
    "csv": ["data", "grokking-curve", "-o"],
    "nc": ["data", "grokking-curve", "-o"],
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_file_in_the_place_of_a_folder(
    here: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    (here / "wall").write_text("mine")
    text = refused(capsys, 2, *OUTPUTS[kind], f"wall/a.{kind}")
    assert f"cannot write wall/a.{kind}: a part of it is a file" in text
    assert left(here) == ["wall"]
    assert (here / "wall").read_text() == "mine"


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_folder_in_the_place_of_the_file(
    here: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    (here / f"a.{kind}").mkdir()
    text = refused(capsys, 2, *OUTPUTS[kind], f"a.{kind}")
    assert "it is a folder; give a file name" in text
    assert left(here) == [f"a.{kind}"]


def test_a_folder_that_takes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("there is no /proc, a folder in which not even root may write")
    text = refused(capsys, 2, "render", "grokking-curve", "-o", "/proc/none/a.png")
    assert "cannot write /proc/none/a.png: its folder cannot be made" in text


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_disk_that_gets_full(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (here / f"a.{kind}").write_text("the old one")
    monkeypatch.setattr(os, "fsync", refuse)
    text = refused(capsys, 1, *OUTPUTS[kind], f"a.{kind}")
    assert f"the disk is full: a.{kind} was not written; free some space" in text
    assert left(here) == [f"a.{kind}"]
    assert (here / f"a.{kind}").read_text() == "the old one"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB, where the tests may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_disk_that_is_full(
    here: Path, tiny_disk: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    (tiny_disk / f"a.{kind}").write_text("the old one")
    (tiny_disk / "ballast").write_bytes(b"x" * 56_000)
    text = refused(capsys, 1, *OUTPUTS[kind], tiny_disk / f"a.{kind}")
    assert "the disk is full" in text
    assert left(tiny_disk) == [f"a.{kind}", "ballast"]
    assert (tiny_disk / f"a.{kind}").read_text() == "the old one"


@pytest.mark.parametrize(
    ("kind", "quality", "seconds"),
    [("mp4", "m", "900"), pytest.param("gif", "l", "20", marks=pytest.mark.slow)],
)
def test_ctrl_c_leaves_the_old_file(tmp_path: Path, kind: str, quality: str, seconds: str) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_text("the old one")
    size = ["--quality", quality, "--duration", seconds]
    command = ["render", "embedding-waves", "-o", path.name, *size]
    child = subprocess.Popen(
        [sys.executable, "-m", "grokviz", *command], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    begun = time.monotonic()
    while not list(tmp_path.glob(".a.*.part*")):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() - begun < 120
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=300)
    assert (child.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "grokviz: stopped"
    assert "Traceback" not in err
    assert left(tmp_path) == [path.name]
    assert path.read_text() == "the old one"


# --- data --------------------------------------------------------------------


@pytest.mark.slow
def test_data_as_netcdf_is_drawn_again(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import xarray as xr

    for scene in ("embedding-waves", "grokking-curve"):
        assert said(capsys, "data", scene, "-o", "numbers.nc") == "numbers.nc\n"
        with xr.open_dataset("numbers.nc", engine="h5netcdf") as kept:
            for name, variable in kept.data_vars.items():
                xr.testing.assert_identical(variable.load(), reference()[name])
                assert variable.attrs["definition"]
        moment = ["--epoch", "grok-3000", "--theme", "dark"]
        said(capsys, "render", scene, "--run", "numbers.nc", "-o", "a.svg", *moment)
        said(capsys, "render", scene, "-o", "b.svg", *moment)
        one, other = map(without_command, (Path("a.svg"), Path("b.svg")))
        assert one == other


def without_command(drawing: Path) -> str:
    """An SVG without the command that it says has made it."""
    command, text = read_provenance(drawing).command, drawing.read_text("utf-8")
    assert command in text
    return text.replace(command, "")


def test_data_as_csv_holds_every_number(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "data", "grokking-curve", "-o", "numbers.csv", "-q") == ""
    with Path("numbers.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    data = reference()
    for name, dim in [("logged_train_loss", "logged_epoch"), ("logged_test_loss", "tested_epoch")]:
        mine = [row for row in rows if row["variable"] == name]
        assert [int(row[dim]) for row in mine] == data[dim].values.tolist()
        values = np.array([float(row["value"]) for row in mine], dtype=data[name].dtype)
        np.testing.assert_array_equal(values, data[name].values)
        assert {row["units"] for row in mine} == {"nats"}
    ends = [row for row in rows if row["variable"] == "phase_end"]
    assert [int(row["value"]) for row in ends] == data["phase_end"].values.tolist()
    assert len(rows) == 40_001 + 4_001 + 3


# --- figures -----------------------------------------------------------------


@pytest.mark.slow
def test_figures_of_a_run_of_ones_own(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from grokviz.render import figures as module
    from grokviz.scene.registry import scene

    few = ("embedding-waves", "grokking-curve", "neuron-clusters", "slingshots", "weights")
    monkeypatch.setattr(module, "scenes", lambda: {name: scene(name) for name in few})
    small = ["--set", "p=13", "--set", "d-model=16", "--set", "d-mlp=32", "--set", "heads=2"]
    train = ["train", "modular-addition", *small, "--epochs", "200", "--out", "runs/mine"]
    assert cli.run([*train, "--quiet"]) == 0
    drawn = ["figures", "--run", "runs/mine", "--out", "drawn", "--no-films", "-j", "1"]
    assert cli.run(drawn) == 0
    told = "".join(capsys.readouterr())
    assert "embedding-waves-grok-3000: runs/mine did not grok" in told
    names = {path.name for path in Path("drawn").iterdir()} - {"captions.md"}
    assert {"embedding-waves.pdf", "embedding-waves.png", "grokking-curve.pdf"} <= names
    assert all(name.endswith((".pdf", ".png")) and "grok-3000" not in name for name in names)
    assert read_provenance("drawn/embedding-waves.png").run_name == "mine"


@pytest.mark.slow
def test_figures_say_what_they_make(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every still in PDF and PNG of the scenes that a run has the data for."""
    from grokviz.render import figures as module
    from grokviz.scene.registry import scene

    few = {name: scene(name) for name in ("grokking-curve", "wave-circles")}
    monkeypatch.setattr(module, "scenes", lambda: few)
    words = ["figures", "--out", "drawn", "--no-films", "-j", "1"]
    assert cli.run(words) == 0
    out, err = capsys.readouterr()
    assert left(here / "drawn") == [
        "captions.md", "grokking-curve.pdf", "grokking-curve.png",
        "wave-circles-grok+10000.pdf", "wave-circles-grok+10000.png",
        "wave-circles-grok-3000.pdf", "wave-circles-grok-3000.png",
        "wave-circles.pdf", "wave-circles.png",
    ]  # fmt: skip
    assert sorted(out.splitlines()) == [f"drawn/{name}" for name in left(here / "drawn")]
    lines = err.splitlines()
    assert lines[0].startswith("[1/4] drawn/")
    assert len(lines) == 4
    provenance = read_provenance("drawn/wave-circles.png")
    assert provenance.epochs == (40000,)
    assert provenance.command == f"grokviz {' '.join(words[:-2])}"  # processes change no byte


# --- start-up ----------------------------------------------------------------

LOADED = """
import json, sys
sys.modules["dask"] = None  # of which xarray loads scipy, where it is installed
from grokviz.cli import run
wanted = ["torch", "safetensors", "matplotlib.pyplot", "plotly", "av", "matplotlib", "scipy"]
for words in json.loads(sys.argv[1]):
    status = run(words)
    print(json.dumps([status, [name for name in wanted if name in sys.modules]]), file=sys.stderr)
"""

IMPORTS: list[tuple[list[str], set[str]]] = [
    (["scenes"], set()),
    (["recipes"], set()),
    (["render", "--help"], set()),
    (["data", "grokking-curve", "-o", "a.nc", "-q"], set()),
    (["info", "modular-addition", "--verify"], set()),
    (["render", "embedding-waves", "-o", "a.png", "-q"], {"matplotlib"}),
    (["render", "embedding-waves", "--dry-run"], {"av", "matplotlib"}),
    (["render", "grokking-curve", "-o", "a.mp4", "-q", *SHORT], {"av", "matplotlib"}),
]
"""Commands and what they may import, each no less than the one before: one process tries all."""


def test_only_what_is_used_is_imported(tmp_path: Path) -> None:
    words = json.dumps([arguments for arguments, _ in IMPORTS])
    done = subprocess.run(
        [sys.executable, "-c", LOADED, words], cwd=tmp_path, text=True, capture_output=True,
        check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stderr.splitlines()[-len(IMPORTS) :]]
    for (arguments, allowed), (status, loaded) in zip(IMPORTS, rows, strict=True):
        assert status == 0, arguments
        assert set(loaded) <= allowed, arguments


def test_the_reference_lies_where_the_package_says() -> None:
    assert (folder() / "modular-addition" / "core.nc").is_file()
