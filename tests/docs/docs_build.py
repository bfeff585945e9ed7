"""mkdocs in a process of its own, as ``make docs`` starts it, with what a test changes before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START = "\nfrom mkdocs.__main__ import cli\ncli(['build', '--strict'], prog_name='mkdocs')\n"
WITHOUT_MANIM = """
from grokviz.render.films import needs
needs.lacking = lambda: needs.Need('manim', '', needs.EXTRA)
"""
BROKEN_SCENE = """
import grokviz.scenes.modular_addition.logits.ablation as module
def draw(self, figure, data):
    raise ZeroDivisionError('a mistake in the scene')
module.Ablation.draw = draw
"""


def build(
    site: Path, cache: Path, before: str = WITHOUT_MANIM, *, only: str = "", films: bool = False
) -> subprocess.CompletedProcess[str]:
    """Build the site into ``site``; scenes of ``only``, or all."""
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "NO_MKDOCS_2_WARNING": "1",
        "GROKVIZ_DOCS_SITE": str(site),
        "GROKVIZ_DOCS_CACHE": str(cache),
        "GROKVIZ_DOCS_ONLY": only,
        "GROKVIZ_DOCS_FILMS": str(films).lower(),
        "GROKVIZ_DOCS_QUALITY": "l",
        "GROKVIZ_DOCS_JOBS": "1",
    }
    return subprocess.run(
        [sys.executable, "-c", before + START], cwd=ROOT, env=env, capture_output=True, text=True,
        check=False, timeout=1800,
    )  # fmt: skip
