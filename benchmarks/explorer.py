"""Measure a step of the explorer's slider in a real browser, and the size of the page.

    python -m benchmarks.explorer [--run modular-addition] [--steps 50] [--size 1440x900]

Opens the page in headless Chromium without a graphics card, scrolls through it screen by
screen, and at each stop presses the right arrow key so many times. Two measures: the time from
the key to after the next frame, when every panel in view shows the new checkpoint; and the CPU
time that the page's thread spends on a step (scripts, style, layout, painting orders), which
holds also on a busy machine. Needs the [web] extra, playwright and a Chromium.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import grokviz as gv
from benchmarks.rows import Row

LIMIT = 50
"""Milliseconds that a step may take."""

STEPS = """async (count) => {
  const slider = document.getElementById("slider");
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  const whole = [];
  for (let n = 0; n < count; n++) {
    await frame();
    const start = performance.now();
    slider.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    await frame();
    whole.push(performance.now() - start);
  }
  return whole;
}"""
IN_VIEW = """() => [...document.querySelectorAll(".panel")].filter((p) => {
  const box = p.querySelector(".stage").getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}).map((p) => p.id.replace("panel-", ""))"""


def most(times: list[float]) -> float:
    """What 95 of 100 take at most."""
    return sorted(times)[int(0.95 * len(times))]


def summary(times: list[float]) -> str:
    return (
        f"{statistics.median(times):5.1f} ms median, {most(times):5.1f} (95 %), "
        f"{max(times):5.1f} (all)"
    )


def busy(session: Any) -> float:
    """CPU milliseconds used by the page's thread so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration")) * 1000


def measure(page: Any, steps: int) -> dict[bool, list[float]]:
    """Milliseconds of each step, with marks moved (False) and drawn anew by plotly (True)."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    height = page.evaluate("document.documentElement.scrollHeight")
    everything: dict[bool, list[float]] = {False: [], True: []}
    for top in range(0, height - page.viewport_size["height"] // 2, 700):
        page.evaluate(f"window.scrollTo(0, {top})")
        page.wait_for_timeout(2000)
        print(f"in view: {', '.join(page.evaluate(IN_VIEW))}")
        for anew, times in everything.items():
            page.evaluate(f"grokviz.anew = {str(anew).lower()}; grokviz.go(9000)")
            page.wait_for_selector("body[data-settled]")
            page.wait_for_timeout(500)
            before = busy(session)
            durations = page.evaluate(STEPS, steps)
            worked = (busy(session) - before) / steps
            times += durations
            name = "plotly draws anew" if anew else "marks are moved"
            print(f"  {name:18} {summary(durations)}, CPU {worked:5.1f} ms a step")
    for anew, times in everything.items():
        print(f"{'plotly draws anew' if anew else 'marks are moved'}: {summary(times)}")
    return everything


def measured(
    run: str, steps: int, size: tuple[int, int], program: str | None
) -> dict[bool, list[float]]:
    """The steps of a run's page."""
    from playwright.sync_api import sync_playwright

    width, height = size
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = gv.explore(run, Path(folder) / "run.html")
        print(f"page of {path.stat().st_size / 1e6:.1f} MB")
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready]")
        times = measure(page, steps)
        browser.close()
    return times


def chromium() -> str | None:
    """The program, if one is installed."""
    return os.environ.get("GROKVIZ_BROWSER") or shutil.which("chromium")


def rows() -> list[Row]:
    """A row, or none where no Chromium is installed."""
    program = chromium()
    if program is None:
        print("no Chromium is installed (make browser), so the page's steps are not measured")
        return []
    times = measured("modular-addition", 50, (1440, 900), program)
    ours, anew = times[False], times[True]
    return [
        Row(
            f"a step of the explorer's slider: {statistics.median(ours):.0f} ms from key to frame, "
            f"{most(ours):.0f} ms for 95 % of them",
            f"plotly drawing the same charts anew: {statistics.median(anew):.0f} ms, "
            f"{most(anew):.0f} ms",
            statistics.median(ours) / statistics.median(anew),
            f"95 % within {LIMIT} ms", most(ours) <= LIMIT, "benchmarks/explorer.py",
        )
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--run", default="modular-addition")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--size", default="1440x900")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    measured(given.run, given.steps, (width, height), chromium())


if __name__ == "__main__":
    main()
