"""An executor on the workers of a Dask scheduler, on any machines."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from grokviz.errors import InputError, MissingExtra
from grokviz.parallel.board import SchedulerBoard

CONNECT_SECONDS = 10
"""Seconds after which an address counts as unreachable."""

log = logging.getLogger(__name__)


class Cluster:
    """The workers of a Dask scheduler, and a board that they share with this process."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.executor: Executor = client.get_executor(pure=False)
        self.board = SchedulerBoard(f"grokviz-{secrets.token_hex(8)}", client)

    def has_file(self, file: Path) -> bool:
        """Whether the file exists for every connected worker; False if none is connected."""
        name = str(file)
        results = self._client.run(lambda: os.path.exists(name))  # noqa: PTH110
        return bool(results) and all(results.values())


@contextlib.contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """Connect to the cluster whose scheduler listens at ``address``, as ``tcp://host:8786``.

    If a worker dies, its task is retried on another one; after the fourth death the task's
    future raises.

    Raises:
        InputError: dask.distributed is not installed, nothing answers at the address, or a
            worker there does not run this version of grokviz.

    """
    client = _connect(address)
    workers = Cluster(client)
    with _logging_disabled():
        try:
            _check_workers(client, address)
            yield workers
        finally:
            workers.board.close()
            client.close(timeout=2)


@contextlib.contextmanager
def _logging_disabled() -> Iterator[None]:
    """Suppress the traceback that Dask logs if its scheduler disappears."""
    loggers = [logging.getLogger(f"distributed.{name}") for name in ("client", "core", "utils")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _connect(address: str) -> Any:
    """A client of the scheduler; raises :class:`InputError` if none answers."""
    try:
        from distributed import Client, Security
        from distributed.comm import get_address_host_port, normalize_address
    except ImportError as error:
        raise MissingExtra("--scheduler", "cluster") from error
    try:
        # a client with an address it cannot connect to would hang when it is deleted
        get_address_host_port(normalize_address(address))
        tls_context = Security().get_connection_args("client").get("ssl_context")
        if address.startswith(("tls:", "wss:")) and tls_context is None:
            raise ValueError("Dask has no certificates")
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address}; give the address that dask scheduler prints, "
            "such as tcp://host:8786, or leave --scheduler out to work on this machine"
        ) from error


def _check_workers(client: Any, address: str) -> None:
    """Raise InputError unless every connected worker runs this version of grokviz."""
    from grokviz import __version__

    def version() -> str | None:
        # pickled with its code, because the worker may have no grokviz to import
        try:
            import grokviz
        except ImportError:
            return None
        return grokviz.__version__

    versions = client.run(version)
    if not versions:
        log.warning("the scheduler at %s has no workers yet; waiting for them", address)
    for worker, installed in versions.items():
        if installed != __version__:
            has = f"has grokviz {installed}" if installed else "has no grokviz"
            raise InputError(
                f"the worker {worker} of {address} {has}; install grokviz[train,cluster] "
                f"{__version__} there"
            )
