"""Rows of the dataset's table that every run has, and those of what slingshots log."""

from __future__ import annotations

from grokviz.dataset.variables import PAPER, Variable

SLINGSHOTS = "arXiv:2206.04817; thread, tweet 14"
_ILLUSTRATION = (
    "illustration, not training: a walk with the same step lengths in independent random directions"
)
_WALK = "thread: 'it is NOT a random walk'"


def _run(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
         source: str, dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, "run", dims, long_name, units, definition, source, dtype)


def _path(name: str, dims: tuple[str, ...], long_name: str, units: str, definition: str,
          source: str, dtype: str = "float32") -> Variable:  # fmt: skip
    return Variable(name, "path", dims, long_name, units, definition, source, dtype)


_PATH = [
    _path("path_length", ("path_epoch",), "length of the path so far", "1",
          "summed Euclidean distances between successive checkpoints of all weights", _WALK),
    _path("path_displacement", ("path_epoch",), "distance from the start", "1",
          "Euclidean distance of all weights from the first checkpoint", _WALK),
    _path("path_cosine", ("path_epoch",), "cosine between successive steps", "1",
          "cosine between the step that arrives at the checkpoint and the step that leaves it; "
          "NaN at both ends", _WALK),
    _path("path_plane", ("path_epoch", "principal_axis"), "position in the path's own plane", "1",
          "coordinates along the two first principal axes of the path, from its start", _WALK),
    _path("walk_displacement", ("path_epoch",), "distance from the start (random walk)", "1",
          f"{_ILLUSTRATION}: distance from its start", _WALK),
    _path("walk_cosine", ("path_epoch",), "cosine between successive steps (random walk)", "1",
          f"{_ILLUSTRATION}: cosine between successive steps", _WALK),
    _path("walk_plane", ("path_epoch", "principal_axis"),
          "position in the path's own plane (random walk)", "1",
          f"{_ILLUSTRATION}: coordinates along its two first principal axes", _WALK),
]  # fmt: skip

_RUN = [
    _run("logged_train_loss", ("logged_epoch",), "training loss", "nats",
         "mean cross entropy over the training pairs as training logged it, all classes",
         f"{PAPER}, figure 2"),
    _run("logged_test_loss", ("tested_epoch",), "test loss", "nats",
         "mean cross entropy over the held-out pairs as training logged it, all classes",
         f"{PAPER}, figure 2"),
    _run("sum_squared_weights", ("epoch", "parameter"), "sum of squared weights", "1",
         "sum of the squares of all entries of a parameter", f"{PAPER}, figure 7"),
    _run("phase_end", ("phase",), "last epoch of each phase", "epochs",
         "from the test loss: memorisation ends at its maximum, circuit formation where it "
         "first is below half of that, clean-up where its logarithm has fallen 95 % of the way",
         f"phases after {PAPER}, section 5.2", "int64"),
]  # fmt: skip

_EVENTS = [
    Variable(
        "event_epoch", "events", ("event",), "epoch of the event", "epoch",
        "the fall of the training loss: where the mean of its last 50 values is nine tenths and "
        "one tenth above its lowest; where there is a test loss: the first train loss and the "
        "first test loss below 0.1, and grokking, the first test loss below half of the largest "
        "before it; -1 for what never happened", f"{PAPER}, sections 3 and 5", "int64"),
    Variable(
        "spike_epoch", "events", ("spike",), "epoch of the spike", "epoch",
        "where a leap of the training loss is highest: it begins above 0.001 after the loss was "
        "below 0.0001, and ends below 0.0001; leaps within 100 epochs of one another are one",
        SLINGSHOTS, "int64"),
    Variable(
        "spike_height", "events", ("spike",), "height of the spike", "nats",
        "the training loss there", SLINGSHOTS),
]  # fmt: skip

SLINGSHOT_ROWS = [
    Variable(
        "logged_unembedding_norm", "slingshots", ("logged_epoch",), "norm of W_U", "1",
        "Frobenius norm of the unembedding, as training logged it", SLINGSHOTS),
    Variable(
        "logged_logit_gradient_sum", "slingshots", ("logged_epoch",),
        "sum of the logits' gradient", "1",
        "the training loss's gradient summed over all logits of all training pairs, as training "
        "logged it: 0 but for rounding, as each pair's probabilities sum to 1", "arXiv:2605.06152"),
]  # fmt: skip

ROWS = [*_RUN, *_EVENTS, *_PATH]

DIMENSIONS = {
    "logged_epoch": "epochs at which the training loss was logged",
    "tested_epoch": "epochs at which the test loss was logged",
    "phase": "phases of training, in order",
    "parameter": "names in the published state dictionaries",
    "path_epoch": "evenly spaced epochs along the path of the weights",
    "principal_axis": "principal axes of the path of the weights, the widest first",
    "event": "what happened to the losses, by name",
    "spike": "leaps of the training loss, numbered from 1",
}
"""What these rows run along, besides the two clocks of every dataset."""
