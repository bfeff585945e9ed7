"""Run the numerical tests under every instruction set of this processor.

    python benchmarks/instruction_sets.py [--slow] [--only NAME]... [--threads N]... [FOLDER]...

NumPy, its OpenBLAS, torch and its MKL choose their kernels by the processor when they are loaded.
This script makes them use older kernels, all of one generation together, with one thread and with
two, so that one machine represents many. A line for each combination gives the number of passed
tests and the failed ones; the exit status is 1 if any failed.

Kernels that this build of OpenBLAS lacks are skipped. Needs Linux on x86-64, which has the most
kernels, and the [dev] extra.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

FOLDERS = ("tests/analysis", "tests/models", "tests/training", "tests/tasks")
THREADS = (1, 2)
REPOSITORY = Path(__file__).resolve().parent.parent

CHOICES = (
    "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS", "NPY_DISABLE_CPU_FEATURES",
    "OPENBLAS_CORETYPE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    "GROKVIZ_TEST_THREADS",
)  # fmt: skip
"""Variables that this script sets or removes from the environment."""


@dataclass(frozen=True)
class Generation:
    """A generation of processors, and each library's name for its instructions."""

    name: str
    flags: frozenset[str]
    """The processor's flags, as Linux names them."""
    torch: str
    mkl: str
    numpy: int
    """Features of NumPy up to this rank are left on; see :func:`rank`."""
    cores: dict[str, frozenset[str]]
    """OpenBLAS kernels of that generation, and the further flags that they need."""


NO_FLAGS: frozenset[str] = frozenset()
AVX512 = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
GENERATIONS = (
    Generation("SSE", frozenset({"sse4_2"}), "default", "SSE4_2", 0,
               {"Prescott": NO_FLAGS, "Nehalem": NO_FLAGS}),
    Generation("AVX", frozenset({"avx"}), "default", "AVX", 1, {"Sandybridge": NO_FLAGS}),
    Generation("AVX2", frozenset({"avx2", "fma"}), "avx2", "AVX2", 2,
               {"Haswell": NO_FLAGS, "Zen": NO_FLAGS}),
    Generation("AVX-512", AVX512, "avx512", "AVX512", 3,
               {"SkylakeX": NO_FLAGS, "Cooperlake": frozenset({"avx512_bf16"}),
                "SapphireRapids": frozenset({"avx512_bf16", "avx512_fp16"})}),
)  # fmt: skip


@dataclass(frozen=True)
class Combination:
    """One choice of kernels and threads."""

    generation: str
    core: str
    threads: int
    variables: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment with only these choices."""
        rest = {name: value for name, value in os.environ.items() if name not in CHOICES}
        return {**rest, **self.variables}


@dataclass(frozen=True)
class Result:
    """The counts of a pytest run."""

    passed: int
    skipped: int
    failed: list[str]
    seconds: float


def processor_flags() -> frozenset[str]:
    """The flags of this processor, as Linux names them."""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return NO_FLAGS


def rank(feature: str) -> int:
    """The generation of a feature of NumPy: 0 for SSE, 1 for AVX, 2 for AVX2, 3 for AVX-512."""
    if feature.startswith("AVX512") or feature == "X86_V4":
        return 3
    if feature in ("AVX2", "FMA3", "X86_V3"):
        return 2
    return 1 if feature in ("AVX", "F16C", "FMA4", "XOP") else 0


def numpy_features() -> list[str]:
    """Features of this processor for which this NumPy has kernels."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__[name]]


def combinations(threads: list[int]) -> Iterator[Combination]:
    """The libraries' own choice, then every older one, the oldest first."""
    flags, features, seen = processor_flags(), numpy_features(), set()
    for count in threads:
        yield Combination("as it is", _architecture({}), count, _threads(count))
    for generation in GENERATIONS:
        if not generation.flags <= flags:
            continue
        shared = {
            "ATEN_CPU_CAPABILITY": generation.torch,
            "MKL_ENABLE_INSTRUCTIONS": generation.mkl,
        }
        if off := [name for name in features if rank(name) > generation.numpy]:
            shared["NPY_DISABLE_CPU_FEATURES"] = " ".join(off)
        for core, flags_needed in generation.cores.items():
            variables = {**shared, "OPENBLAS_CORETYPE": core}
            if not flags_needed <= flags:
                continue
            # a build without these kernels falls back to others
            kernels = _architecture(variables)
            if kernels in seen:
                continue
            seen.add(kernels)
            for count in threads:
                yield Combination(generation.name, core, count, {**variables, **_threads(count)})


def _threads(count: int) -> dict[str, str]:
    return {name: str(count) for name in CHOICES if name.endswith("_THREADS")}


def _architecture(variables: dict[str, str]) -> str:
    """The kernels that OpenBLAS uses with these variables."""
    program = (
        "import json, numpy, threadpoolctl as t;"
        "print(json.dumps([i.get('architecture') for i in t.threadpool_info()]))"
    )
    probe = Combination("", "", 0, variables)
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, env=probe.environment, capture_output=True, text=True, check=True)
    names = [name for name in json.loads(ran.stdout) if name]
    return str(names[0]) if names else ""


def run(combination: Combination, folders: list[str], slow: bool) -> Result:
    """Run the tests in a separate process."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider",
            "-p", "no:randomly", f"--junitxml={report}", *folders,
        ]  # fmt: skip
        if not slow:
            command += ["-m", "not slow"]
        ran = subprocess.run(
            command, cwd=REPOSITORY, env=combination.environment, capture_output=True, text=True
        )
        if not report.exists():
            raise SystemExit(f"pytest did not run:\n{ran.stdout}{ran.stderr}")
        cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [_name(case) for case in cases if _has(case, "failure", "error")]
    skipped = sum(_has(case, "skipped") for case in cases)
    passed = len(cases) - len(failed) - skipped
    return Result(passed, skipped, failed, time.monotonic() - began)


def _has(case: ElementTree.Element, *kinds: str) -> bool:
    return any(case.find(kind) is not None for kind in kinds)


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", default=FOLDERS, metavar="FOLDER")
    parser.add_argument("--slow", action="store_true", help="tests marked slow too")
    parser.add_argument("--threads", type=int, action="append", help="1 and 2, if not given")
    only = "a generation or an OpenBLAS kernel, such as AVX2 or Haswell"
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=only)
    options = parser.parse_args()
    if platform.machine() not in ("x86_64", "AMD64") or not Path("/proc/cpuinfo").exists():
        print("this needs Linux on an x86-64 processor", file=sys.stderr)
        return 2
    failures = 0
    for combination in combinations(options.threads or list(THREADS)):
        if options.only and not {combination.generation, combination.core} & set(options.only):
            continue
        result = run(combination, list(options.folders), options.slow)
        failures += len(result.failed)
        print(
            f"{combination.generation:<9} {combination.core:<15} {combination.threads} thread"
            f"{'s' if combination.threads > 1 else ' '}  {result.passed} passed, "
            f"{result.skipped} skipped, {len(result.failed)} failed  {result.seconds:.0f} s  "
            + " ".join(result.failed),
            flush=True,
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
