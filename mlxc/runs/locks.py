"""Locks that end with the process that holds them, and places for a limited number of computations at once."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlxc.errors import InputError

SLOTS_VARIABLE = "MLXC_MAX_RUNS"
WAIT_SECONDS = 0.5


def slot_count() -> int:
    """How many runs are computed at once: ``$MLXC_MAX_RUNS``, or one for each two processors.

    Raises:
        InputError: the variable is no positive whole number.
    """
    given = os.environ.get(SLOTS_VARIABLE)
    if given is None:
        return max(1, (os.cpu_count() or 1) // 2)
    if not given.isdigit() or int(given) < 1:
        raise InputError(f"{SLOTS_VARIABLE}: {given!r} is not allowed: give a whole number of at least 1.")
    return int(given)


@contextmanager
def lock(path: Path) -> Iterator[bool]:
    """Hold the lock on a file, and say whether that worked: only one process can."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


@contextmanager
def slot(directory: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold one of the places in ``directory``.

    Args:
        directory: The directory, one for all processes that are counted together.
        waiting: A function that is called again and again as long as all places are taken; what it raises ends the
            waiting.
    """
    directory.mkdir(exist_ok=True)
    while True:
        for number in range(slot_count()):
            with lock(directory / str(number)) as mine:
                if mine:
                    yield
                    return
        waiting()
        time.sleep(WAIT_SECONDS)
