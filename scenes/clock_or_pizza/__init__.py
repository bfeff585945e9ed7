"""Scenes of clocks, pizzas and tori."""
