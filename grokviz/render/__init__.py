"""Scenes and datasets in, files out.

Here belong planning a picture, the engines that draw it (matplotlib, and manim in ``films``),
and sets of figures. How a scene looks is the scene's own affair; how a file is encoded is
:mod:`grokviz.media`'s.
"""
