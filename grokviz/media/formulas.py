r"""Formulas in two notations: Typst (for manim) and mathtext (for matplotlib).

Neither needs LaTeX. To add a formula, add an entry in :data:`FORMULAS`. Tests typeset every
one in matplotlib.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Formula:
    """A formula: Typst math (without dollar signs), mathtext (with them), and its words."""

    typst: str
    mathtext: str
    words: str
    source: str


FORMULAS: dict[str, Formula] = {
    "task": Formula(
        "c = (a + b) mod p",
        r"$c = (a + b)\ \mathrm{mod}\ p$",
        "c is the sum of a and b modulo p",
        "arXiv:2301.05217, section 3",
    ),
    "wave-number": Formula(
        "w_k = (2 pi k) / p",
        r"$w_k = \frac{2 \pi k}{p}$",
        "the angular frequency w k is two pi k over p",
        "arXiv:2301.05217, section 3",
    ),
    "embedding": Formula(
        "a arrow.r.bar (cos(w_k a), sin(w_k a))",
        r"$a \mapsto (\cos(w_k a),\ \sin(w_k a))$",
        "each number a becomes the cosine and sine of w k a",
        "arXiv:2301.05217, section 3",
    ),
    "angle-sum-cos": Formula(
        "cos(w_k (a + b)) = cos(w_k a) cos(w_k b) - sin(w_k a) sin(w_k b)",
        r"$\cos(w_k (a + b)) = \cos(w_k a)\,\cos(w_k b) - \sin(w_k a)\,\sin(w_k b)$",
        "the cosine of a sum of angles from products of cosines and sines",
        "arXiv:2301.05217, section 3",
    ),
    "angle-sum-sin": Formula(
        "sin(w_k (a + b)) = sin(w_k a) cos(w_k b) + cos(w_k a) sin(w_k b)",
        r"$\sin(w_k (a + b)) = \sin(w_k a)\,\cos(w_k b) + \cos(w_k a)\,\sin(w_k b)$",
        "the sine of a sum of angles from products of cosines and sines",
        "arXiv:2301.05217, section 3",
    ),
    "sum-waves": Formula(
        "cos(w_k (a + b)), sin(w_k (a + b))",
        r"$\cos(w_k (a + b)),\ \sin(w_k (a + b))$",
        "the cosine and sine of w k times the sum of a and b",
        "arXiv:2301.05217, section 3",
    ),
    "cos-sum": Formula(
        "cos(w_k (a + b - c))",
        r"$\cos(w_k (a + b - c))$",
        "the cosine of w k times a plus b minus c, greatest where c is the answer",
        "arXiv:2301.05217, section 3",
    ),
    "angle-difference": Formula(
        "cos(w_k (a + b - c)) = cos(w_k (a + b)) cos(w_k c) + sin(w_k (a + b)) sin(w_k c)",
        r"$\cos(w_k (a + b - c)) = \cos(w_k (a + b))\,\cos(w_k c)"
        r" + \sin(w_k (a + b))\,\sin(w_k c)$",
        "the unembedding turns the waves of the sum into a wave around the answer",
        "arXiv:2301.05217, section 3",
    ),
    "logits": Formula(
        '"logit"(c) approx sum_k alpha_k cos(w_k (a + b - c))',
        r"$\mathrm{logit}(c) \approx \sum_k \alpha_k \cos(w_k (a + b - c))$",
        "the logit of c is a weighted sum of cosines over the key frequencies",
        "arXiv:2301.05217, section 4",
    ),
    "neuron-logit-map": Formula(
        'W_L = W_U W_"out"',
        r"$W_L = W_U W_\mathrm{out}$",
        "the neuron-logit map is the unembedding times the output weights",
        "arXiv:2301.05217, section 4.1",
    ),
    "neuron-logit-waves": Formula(
        "W_L = sum_k cos(w_k) u_k^T + sin(w_k) v_k^T",
        r"$W_L = \sum_k \mathbf{cos}(w_k)\, u_k^T + \mathbf{sin}(w_k)\, v_k^T$",
        "the neuron-logit map reads two directions for each key frequency",
        "arXiv:2301.05217, section 4.1",
    ),
    "fourier": Formula(
        "hat(x)_k = sum_(n=0)^(p-1) x_n e^(-2 pi i k n \\/ p)",
        r"$\hat{x}_k = \sum_{n=0}^{p-1} x_n\, e^{-2 \pi i k n / p}$",
        "the discrete Fourier transform over the residues modulo p",
        "arXiv:2301.05217, section 3",
    ),
    "wave-norm": Formula(
        "sqrt(norm(W_E cos(w_k))^2 + norm(W_E sin(w_k))^2)",
        r"$\sqrt{\Vert W_E \cos(w_k) \Vert^2 + \Vert W_E \sin(w_k) \Vert^2}$",
        "the norm of the embedding's cosine and sine parts of one frequency",
        "arXiv:2301.05217, section 4.1",
    ),
    "cross-entropy": Formula(
        'cal(L) = -1/N sum_(a,b) log "softmax"(z)_c',
        r"$\mathcal{L} = -\frac{1}{N} \sum_{a,b} \log\,\mathrm{softmax}(z)_c$",
        "the loss is the mean negative log probability of the right answer",
        "arXiv:2301.05217, section 3",
    ),
    "weight-norm": Formula(
        "sum_i theta_i^2",
        r"$\sum_i \theta_i^2$",
        "the sum of squared weights",
        "arXiv:2301.05217, section 5",
    ),
    "gini": Formula(
        "G = (2 sum_i i x_((i))) / (n sum_i x_i) - (n + 1) / n",
        r"$G = \frac{2 \sum_i i\, x_{(i)}}{n \sum_i x_i} - \frac{n + 1}{n}$",
        "the Gini coefficient of n sorted values",
        "arXiv:2301.05217, section 5",
    ),
}
