from __future__ import annotations

import numpy as np
import pytest
from measured_state import Measured, published

from grokviz.dataset import table
from grokviz.errors import InputError
from grokviz.task import task
from grokviz.tasks.modular_addition import forward as fw
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


def values(m: Measured) -> dict[str, np.ndarray]:
    return {name: getattr(m, name) for name in m.names}


def test_a_forward_pass_at_hand_changes_nothing(random_weights) -> None:
    state = random_weights(p=11)
    train = np.random.default_rng(0).random(121) < 0.3
    ran = fw.forward(ModularAdditionWeights.of(state))
    ours, theirs = (
        values(Measured(state, train, [1, 4])),
        values(Measured(state, train.reshape(11, 11), np.array([1, 4]), ran=ran)),
    )
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def test_clusters_of_the_final_checkpoint_decide_where_shares_are_taken(random_weights) -> None:
    state = random_weights(p=11, d_mlp=4)
    train = np.random.default_rng(0).random(121) < 0.3
    m = Measured(state, train, cluster=np.array([2, 2, -1, 5]))
    post = fw.forward(ModularAdditionWeights.of(state)).post
    T = np.einsum("abn,fa,gb->fgn", *[(post - post.mean(0)).reshape(11, 11, 4)], *basis())
    power = (T**2).sum(axis=(0, 1))
    near = [(T[3:5, 3:5, 0] ** 2).sum() / power[0], (T[9:11, 9:11, 3] ** 2).sum() / power[3]]
    np.testing.assert_allclose(m.quadratic_share_post[[0, 3]], near)
    diagonal = sum(
        (T[2 * k - 1 : 2 * k + 1, 2 * k - 1 : 2 * k + 1, 2] ** 2).sum() for k in range(1, 6)
    )
    np.testing.assert_allclose(m.quadratic_share_post[2], diagonal / power[2])


def basis() -> list[np.ndarray]:
    from grokviz.dataset.numerics.fourier import fourier_basis

    return [fourier_basis(11)] * 2


def test_an_untrained_model_is_measured_without_warnings(random_weights) -> None:
    m = Measured(random_weights(p=7), np.arange(49) % 3 == 0)
    assert m.key_frequencies.size == 0
    assert m.excluded_loss_2d == pytest.approx(m.loss[0])
    assert m.trig_fraction_logits == 0
    zero = {name: array * 0 for name, array in random_weights(p=7).items()}
    nothing = Measured(zero, np.arange(49) % 3 == 0)
    np.testing.assert_allclose(nothing.loss, np.log(7))
    assert nothing.all_neuron_frequency.tolist() == [0] * 10
    # the spectrum of nothing has no shape, nor has its distribution
    known = table.table(task("modular-addition")).measures
    own = [name for name in nothing.names if ".modular_addition." in known[name].module]
    assert len(own) > 40
    assert all(np.isfinite(np.asarray(getattr(nothing, name), dtype=float)).all() for name in own)


def test_a_split_nobody_knows_gives_nan_and_a_wrong_one_is_refused(random_weights) -> None:
    found = published(random_weights(p=7), None)
    assert np.isnan(found["loss_train"])
    assert np.isnan(found["excluded_loss_2d"])
    assert np.isfinite(found["loss_all"])
    with pytest.raises(InputError, match="49 pairs"):
        published(random_weights(p=7), np.ones(48, bool))
