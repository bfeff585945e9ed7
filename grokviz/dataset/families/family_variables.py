"""Rows of the labelled dataset's table: families of runs, their phase changes, and rounding.

A family is several runs in one dataset: a sweep, an imported one, any runs named together.
Each row with ``member`` holds one value, or one curve, for each of them.
"""

from __future__ import annotations

from grokviz.dataset.families import trajectory
from grokviz.dataset.variables import PAPER, Variable

SWEEP = f"{PAPER}, appendix D; published run mod_addition_frac_train_sweep"
SMOOTH = "thread, claim on phase changes; thread, tweet 13"
SLINGSHOTS = "arXiv:2206.04817; thread, tweet 14"
RACE = trajectory.PUBLISHED
ROUNDING = "thread, tweet 14; arXiv:2605.06152"


def _family(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
            source: str = SWEEP, dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, dims, long_name, units, definition, source, dtype)


def _pieces(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
            dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, dims, long_name, units, definition, SMOOTH, dtype)


def _rounding(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
              dtype: str = "float64") -> Variable:  # fmt: skip
    return Variable(name, dims, long_name, units, definition, ROUNDING, dtype)


FAMILY_ROWS = [
    _family("member_name", ("member",), "name of the run", "1",
            "name of the run's folder; with the folder above it where two are called the same",
            dtype="str"),
    _family("member_source", ("member",), "where the run comes from", "1",
            "ours: trained by a recipe; published: imported from a published file; other",
            dtype="str"),
    _family("member_task", ("member",), "task of the run", "1", "what the run learns",
            dtype="str"),
    _family("member_fraction", ("member",), "training fraction", "1",
            "share of all pairs trained on; NaN where a run does not say it", dtype="float64"),
    _family("member_seed", ("member",), "seed", "1",
            "seed of the initial weights; -1 where a run does not say it", dtype="int64"),
    _family("member_p", ("member",), "number of residues", "1",
            "the modulus; -1 where a run does not say it", dtype="int64"),
    _family("member_d_model", ("member",), "width", "1",
            "width of the residual stream; -1 where a run does not say it", dtype="int64"),
    _family("member_weight_decay", ("member",), "weight decay", "1",
            "AdamW's decoupled weight decay; NaN where a run does not say it", dtype="float64"),
    _family("member_precision", ("member",), "precision of the loss", "1",
            "dtype of the log-softmax; empty where a run does not say it", SLINGSHOTS, "str"),
    _family("member_recipe", ("member",), "recipe of the run", "1",
            "the recipe that it was trained by; empty where it was trained otherwise", RACE, "str"),
    _family("member_optimiser", ("member",), "optimiser", "1",
            "what makes updates of gradients; empty where a run does not say it", RACE, "str"),
    _family("member_objective", ("member",), "loss that is minimised", "1",
            "what gradients are of; empty where a run does not say it", RACE, "str"),
    _family("member_last_epoch", ("member",), "last epoch", "epoch",
            "the last epoch or step at which the training loss was logged", dtype="int64"),
    _family("memorised_epoch", ("member",), "memorised at", "epoch",
            "first epoch or step with a training loss below 0.1, as logged; -1 if never",
            dtype="int64"),
    _family("generalised_epoch", ("member",), "generalised at", "epoch",
            "first epoch or step with a test loss below 0.1, as logged; -1 if never",
            dtype="int64"),
    _family("accurate_epoch", ("member",), "95 % right at", "epoch",
            "first epoch or step with a test accuracy of at least 0.95, as logged; -1 if never, or "
            "where none was logged", RACE, "int64"),
    _family("member_epoch", ("member", "point"), "epochs of the training loss", "epoch",
            "epochs or steps of each run's own thinned training curve: of each of many stretches, "
            "half of them equal and half growing with time, the lowest and the highest value; "
            "-1 after the curve's last point", dtype="int64"),
    _family("member_train_loss", ("member", "point"), "training loss", "nats",
            "training loss at member_epoch, as logged; NaN after the last point"),
    _family("member_test_epoch", ("member", "point"), "epochs of the test loss", "epoch",
            "as member_epoch, of the test loss", dtype="int64"),
    _family("member_test_loss", ("member", "point"), "test loss", "nats",
            "test loss at member_test_epoch, as logged; NaN after the last point"),
    _family("member_test_accuracy", ("member", "point"), "test accuracy", "1",
            "share of the test data answered right at member_test_epoch, as logged; NaN where it "
            "was not", RACE),
    *trajectory.ROWS,
    _family("member_unembedding_norm", ("member", "point"), "norm of W_U", "1",
            "Frobenius norm of the unembedding at member_epoch, as logged; NaN where it was not",
            SLINGSHOTS),
    _family("member_logit_gradient_sum", ("member", "point"), "sum of the logits' gradient", "1",
            "the training loss's gradient summed over all logits at member_epoch, as logged: 0 "
            "but for rounding; NaN where it was not logged", ROUNDING),
    _family("member_spike_count", ("member",), "number of spikes", "1",
            "how often the training loss rose above 0.001 after it was below 0.0001, as logged; "
            "leaps within 100 epochs of the last one's top are one spike that swings",
            SLINGSHOTS, "int64"),
    _pieces("piece_name", ("piece",), "what fell", "1",
            "the run, and the digit of its answer where it is one", "str"),
    _pieces("piece_kind", ("piece",), "which loss fell", "1",
            "digit: one digit's training loss; train: the training loss on ever fresh data; "
            "test: the loss on held-out data", "str"),
    _pieces("piece_member", ("piece",), "run of the phase change", "1",
            "number of the run among the members", "int64"),
    _pieces("piece_drop", ("piece",), "when it fell", "step",
            "the first of the common steps with a loss below half of its start", "int64"),
    _pieces("piece_loss", ("piece", "step"), "share of the loss at the start", "1",
            "mean of the values logged since the step before, divided by the first value logged; "
            "where none were logged, or after a run's end, the last one before; of all curves "
            "those that end below a fifth and lose half within a doubling of the steps, in an "
            "order drawn once with seed 0"),
    _pieces("mean_steepest_fall", ("count",), "steepest fall of the mean", "1",
            "largest fall of the mean of the first pieces within a factor of 1.25 in steps, as a "
            "share of its start"),
]  # fmt: skip

