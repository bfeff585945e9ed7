"""How a dataset is built: the pass over a run's checkpoints, and the values kept beside the run.

Here belong what takes measures, notes what they read of a run and keeps their values. What a
measure is lies in the package above, and what is measured with the tasks.
"""
