"""Measures of one checkpoint of modular addition, and of the whole run."""
