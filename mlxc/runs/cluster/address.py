"""Which cluster computes the runs of a page, and what is said of it. Imports no torch and no Dask."""

from __future__ import annotations

import os

SCHEDULER_VARIABLE = "MLXC_SCHEDULER"


def scheduler_address() -> str | None:
    """The address of the Dask scheduler whose workers compute runs; None where this machine does."""
    return os.environ.get(SCHEDULER_VARIABLE) or None


def ready_words(address: str) -> str:
    """What a person reads before a run that a cluster will compute."""
    return f"Ready to run on the Dask cluster at {address}."


def where_words(worker: str) -> str:
    """The machine on which a run is computed, in a phrase, from the address of a worker."""
    return f"on {_short(worker).rpartition(':')[0]}"


def lost_words(worker: str) -> str:
    """What a person reads when a worker has died and no other one has taken its run yet."""
    return f"Worker {_short(worker)} was lost; the run begins again as soon as another one is free."


def restart_words(lost: str, worker: str) -> str:
    """What a person reads of a run that has begun again, from the addresses of the workers."""
    return f"Worker {_short(lost)} was lost, and the run began again on {_short(worker)}."


def _short(address: str) -> str:
    return address.rpartition("://")[-1]
