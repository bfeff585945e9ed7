"""Films drawn with manim: the engine that renders them and the toolkit they are made with.

Nothing in this package but ``draw``, ``writing``, ``shapes`` and ``toolkit`` needs manim, and
those four are imported only where a film is drawn. docs/films.md shows how to write a film.
"""
