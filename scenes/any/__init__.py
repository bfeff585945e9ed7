"""Scenes of any run or of many runs, whatever they learn."""
