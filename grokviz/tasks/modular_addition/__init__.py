"""Modular addition (arXiv:2301.05217): data, weights, and every measure of its algorithm."""
