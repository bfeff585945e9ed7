"""The manim scenes of the films in the parent folder; only manim imports them."""
