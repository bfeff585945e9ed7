"""Repeated subsequences (arXiv:2301.05217, other tasks)."""
