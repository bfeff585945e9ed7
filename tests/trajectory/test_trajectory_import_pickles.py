"""Pickles that hold objects of any class: stubs with plain fields, never imported, never called."""

from __future__ import annotations

import argparse
import enum
import functools
import pickle
import sys
import types
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokviz as gv
from grokviz.errors import InputError
from grokviz.importers.choice import read_file
from grokviz.importers.reading import pickles
from grokviz.importers.reading.opening import open_source
from grokviz.importers.reading.stubs import Stub

torch = pytest.importorskip("torch", reason="it saves the files")

LIBRARY = "foreign_library"


class Act(enum.Enum):
    RELU = "relu"


@dataclass
class Config:
    """A configuration as TransformerLens has it."""

    d_model: int = 4
    lr: float = 1e-3
    act: Act = Act.RELU
    where: Path = Path("/data/run")
    dtype: Any = torch.bfloat16
    device: Any = None
    extra: dict[str, Any] = field(default_factory=lambda: {"seed": 3})


@dataclass(slots=True)
class Slots:
    width: int = 7


class AttributeDict(dict[str, Any]):
    """A mapping of its own class."""


class Listed(list[Any]):
    """A list of its own class."""


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)
        self.rest = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(2, 1, bias=False))


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Saves data whose classes are of a library that is then gone."""
    classes = (Act, Config, Slots, AttributeDict, Listed, Net)
    homes = {kind: kind.__module__ for kind in classes}
    module = types.ModuleType(LIBRARY)
    for kind in classes:
        kind.__module__ = LIBRARY
        setattr(module, kind.__name__, kind)

    def save(data: Any, name: str = "step_3.pth", **options: Any) -> Path:
        sys.modules[LIBRARY] = module
        try:
            torch.save(data, tmp_path / name, **options)
        finally:
            del sys.modules[LIBRARY]
        return tmp_path / name

    yield save
    for kind, home in homes.items():
        kind.__module__ = home
    assert LIBRARY not in sys.modules


FORMATS = [{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}]


@pytest.mark.parametrize("options", FORMATS, ids=["zip", "old", "protocol 4"])
def test_objects_of_any_class_are_stubs_with_their_fields(options, foreign, tmp_path) -> None:
    state = {"w": torch.arange(4.0).reshape(2, 2)}
    path = foreign({"model": state, "config": Config(), "epoch": 7}, **options)
    imported = gv.import_run(path, tmp_path / "run")
    run = gv.open_run(imported.path)
    np.testing.assert_array_equal(run.weights(7)["w"], [[0, 1], [2, 3]])
    assert run.facts["imported"]["config"]["config"] == {
        "d_model": 4, "lr": 1e-3, "act": plain_name(options), "where": "/data/run",
        "dtype": "torch.bfloat16", "device": None,
    }  # fmt: skip
    assert run.facts["settings"]["learning-rate"] == 1e-3
    named = [belief for belief in imported.beliefs if belief.startswith("not loaded")]
    assert {belief.split()[2].strip(":") for belief in named} == {
        f"{LIBRARY}.Config", f"{LIBRARY}.Act",
    }  # fmt: skip


def plain_name(options: dict[str, Any]) -> str:
    """How this Python pickles the member of an enumeration: by its value, or by its name."""
    return "relu" if Act.RELU.__reduce_ex__(options.get("pickle_protocol", 2))[0] is Act else "RELU"


def test_every_kind_of_object_keeps_what_is_plain_in_it(foreign) -> None:
    holder = AttributeDict(a=1)
    holder.note = "b"  # type: ignore[attr-defined]
    data = open_source(foreign({
        "namespace": argparse.Namespace(lr=0.5, name="x"), "slots": Slots(), "mapping": holder,
        "listed": Listed([1, 2]), "partial": functools.partial(print, end=""), "set": {5},
        "class": Config, "by act": {Act.RELU: 2}, "bytes": b"ab", "complex": 1 + 2j,
        "function": torch.nn.functional.relu, "size": torch.zeros(2, 3).size(),
    })).data  # fmt: skip
    assert dict(data["namespace"]) == {"lr": 0.5, "name": "x"}
    assert dict(data["slots"]) == {"width": 7}
    assert dict(data["mapping"]) == {"a": 1, "note": "b"}
    assert data["listed"].entries == [1, 2]
    assert data["partial"].name == "functools.partial"
    assert data["set"] == [5]
    assert data["class"].name == f"{LIBRARY}.Config"
    assert list(data["by act"].values()) == [2]
    assert data["bytes"] == b"ab"
    assert data["complex"].arguments == (1.0, 2.0)
    assert data["size"] == (2, 3)
    assert all(isinstance(data[word], Stub) for word in ("namespace", "mapping", "partial"))


@pytest.mark.parametrize("options", FORMATS, ids=["zip", "old", "protocol 4"])
def test_tensors_are_what_torch_says(options, foreign) -> None:
    base = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    state = {
        "whole": base, "columns": base.T, "part": base[2:4, 1:], "strided": base[::2, ::3],
        "scalar": torch.tensor(3.5), "empty": torch.zeros(0, 3), "flags": base > 0,
        "parameter": torch.nn.Parameter(base[0].clone()),
        **{str(kind)[6:]: base.to(kind) for kind in (
            torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int8,
        )},
    }  # fmt: skip
    if options.get("_use_new_zipfile_serialization", True):  # the old format has none of 8 bits
        for kind in (torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz):
            state[str(kind)[6:]] = base.to(kind)
    loaded = read_file(foreign(state, **options))[2][0].checkpoints[0][1]
    assert loaded.keys() == state.keys()
    for name, tensor in state.items():
        wanted = tensor.detach()
        wanted = wanted.float() if wanted.is_floating_point() else wanted
        wanted = tensor if name == "float64" else wanted
        np.testing.assert_array_equal(loaded[name], wanted.numpy(), err_msg=name)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of quantised tensors, which torch will drop
def test_what_is_no_plain_tensor_is_left_out_with_a_sentence(foreign, tmp_path: Path) -> None:
    dense = torch.eye(2)
    imported = gv.import_run(foreign({
        "w": dense, "spectrum": dense.to(torch.complex64), "sparse": dense.to_sparse(),
        "meta": torch.empty(3, device="meta"),
        "scaled": torch.quantize_per_tensor(dense, 0.1, 0, torch.qint8),
        "bits": torch.empty(2, dtype=torch.bits16), "half": dense.to(torch.complex32),
    }), tmp_path / "run")  # fmt: skip
    assert gv.open_run(imported.path).weights(3).keys() == {"w"}
    left = " ".join(belief for belief in imported.beliefs if belief.startswith("left out"))
    reasons = ("complex64", "sparse_coo", "without its numbers", "quantised", "bits16", "complex32")
    for reason in reasons:
        assert reason in left


def test_a_model_saved_whole_is_its_tensors(foreign, tmp_path: Path) -> None:
    net = Net()
    imported = gv.import_run(foreign(net), tmp_path / "run")
    weights = gv.open_run(imported.path).weights(3)
    assert weights.keys() == net.state_dict().keys()
    np.testing.assert_array_equal(weights["rest.1.weight"], net.rest[1].weight.detach().numpy())
    stubs = [belief for belief in imported.beliefs if belief.startswith("not loaded")]
    assert any("torch.nn.modules.linear.Linear" in stub for stub in stubs)


def zipped(content: bytes, path: Path) -> Path:
    """A PyTorch file with this pickle in it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", content)
    return path


