"""Scenes of repeated subsequences: induction heads."""
