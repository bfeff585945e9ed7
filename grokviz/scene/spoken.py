"""What is said of a picture: numbers in words; below a film in which lines, and for how long."""

from __future__ import annotations

from collections.abc import Sequence

from grokviz.media.motion import A_WORD, AT_LEAST, FADE

NUMBERS = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip

LONGEST = 60
"""Maximum number of characters in a line of a caption."""


def in_words(number: int, most: int = 12) -> str:
    """A number as it stands in a sentence: from one to ``most`` a word, any other in figures."""
    return NUMBERS[number - 1] if 1 <= number <= most else str(number)


def percent(share: float) -> str:
    """A share in whole per cent, and never as none or all where it is neither: 0.3%, 99.7%.

    A digit more is given below 0.95 % and from 99.5 % on; nearer to none or to all than that digit
    says is "under 0.1%" and "over 99.9%".
    """
    at = 100 * share
    if 1e-7 < at < 0.05:
        return "under 0.1%"
    if 99.95 <= at < 100 - 1e-7:
        return "over 99.9%"
    digits = 1 if 0.05 <= at < 0.95 or 99.5 <= at < 99.95 else 0
    return f"{at:.{digits}f}%"


def running_percent(share: float) -> str:
    """A share that runs on in a film, in whole per cent of one width, 100% where it is all."""
    return f"{min(round(100 * share), 99 if share < 1 - 1e-9 else 100)}%".rjust(4)


def capitalised(words: str) -> str:
    """Words with a capital letter, unless the first one is a symbol."""
    first = words.split(" ", 1)[0]
    return words[:1].upper() + words[1:] if first.isalpha() and first.islower() else words


def reading(text: str) -> float:
    """Seconds for which a caption is shown at least, and a picture beside it stands still at most:
    it comes, and then a third a word.
    """
    return FADE + AT_LEAST + A_WORD * len(text.split())


def in_lines(text: str) -> list[str]:
    """A caption in one line, or in two of nearly equal length."""
    if "\n" in text or len(text) <= LONGEST:
        return text.split("\n")
    return halves(text)


def halves(text: str) -> list[str]:
    """A text in two lines of nearly equal length; a single word stays as it is."""
    gaps = [i for i, letter in enumerate(text) if letter == " " and text[:i].count("$") % 2 == 0]
    if not gaps:
        return [text]
    # rather after a comma than in the middle of what belongs together
    near = {i: abs(i - len(text) / 2) - 0.14 * len(text) * (text[i - 1] in ",;:") for i in gaps}
    middle = min(gaps, key=near.__getitem__)
    return [text[:middle], text[middle + 1 :]]


def starts(texts: Sequence[str], frames: int) -> list[int]:
    """The first frame of each caption where they share so many frames as they are read."""
    times = [reading(text) for text in texts]
    return [round(frames * sum(times[:n]) / sum(times)) for n in range(len(times))]
