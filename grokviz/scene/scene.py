"""The contract of a scene.

A scene is a small frozen dataclass. Its fields are the options a user may set; its class
attributes say what it is and what it needs; ``draw`` builds it once, and what it returns, a
:class:`~grokviz.scene.drawing.Drawing`, moves it.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from grokviz.dataset import schema
from grokviz.dataset.references.reference import DEFAULT
from grokviz.errors import InputError
from grokviz.options import changed, options_of, read_options
from grokviz.scene.clock import is_time
from grokviz.scene.drawing import Drawing
from grokviz.scene.phases import horizon
from grokviz.scene.style import NARROW
from grokviz.task import published_recipe

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import FigureBase

    from grokviz.media.formats import Format

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Scene:
    """Base of every scene drawn with matplotlib.

    Class attributes:
        name: what a user types, such as ``embedding-waves``.
        title: the sentence that the picture argues; ``heading`` says what holds where it does not.
        watch: what to watch, in one line; the subtitle of slides and films.
        source: the tweet or paper figure it redraws.
        needs: names of the dataset variables it draws.
        recipe, reference: what trains such a run, and the bundled one it is drawn from.
        clock: the dataset dimension that its film moves along, or None for a still.
        aspect, narrow_aspect: width over height on paper, wide and in a narrow column.
        aspects: the two where an option has some value: by option and value.
        stills: epochs that ``grokviz figures`` draws.
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
    needs: ClassVar[tuple[str, ...]] = ()
    recipe: ClassVar[str] = DEFAULT
    reference: ClassVar[str] = DEFAULT
    engine: ClassVar[str] = "matplotlib"
    clock: ClassVar[str | None] = "epoch"
    aspect: ClassVar[float] = 2.2
    narrow_aspect: ClassVar[float] = 0.9
    aspects: ClassVar[Mapping[str, Mapping[Any, tuple[float, float]]]] = {}
    stills: ClassVar[tuple[str, ...]] = ("last",)
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

    def variables(self) -> tuple[str, ...]:
        """What it draws with its options: ``needs``, and more where an option asks for it."""
        return self.needs

    def alt_text(self, data: xr.Dataset, i: int) -> str:
        """What the picture shows at clock index ``i``, from the data itself."""
        return f"{self.title}."

    def heading(self, data: xr.Dataset) -> str:
        """The sentence over a picture of this data: the title, where the data bears it out."""
        return self.title

    def lead(self, data: xr.Dataset) -> str:
        """What to watch; nothing where the data does not bear the title out."""
        return self.watch if self.heading(data) == self.title else ""

    def caption(self, data: xr.Dataset) -> str:
        """A suggested caption with its citation."""
        return f"{self.title}. After {self.source}."

    def subtitle(self, data: xr.Dataset) -> str:
        """What to watch, and on a second line of what recipe the run is a smaller sibling."""
        published = published_recipe(str(data.attrs.get("recipe", "")))
        sentences = [self.lead(data), f"smaller sibling of {published}" if published else ""]
        return "\n".join(words for words in sentences if words)

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

    def interactive(self, data: xr.Dataset) -> Any | None:
        """A plotly figure, which ``--format html`` then puts into its page; None without one.

        A page is made of every scene: of one without by a panel of the explorer, or of the
        pictures that it draws.
        """
        return None

    @classmethod
    def moves(cls) -> bool:
        """Whether there is a film of it."""
        return cls.clock is not None

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
