"""Products of weight matrices that show the algorithm (arXiv:2301.05217, section 4)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from grokviz.dataset.numerics import ties
from grokviz.dataset.numerics.fourier import component_norms, fft1d, fourier_basis
from grokviz.tasks.modular_addition.weights import ModularAdditionWeights


def neuron_logit_map(w: ModularAdditionWeights) -> Float[np.ndarray, "p d_mlp"]:
    """W_L = W_U W_out: what each neuron adds to each of the p logits (figure 3, right)."""
    W_L: Float[np.ndarray, "p d_mlp"] = w.W_U.T @ w.W_out
    return W_L


def attention_map(w: ModularAdditionWeights) -> Float[np.ndarray, "heads p"]:
    """C_j = r W_Q^T W_K W_E: how much each number draws head j's attention from '='.

    r is the residual stream at '='. Not divided by sqrt(d_head), without positions, in score
    units. Source: arXiv:2301.05217, figure 8.
    """
    query = w.W_Q @ w.equals
    C: Float[np.ndarray, "heads p"] = (
        np.einsum("hi,him->hm", query, w.W_K, optimize=True) @ w.number_embedding
    )
    return C


def attention_map_fourier(w: ModularAdditionWeights) -> Float[np.ndarray, "heads p"]:
    """C_j in the Fourier basis: coefficient of each component for each head."""
    return fft1d(attention_map(w))


def neuron_input_components(w: ModularAdditionWeights) -> Float[np.ndarray, "heads p"]:
    """Norm over the neurons of each Fourier component of W_neur, for each head.

    W_neur = W_in W_O W_V W_E is what each number adds to each neuron through a head, without
    positions and for attention 1. Source: arXiv:2301.05217, notebook ("W_neur").
    """
    # ||M W_E F|| through the d_model x d_model Gram matrix of M, which is smaller than M.
    M = (w.W_in @ w.output_by_head) @ w.W_V
    waves = fft1d(w.number_embedding)
    squares = np.einsum("mi,hmn,ni->hi", waves, M.transpose(0, 2, 1) @ M, waves, optimize=True)
    norms: Float[np.ndarray, "heads p"] = np.sqrt(np.maximum(squares, 0))
    return norms


def output_components(W_L: Float[np.ndarray, "p d_mlp"]) -> Float[np.ndarray, " p"]:
    """Norm over the neurons of each Fourier component of the logits' side of W_L."""
    return component_norms(W_L.T)


def key_rows(keys: Int[np.ndarray, " key"], p: int) -> Float[np.ndarray, "2key p"]:
    """The Fourier basis rows cos k and sin k of the key frequencies, in the basis's order."""
    rows = np.stack([2 * keys - 1, 2 * keys], axis=1).reshape(-1)
    waves: Float[np.ndarray, "2key p"] = fourier_basis(p)[rows]
    return waves


def key_directions(
    W_L: Float[np.ndarray, "p d_mlp"], keys: Int[np.ndarray, " key"]
) -> Float[np.ndarray, "2key d_mlp"]:
    """u_k and v_k: the neurons' directions that W_L reads into cos wc and sin wc, not normalised.

    Source: arXiv:2301.05217, section 4.2, W_L = sum over k of cos(w_k) u_k^T + sin(w_k) v_k^T.
    """
    directions: Float[np.ndarray, "2key d_mlp"] = key_rows(keys, len(W_L)) @ W_L
    return directions


def key_span(
    W_L: Float[np.ndarray, "p d_mlp"], keys: Int[np.ndarray, " key"]
) -> Float[np.ndarray, "d_mlp direction"]:
    """Orthonormal directions that span the key directions of W_L."""
    return ties.span(key_directions(W_L, keys).T)


def residual_share(components: Float[np.ndarray, " p"], keys: Int[np.ndarray, " key"]) -> float:
    """Frobenius norm of a map outside its key components, over its total norm: 0 to 1.

    ``components`` are the map's component norms; of W_L the paper reports below 0.55 %.
    """
    squares = np.square(components)
    total = squares.sum()
    residual = squares.copy()
    residual[2 * keys - 1] = 0
    residual[2 * keys] = 0
    return float(np.sqrt(residual.sum() / total)) if total > 0 else 0.0


def singular_values(W: Float[np.ndarray, "m n"]) -> Float[np.ndarray, " rank"]:
    """Singular values, largest first, in the weights' unit."""
    values: Float[np.ndarray, " rank"] = np.linalg.svd(W, compute_uv=False)
    return values
