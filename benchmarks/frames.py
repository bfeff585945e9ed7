"""Measure frames per second: layered against full draws, the pipeline against FuncAnimation.

    python -m benchmarks.frames [--frames 60] [--size 1920x1080]

All variants alternate in one process, in CPU time and in wall time; their ratios are
comparable between machines. The figure resembles a film of this package: 57 bars, a
heatmap, five curves, a log loss with a moving marker, an epoch counter. Its data are
synthetic.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from matplotlib.animation import AbstractMovieWriter, FuncAnimation
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from benchmarks.rows import Row
from grokviz.media import Painter, Provenance, film_rate, format_of, paint, screen, write_film
from grokviz.media.theme import theme

SCRIPT = "benchmarks/frames.py"
Built = tuple[Any, list[Any], Callable[[int], None]]
KEYS = (14, 35, 41)
FPS = 30


def build(width: int, height: int, frames: int) -> Built:
    look = theme("light")
    colours = look.colours
    x = np.arange(57)
    epochs = np.linspace(0, 1, frames)

    def bars(i: int) -> list[Any]:
        tall = 0.2 + 0.7 * np.isin(x, KEYS) * epochs[i] + 0.1 * np.cos(x + i)
        return [[(k, 0), (k, h), (k + 0.8, h), (k + 0.8, 0)] for k, h in zip(x, tall, strict=True)]

    with look.applied():
        page = screen(width, height)
        figure = Figure(figsize=page.inches, dpi=page.dpi)
        grid = figure.subplots(2, 2, gridspec_kw={"wspace": 0.3, "hspace": 0.4})
        first, second, third, fourth = grid.flat
        first.set(xlim=(0, 57), ylim=(0, 1.1), xlabel="frequency", ylabel="norm")
        boxes = PolyCollection(bars(0), facecolors=[colours.frequency(k, KEYS) for k in x])
        first.add_collection(boxes)
        image = second.imshow(np.zeros((113, 113)), vmin=-1, vmax=1)
        second.grid(False)
        t = np.linspace(0, 1, 300)
        third.set(xlim=(0, 1), ylim=(-1.1, 1.1))
        curves = [third.plot(t, t)[0] for _ in range(5)]
        fourth.plot(epochs, 10 ** (-7 * epochs), color=colours.test)
        fourth.set(yscale="log", xlim=(0, 1), xlabel="epoch", ylabel="loss")
        marker = fourth.axvline(0, color=colours.accent)
        clock = figure.text(0.97, 0.95, "", ha="right", family="monospace")
    a, b = np.meshgrid(np.arange(113), np.arange(113))

    def update(i: int) -> None:
        boxes.set_verts(bars(i))
        image.set_data(np.cos(2 * np.pi * (a + b) * (1 + i % 9) / 113) * epochs[i])
        for k, curve in enumerate(curves):
            curve.set_ydata(np.sin(2 * np.pi * (k + 1) * t + i / 9))
        marker.set_xdata([epochs[i], epochs[i]])
        clock.set_text(f"epoch {i * 100:>6}")

    return figure, [boxes, image, curves, marker, clock], update


class PyAvWriter(AbstractMovieWriter):
    """A matplotlib writer that uses the same encoder with the same settings."""

    supported_formats = ("rgba",)

    @classmethod
    def isAvailable(cls) -> bool:  # noqa: N802
        return True

    def setup(self, fig: Any, outfile: Any, dpi: Any = None) -> None:
        super().setup(fig, outfile, dpi)
        width, height = self.frame_size
        self._file = av.open(str(outfile), "w", format="mp4")
        options = {"preset": "veryfast", "crf": "18"}
        self._stream = self._file.add_stream("libx264", rate=FPS, options=options)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        out = io.BytesIO()
        self.fig.savefig(out, format="rgba", dpi=self.dpi, **savefig_kwargs)
        width, height = self.frame_size
        pixels = np.frombuffer(out.getvalue(), np.uint8).reshape(height, width, 4)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgba")
        self._file.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._file.mux(self._stream.encode(None))
        self._file.close()


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def drawing(width: int, height: int, frames: int) -> list[tuple[str, float, float]]:
    """Wall and CPU seconds of all frames, drawn in full and in layers alternately."""
    figure, moving, update = build(width, height, frames)
    painter = Painter(figure, moving)
    update(0)
    assert painter.check(), "the layered picture differs"
    spent = {"full draw": np.zeros(2), "layered": np.zeros(2)}
    for i in range(frames):
        for name, draw in (("full draw", painter.full), ("layered", painter.frame)):
            update(i)
            spent[name] += timed(draw)
    assert painter.layered
    assert painter.redrawn == 0
    return [(name, *map(float, both)) for name, both in spent.items()]


def films(width: int, height: int, frames: int) -> list[tuple[str, float, float]]:
    """Wall and CPU seconds of a complete film, by this package and by matplotlib."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("film.mp4", "film.webm", "film.gif", "film.webp"):
            figure, moving, update = build(width, height, frames)
            painter = Painter(figure, moving)
            calls = [lambda i=i, u=update: u(i) for i in range(frames)]
            path = Path(folder) / name

            def ours(painter: Any = painter, calls: Any = calls, path: Any = path) -> None:
                rate = film_rate(format_of(path), FPS)
                provenance = Provenance("a benchmark")
                write_film(path, lambda: paint(painter, calls), fps=rate, provenance=provenance)

            rows.append((f"grokviz {path.suffix}", *timed(ours)))
        others: list[tuple[str, Any]] = [("film.mp4", PyAvWriter(FPS)), ("film.gif", "pillow")]
        for name, writer in others:
            figure, _, update = build(width, height, frames)
            animation = FuncAnimation(figure, update, frames=frames, interval=1000 / FPS)
            path = Path(folder) / f"other-{name}"
            spent = timed(lambda a=animation, p=path, w=writer: a.save(str(p), writer=w))
            rows.append((f"FuncAnimation {path.suffix}", *spent))
    return rows


