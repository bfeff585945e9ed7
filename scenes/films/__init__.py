"""The manim scenes of the films, one file a film; their specifications lie one folder above."""
