"""Worker processes: the only package that starts any.

Each backend is a :class:`concurrent.futures.Executor`: a :class:`Pool` of processes on this
machine, or the workers of a Dask scheduler (:func:`cluster`). Running tasks and their submitter
exchange messages on a :class:`Board`. No other part of grokviz imports ``subprocess``,
``multiprocessing``, loky or Dask.
"""

from __future__ import annotations

from grokviz.parallel.board import Board, FolderBoard
from grokviz.parallel.errors import NoWorker, ProcessFailed, WorkerDied
from grokviz.parallel.pool import Pool
from grokviz.parallel.process import check_jobs, cores, in_worker
from grokviz.parallel.scheduler import Cluster, cluster

__all__ = [
    "Board",
    "Cluster",
    "FolderBoard",
    "NoWorker",
    "Pool",
    "ProcessFailed",
    "WorkerDied",
    "check_jobs",
    "cluster",
    "cores",
    "in_worker",
]
