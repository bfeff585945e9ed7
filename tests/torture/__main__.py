"""Try what the promises of SECURITY.md say, at many points, and print how many there were.

python -m tests.torture                        the long form, under 40 minutes on two cores
python -m tests.torture --scale 0              the short form, a part of make test
python -m tests.torture kills damage --seed 7  these parts alone
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.torture.common import OutOfTime, Torture, Workshop

PARTS = (
    "recording", "kills", "failures", "disk", "damage", "beside", "mutants", "corpus", "shadows",
    "names", "lines",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--scale", type=float, default=1.0, help="0 is the short form, 1 the long")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of work at most")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and print what there is
    print(f"seed {options.seed}, scale {options.scale:g}", flush=True)
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        end = time.monotonic() + 60 * options.minutes
        torture = Torture(options.seed, options.scale, Path(folder), end)
        workshop = Workshop.make(torture)
        for part in options.parts or PARTS:
            begun = time.monotonic()
            known = set(torture.tallies)
            try:
                importlib.import_module(f"tests.torture.{part}").run(torture, workshop)
            except OutOfTime:
                print(f"  {part} was stopped after {options.minutes:g} minutes in all")
            finally:
                for name in sorted(set(torture.tallies) - known):
                    print(f"{name}: {torture.tallies[name]}", flush=True)
                print(f"  {part} took {time.monotonic() - begun:.0f} s", flush=True)
    for loss in torture.losses:
        print(loss)
    print(f"{len(torture.losses)} losses with seed {options.seed}")
    return 1 if torture.losses else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
