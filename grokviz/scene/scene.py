"""The contract of a scene.

A scene is a small frozen dataclass. Its fields are the options a user may set; its class
attributes say what it is and what it needs; ``draw`` builds it once, and what it returns, a
:class:`~grokviz.scene.drawing.Drawing`, moves it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from grokviz.dataset import schema
from grokviz.dataset.references.reference import DEFAULT
from grokviz.errors import InputError
from grokviz.options import changed, options_of, read_options
from grokviz.scene.about import about
from grokviz.scene.claim import Claim
from grokviz.scene.clock import gone_from, index_of, index_up_to, is_time
from grokviz.scene.clock import word as clock_word
from grokviz.scene.drawing import Drawing
from grokviz.scene.phases import horizon
from grokviz.scene.spoken import capitalised
from grokviz.scene.style import NARROW

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

    from grokviz.media.formats import Format
    from grokviz.scene.sound import Sound

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Scene:
    """Base of every scene drawn with matplotlib.

    Class attributes:
        name: what a user types, such as ``embedding-waves``.
        title: the sentence that the picture argues, in lists; ``claim`` tests it on the data.
        watch: what to watch, in one line; the subtitle of slides and films where it holds.
        source: the tweet or paper figure it redraws.
        disputed: who says otherwise of what it shows, in a sentence with their paper; its caption
            ends with it.
        needs: names of the dataset variables it draws.
        wishes: those that it draws too where the data has them, or a run can have them; all or
            none.
        recipe, reference: what trains such a run, and the bundled one it is drawn from.
        clock: the dataset dimension that its film moves along, or None for a still.
        checkpoint: of a scene without a clock that is drawn of one moment of training, the
            dimension whose last one that is: it stands above the picture.
        any_checkpoint: whether ``--epoch`` can ask for another one of any data: what is drawn is
            then the data up to there. Else only of a run, which is measured as it was then.
        aspect, narrow_aspect: width over height on paper, wide and in a narrow column.
        aspects: the two where an option has some value: by option and value.
        stills: epochs that ``grokviz figures`` draws, the most telling first; a still of which no
            epoch is asked shows the first that the run has.
        ends_with_film: whether a still of which no epoch is asked shows nothing after its film's
            last moment: where later all stays as it is.
        film_moments: of a scene without a clock whose film moves along nothing of the data, but a
            camera or hands: how many moments that film has. ``update(0)`` is its still,
            ``update(1)`` to ``update(film_moments)`` its film; 0 for no film.
        loops: whether the film goes round on a slide: where each picture is one moment, and
            the last one does not show the way to it.
        headed: whether it has a slide to itself, with its heading, and a PNG is one.
        panels: of the explorer, those that show what the scene shows, the closest first; the
            scene's own page is made of them.
        paper_figures: the paper's figures that it redraws, each with the options for it, and
            ``epoch`` where not the last; a letter after the number orders the parts of a figure.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    watch: ClassVar[str] = ""
    source: ClassVar[str] = ""
    disputed: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()
    wishes: ClassVar[tuple[str, ...]] = ()
    recipe: ClassVar[str] = DEFAULT
    reference: ClassVar[str] = DEFAULT
    engine: ClassVar[str] = "matplotlib"
    clock: ClassVar[str | None] = "epoch"
    checkpoint: ClassVar[str | None] = None
    any_checkpoint: ClassVar[bool] = False
    aspect: ClassVar[float] = 2.2
    narrow_aspect: ClassVar[float] = 0.9
    aspects: ClassVar[Mapping[str, Mapping[Any, tuple[float, float]]]] = {}
    stills: ClassVar[tuple[str, ...]] = ("last",)
    ends_with_film: ClassVar[bool] = False
    film_moments: ClassVar[int] = 0
    loops: ClassVar[bool] = False
    headed: ClassVar[bool] = True
    panels: ClassVar[tuple[str, ...]] = ()
    paper_figures: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Raise TypeError if an option would replace an attribute that every scene has."""
        super().__init_subclass__(**kwargs)
        for name, kind in inspect.get_annotations(cls).items():
            if hasattr(Scene, name) and "ClassVar" not in str(kind):
                raise TypeError(
                    f"{cls.__name__}: {name} belongs to every scene and cannot be an option; "
                    "give the option another name, or the attribute no annotation"
                )

    def draw(self, figure: FigureBase, data: xr.Dataset) -> Drawing:
        """Build the picture on a Figure or SubFigure; :func:`drawing_of` calls it."""
        raise NotImplementedError

    def of_two(self) -> Scene | None:
        """The scene that draws two runs in one picture; None where they stand side by side."""
        return None

    def alone(self) -> Scene:
        """The scene as it is drawn where another run stands beside it."""
        return self

    def variables(self) -> tuple[str, ...]:
        """What it draws with its options: ``needs``, and more where an option asks for it."""
        return self.needs

    def claim(self, data: xr.Dataset) -> Claim:
        """What the picture argues of this data: the title, or what is true in its place."""
        return Claim(self.title, self.watch)

    def heading(self, data: xr.Dataset) -> str:
        """What stands above it where it has a heading: the claim."""
        return self.claim(data).sentence

    def description(self, data: xr.Dataset, i: int) -> str:
        """What the picture shows at clock index ``i``, from the data itself, in sentences."""
        return ""

    def definition(self, data: xr.Dataset) -> str:
        """What is drawn, defined, and its source, in sentences."""
        return f"After {self.source}."

    def about(self, data: xr.Dataset) -> str:
        """The line below it on a slide: what was run, of all that is drawn."""
        return about(data)

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """The claim, and what the picture shows at clock index ``i``."""
        return f"{self.claim(data).sentence}. {self.description(data, i)}".strip()

    def caption(self, data: xr.Dataset) -> str:
        """A suggested caption: the claim, what is drawn, a citation, and what is disputed."""
        parts = (f"{self.claim(data).sentence}.", self.definition(data), self.disputed)
        return " ".join(filter(None, parts))

    def subtitle(self, data: xr.Dataset) -> str:
        """What to watch, and on a second line from when on nothing is a number."""
        watch = capitalised(self.claim(data).watch)
        return "\n".join(words for words in (watch, self.ends(data)) if words)

    def ends(self, data: xr.Dataset) -> str:
        """From when on nothing that is drawn is a number, of a run of which that is so."""
        if self.clock is None:
            return ""
        gone = gone_from(data, self.clock, self.variables())
        first = data.attrs.get("no_numbers_from") if gone is None else data[self.clock].values[gone]
        return "" if first is None else f"NaN from {clock_word(data, self.clock)} {first:,} on"

    def aspect_at(self, ems: float) -> float:
        """Width over height on paper of a figure so many ems wide."""
        wide, narrow = self.aspect, self.narrow_aspect
        for option, by_value in self.aspects.items():
            wide, narrow = by_value.get(getattr(self, option), (wide, narrow))
        return wide if ems >= NARROW else narrow

    def film_span(self, data: xr.Dataset) -> tuple[float, float] | None:
        """First and last clock value worth showing in a film; None for all of them.

        Of a clock that counts training until a while after the clean-up: little moves later.
        """
        if self.clock is None or not is_time(self.clock):
            return None
        return 0, horizon(data, self.clock)

    def stands(self, data: xr.Dataset) -> int | None:
        """The clock index at which its film stands for a while; None for nowhere."""
        return None

    def index_of(self, data: xr.Dataset, wanted: str | int | None) -> int:
        """The clock index of a still: that of the moment asked for, else of the telling one.

        Telling is the first of ``stills`` that the run has. A moment at which nothing that is
        drawn is a number any more is refused; ``last`` is the last before.
        """
        if self.clock is None:
            return 0
        gone = gone_from(data, self.clock, self.variables())
        if wanted is None or str(wanted).strip() == "last":
            i = self._telling(data, self.clock) if wanted is None else len(data[self.clock]) - 1
            return i if gone is None else min(i, gone - 1)
        i = index_of(data, self.clock, wanted)
        if gone is not None and i >= gone:
            word, values = clock_word(data, self.clock), data[self.clock].values
            raise InputError(
                f"--epoch {wanted}: what {self.name} draws is no number from {word} {values[gone]} "
                f"on; give a {word} below, up to {values[gone - 1]}"
            )
        return i

    def drawn_at(self, data: xr.Dataset) -> int:
        """The index on its ``checkpoint`` of the moment that it is drawn of: the last one."""
        return len(data[self.checkpoint or "epoch"]) - 1

    def _telling(self, data: xr.Dataset, clock: str) -> int:
        i = len(data[clock]) - 1
        for moment in self.stills:
            with contextlib.suppress(InputError):
                i = index_of(data, clock, moment)
                break
        span = self.film_span(data) if self.ends_with_film else None
        return i if span is None else min(i, index_up_to(data, clock, span[1]))

    def interactive(self, data: xr.Dataset) -> Any | None:
        """A plotly figure, which ``--format html`` then puts into its page; None without one.

        A page is made of every scene: of one without by a panel of the explorer, or of the
        pictures that it draws.
        """
        return None

    def sound(self, data: xr.Dataset) -> Sound | None:
        """What its film sounds like where ``--sound`` asks for it; None of a scene without."""
        return None

    @classmethod
    def sounds(cls) -> bool:
        """Whether there is a sound of it."""
        return cls.moves() and cls.sound is not Scene.sound

    @classmethod
    def moves(cls) -> bool:
        """Whether there is a film of it."""
        return cls.clock is not None or cls.film_moments > 0

    @classmethod
    def able(cls, kind: Format) -> bool:
        """Whether it can be drawn in this format."""
        return kind.content != "captions" and (not kind.film or cls.moves())

    @classmethod
    def made_by(cls) -> str:
        """The engine that makes its files, by its name in ``grokviz.render.engine``."""
        return cls.engine

    @classmethod
    def check(cls, data: xr.Dataset) -> None:
        """Raise InputError unless ``data`` has the variables and the clock of this scene."""
        schema.check(data, cls.needs)
        if cls.clock is not None and cls.clock not in data.coords:
            raise InputError(
                f"{cls.name} moves along {cls.clock}, which the dataset does not have: "
                f"{schema.dimensions().get(cls.clock, 'add it as a coordinate')}"
            )

    @classmethod
    def options(cls) -> dict[str, dict[str, Any]]:
        """Each option's default, allowed values and help, for ``--help`` and ``scenes --json``."""
        return {
            key: {"default": row.default, "type": row.kind.allowed, "help": row.help}
            for key, row in options_of(cls).items()
        }

    @classmethod
    def with_options(cls, given: Mapping[str, Any] | None = None) -> Scene:
        """The scene with these options; text is read as the option's type.

        Raises :class:`InputError` for an unknown option or a value that is not allowed.
        """
        return read_options(cls, given, cls.name)

    def changed_options(self) -> dict[str, Any]:
        """The options that differ from their defaults, for provenance."""
        return changed(self)


def drawing_of(scene: Scene, figure: FigureBase, data: xr.Dataset) -> Drawing:
    """The picture of a scene on a Figure or SubFigure.

    Raises:
        InputError: a scene whose ``draw`` returns no :class:`Drawing`.

    """
    drawing = scene.draw(figure, data)
    if not isinstance(drawing, Drawing) or hasattr(scene, "update"):
        raise InputError(
            f"{scene.name}: draw must return Drawing(moving=[...], update=...) of grokviz.scene, "
            "where update(i) is a function inside draw; it takes the place of the dict of artists "
            "and of the method update(artists, data, i)"
        )
    return drawing
