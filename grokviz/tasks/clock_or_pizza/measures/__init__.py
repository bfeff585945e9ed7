"""Measures of clocks, pizzas and tori."""
