"""What every run has, whatever it learns: curves, events, spikes, norms, the weights' path."""

from grokviz.task import ANY, Task

TASK = Task(name=ANY, package=__name__, measures=(".measures",))