TARGETS = [
    "_codecs.encode", "torch.Size", "torch.FloatStorage", "numpy.dtype", "collections.OrderedDict",
    "some.Thing",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_no_pickle_changes_what_it_imports(target: str, tmp_path: Path) -> None:
    module, _, name = target.rpartition(".")
    state = b"N}\x8c\x0c__defaults__K\x01s\x86b"  # (None, {"__defaults__": 1}), BUILD
    for build in (state, b"}\x8c\x01aK\x01sb"):
        content = b"\x80\x04c" + f"{module}\n{name}\n".encode() + build + b"."
        with pytest.raises(InputError, match="cannot be read as PyTorch's"):
            open_source(zipped(content, tmp_path / "x.pth"))
    assert not hasattr(pickles.CONSTRUCTED.get(target), "a")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"})" + b"\x85" * 1_000_000 + b"K\1s", "nested too deeply"),
        (b"}r\xff\xff\xff\x7f", "far from the others"),
        (b"".join(b"cm\nC%d\n0" % i for i in range(1001)) + b"}", "more than 1000 classes"),
        (b"]\x8c\1a\x93", "holds a damaged pickle|computes"),
    ],
    ids=["deep tuples", "a memo far away", "1,001 classes", "a list as a module"],
)
def test_what_would_take_the_process_with_it_is_refused(content, reason, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=reason):
        open_source(zipped(b"\x80\x04" + content + b".", tmp_path / "x.pth"))


class Ring:
    """A module that is a part of itself."""

    def __init__(self) -> None:
        self._parameters: dict[str, Any] = {}
        self._modules = {"self": self}


def test_modules_that_hold_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hold each other"):
        open_source(zipped(pickle.dumps(Ring(), 2), tmp_path / "x.pth"))
