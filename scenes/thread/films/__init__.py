"""The manim scenes of the films beside this folder; only manim imports them."""
