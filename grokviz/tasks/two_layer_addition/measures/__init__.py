"""Measures of two-layer networks."""
