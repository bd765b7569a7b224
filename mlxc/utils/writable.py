"""Whether results can be written, found out before they are computed."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryFile


def is_writable_file(path: Path) -> bool:
    """Whether a file of this name can be made: it is no folder, and the folder that it belongs in takes files."""
    return not path.is_dir() and os.access(path.absolute().parent, os.W_OK)


def obstacle_to_writing(folder: Path) -> str | None:
    """Make a folder, and a file in it that is removed at once.

    Returns:
        what the system says against it, such as ``Permission denied``; None if the folder can be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)