def show(title: str, rows: list[tuple[str, float, float]], frames: int) -> None:
    print(f"\n{title}\n{'':34}{'frames/s':>10}{'CPU ms/frame':>14}")
    for name, wall, cpu in rows:
        print(f"{name:34}{frames / wall:10.1f}{1000 * cpu / frames:14.1f}")


def ratio(name: str, slow: tuple[str, float, float], fast: tuple[str, float, float]) -> None:
    print(f"{name:34}{slow[1] / fast[1]:9.1f}x wall{slow[2] / fast[2]:9.1f}x CPU")


def rows(frames: int = 60) -> list[Row]:
    """Drawing in layers, and whole films beside matplotlib's, in seconds of a core."""
    size = (1920, 1080)
    (_, _, full), (_, _, layered) = drawing(*size, frames)
    each = [1000 * seconds / frames for seconds in (full, layered)]
    made = [
        Row(
            f"a 1080p frame of bars, heatmap, five curves in layers: {each[1]:.1f} ms of a core",
            f"a full draw: {each[0]:.1f} ms", full / layered, "", None, SCRIPT,
        )
    ]  # fmt: skip
    spent = {name: (wall, core) for name, wall, core in films(*size, frames)}
    for suffix in (".mp4", ".gif"):
        (wall, core), other = spent[f"grokviz {suffix}"], spent[f"FuncAnimation {suffix}"]
        made.append(
            Row(
                f"a whole {suffix} of it: {1000 * core / frames:.0f} ms of a core a frame",
                f"matplotlib's FuncAnimation: {1000 * other[1] / frames:.0f} ms (on the clock "
                f"{other[0] / wall:.1f} times)",
                other[1] / core, "", None, SCRIPT,
            )
        )  # fmt: skip
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", default="1920x1080")
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    drawn = drawing(width, height, asked.frames)
    show(f"drawing at {asked.size}, {asked.frames} frames", drawn, asked.frames)
    ratio("layered is faster", drawn[0], drawn[1])
    rows = films(width, height, asked.frames)
    show("whole films", rows, asked.frames)
    by_name = {row[0]: row for row in rows}
    for suffix in (".mp4", ".gif"):
        for name, row in by_name.items():
            if name.startswith(f"FuncAnimation {suffix}"):
                ratio(f"than {name}", row, by_name[f"grokviz {suffix}"])


if __name__ == "__main__":
    main()
