"""The tasks that networks learn: one package per task, with everything specific to it.

A task's package holds its settings, recipes, data, problem and measures; ``any`` holds the
measures of every run. Nothing outside a task's package and its scenes names the task.
"""
