"""Independent computations on local processes or on a Dask cluster, in the order in which they finish."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, TypeVar

from mlxc.errors import InputError, MlxcError

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Where:
    """Where independent computations go.

    Attributes:
        processes: The number of local processes, with one thread each if there are several.
        scheduler: The address of a Dask scheduler whose workers compute instead.
    """

    processes: int = 1
    scheduler: str | None = None


HERE = Where()
# How often Dask computes a job again whose worker has died.
RETRIES = 3


def finished(
    compute: Callable[[Job], Result], jobs: Sequence[Job], processes: int = 1, scheduler: str | None = None
) -> Iterator[Result]:
    """What a function makes of each job, as it arrives.

    Args:
        compute: The function, which another process can import.
        jobs: Its arguments, which another process can unpickle.
        processes: The number of local processes, with one thread each if there are several.
        scheduler: The address of a Dask scheduler whose workers compute instead.

    Raises:
        InputError: the scheduler does not answer, or Dask is not installed.
        MlxcError: the function has raised one, or a worker has died, which is raised after all other results.
    """
    if not jobs:
        return
    with _executor(compute, processes, scheduler) as submit:
        futures: list[Future[Result]] = []
        death: Exception | None = None
        try:
            for job in jobs:
                futures.append(submit(job))
        except BrokenExecutor as error:
            death = error
        for future in _arrived(futures, scheduler):
            try:
                yield future.result()
            except MlxcError:
                raise
            except Exception as error:
                death = error
        if death is not None:
            raise MlxcError(
                f"A worker ended before its result was there ({type(death).__name__}); run it again."
            ) from death


@contextmanager
def _executor(compute: Callable[[Job], Result], processes: int, scheduler: str | None) -> Iterator[Any]:
    if scheduler is not None:
        with dask_client(scheduler) as client:
            yield lambda job: client.submit(compute, job, pure=False, retries=RETRIES)
        return
    threads = 1 if processes > 1 else (os.cpu_count() or 1)
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin_worker, initargs=(threads,))
    try:
        yield lambda job: pool.submit(compute, job)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker(threads: int) -> None:
    import torch

    # Ctrl-C ends a worker in the midst of its job, and silently.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(threads)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker would go on, and then wait for ever, if the process that gives it work is killed."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def dask_client(address: str) -> Any:
    """A client of a Dask scheduler.

    Raises:
        InputError: the scheduler does not answer, or Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--scheduler needs Dask: pip install 'mlxc[train]'.") from None
    try:
        return Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise InputError(f"No Dask scheduler answers at {address!r} ({type(error).__name__}).") from None


def worker_count(address: str) -> int:
    """How many workers a Dask scheduler has.

    Raises:
        InputError: the scheduler does not answer, or Dask is not installed.
    """
    with dask_client(address) as client:
        return len(workers_of(client))


def workers_of(client: Any) -> list[str]:
    """The addresses of the workers that a client's scheduler has."""
    # What the client knows of itself may at any moment be what it asks for its own purposes, without workers.
    return list(client.nthreads())


def _arrived(futures: list[Future[Result]], scheduler: str | None) -> Iterator[Any]:
    if scheduler is None or not futures:
        return as_completed(futures)
    from distributed import as_completed as dask_as_completed

    arrived: Iterator[Any] = dask_as_completed(futures)
    return arrived
