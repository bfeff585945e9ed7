"""Every change of the disk failed, once and for good, in the commands that write most."""

from __future__ import annotations

import errno
import shutil

from tests.torture.common import (
    TRAIN,
    Torture,
    Workshop,
    check_words,
    command,
    contents,
    fail_at,
    operations,
    require,
    strays,
)
from tests.torture.kills import WRITERS

CODES = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS)
NAMES = ("import", "film", "png-sequence", "explore", "slides html", "png", "bundle")


def run(torture: Torture, workshop: Workshop) -> None:
    names = NAMES[:1] if torture.scale < 0.01 else NAMES
    for name in names:
        words, out = WRITERS[name]
        fail_command(torture, workshop, name, [*words, "-q"], out, torture.count(4, 60))
    fail_command(
        torture, workshop, "train", [*TRAIN, "--out", "out", "-q"], "out", torture.count(3, 120)
    )


def fail_command(
    torture: Torture, workshop: Workshop, name: str, words: list[str], out: str, failures: int
) -> None:
    """Fail changes in turn; the command says one sentence, or does without, and runs again."""
    tally = torture.tally(f"failing calls in {name}")
    clean = torture.place()
    workshop.copy_to(clean)
    result, steps = operations(clean, words)
    with torture.trial(name, "the clean run"):
        require(result.status == 0, f"the clean run failed: {result.err}")
    whole = contents(clean / "work" / out)
    cases = [(n, always) for n in range(1, len(steps) + 1) for always in (False, True)]
    torture.random.shuffle(cases)
    for number, always in cases[:failures]:
        code = torture.random.choice(CODES)
        point = f"change {number}, {steps[number - 1]}, {errno.errorcode[code]}"
        place = torture.place()
        with torture.trial(name, f"{point}, {'for good' if always else 'once'}"):
            workshop.copy_to(place)
            target = place / "work" / out
            failed = command(place, words, before=fail_at(place, number, code, always=always))
            check_words(failed)
            if failed.status == 0 and not always:
                require(contents(target) == whole, "it says success, and its output is another")
            elif name != "train" and name != "bundle":
                require(contents(target) in (None, whole), "it left half an output")
            if name == "import" and target.exists():
                shutil.rmtree(target)
            if not (name == "bundle" and (target / "core.nc").exists()):
                again = command(place, words)
                require(again.status == 0, f"after it the command fails: {again.err}")
            require(contents(target) == whole, "after it the output is another")
            require(not strays(place), f"strays: {strays(place)}")
            outcome = "one sentence" if failed.status else "did without"
            tally.add((name, number, steps[number - 1], always), outcome)
        shutil.rmtree(place)
    shutil.rmtree(clean)
