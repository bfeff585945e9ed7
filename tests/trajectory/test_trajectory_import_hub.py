"""A model on the hub, from a server of the test that speaks as the hub does."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from safetensors.numpy import save

import grokviz as gv
from grokviz import cli
from grokviz.errors import InputError, MissingExtra, WorkError
from grokviz.importers.reading import hub as client

pytest.importorskip("requests", reason="the hub is read with the [hub] extra")

HOST = "127.0.0.1"
INDEX = "model.safetensors.index.json"
STEPS = (0, 512, 1000, 143000)


def weights(step: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(step)
    return {
        "gpt_neox.embed_in.weight": rng.normal(size=(50, 8)).astype(np.float32),
        **{f"gpt_neox.layers.{i}.attention.dense.weight":
           rng.normal(size=(8, 8)).astype(np.float16) for i in range(2)},
        "gpt_neox.layers.0.attention.bias": np.tril(np.ones((1, 1, 4, 4), bool)),
    }  # fmt: skip


class Hub(ThreadingHTTPServer):
    """Revisions of one model, and what was asked for."""

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler)
        self.model = "owner/model"
        self.revisions: dict[str, dict[str, bytes]] = {}
        self.sent: list[tuple[str, int]] = []
        self.tokens: set[str | None] = set()
        self.answer: Callable[[Handler], bool] = lambda handler: False

    def commit(self, name: str) -> str:
        return hashlib.sha1(name.encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        hub, path = self.server, unquote(self.path)
        hub.tokens.add(self.headers.get("Authorization"))
        if hub.answer(self):
            return
        files = {hub.commit(name): files for name, files in hub.revisions.items()}
        if path == f"/api/models/{hub.model}/refs":
            names = [{"name": n, "targetCommit": hub.commit(n)} for n in hub.revisions]
            self.reply(json.dumps({"branches": names, "tags": []}).encode())
        elif match := re.fullmatch(rf"/api/models/{hub.model}/revision/(\w+)", path):
            siblings = [{"rfilename": file} for file in files[match[1]]]
            self.reply(json.dumps({"siblings": siblings}).encode())
        elif match := re.fullmatch(rf"/{hub.model}/resolve/(\w+)/(.+)", path):
            self.send_response(302)
            self.send_header("Location", f"/cdn/{match[1]}/{match[2]}")
            self.end_headers()
        elif match := re.fullmatch(r"/cdn/(\w+)/(.+)", path):
            self.reply(files[match[1]][match[2]], match[2])
        else:
            self.send_error(404)

    def reply(self, data: bytes, file: str = "") -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        if asked:
            data = data[int(asked[1]) : int(asked[2]) + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.server.sent.append((file, len(data)))
        self.wfile.write(data)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    server = Hub()
    for step in STEPS:
        server.revisions[f"step{step}"] = {
            "model.safetensors": save(weights(step), {"format": "pt"}),
            "config.json": b'{"vocab_size": 50, "model_type": "gpt_neox"}',
        }
    server.revisions["main"] = server.revisions["step143000"]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://{HOST}:{server.server_port}")
    monkeypatch.setenv("GROKVIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(client, "WAIT", 0)
    yield server
    server.shutdown()
    server.server_close()


def test_revisions_are_the_steps_of_a_run(hub: Hub, tmp_path: Path) -> None:
    imported = gv.import_run("hf://owner/model", tmp_path / "run")
    run = gv.open_run(imported.path)
    assert run.epochs.tolist() == list(STEPS)
    assert run.facts["counts"] == "step"
    for step in STEPS:
        assert run.weights(step).keys() == weights(step).keys()
        for name, array in weights(step).items():
            np.testing.assert_array_equal(run.weights(step)[name], array)
    assert "left out main: it has no step in its name" in imported.beliefs
    config = run.facts["imported"]["config"]
    assert config["config"]["vocab_size"] == 50
    assert config["hub"]["step512"] == hub.commit("step512")
    assert not list((tmp_path / "cache").rglob("*.*"))  # nothing is kept once the run is there


def test_of_single_tensors_only_their_bytes_are_read(hub: Hub, tmp_path: Path) -> None:
    status = cli.run([
        "import", "hf://owner/model", "--out", str(tmp_path / "run"), "-q",
        "--only", "*.attention.dense.weight", "--set", "revisions=step1000,step143000",
    ])  # fmt: skip
    assert status == 0
    run = gv.open_run(tmp_path / "run")
    assert run.epochs.tolist() == [1000, 143000]
    assert run.shapes() == {f"gpt_neox.layers.{i}.attention.dense.weight": (8, 8) for i in (0, 1)}
    read = sum(size for file, size in hub.sent if file == "model.safetensors")
    header = len(hub.revisions["main"]["model.safetensors"]) - sum(
        array.nbytes for array in weights(0).values()
    )
    assert read == 2 * (header + 2 * 8 * 8 * 2)
    with pytest.raises(InputError, match="has no tensor nothing"):
        gv.import_run("hf://owner/model", tmp_path / "x", only=["nothing"])


def test_shards_without_a_chosen_tensor_are_not_touched(hub: Hub, tmp_path: Path) -> None:
    state = weights(7)
    table, files = {}, {}
    for i, (name, array) in enumerate(state.items()):
        table[name] = f"model-{i}.safetensors"
        files[table[name]] = save({name: array})
    files["model.safetensors.index.json"] = json.dumps({"weight_map": table}).encode()
    hub.revisions = {"main": files}
    imported = gv.import_run("hf://owner/model", tmp_path / "run", only=["*embed_in*"])
    assert gv.open_run(imported.path).epochs.tolist() == [0]
    assert {file for file, _ in hub.sent if file.endswith("safetensors")} == {"model-0.safetensors"}


def test_an_interrupted_import_goes_on_where_it_stopped(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PIECE", 10)

    def cut(handler: Handler) -> bool:
        """Half of what is asked for of the numbers of one step."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers.get("Range") or "")
        if hub.commit("step1000") not in handler.path or not asked or int(asked[1]) < 100:
            return False
        if "cdn" not in handler.path:
            return False
        start, stop = int(asked[1]), int(asked[2]) + 1
        data = hub.revisions["step1000"]["model.safetensors"][start : start + (stop - start) // 2]
        handler.send_response(206)
        handler.send_header("Content-Length", str(stop - start))
        handler.end_headers()
        handler.wfile.write(data)
        hub.sent.append(("half", len(data)))
        return True

    hub.answer = cut
    with pytest.raises(WorkError, match="goes on where it stopped"):
        gv.import_run("hf://owner/model", tmp_path / "run")
    assert not (tmp_path / "run").exists()
    hub.answer = lambda handler: False
    hub.sent.clear()
    imported = gv.import_run("hf://owner/model", tmp_path / "run")
    read = sum(size for file, size in hub.sent if file == "model.safetensors")
    numbers = sum(array.nbytes for array in weights(0).values())
    assert 0 < read < numbers / 2  # three steps are there, and most of the one that was cut
    np.testing.assert_array_equal(
        gv.open_run(imported.path).weights(1000)["gpt_neox.embed_in.weight"],
        weights(1000)["gpt_neox.embed_in.weight"],
    )


def test_a_damaged_part_in_the_cache_is_read_from_the_hub_again(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    repository = client.Repository("owner", "model")
    commit, file = hub.commit("step512"), "model.safetensors"
    good = repository.bytes_of(commit, file, 50, 90)
    (kept,) = repository.cache.iterdir()
    stored = kept.read_bytes()
    hub.sent.clear()
    assert repository.bytes_of(commit, file, 50, 90) == good
    assert hub.sent == []
    for at in (0, 39, -1):
        damaged = bytearray(stored)
        damaged[at] ^= 1
        kept.write_bytes(damaged)
        assert repository.bytes_of(commit, file, 50, 90) == good
        assert kept.read_bytes() == stored
    assert caplog.text.count("is damaged") == len(hub.sent) == 3
    kept.rename(f"{kept}.part")  # longer than what was asked for, as of two that write at once
    assert repository.bytes_of(commit, file, 50, 90) == good
    assert [f.name for f in repository.cache.iterdir()] == [kept.name]


def test_the_page_of_the_docs_is_as_it_says(hub: Hub, tmp_path: Path, monkeypatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "from" / "hub.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    hub.model = "EleutherAI/pythia-70m"
    lines = [line for line in page.splitlines() if line.startswith("grokviz ")]
    for line in lines:
        assert cli.run(shlex.split(line)[1:]) == 0
    assert gv.open_run("runs/pythia").epochs.tolist() == [0, 512, 1000, 143000]
    assert (tmp_path / "spectra.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model.safetensors": b"\xff" * 100}, "no safetensors file"),
        ({"model.safetensors": b"\x08" + bytes(7) + b"[" * 8}, "damaged header"),
        ({"model.safetensors": b"\x02" + bytes(7) + b"[]"}, "damaged header"),
        ({"model.safetensors": None, "x.bin": b""}, "has no model.safetensors"),
        ({"model.safetensors": None, INDEX: b'{"weight_map": {"a": "../x"}}'},
         "does not say which file"),
        ({"config.json": b"<html>"}, "is no JSON"),
    ],
)  # fmt: skip
def test_a_hub_that_lies_is_refused(change, reason, hub: Hub, tmp_path: Path) -> None:
    files = hub.revisions["step143000"] | change
    hub.revisions["step143000"] = {file: data for file, data in files.items() if data is not None}
    with pytest.raises(InputError, match=reason):
        gv.import_run("hf://owner/model", tmp_path / "run")


