"""The folder that what is computed may keep files in, where whoever has it computed provides one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory

_folder: ContextVar[Path | None] = ContextVar("workspace", default=None)


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Provide a folder for what is computed inside ``with``."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


@contextmanager
def workspace() -> Iterator[Path]:
    """The folder that is provided, or a temporary one, which is gone afterwards."""
    folder = _folder.get()
    if folder is not None:
        yield folder
        return
    with TemporaryDirectory(prefix="mlxc-") as temporary:
        yield Path(temporary)
