"""Digit addition (arXiv:2301.05217, other tasks)."""
