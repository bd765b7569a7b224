"""Equations of state of many solids with several functionals, on local processes or a cluster, in any order.

Each result is appended to a file when it arrives, and what is in the file is not computed again: a sweep that is
interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from mlxc.errors import InputError, MlxcError
from mlxc.training.json_lines import read_json_lines, write_json_lines
from mlxc.training.solids import Solid
from mlxc.xc.catalogue import check_name, checkpoint_of
from mlxc.xc.expression import split_sum

RESULTS = "results.jsonl"

Record = dict[str, Any]
Submit = Callable[["Job"], "Future[Record]"]


@dataclass(frozen=True)
class Job:
    """One solid with one functional.

    Attributes:
        solid: to compute.
        xc: name of the functional.
        identity: of what would be computed: a checkpoint that has changed makes another one.
    """

    solid: Solid
    xc: str
    identity: str


def evaluate(
    solids: Sequence[Solid],
    functionals: Sequence[str],
    folder: Path,
    *,
    processes: int = 1,
    scheduler: str | None = None,
    on_result: Callable[[Record], None] | None = None,
) -> list[Record]:
    """Compute what is missing, and return the records of all solids and functionals.

    Args:
        solids: to compute.
        functionals: names.
        folder: for ``results.jsonl``.
        processes: local ones, with one thread each if there are several.
        scheduler: address of a Dask scheduler whose workers compute instead.
        on_result: told each record when it is there.

    Raises:
        InputError: a functional is not known, or the scheduler does not answer.
    """
    jobs = [job for xc in functionals for job in _jobs(solids, xc)]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RESULTS
    known = {record["identity"]: record for record in read_json_lines(path)}
    write_json_lines(path, list(known.values()))
    missing = [job for job in jobs if job.identity not in known]
    with _executor(processes, scheduler, len(missing)) as submit, path.open("a", encoding="utf-8", buffering=1) as file:
        for record in _finished([submit(job) for job in missing], scheduler):
            file.write(json.dumps(record) + "\n")
            known[record["identity"]] = record
            if on_result is not None:
                on_result(record)
    return [known[job.identity] for job in jobs]


def _jobs(solids: Sequence[Solid], xc: str) -> Iterator[Job]:
    check_name(xc)
    hashes = [record.content_hash for _, name in split_sum(xc) if (record := checkpoint_of(name)) is not None]
    for solid in solids:
        described = [solid.name, solid.crystal.to_dict(), solid.settings, xc, hashes]
        yield Job(solid, xc, json.dumps(described, sort_keys=True))


def compute(job: Job) -> Record:
    """The record of one solid with one functional; a failure is part of it."""
    from mlxc.properties.birch_murnaghan import FitError
    from mlxc.training.curve import SolidError, compute_curve
    from mlxc.xc.catalogue import functional

    started = time.perf_counter()
    record: Record = {"identity": job.identity, "solid": job.solid.name, "xc": job.xc, "message": ""}
    record |= {"references": job.solid.references}
    try:
        curve = compute_curve(job.solid, job.xc)
        predicted = curve.predictions(functional(job.xc))
        record |= {name: float(value.detach()) for name, value in predicted.items()}
    except (SolidError, FitError, InputError) as error:
        record["message"] = str(error)
    return record | {"seconds": time.perf_counter() - started}


@contextmanager
def _executor(processes: int, scheduler: str | None, count: int) -> Iterator[Submit]:
    if count == 0:
        yield _submit_nothing
    elif scheduler is not None:
        with _dask_client(scheduler) as client:
            yield lambda job: client.submit(compute, job, pure=False, retries=3)
    else:
        threads = 1 if processes > 1 else (os.cpu_count() or 1)
        context = get_context("spawn")
        with ProcessPoolExecutor(processes, context, initializer=_use_threads, initargs=(threads,)) as pool:
            yield lambda job: pool.submit(compute, job)


def _submit_nothing(job: Job) -> Future[Record]:
    raise AssertionError("nothing was missing")


def _use_threads(count: int) -> None:
    import torch

    torch.set_num_threads(count)


def _dask_client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--scheduler needs Dask: pip install 'mlxc[train]'.") from None
    try:
        return Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise InputError(f"No Dask scheduler answers at {address!r} ({type(error).__name__}).") from None


def _finished(futures: list[Future[Record]], scheduler: str | None) -> Iterator[Record]:
    """Results as they arrive."""
    if scheduler is not None and futures:
        from distributed import as_completed as dask_as_completed

        arrived: Iterator[Any] = dask_as_completed(futures)
    else:
        arrived = as_completed(futures)
    for future in arrived:
        try:
            yield future.result()
        except MlxcError:
            raise
        except Exception as error:
            kind = type(error).__name__
            raise MlxcError(f"A worker ended before its result was there ({kind}); run it again.") from error
