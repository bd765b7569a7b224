"""Leave the processor to other sessions of a machine for a while."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Linux shares processors out between sessions by the last number in this file, up to 19 for those who come last. With
# this one a session has a quarter of the time where another one wants all of it: browsers are fluent, and the runs of
# other people on the same server do not stop it.
_OF_SESSION = Path("/proc/self/autogroup")
_POLITENESS = 5
# Linux refuses a change that comes sooner after the last one on the machine, seconds, which may be another process's.
_BETWEEN, _TRIES = 0.15, 10


@contextmanager
def giving_way() -> Iterator[None]:
    """Let other sessions come first during what is inside ``with``.

    It is for a process that leads a session of its own; in any other one, in one that lets others come first already,
    and where there is no such thing, nothing changes.
    """
    before = _politeness()
    if before is None or before >= _POLITENESS or os.getsid(0) != os.getpid() or not _set(_POLITENESS):
        yield
        return
    began = time.monotonic()
    try:
        yield
    finally:
        time.sleep(max(0.0, began + _BETWEEN - time.monotonic()))
        for _ in range(_TRIES):
            if _set(before):
                break
            time.sleep(_BETWEEN)


def _politeness() -> int | None:
    try:
        return int(_OF_SESSION.read_text().split()[-1])
    except (OSError, ValueError, IndexError):
        return None


def _set(politeness: int) -> bool:
    try:
        _OF_SESSION.write_text(str(politeness))
    except OSError:
        return False
    return True
