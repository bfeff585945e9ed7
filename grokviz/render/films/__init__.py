"""The manim engine: films drawn once, kept without loss, encoded for every format."""
