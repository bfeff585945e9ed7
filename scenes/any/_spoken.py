"""What tensors are called in a sentence, and small numbers as words."""

from __future__ import annotations

from grokviz.scene.spoken import in_words

WORDS = {
    "W_E": "the embedding",
    "W_pos": "the positions",
    "W_Q": "the query matrix",
    "W_K": "the key matrix",
    "W_V": "the value matrix",
    "W_O": "the heads' output",
    "W_in": "the MLP's input",
    "b_in": "the MLP's input bias",
    "W_out": "the MLP's output",
    "b_out": "the MLP's output bias",
    "W_U": "the unembedding",
}
"""Tensors of the published model by the last part of their names; others keep their own names."""


def spoken(name: str) -> str:
    """A short name as in a sentence: "W_Q" as "the query matrix", of several layers with its own;
    the name itself where it is no known one.
    """
    *before, last = name.split(".")
    layer = next((part for part in before if part.isdigit()), None)
    words = WORDS.get(last)
    if words is None:
        return name
    return words if layer is None else f"{words} of layer {layer}"


def labelled(name: str) -> str:
    """A short name as a label, with what it is in words: "query matrix, W_Q"."""
    words = WORDS.get(name)
    return name if words is None else f"{words.removeprefix('the ')}, {name}"


def counted(number: int) -> str:
    """A small number as a word, a larger one in figures."""
    if number == 0:
        return "no"
    return in_words(number, most=10) if number <= 10 else f"{number:,}"


def sentence(words: str) -> str:
    """Words with a capital at their beginning."""
    return words[:1].upper() + words[1:]
