"""What networks learn: a package a task, with everything that is special to it.

Here belong a task's settings, recipes, data, problem and measures, and ``any``, which is true of
every run. Nothing outside a task's package and its scenes names the task.
"""