def test_sizes_that_a_header_makes_up_are_refused(hub: Hub, tmp_path: Path) -> None:
    for shape, offsets in (([2**40], [0, 2**42]), ([2], [0, 4]), ([-1], [0, -4]), (["x"], [0, 4])):
        header = json.dumps({"w": {"dtype": "F32", "shape": shape, "data_offsets": offsets}})
        data = len(header).to_bytes(8, "little") + header.encode() + bytes(8)
        hub.revisions["step143000"] = {"model.safetensors": data}
        with pytest.raises((InputError, WorkError), match=r"lies|damaged|goes on"):
            gv.import_run("hf://owner/model", tmp_path / "run")


def test_what_is_not_there_is_named(hub: Hub, tmp_path: Path, monkeypatch) -> None:
    for address, reason in (
        ("hf://owner/other", "the hub has no api/models/owner/other/refs"),
        ("hf://owner/model@step7", "has no revision step7; there are step0"),
        ("hf://owner/mo del", "is no model"), ("hf://owner", "there is no file"),
        ("hf://owner/model/file", "there is no file"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=reason):
            gv.import_run(address, tmp_path / "run")
    monkeypatch.setenv("HF_TOKEN", "secret")
    run = gv.import_run("hf://owner/model@step512", tmp_path / "run").path
    assert gv.open_run(run).epochs.tolist() == [512]
    assert "Bearer secret" in hub.tokens
    monkeypatch.setitem(__import__("sys").modules, "requests", None)
    with pytest.raises(MissingExtra, match=r"grokviz\[hub\]"):
        gv.import_run("hf://owner/model", tmp_path / "y")


def test_a_hub_that_does_not_answer_is_one_sentence(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"http://{HOST}:9")
    monkeypatch.setattr(client, "WAIT", 0)
    with pytest.raises(WorkError, match="cannot be read from the hub"):
        gv.import_run("hf://owner/model", tmp_path / "run")
