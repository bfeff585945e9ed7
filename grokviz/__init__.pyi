"""The public verbs and their types, for editors and type checkers; see ``__init__.py``."""

from grokviz.dataset.cache import analyze as analyze
from grokviz.dataset.measured import measures as measures
from grokviz.dataset.references.reference import load as load
from grokviz.dataset.references.reference import reference as reference
from grokviz.dataset.references.reference import references as references
from grokviz.errors import GrokvizError as GrokvizError
from grokviz.errors import InputError as InputError
from grokviz.errors import WorkError as WorkError
from grokviz.explorer import explore as explore
from grokviz.importers.importing import import_run as import_run
from grokviz.media.theme import theme as theme
from grokviz.notebook.show import show as show
from grokviz.options import option as option
from grokviz.render.figures import figures as figures
from grokviz.render.listing import check as check
from grokviz.render.listing import list_scenes as list_scenes
from grokviz.render.listing import schema as schema
from grokviz.render.render import render as render
from grokviz.runs import Run as Run
from grokviz.runs import open_run as open_run
from grokviz.scene import Claim as Claim
from grokviz.scene import Drawing as Drawing
from grokviz.scene import Scene as Scene
from grokviz.scene import drawing_in as drawing_in
from grokviz.scene.registry import scene as scene
from grokviz.slides import slides as slides
from grokviz.task import recipe as recipe
from grokviz.training.loop import train as train
from grokviz.training.record import record as record
from grokviz.training.sweep import sweep as sweep

__version__: str
