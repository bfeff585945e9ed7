"""Planes of embeddings, against formulas written out and scipy's Procrustes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes, svd

from grokviz.dataset.build.assemble import assemble
from grokviz.errors import InputError
from grokviz.runs import RunWriter, open_run
from grokviz.tasks.any import embeddings
from grokviz.tasks.any.measures import embeddings as measured


@pytest.mark.parametrize(
    ("shapes", "names", "across", "count"),
    [
        ({"embed.W_E": (8, 12), "pos_embed.W_pos": (3, 8), "W_in": (16, 8)},
         ["embed.W_E", "pos_embed.W_pos"], [True, False], [12, 3]),
        ({"wte.weight": (12, 8), "ln.weight": (8,), "lm_head.weight": (12, 8)},
         ["wte.weight"], [False], [12]),
        ({"unembed.W_U": (8, 12), "0.weight": (5, 8)}, ["unembed.W_U"], [True], [12]),
        ({"0.weight": (16, 9), "2.weight": (4, 16)}, ["0.weight"], [True], [9]),
        ({"W": (5, 2), "bias": (5,)}, ["W"], [False], [5]),
        ({"W": (2, 5), "bias": (5,)}, ["W"], [True], [5]),
        ({"0.weight": (9,), "scale": ()}, [], [], []),
    ],
)  # fmt: skip
def test_an_embedding_gives_vectors_to_what_no_other_tensor_knows(
    shapes: dict[str, tuple[int, ...]], names: list[str], across: list[bool], count: list[int]
) -> None:
    found = embeddings.embeddings(shapes)
    assert [one.name for one in found] == names
    assert [one.across for one in found] == across
    assert [one.count for one in found] == count


@pytest.mark.parametrize("entries", [40, 1 << 22])
def test_a_plane_is_that_of_the_two_first_components(
    entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "ENTRIES_AT_ONCE", entries)
    vectors = np.random.default_rng(0).normal(3, 1, size=(30, 7)).astype(np.float32)
    found = embeddings.plane(vectors, 20)
    u, s, _ = svd(vectors - vectors.astype(float).mean(axis=0), full_matrices=False)
    assert found.share == pytest.approx((s[:2] ** 2).sum() / (s**2).sum(), rel=1e-6)
    wanted = (u * s)[:20, :2]
    np.testing.assert_allclose(np.abs(found.coordinates), np.abs(wanted), rtol=1e-4, atol=1e-5)
    assert (found.coordinates.max(axis=0) == np.abs(found.coordinates).max(axis=0)).all()


def test_vectors_that_are_alike_or_no_numbers_have_no_plane() -> None:
    alike = embeddings.plane(np.ones((4, 3)), 4)
    assert not alike.coordinates.any()
    assert np.isnan(alike.share)
    lost = embeddings.plane(np.full((4, 3), np.nan), 4)
    assert np.isnan(lost.coordinates).all()


def test_each_plane_is_turned_to_the_next_as_scipy_turns_it() -> None:
    rng = np.random.default_rng(0)
    planes = rng.normal(size=(4, 9, 2))
    planes[1] = np.nan
    found = embeddings.turned(planes)
    np.testing.assert_array_equal(found[3], planes[3])
    assert np.isnan(found[1]).all()
    for before, after in ((2, 3), (0, 2)):
        turn, _ = orthogonal_procrustes(planes[before], found[after])
        np.testing.assert_allclose(found[before], planes[before] @ turn, atol=1e-12)
    # one that only spins and turns over stands still
    angle = np.linspace(0, 5, 6)
    spin = np.stack([[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angle])
    spin[::2] *= [1, -1]
    still = embeddings.turned(planes[3] @ spin)
    np.testing.assert_allclose(still, np.broadcast_to(still[-1], still.shape), atol=1e-12)


def test_they_are_measured_along_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    shapes = {"embed.weight": (12, 8), "pos_embed.weight": (5, 8), "out.bias": (12,)}
    states = [{n: rng.normal(size=s).astype(np.float32) for n, s in shapes.items()} for _ in "ab"]
    with RunWriter.create(tmp_path / "run", {}) as writer:
        for epoch, state in enumerate(states):
            writer.checkpoint(epoch, state)
        writer.close(finished=True)
    monkeypatch.setattr(measured, "MOST", 10)
    data = assemble(open_run(tmp_path / "run"), ["leading_plane", "leading_plane_share"], workers=0)
    assert data["embedded"].values.tolist() == ["embed.weight", "pos_embed.weight"]
    assert data["embedded_number"].values.tolist() == [*range(10)]
    for epoch, state in enumerate(states):
        for name in shapes.keys() - {"out.bias"}:
            now = data.sel(field_epoch=epoch, embedded=name)
            wanted = embeddings.plane(state[name], 10)
            assert float(now["leading_plane_share"]) == pytest.approx(wanted.share, rel=1e-6)
            known = now["leading_plane"][: len(wanted.coordinates)]
            np.testing.assert_allclose(known, wanted.coordinates, rtol=2**-11, atol=1e-6)
            assert np.isnan(now["leading_plane"][len(wanted.coordinates) :]).all()


def test_a_run_without_a_matrix_says_so(tmp_path: Path) -> None:
    with RunWriter.create(tmp_path / "run", {}) as writer:
        writer.checkpoint(0, {"bias": np.ones(4, np.float32)})
        writer.close(finished=True)
    with pytest.raises(InputError, match="has no matrix with three rows"):
        assemble(open_run(tmp_path / "run"), ["leading_plane"], workers=0)


@pytest.mark.parametrize("count", [6, 7])
def test_shares_of_frequencies_are_those_of_cosines_and_sines(count: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    state = {
        "embed.weight": rng.normal(2, 1, size=(count + 2, 5)).astype(np.float32),
        "pos_embed.weight": rng.normal(size=(4, 5)).astype(np.float32),
    }
    with RunWriter.create(tmp_path / "run", {"settings": {"p": count}}) as writer:
        writer.checkpoint(0, state)
        writer.close(finished=True)
    found = assemble(open_run(tmp_path / "run"), ["circle_share"], workers=0).isel(field_epoch=0)
    vectors, n = state["embed.weight"][:count].astype(float), np.arange(count)
    power = []
    for k in found["circle_frequency"].values:
        waves = [wave(2 * np.pi * k * n / count) for wave in (np.cos, np.sin)]
        waves = [wave / np.linalg.norm(wave) for wave in waves if np.linalg.norm(wave) > 1e-9]
        power.append(sum(((wave @ vectors) ** 2).sum() for wave in waves))
    assert sum(power) == pytest.approx(((vectors - vectors.mean(axis=0)) ** 2).sum())
    shares = found["circle_share"].sel(embedded="embed.weight")
    np.testing.assert_allclose(shares, np.array(power) / sum(power), rtol=2**-11)
    assert np.isnan(found["circle_share"].sel(embedded="pos_embed.weight")).all()


@pytest.mark.parametrize("value", [0.0, 0.1, np.nan])
def test_vectors_all_alike_have_no_frequency(value: float) -> None:
    alike = np.full((7, 3), value, np.float32)
    assert np.isnan(embeddings.circle_shares(alike)).all()


def test_a_circle_takes_residues(tmp_path: Path) -> None:
    for name, settings, lack in (("a", {}, "setting p"), ("b", {"p": 50}, "embedding of as many")):
        with RunWriter.create(tmp_path / name, {"settings": settings}) as writer:
            writer.checkpoint(0, {"embed.weight": np.eye(5, 9, dtype=np.float32)})
            writer.close(finished=True)
        with pytest.raises(InputError, match=f"has no {lack}"):
            assemble(open_run(tmp_path / name), ["circle_share"], workers=0)
