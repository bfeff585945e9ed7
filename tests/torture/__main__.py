"""Try what the promises of SECURITY.md say, at many points, and print how many there were.

python -m tests.torture -j 2                   the long form, on two cores
python -m tests.torture --scale 0              the short form, a part of make test
python -m tests.torture kills damage --seed 7  these parts alone
"""

from __future__ import annotations

import argparse
import importlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.torture.common import OutOfTime, Torture, Workshop

PARTS = (
    "recording", "kills", "failures", "disk", "damage", "beside", "mutants", "corpus", "shadows",
    "names", "lines",
)  # fmt: skip

ONE = "mutants:KIND for one, and kills:, failures: or disk:COMMAND"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; {ONE}")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--scale", type=float, default=1.0, help="0 is the short form, 1 the long")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of a part at most")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="parts at the same time")
    options = parser.parse_args(arguments)
    unknown = [part for part in options.parts if part.partition(":")[0] not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]}")
    print(f"seed {options.seed}, scale {options.scale:g}", flush=True)
    parts = options.parts or list(PARTS)
    losses = _side_by_side(parts, options) if options.jobs > 1 else _in_turn(parts, options)
    print(f"{losses} losses with seed {options.seed}")
    return 1 if losses else 0


def _side_by_side(parts: list[str], options: argparse.Namespace) -> int:
    """Each part in a process of its own, ``jobs`` at a time; the number of losses."""
    from tests.torture.mutants import KINDS

    kinds = [f"mutants:{kind}" for kind in KINDS]
    pieces = [piece for part in parts for piece in (kinds if part == "mutants" else [part])]
    words = ["--seed", str(options.seed), "--scale", str(options.scale)]
    words += ["--minutes", str(options.minutes)]

    def call(piece: str) -> int:
        done = subprocess.run(
            [sys.executable, "-m", "tests.torture", piece, *words], capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        _, *lines, last = done.stdout.splitlines() or ["", "no words"]
        print("\n".join(lines), flush=True)
        count = re.match(r"(\d+) losses", last)
        if count is None:
            print(f"{piece} ended with status {done.returncode}: {last}\n{done.stderr[-2000:]}")
        return int(count[1]) if count else 1

    with ThreadPoolExecutor(options.jobs) as pool:
        return sum(pool.map(call, pieces))


def _in_turn(parts: list[str], options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and print what there is
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        torture = Torture(options.seed, options.scale, Path(folder))
        workshop = Workshop.make(torture)
        for piece in parts:
            part, _, torture.only = piece.partition(":")
            begun, worked, known = time.monotonic(), _worked(), set(torture.tallies)
            torture.end = begun + 60 * options.minutes
            try:
                importlib.import_module(f"tests.torture.{part}").run(torture, workshop)
            except OutOfTime:
                print(f"  {piece} was stopped after {options.minutes:g} minutes")
            finally:
                for name in sorted(set(torture.tallies) - known):
                    print(f"{name}: {torture.tallies[name]}", flush=True)
                took, worked = time.monotonic() - begun, _worked() - worked
                print(f"  {piece} took {took:.0f} s, {worked:.0f} s of a core", flush=True)
    return len(torture.losses)


def _worked() -> float:
    """Seconds of a core that this process and its children have taken."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
