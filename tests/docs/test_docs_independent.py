"""Numbers of the science page from the bundled weights alone, without a measure of the package.

The model is written out here from the paper's appendix A, the split from its random.shuffle, and
every number from the sentence beside it.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/science.md").read_text("utf-8")
P, KEYS = 113, (14, 35, 41, 42, 52)
A, B = np.divmod(np.arange(P * P), P)
ANSWER = (A + B) % P


def stated(row: str) -> list[float]:
    """What the page has as ours in the first row that begins so."""
    (line, *_) = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    texts = re.findall(r"-->([^<]*)<!--/-->", line.split("|")[2])
    return [float(x) for text in texts for x in re.findall(r"[\d.]+(?:e-\d+)?", text)]


class Network:
    """The paper's one-layer transformer on all pairs, in float64, with parts left out."""

    def __init__(self, epoch: int, run: str = "modular-addition") -> None:
        file = ROOT / f"assets/reference/{run}/weights/{epoch}.safetensors"
        self.w = {name: value.astype(np.float64) for name, value in load_file(file).items()}

    def of(self, name: str) -> np.ndarray:
        (value,) = [v for k, v in self.w.items() if k.endswith(name)]
        return value

    def run(self, heads: float = 1.0, skip: float = 1.0) -> tuple[np.ndarray, ...]:
        """Logits of the 113 numbers, neurons, and the attention of "=" by head."""
        tokens = np.stack([A, B, np.full(P * P, P)], axis=1)
        x = self.of("W_E").T[tokens] + self.of("W_pos")
        last = x[:, -1]
        mixed, patterns = [], []
        for q, k, v in zip(self.of("W_Q"), self.of("W_K"), self.of("W_V"), strict=True):
            scores = np.einsum("nh,nph->np", last @ q.T, x @ k.T) / np.sqrt(len(q))
            pattern = np.exp(scores - scores.max(axis=1, keepdims=True))
            pattern /= pattern.sum(axis=1, keepdims=True)
            patterns.append(pattern)
            mixed.append(np.einsum("np,nph->nh", pattern, x @ v.T))
        mid = last + heads * np.concatenate(mixed, axis=1) @ self.of("W_O").T
        neurons = np.maximum(mid @ self.of("W_in").T + self.of("b_in"), 0)
        out = skip * mid + neurons @ self.of("W_out").T + self.of("b_out")
        return (out @ self.of("W_U"))[:, :P], neurons, np.stack(patterns)


def losses(logits: np.ndarray) -> np.ndarray:
    behind = logits - logits[np.arange(P * P), ANSWER][:, None]
    behind[np.arange(P * P), ANSWER] = -np.inf
    return np.log1p(np.exp(behind).sum(axis=1))


def waves(*frequencies: int) -> np.ndarray:
    """Unit vectors over the pairs: cos and sin of w(a + b)."""
    turns = [2 * np.pi * k * (A + B) / P for k in frequencies]
    every = np.stack([f(t) for t in turns for f in (np.cos, np.sin)])
    return every / np.linalg.norm(every, axis=1, keepdims=True)


def part(logits: np.ndarray, *frequencies: int) -> np.ndarray:
    directions = waves(*frequencies)
    return directions.T @ (directions @ logits)


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(40000)


@pytest.fixture(scope="module")
def ran(network: Network) -> tuple[np.ndarray, ...]:
    return network.run()


@pytest.fixture(scope="module")
def train() -> np.ndarray:
    pairs = [(i, j) for i in range(P) for j in range(P)]
    random.Random(0).shuffle(pairs)
    mask = np.zeros(P * P, dtype=bool)
    mask[[i * P + j for i, j in pairs[: int(0.3 * P * P)]]] = True
    return mask


def test_losses_and_margins(ran, train) -> None:
    logits, each = ran[0], losses(ran[0])
    assert stated("loss over all pairs") == [pytest.approx(each.mean(), rel=5e-4)]
    assert stated("test loss |") == [pytest.approx(each[~train].mean(), rel=5e-4)]
    right = logits[np.arange(P * P), ANSWER]
    others = logits.copy()
    others[np.arange(P * P), ANSWER] = -np.inf
    margins = right - others.max(axis=1)
    wanted = [margins.min(), margins.mean(), margins.max()]
    assert stated("margin") == pytest.approx(wanted, abs=6e-3)


