"""The engine of scenes drawn with matplotlib: every format, on paper and for slides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from grokviz.media.film.captions import Caption
from grokviz.media.formats import Format
from grokviz.media.theme import Medium
from grokviz.progress import ProgressCallback
from grokviz.render import drawing
from grokviz.render.engine import ChapterFacts, Engine
from grokviz.render.job import RenderJob, RenderKeywords, RenderOptions
from grokviz.scene.film import Chapter
from grokviz.scene.scene import Scene
from grokviz.scene.spoken import starts

if TYPE_CHECKING:
    import xarray as xr

    from grokviz.pages.single import PageBody, SceneText

PAGE_FPS = 6
"""Moments a second of film time that a page of pictures keeps."""


class Matplotlib(Engine[Scene, RenderJob]):
    """Scenes whose ``draw`` builds a figure and whose ``update`` moves it."""

    job = RenderJob

    def medium(self, scene: Scene, options: RenderOptions, kind: Format) -> Medium:
        """Films and pages are for slides, and so are pixels of a scene with a slide to itself."""
        if kind.film or kind.page:
            return "slide"
        if options.venue is not None:
            return "slide" if options.venue == "slide" else "paper"
        return "slide" if kind.content == "pixels" and scene.headed else "paper"

    def page_rate(self, fps: float | Fraction) -> int:
        """A page keeps few moments, whatever the film's rate."""
        return PAGE_FPS

    def render(
        self, job: RenderJob, data: xr.Dataset, report: ProgressCallback | None = None
    ) -> Path:
        """Make one file; of a scene without a clock, of the checkpoint that is asked for."""
        return super().render(job, drawing.up_to(job, data), report)

    def draw(
        self, job: RenderJob, data: xr.Dataset, report: ProgressCallback | None = None
    ) -> Path:
        """Make one still or film."""
        if not job.format.film:
            return drawing.still(job, data)
        from grokviz.render.filming import film

        return film(job, data, report)

    def render_all(
        self, jobs: Sequence[RenderJob], data: xr.Dataset, report: ProgressCallback | None = None
    ) -> Iterator[Path]:
        """Films that differ in their format alone share one drawing."""
        from grokviz.render.filming import alike, films

        done: dict[int, Path] = {}
        for n, job in enumerate(jobs):
            if n not in done:
                same = [m for m in range(n, len(jobs)) if m == n or alike(job, jobs[m])]
                if len(same) == 1:
                    done[n] = self.render(job, data, report)
                else:
                    done |= zip(same, films([jobs[m] for m in same], data, report), strict=True)
            yield done[n]

    def page_body(
        self, job: RenderJob, data: xr.Dataset, text: SceneText, report: ProgressCallback | None
    ) -> PageBody:
        """The scene's own plotly figure, panels of the explorer, or pictures to scrub through."""
        from grokviz.render import page

        return page.body(job, data, text, report)

    def chapter_seconds(self, scene: Scene, chapter: Chapter) -> float:
        """What the chapter says."""
        return chapter.seconds

    def chapter_options(self, chapter: Chapter, options: RenderOptions) -> RenderKeywords:
        """Its length, as ``--duration`` and ``--hold``, and the style of the whole."""
        return {"duration": chapter.seconds, "hold": chapter.hold, "style": options.style}

    def draw_chapter(
        self, job: RenderJob, data: xr.Dataset, report: ProgressCallback | None
    ) -> ChapterFacts:
        """Make its film; its captions are the chapter's, or the one that the scene says."""
        self.draw(job, data, report)
        fps = Fraction(job.quality.fps).limit_denominator(1001)
        frames = max(round(job.options.duration * fps), 1)
        if job.captions:
            edges = [*starts(job.captions, frames), frames]
            spans = zip(edges, edges[1:], job.captions, strict=False)
            return ChapterFacts(frames, fps, tuple(Caption(*one) for one in spans))
        sentences = [job.scene.claim(data).sentence, job.scene.claim(data).watch]
        words = f"{': '.join(text for text in sentences if text)}."
        return ChapterFacts(frames, fps, (Caption(0, frames, words),))

    def chapter_sources(self, scene: type[Scene]) -> list[Path]:
        """What draws and what lays out."""
        own = Path(drawing.__file__)
        return [own, own.with_name("filming.py"), own.with_name("plan.py")]


MATPLOTLIB = Matplotlib()
