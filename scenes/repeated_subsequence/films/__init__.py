"""The manim scenes of the films of repeated subsequences."""
