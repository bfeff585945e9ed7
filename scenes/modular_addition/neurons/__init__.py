"""Attention and neurons over the pairs (a, b)."""
