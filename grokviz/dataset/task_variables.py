"""Rows of the labelled dataset's table: the other tasks, and slingshots.

"Fresh sequences" are the same for all checkpoints and runs of a task's sizes: they are drawn
with a seed that no recipe uses (:mod:`grokviz.tasks._sequences.sequences`).
"""

from __future__ import annotations

from grokviz.dataset.variables import PAPER, Variable

INDUCTION = "arXiv:2209.11895; thread, tweets 2 and 7"
DIGITS = f"{PAPER}, figures 21 to 23; thread, tweet 13"
SLINGSHOTS = "arXiv:2206.04817; thread, tweet 14"

ROWS = [
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
    Variable(
        "logged_unembedding_norm", "slingshots", ("logged_epoch",), "norm of W_U", "1",
        "Frobenius norm of the unembedding, as training logged it", SLINGSHOTS),
    Variable(
        "logged_logit_gradient_sum", "slingshots", ("logged_epoch",),
        "sum of the logits' gradient", "1",
        "the training loss's gradient summed over all logits of all training pairs, as training "
        "logged it: 0 but for rounding, as each pair's probabilities sum to 1", "arXiv:2605.06152"),
    Variable(
        "held_out_loss", "held_out", ("epoch",), "loss on fresh sequences", "nats",
        "mean cross entropy at the scored positions of fresh sequences, by float64 forward pass",
        f"{PAPER}, figures 21 to 25"),
    Variable(
        "held_out_accuracy", "held_out", ("epoch",), "accuracy on fresh sequences", "1",
        "share of those scored positions whose right class has strictly the largest logit",
        f"{PAPER}, figures 21 to 25"),
    Variable(
        "induction_score", "heads", ("epoch", "layer", "head"), "induction score", "1",
        "mean attention, from the scored positions of fresh sequences, to the tokens after the "
        "earlier copies of the same token of the repeated subsequence, summed over the copies",
        INDUCTION),
    Variable(
        "previous_token_score", "heads", ("epoch", "layer", "head"), "previous-token score", "1",
        "mean attention, from every position of fresh sequences but the first, to the position "
        "before it", INDUCTION),
    Variable(
        "attention_pattern", "heads", ("field_epoch", "shown_head", "query", "key"),
        "attention", "1", "attention of the shown heads from each position to each, at one fresh "
        "sequence", INDUCTION, step=1 / 256),
    Variable(
        "shown_layer", "heads", ("shown_head",), "layer of the shown head", "1",
        "of the best head of its kind in the last checkpoint; the previous-token head is looked "
        "for in the layers before the induction head's, where there are any", INDUCTION, "int64"),
    Variable(
        "shown_number", "heads", ("shown_head",), "number of the shown head", "1",
        "its number within its layer", INDUCTION, "int64"),
    Variable(
        "shown_token", "heads", ("query",), "token", "1",
        "tokens of the sequence shown", INDUCTION, "int64"),
    Variable(
        "shown_source", "heads", ("query",), "where the next token stands", "position",
        "position after the latest earlier copy of the token, within the repeated subsequence; "
        "-1 where the next token cannot be known", INDUCTION, "int64"),
    Variable(
        "token_train_loss", "digits", ("logged_epoch", "digit"), "train loss of the digit", "nats",
        "training loss of one digit of the answer, as logged", DIGITS),
    Variable(
        "token_test_loss", "digits", ("tested_epoch", "digit"), "test loss of the digit", "nats",
        "test loss of one digit of the answer, as logged", DIGITS),
    Variable(
        "digit_drop", "digits", ("digit",), "drop of the digit", "epoch",
        "the first epoch from which on the mean of 50 training losses of the digit is below 0.3; "
        "-1 if it never is", DIGITS, "int64"),
    Variable(
        "held_out_digit_loss", "digit_answers", ("epoch", "digit"),
        "loss of the digit on fresh sums", "nats",
        "mean cross entropy of one digit of the answer of fresh sums, by float64 forward pass",
        DIGITS),
    Variable(
        "key_attention", "key", ("epoch",), "attention to the key token", "1",
        "mean attention from the last token to the key token, over fresh sequences and heads",
        "thread, claim on phase changes; non-modular notebook"),
]  # fmt: skip
