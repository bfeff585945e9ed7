"""Draw the control frames of all films anew: ``python tests/films/renew.py [FILM]...``."""

from __future__ import annotations

import sys

from films_helper import CONTROL, FILMS, control_file, control_frames, drawn
from PIL import Image


def main(names: list[str]) -> None:
    """Write a control frame for each section of each film."""
    CONTROL.mkdir(exist_ok=True)
    for name in names or list(FILMS):
        for old in CONTROL.glob(f"{name}-*.png"):
            old.unlink()
        for section, frame in control_frames(drawn(name)).items():
            # means of the colours: else a palette alone takes up the test's tolerance
            picture = Image.fromarray(frame).quantize(256, kmeans=4, dither=Image.Dither.NONE)
            picture.save(control_file(name, section), optimize=True)
            print(control_file(name, section))


if __name__ == "__main__":
    main(sys.argv[1:])
