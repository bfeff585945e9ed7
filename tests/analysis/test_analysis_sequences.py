"""Sequence tasks: the float64 forward pass against torch, probes against heads made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grokviz.errors import InputError
from grokviz.task import recipes, task
from grokviz.tasks._sequences import sample as sequences
from grokviz.tasks._sequences.model import SequenceWeights, run, run_in_chunks
from grokviz.tasks._sequences.sample import Sample
from grokviz.tasks.repeated_subsequence.checkpoint import RepeatedSubsequenceRun
from grokviz.tasks.repeated_subsequence.data import RepeatedSubsequence
from grokviz.tasks.repeated_subsequence.probes import (
    copies,
    induction,
    previous_token,
    source_of,
)
from grokviz.tasks.skip_trigram.checkpoint import SkipTrigramRun
from grokviz.training.batch import Batch

SMALL = {"vocabulary": 20, "length": 31, "subsequence": 5, "repeats": 3}
SIZES = {
    "repeated-subsequence": (20, 31, 20, 2),
    "digit-addition": (12, 18, 10, 1),
    "skip-trigram": (22, 42, 10, 1),
}
"""Vocabulary, context, outputs, layers."""


def copying(v: int, n: int, sharpness: float = 60.0) -> dict[str, np.ndarray]:
    """A two-layer model that completes repeated subsequences of ``v`` tokens.

    The residual stream holds the token, the token before, the position and the answer, one-hot.
    Head 0.0 attends to the position before and writes its token into the second place; head 1.0
    attends to the positions whose second place has its own token, and writes their tokens as
    the answer. Head 1 of both layers attends evenly and writes nothing.
    """
    token, before, place = slice(0, v), slice(v, 2 * v), slice(2 * v, 2 * v + n)
    answer, d, h = slice(2 * v + n, 3 * v + n), 3 * v + n, max(v, n)
    W = {f"{i}.{x}": np.zeros((2, h, d)) for i in (0, 1) for x in "QKV"}
    out = {i: np.zeros((d, 2 * h)) for i in (0, 1)}
    root = np.sqrt(sharpness * np.sqrt(h))
    W["0.Q"][0, :n, place] = root * np.eye(n)
    W["0.K"][0, :n, place] = root * np.eye(n, k=-1)
    W["1.Q"][0, :v, token] = W["1.K"][0, :v, before] = root * np.eye(v)
    for i, target in ((0, before), (1, answer)):
        W[f"{i}.V"][0, :v, token] = out[i][target, :v] = np.eye(v)
    embed, positions, unembed = np.zeros((d, v)), np.zeros((n, d)), np.zeros((d, v))
    embed[token], positions[:, place], unembed[answer] = np.eye(v), np.eye(n), 50 * np.eye(v)
    state = {"embed.W_E": embed, "pos_embed.W_pos": positions, "unembed.W_U": unembed}
    for i in (0, 1):
        state |= {f"attn_blocks.{i}.attn.W_{x}": W[f"{i}.{x}"] for x in "QKV"}
        state[f"attn_blocks.{i}.attn.W_O"] = out[i]
        state[f"attn_blocks.{i}.attn.mask"] = np.tril(np.ones((n, n)))
    return state


def shorter(sample: Sample, more: int = 40) -> Sample:
    """The sample with fewer sequences, for large models and slow checks."""
    rest = sample.more
    few = Batch(rest.tokens[:more], rest.positions[:more], rest.targets[:more])
    return replace(sample, more=few)


def by_hand(sample: Sample) -> float:
    """The induction score of a head that attends evenly to what followed its own token."""
    found = []
    starts, steps = copies(sample.batch)
    for tokens, begins in zip(sample.batch.tokens, starts, strict=True):
        for copy in range(1, len(begins)):
            for step in steps:
                at = begins[copy] + step
                followed = {j for j in range(1, at + 1) if tokens[j - 1] == tokens[at]}
                wanted = {begin + step + 1 for begin in begins[:copy]}
                assert wanted <= followed
                found.append(len(wanted) / len(followed))
    return float(np.mean(found))


@pytest.mark.parametrize("double", [1, 2])
@pytest.mark.parametrize("name", SIZES)
def test_the_forward_pass_is_that_of_the_torch_model(name: str, double: int) -> None:
    torch = pytest.importorskip("torch")
    from grokviz.models.attention_only import AttentionOnly
    from grokviz.models.transformer import Shape, Transformer

    vocabulary, context, outputs, layers = SIZES[name]
    shape = Shape(vocabulary, context, d_model=12, heads=3, d_mlp=20, outputs=outputs)
    if name == "digit-addition":
        model = Transformer(shape, seed=1)
        torch.nn.init.normal_(model.blocks[0].mlp.b_in)
        torch.nn.init.normal_(model.blocks[0].mlp.b_out)
        double = 1
    else:
        model = AttentionOnly(shape, layers, skip_weight=double, head_scaled=True, seed=1)
    model = model.double()
    state = {key: value.numpy() for key, value in model.state_dict().items()}
    settings = SMALL if name == "repeated-subsequence" else {}
    sample = shorter(task(name).load("view").sample_of(settings))
    parts, batch = (sample.batch, sample.more), sample.batch
    w = sample.weights(state, double)
    with torch.no_grad():
        whole = [model(torch.from_numpy(one.tokens)).numpy() for one in parts]
    wanted = [
        np.take_along_axis(logits, one.positions[..., None], axis=1)
        for logits, one in zip(whole, parts, strict=True)
    ]
    found = np.concatenate([r.logits for _, r in run_in_chunks(w, batch.tokens, batch.positions)])
    np.testing.assert_allclose(found, wanted[0], rtol=1e-10, atol=1e-12)

    m, every = sample.measure(w), np.concatenate(wanted)
    targets = np.concatenate([one.targets for one in parts])
    loss = torch.nn.functional.cross_entropy(
        torch.from_numpy(every).flatten(0, 1), torch.from_numpy(targets).flatten(), reduction="none"
    ).reshape(targets.shape)
    np.testing.assert_allclose(m.loss, loss.mean(0).numpy(), rtol=1e-10)
    assert m.error == pytest.approx(float(loss.mean(1).std()) / len(targets) ** 0.5, rel=1e-9)
    np.testing.assert_allclose(m.accuracy, (every.argmax(-1) == targets).mean(0))


def test_losses_are_measured_on_two_thousand_sequences_and_attention_on_the_first() -> None:
    for name, probed in (("repeated-subsequence", 128), ("digit-addition", 500),
                         ("skip-trigram", 1000)):  # fmt: skip
        sample = task(name).load("view").sample_of({})
        assert (len(sample.batch), len(sample)) == (probed, 2048)
        # none stands in both parts
        rows = np.concatenate([sample.batch.tokens, sample.more.tokens])
        assert len(np.unique(rows, axis=0)) == 2048


def test_rows_of_attention_sum_to_one_and_look_back() -> None:
    w = SequenceWeights.of(copying(20, 31))
    batch = RepeatedSubsequenceRun.sample_of(SMALL).batch
    for pattern in run(w, batch.tokens[:3], batch.positions[:3]).patterns:
        np.testing.assert_allclose(pattern.sum(axis=-1), 1)
        assert (pattern[..., ~np.tril(np.ones((31, 31), dtype=bool))] == 0).all()


@pytest.mark.parametrize("double", [1, 2])
@pytest.mark.parametrize("vocabulary", [20, 300])
def test_heads_made_by_hand_have_the_scores_that_follow(vocabulary: int, double: int) -> None:
    settings = {**SMALL, "vocabulary": vocabulary}
    sample = shorter(RepeatedSubsequenceRun.sample_of(settings))
    m = sample.measure(sample.weights(copying(vocabulary, 31), double))
    before, follows = m.attention["previous_token"], m.attention["induction"]
    assert before.shape == follows.shape == (2, 2)
    assert before[0, 0] == pytest.approx(1, abs=1e-9)
    assert follows[1, 0] == pytest.approx(by_hand(sample), abs=1e-6)
    even = np.mean([1 / (query + 1) for query in range(1, 31)])
    assert before[0, 1] == before[1, 1] == pytest.approx(even)
    if vocabulary == 300:
        assert follows[1, 0] > 0.95
        assert m.accuracy.mean() > 0.97


def test_even_attention_is_spread_over_all_earlier_copies() -> None:
    sample = shorter(RepeatedSubsequenceRun.sample_of(SMALL))
    starts, steps = copies(sample.batch)
    later = starts[:, 1:, None] + steps
    number = np.arange(1, 3)[None, :, None]
    even = float((number / (later + 1)).mean())
    m = sample.measure(sample.weights(copying(20, 31), 1))
    assert m.attention["induction"][0, 1] == pytest.approx(even)


@pytest.mark.parametrize("repeats", [2, 3, 4])
def test_the_copies_are_found(repeats: int) -> None:
    task = RepeatedSubsequence(vocabulary=50, length=60, subsequence=7, repeats=repeats)
    rng = np.random.default_rng(3)
    batch = task.sample(200, rng)
    # the task draws tokens, the subsequence, and then where the copies begin
    again = np.random.default_rng(3)
    again.integers(1, 50, (200, 60))
    again.integers(1, 50, (200, 7))
    starts, steps = copies(batch)
    np.testing.assert_array_equal(starts, task.starts(200, again))
    assert steps.tolist() == list(range(6))
    probe = induction(batch)
    assert probe.queries == 200 * (repeats - 1) * 6
    assert len(probe.row) == 200 * 6 * repeats * (repeats - 1) // 2
    now, then = batch.tokens[probe.row, probe.query], batch.tokens[probe.row, probe.key - 1]
    np.testing.assert_array_equal(now, then)
    np.testing.assert_array_equal(
        batch.tokens[probe.row, probe.query + 1], batch.tokens[probe.row, probe.key]
    )
    source = source_of(batch, 5)
    known = np.flatnonzero(source >= 0)
    assert known.tolist() == sorted(batch.positions[5].tolist())
    np.testing.assert_array_equal(batch.tokens[5, source[known]], batch.tokens[5, known + 1])


def test_a_probe_of_some_sequences_is_a_share_of_the_whole() -> None:
    batch = RepeatedSubsequence(**SMALL).sample(10, np.random.default_rng(0))
    pattern = np.random.default_rng(1).random((10, 2, 31, 31))
    for probe in (previous_token(batch), induction(batch)):
        parts = [slice(0, 4), slice(4, 8), slice(8, 12)]
        found = sum(probe.restrict(rows).score(pattern[rows]) for rows in parts)
        np.testing.assert_allclose(found, probe.score(pattern))


def test_the_key_token_is_where_the_task_put_it() -> None:
    sample = SkipTrigramRun.sample_of({"noise": 4, "length": 9})
    tokens, probe = sample.batch.tokens, sample.probes["key"]
    assert probe.queries == len(tokens) == 1000
    assert (probe.query == 10).all()
    np.testing.assert_array_equal(
        tokens[probe.row, probe.key], 6 + sample.batch.targets[probe.row, 0]
    )


def test_the_sample_is_the_same_every_time_and_is_not_the_trainings() -> None:
    pytest.importorskip("torch")
    for name in ("repeated-subsequence", "digit-addition", "skip-trigram"):
        one, two = (task(name).load("view").sample_of({}).batch for _ in range(2))
        np.testing.assert_array_equal(one.tokens, two.tokens)
        seeds = {r.keys["data-seed"].default for r in recipes().values() if r.task == name}
        assert seeds
        assert sequences.SEED not in seeds


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"vocabulary": 21}, "embed.W_E is of size 20, but the run's settings say 21"),
        ({"length": 40}, "pos_embed.W_pos is of size 31"),
    ],
)
def test_weights_of_another_size_are_refused(change: dict[str, int], sentence: str) -> None:
    sample = RepeatedSubsequenceRun.sample_of({**SMALL, **change})
    with pytest.raises(InputError, match=sentence):
        sample.weights(copying(20, 31), 2)


def test_weights_that_are_no_such_model_are_refused() -> None:
    state = copying(20, 31)
    gone = {k: a for k, a in state.items() if not k.startswith("attn_blocks.0")}
    with pytest.raises(InputError, match=r"no attention layers blocks\.0"):
        SequenceWeights.of(gone)
    state["attn_blocks.1.attn.W_V"] = state["attn_blocks.1.attn.W_V"] * np.nan
    with pytest.raises(InputError, match=r"attn_blocks\.1\.attn\.W_V holds NaN"):
        SequenceWeights.of(state)
