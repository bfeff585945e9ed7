"""From a run to a labelled dataset: the schema, the one pass over checkpoints, the cache.

Here belong what every task's measures share, bundled references and families of runs. The
measures themselves lie with their task, and nothing here draws or trains.
"""