def test_weights_and_their_waves(network) -> None:
    squares = sum(float(np.square(v).sum()) for k, v in network.w.items() if "mask" not in k)
    assert stated("sum of squared weights") == [pytest.approx(squares, abs=0.6)]
    spectrum = np.fft.fft(network.of("W_E")[:, :P], axis=1)
    power = np.square(np.abs(spectrum)).sum(axis=0)[1:57]
    share = power[np.array(KEYS) - 1].sum() / power.sum()
    assert stated("share of W_E's power") == [pytest.approx(100 * share, abs=0.06)]
    logit_map = (network.of("W_U").T @ network.of("W_out"))[:P]
    spectrum = np.fft.fft(logit_map, axis=0)
    kept = np.isin(np.minimum(np.arange(P), P - np.arange(P)), KEYS)
    outside = np.square(np.abs(spectrum[~kept])).sum() / np.square(np.abs(spectrum)).sum()
    assert stated("W_L outside")[0] == pytest.approx(100 * outside, abs=6e-3)


def test_neurons_and_attention(ran) -> None:
    _, neurons, patterns = ran
    grid = neurons.reshape(P, P, -1)
    spectrum = np.square(np.abs(np.fft.fft2(grid, axes=(0, 1))))
    spectrum[0, 0] = 0
    own = np.minimum(np.arange(P), P - np.arange(P))
    best = np.zeros(neurons.shape[1])
    for k in range(1, 57):
        rows = np.isin(own, (0, k))
        best = np.maximum(best, spectrum[np.ix_(rows, rows)].sum(axis=(0, 1)))
    clustered = int((best >= 0.85 * spectrum.sum(axis=(0, 1))).sum())
    assert stated("neurons with 85 %")[0] == clustered
    to_itself = 100 * patterns[:, :, 2].mean(axis=1)
    wanted = [to_itself.min(), to_itself.max()]
    assert stated('attention of "=" to itself') == pytest.approx(wanted, abs=0.06)


def test_restricted_excluded_and_fitted(ran, train) -> None:
    logits = ran[0]
    alone = part(logits, *KEYS)
    restricted = losses(alone + (logits - alone).mean(axis=0)).mean()
    assert stated("restricted loss, all pairs") == [pytest.approx(restricted, rel=2e-3)]
    excluded = [losses(logits - part(logits, k))[train].mean() for k in KEYS]
    assert stated("frequency 14, 35, 41, 42, 52 is taken") == pytest.approx(excluded, rel=0.02)
    distance = (ANSWER[:, None] - np.arange(P)) % P
    cosines = [np.cos(2 * np.pi * k * distance / P) for k in KEYS]
    fit = sum(float((c * logits).sum() / np.square(c).sum()) * c for c in cosines)
    fitted = losses(fit).mean()
    assert stated("logits are replaced by that fit") == [pytest.approx(fitted, rel=2e-3)]
    with_means = losses(fit + logits.mean(axis=0)).mean()
    assert stated("logits are replaced by their fit")[0] == pytest.approx(with_means, rel=2e-3)
    explained = 100 * np.square(fit).sum() / np.square(logits).sum()
    assert stated("squared logits, over") == [pytest.approx(explained, abs=0.06)]


def test_ablations(network) -> None:
    without = losses(network.run(heads=0)[0]).mean()
    assert stated("all heads write zero") == [pytest.approx(without, abs=0.06)]
    cut = losses(network.run(skip=0)[0]).mean()
    assert stated("skip connection around the MLP")[0] == pytest.approx(cut, rel=1e-3)


def test_all_waves_taken_out_at_two_epochs(train) -> None:
    section = PAGE[PAGE.index('called "full"') :]
    for epoch in (1400, 5400):
        logits = Network(epoch).run()[0]
        without = losses(logits - part(logits, *range(1, 57)))[train].mean()
        (line,) = re.findall(rf"^\| {epoch:,} \|.*$", section.split("## ")[0], re.MULTILINE)
        text = re.findall(r"-->([^<]*)<!--/-->", line)[0]
        assert float(text) == pytest.approx(without, rel=6e-3)


def test_the_run_with_one_thread_ends_with_the_same_frequencies() -> None:
    network = Network(12000, "modular-addition-answers")
    logit_map = (network.of("W_U").T @ network.of("W_out"))[:P]
    power = np.square(np.abs(np.fft.fft(logit_map, axis=0))).sum(axis=1)[1:57]
    assert {*(np.argsort(power)[-5:] + 1).tolist()} == {*KEYS}
    # and no sixth is near them
    assert np.sort(power)[-5] > 100 * np.sort(power)[-6]
