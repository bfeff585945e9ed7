"""Scenes of digit addition."""
