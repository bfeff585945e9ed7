"""Measures of every run, whatever its task: curves, events, spikes; every tensor, and its path."""

from grokviz.task import ANY, Task

TASK = Task(name=ANY, package=__name__, measures=(".measures",))
