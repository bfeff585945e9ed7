"""Scenes of skip trigrams."""
