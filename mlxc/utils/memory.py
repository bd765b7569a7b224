"""Memory that a process has freed and the machine can have."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Give the machine what is free: the C library keeps it for this process, which may never want so much again.

    Only that of GNU does so, and can be asked.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
