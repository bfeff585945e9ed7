"""Every change of the disk failed, once and for good, in the commands that write most."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from tests.torture.common import (
    Result,
    Torture,
    Workshop,
    check_words,
    command,
    contents,
    fail_at,
    require,
)
from tests.torture.kills import STEPWISE, WRITERS, Clean, check_success, furnished

CODES = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS)
NAMES = ("train", "import", "film", "png-sequence", "png", "explore", "slides html", "bundle")


def run(torture: Torture, workshop: Workshop) -> None:
    names = ("import", "train") if torture.scale < 0.01 else NAMES
    for name in [torture.only] if torture.only else names:
        words, out = WRITERS[name]
        with torture.trial(name, "the clean run"):
            fail_command(torture, workshop, name, [*words, "-q"], out)


def fail_command(
    torture: Torture, workshop: Workshop, name: str, words: list[str], out: str
) -> None:
    """Fail changes in turn; the command says one sentence, or does without, and runs again."""
    tally = torture.tally(f"failing calls in {name}")
    clean = Clean.of(torture, workshop, name, words, out)
    steps = clean.steps
    cases = [(n, always) for n in range(1, len(steps) + 1) for always in (False, True)]
    torture.random.shuffle(cases)
    for number, always in cases[: torture.count(3, len(cases))]:
        code = torture.random.choice(CODES)
        point = f"change {number}, {steps[number - 1]}, {errno.errorcode[code]}"
        with torture.trial(name, f"{point}, {'for good' if always else 'once'}"):
            place = furnished(torture, workshop, name)
            target = place / "work" / out
            failed = command(place, words, before=fail_at(place, number, code, always=always))
            check_failure(failed, target, clean.whole, name)
            check_success(place, words, target, clean.whole, name)
            outcome = "one sentence" if failed.status else "did without"
            tally.add((name, number, steps[number - 1], always), outcome)
            shutil.rmtree(place)
    shutil.rmtree(clean.place)


def check_failure(failed: Result, target: Path, whole: dict[str, str] | None, name: str) -> None:
    """Raise Loss unless a command says that it failed, and leaves all of its output or none."""
    check_words(failed)
    if failed.status == 0:
        require(contents(target) == whole, "it says success, and its output is another")
    elif name not in STEPWISE:
        require(contents(target) in (None, whole), "it left half an output")
