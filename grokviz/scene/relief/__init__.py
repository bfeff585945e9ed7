"""Lit surfaces in three dimensions, drawn in numpy and put into a figure as pixels.

Here belong heights on a grid, how light falls on them, how they are seen, and how a sheet is
bent. What the heights mean, and what is written beside them, belongs to the scenes.
"""

from grokviz.scene.relief.bending import Bend, bent
from grokviz.scene.relief.camera import Camera, View, between, fitted
from grokviz.scene.relief.heights import cells, eased, in_turn, interpolated, percentile_scale
from grokviz.scene.relief.light import Light, Shade, Surface, lit, occlusion, shadow
from grokviz.scene.relief.painting import Grid, Quads, finer, painted, quads, skirt
from grokviz.scene.relief.panel import ReliefPanel
from grokviz.scene.relief.shuffling import Sheet, Slices, slices

__all__ = [
    "Bend",
    "Camera",
    "Grid",
    "Light",
    "Quads",
    "ReliefPanel",
    "Shade",
    "Sheet",
    "Slices",
    "Surface",
    "View",
    "bent",
    "between",
    "cells",
    "eased",
    "finer",
    "fitted",
    "in_turn",
    "interpolated",
    "lit",
    "occlusion",
    "painted",
    "percentile_scale",
    "quads",
    "shadow",
    "skirt",
    "slices",
]
