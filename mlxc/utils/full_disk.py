"""What happens when a disk has no more room: it is said in a sentence, and what there is, is kept.

A sentence is a file too, so a little room is held back beforehand in the folder of what is computed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RESERVE_FILE = ".reserve"
# For a status, and a network.
RESERVE_BYTES = 2**20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_ROOM = "The disk is full: there is no more room for what is computed."


def is_full_disk(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised for, says that there is no more room on a disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def reserve(folder: Path) -> Iterator[None]:
    """Hold back some room in a folder, until :func:`make_room` or the end.

    Raises:
        OSError: there is no room.
    """
    path = folder / RESERVE_FILE
    try:
        # Written, for a hole takes no room; and given to the disk, which may else find out later.
        with path.open("wb") as file:
            file.write(os.urandom(RESERVE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        yield
    finally:
        make_room(folder)


def make_room(folder: Path) -> None:
    """Give back the room that was held back in a folder."""
    (folder / RESERVE_FILE).unlink(missing_ok=True)
