from __future__ import annotations

import math

import pytest
import torch
from jaxtyping import TypeCheckError

from grokviz.errors import InputError
from grokviz.models.transformer import Shape, Transformer
from grokviz.tasks.modular_addition.data import ModularAddition

MAINLINE = {
    "embed.W_E": (128, 114),
    "pos_embed.W_pos": (3, 128),
    "blocks.0.attn.W_K": (4, 32, 128),
    "blocks.0.attn.W_Q": (4, 32, 128),
    "blocks.0.attn.W_V": (4, 32, 128),
    "blocks.0.attn.W_O": (128, 128),
    "blocks.0.mlp.W_in": (512, 128),
    "blocks.0.mlp.b_in": (512,),
    "blocks.0.mlp.W_out": (128, 512),
    "blocks.0.mlp.b_out": (128,),
    "unembed.W_U": (128, 114),
}


@pytest.fixture(scope="module")
def mainline() -> Transformer:
    return Transformer(Shape(114))


@pytest.fixture
def small() -> Transformer:
    return Transformer(Shape(14, d_model=16, heads=2, d_mlp=24))


def test_parameters_have_the_published_names_and_shapes(mainline: Transformer) -> None:
    assert {name: tuple(w.shape) for name, w in mainline.named_parameters()} == MAINLINE
    assert sum(w.numel() for w in mainline.parameters()) == 226_816


def test_the_state_dict_has_the_published_mask_too(mainline: Transformer) -> None:
    state = mainline.state_dict()
    assert state.keys() == MAINLINE.keys() | {"blocks.0.attn.mask"}
    assert torch.equal(state["blocks.0.attn.mask"], torch.ones(3, 3).tril())


def test_without_biases_they_stay_zero_and_are_not_trained() -> None:
    model = Transformer(Shape(14, d_model=16, d_mlp=24, mlp_biases=False))
    assert not any("b_" in name for name, _ in model.named_parameters())
    assert model.state_dict()["blocks.0.mlp.b_in"].count_nonzero() == 0


def test_initial_scales_are_the_published_ones(mainline: Transformer) -> None:
    for name, weights in mainline.named_parameters():
        if "b_" in name:
            assert weights.count_nonzero() == 0
            continue
        scale = 1 / math.sqrt(114 if name == "unembed.W_U" else 128)
        noise = 4 / math.sqrt(2 * weights.numel())  # four standard errors of a deviation
        assert weights.std().item() / scale == pytest.approx(1, abs=noise), name
        assert abs(weights.mean().item()) < 4 * scale / math.sqrt(weights.numel()), name


def test_a_seed_names_its_weights(mainline: Transformer) -> None:
    torch.manual_seed(9)  # the global generator plays no part
    again, other = Transformer(Shape(114)).state_dict(), Transformer(Shape(114), seed=1)
    assert all(torch.equal(w, again[name]) for name, w in mainline.state_dict().items())
    assert not torch.equal(mainline.embed.W_E, other.embed.W_E)


def test_seed_zero_is_the_same_on_every_machine(mainline: Transformer) -> None:
    first = [mainline.embed.W_E[0, i].item() * math.sqrt(128) for i in range(3)]
    rng = torch.Generator().manual_seed(0)
    assert first == pytest.approx(torch.randn(128, 114, generator=rng)[0, :3].tolist(), rel=1e-6)


def test_drawing_weights_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    Transformer(Shape(14, d_model=16, d_mlp=24))
    assert torch.equal(before, torch.get_rng_state())


def test_no_position_sees_what_comes_after_it(small: Transformer) -> None:
    left = small(torch.tensor([[3, 4, 13]]))
    right = small(torch.tensor([[3, 7, 13]]))
    assert torch.equal(left[:, 0], right[:, 0])
    assert not torch.equal(left[:, 2], right[:, 2])


def test_forward_is_the_sum_that_the_paper_writes(small: Transformer) -> None:
    """The last position by hand, in float64: residual + heads + MLP, read by W_U."""
    w = {name.rsplit(".", 1)[1]: t.double() for name, t in small.state_dict().items()}
    task = ModularAddition(13)
    residual = w["W_E"].T[torch.as_tensor(task.tokens)] + w["W_pos"]
    end = residual[:, 2]
    for h in range(2):
        query = residual[:, 2] @ w["W_Q"][h].T
        scores = torch.stack([(residual[:, j] @ w["W_K"][h].T * query).sum(1) for j in range(3)])
        pattern = (scores / math.sqrt(8)).softmax(dim=0)
        mixed = sum(pattern[j][:, None] * (residual[:, j] @ w["W_V"][h].T) for j in range(3))
        end = end + mixed @ w["W_O"][:, 8 * h : 8 * h + 8].T
    end = end + torch.relu(end @ w["W_in"].T + w["b_in"]) @ w["W_out"].T + w["b_out"]
    logits = small(torch.as_tensor(task.tokens))[:, -1]
    torch.testing.assert_close(logits.double(), end @ w["W_U"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda m: m(torch.zeros(3, dtype=torch.int64)),
        lambda m: m(torch.zeros(2, 3)),
        lambda m: m.embed(torch.zeros(2, 3, 16)),
        lambda m: m.blocks[0].attn(torch.zeros(3, 16)),
        lambda m: m.blocks[0].mlp(torch.zeros(2, 3, 16, dtype=torch.int64)),
    ],
)
def test_shapes_in_signatures_are_enforced_in_tests(small: Transformer, wrong) -> None:
    with pytest.raises(TypeCheckError):
        wrong(small)


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ({"d_model": 16, "heads": 3}, "d-model = 16 does not divide into 3 heads"),
        ({"d_mlp": 0}, "d-mlp = 0 is too small"),
        ({"heads": -1}, "heads = -1 is too small"),
    ],
)
def test_impossible_sizes_are_refused(sizes: dict[str, int], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Shape(14, **sizes)
