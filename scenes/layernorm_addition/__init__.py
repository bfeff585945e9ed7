"""Scenes of races of optimisers."""
