"""Rows of the dataset's table that digit addition adds: the loss of every digit."""

from __future__ import annotations

from grokviz.dataset.variables import PAPER, Variable
from grokviz.tasks._sequences import variables as sequences

DIGITS = f"{PAPER}, figures 21 to 23; thread, tweet 13"

_DIGITS = [
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
]  # fmt: skip

ROWS = [*sequences.ROWS, *_DIGITS]

DIMENSIONS = {"digit": "digits of the answer, the most significant (the carry) first"}