ROUNDING_ROWS = [
    _rounding("log_softmax_value", ("x", "precision"), "log-softmax of [0, x] at x", "nats",
              "what torch.log_softmax returns for the larger of two logits 0 and x, both in that "
              "precision"),
    _rounding("rounding_threshold", ("classes", "precision"), "threshold of rounding", "1",
              "the smallest lead of one logit over all others, which are equal, at which its "
              "log-softmax is exactly 0; measured by bisection"),
    _rounding("rounding_threshold_theory", ("classes", "precision"), "expected threshold", "1",
              "ln(n - 1) + m ln 2 for n classes and a significand of m bits: where 1 plus the "
              "others' sum first rounds to 1"),
    _rounding("gap_loss", ("gap", "precision"), "loss at a lead", "nats",
              "cross entropy of the right class, among 113, when it leads all others by the gap"),
    _rounding("gap_right_gradient", ("gap", "precision"), "gradient of the right logit", "1",
              "gradient of that loss by the right class's logit, by autograd"),
    _rounding("gap_wrong_gradient", ("gap", "precision"), "gradient of a wrong logit", "1",
              "gradient of that loss by one wrong class's logit, by autograd"),
    _rounding("gap_gradient_sum", ("gap", "precision"), "sum of the logits' gradient", "1",
              "sum of that gradient over the 113 classes, added up in float64; 0 in exact "
              "arithmetic"),
]  # fmt: skip

ROWS = [*FAMILY_ROWS, *ROUNDING_ROWS]

DIMENSIONS = {
    "member": "runs of a family, numbered from 0",
    "point": "points of each run's own thinned curve, in the order of time",
    "kept": "checkpoints of each run, at most 40 of them, in the order of time",
    "source": "where runs come from: ours, published or other",
    "fraction": "share of all pairs trained on, the largest first",
    "piece": "single phase changes, numbered from 0",
    "step": "updates, on a clock that all phase changes share",
    "count": "number of phase changes averaged",
    "x": "the larger of two logits, the other being 0",
    "precision": "dtype of the arithmetic",
    "classes": "number of classes",
    "gap": "lead of the right logit over all others",
}
