from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from grokviz.dataset.build.assemble import assemble
from grokviz.dataset.numerics.fourier import fft2d
from grokviz.errors import InputError
from grokviz.tasks.modular_addition import fields
from grokviz.tasks.modular_addition.formulas.losses import answers
from grokviz.tasks.modular_addition.forward import forward
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


@pytest.fixture(scope="module")
def data(small_run) -> xr.Dataset:
    return assemble(small_run)


@pytest.fixture(scope="module", params=[0, 3, 5])
def case(request, small_run):
    """A clock index and the forward pass of its checkpoint; both clocks are the same here."""
    epoch = int(small_run.epochs[request.param])
    return request.param, forward(ModularAdditionWeights.of(small_run.weights(epoch)))


def near(found: np.ndarray, wanted: np.ndarray) -> None:
    """Equal up to the float32 in which tables are kept."""
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6 * np.abs(wanted).max())


def test_attention_is_that_of_the_forward_pass(data, case) -> None:
    i, f = case
    p = data.sizes["residue"]
    for head in data["head"].values:
        found = [fields.attention_pattern(data, head, i, to) for to in ("a", "b", "=")]
        near(np.stack(found), f.pattern[head].reshape(3, p, p))
        near(fields.attention(data, i)[head], f.pattern[head].reshape(3, p, p))
    assert not np.allclose(found[0], found[0].T)


def test_activations_are_those_of_the_forward_pass(data, case) -> None:
    i, f = case
    p = data.sizes["residue"]
    for pre, wanted in ((True, f.pre), (False, f.post)):
        near(
            fields.activations(data, i, pre=pre),
            wanted.T.reshape(-1, p, p)[data["neuron"].values],
        )
        for neuron in data["neuron"].values[:3]:
            field = fields.neuron_activations(data, neuron, i, pre=pre)
            near(field, wanted[:, neuron].reshape(p, p))


def test_a_spectrum_is_the_transform_of_centred_activations(data, case) -> None:
    i, f = case
    neuron = int(data["neuron"][0])
    centred = f.post[:, neuron] - f.post[:, neuron].mean()
    found = fields.neuron_spectrum(data, neuron, i)
    near(found, fft2d(centred))
    assert np.square(found).sum() == pytest.approx(np.square(centred).sum(), rel=1e-5)


def test_fitted_waves_leave_the_least_squares_residual(data, case) -> None:
    i, f = case
    p = data.sizes["residue"]
    apart = (answers(p)[:, None] - np.arange(p)) % p
    angles = 2 * np.pi * np.outer(data["key_frequency"].values, np.arange(p)) / p
    design = np.stack([np.cos(angle)[apart].ravel() for angle in angles], axis=1)
    heights, *_ = np.linalg.lstsq(design, f.logits.ravel(), rcond=None)
    near(fields.logit_waves(data, i), heights[:, None] * np.cos(angles))


def test_a_cut_dataset_takes_the_nearest_epoch_it_still_has(data) -> None:
    assert fields.field_index(data, 31) == 3
    cut = data.isel(epoch=[0, 1, 5])
    assert fields.field_index(cut, 29) == 1
    with pytest.raises(InputError, match="attention of epoch 30"):
        fields.activations(cut, 3)
    with pytest.raises(InputError, match="no field epoch"):
        fields.field_index(data.isel(epoch=[]), 3)


def test_numbers_that_are_not_there_are_named(data) -> None:
    with pytest.raises(InputError, match="no head 7"):
        fields.attention_pattern(data, 7, 0)
    with pytest.raises(InputError, match="no neuron 999 in the dataset; there are"):
        fields.neuron_activations(data, 999, 0)
