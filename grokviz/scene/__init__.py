"""The contract of a scene, and what scenes draw with.

Here belong the bases of scenes and of manim films, clocks, the style of a medium, panels and
grids. No scene lies here, nothing here writes a file, and nothing knows a task.

**To write a scene**: copy a file of ``scenes/``. A scene is a frozen dataclass whose fields
are its options; it names the dataset variables it needs, draws itself once on a Figure or
SubFigure, and returns a Drawing, which moves what moves. From that one definition come stills,
films, slides and pages.
"""

from grokviz.options import option
from grokviz.scene.claim import Claim
from grokviz.scene.drawing import Drawing
from grokviz.scene.scene import Scene
from grokviz.scene.style import Style, drawing_in, style

__all__ = ["Claim", "Drawing", "Scene", "Style", "drawing_in", "option", "style"]
