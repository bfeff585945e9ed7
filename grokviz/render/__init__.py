"""Scenes and datasets in, files out.

Here belong what can be asked of a picture, the plan of its files, the engines that draw them
(matplotlib, and manim in ``films``), the pictures of a page, and sets of figures. How a scene
looks is the scene's own affair; how a file is encoded is :mod:`grokviz.media`'s.
"""
