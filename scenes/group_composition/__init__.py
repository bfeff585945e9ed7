"""Figures of networks that compose the elements of a group."""
