"""Locks that end with the process that holds them, and places for a limited number of computations at once.

Who finds all places taken stands in line: its number is a file in the folder ``line``, locked for as long as its
process waits. Places are given in this order.
"""

from __future__ import annotations

import fcntl
import os
import threading
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
def slot(directory: Path, name: str, waiting: Callable[[int, list[str]], None]) -> Iterator[None]:
    """Hold one of the places in ``directory``.

    Args:
        directory: The directory, one for all processes that are counted together.
        name: What holds the place, for those that wait.
        waiting: A function that is called again and again as long as it is somebody else's turn, with the number in
            line, 1 for the next one, and the names of what holds the places; what it raises ends the waiting.
    """
    directory.mkdir(exist_ok=True)
    with _number(directory / "line") as mine:
        while True:
            before = _waiting_before(mine)
            if before == 0:
                for place in range(slot_count()):
                    path = directory / str(place)
                    with lock(path) as free:
                        if free:
                            path.write_text(name, encoding="utf-8")
                            mine.unlink(missing_ok=True)
                            yield
                            return
            waiting(before + 1, _holders(directory))
            time.sleep(WAIT_SECONDS)


@contextmanager
def _number(line: Path) -> Iterator[Path]:
    """Stand in line, behind all that are there."""
    line.mkdir(exist_ok=True)
    name = f"{time.time_ns():020d}-{os.getpid()}-{threading.get_ident()}"
    # It is locked before it has a name by which others see it, or they would take it for one that was left behind.
    hidden, mine = line / f".{name}", line / name
    with lock(hidden):
        hidden.rename(mine)
        try:
            yield mine
        finally:
            mine.unlink(missing_ok=True)


def _waiting_before(mine: Path) -> int:
    """How many have come before; what was left behind by processes that are gone is cleared away."""
    count = 0
    for path in sorted(mine.parent.glob("[0-9]*")):
        if path.name >= mine.name:
            break
        with lock(path) as left_behind:
            if left_behind:
                path.unlink(missing_ok=True)
            else:
                count += 1
    return count


def _holders(directory: Path) -> list[str]:
    """What holds the places at present."""
    found = []
    for place in range(slot_count()):
        path = directory / str(place)
        with lock(path) as free:
            if not free:
                found.append(path.read_text(encoding="utf-8"))
    return [name for name in found if name]
