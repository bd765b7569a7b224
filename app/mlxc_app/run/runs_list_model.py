"""The runs that are kept, one line each: when, what, and what came of it."""

from __future__ import annotations

import io
import time
from contextlib import suppress
from typing import Any

from traitlets import Bool, HasTraits, Tuple, observe

from mlxc.export.reopening import open_archive
from mlxc.runs.folder import TASK_FILE, RunFolder
from mlxc.runs.kept import find_run, is_shared, kept_runs
from mlxc.tasks.kinds import KINDS, title_of
from mlxc.tasks.task import AnyTask
from mlxc_app.run.model import RunModel

SHOWN = 100


def visible_runs(owner: str) -> list[RunFolder]:
    """The runs that this visitor may see, the newest first."""
    return [folder for folder in kept_runs() if not is_shared() or folder.owner == owner]


class RunsListModel(HasTraits):
    """Lists the runs as long as somebody looks, and does with them what a person asks for.

    Attributes:
        shown: Whether somebody looks.
        entries: A dictionary for each run, the newest first: as strings ``name`` of the folder, ``when``, ``title``,
            ``kind``, ``state``, ``outcome`` and ``size``, as a number the ``bytes`` of its files.
    """

    shown = Bool(False)
    entries = Tuple()

    def __init__(self, run: RunModel) -> None:
        super().__init__()
        self._run = run
        # A run that has not changed is not read again: (times of its files, entry).
        self._known: dict[RunFolder, tuple[tuple[float, float], dict[str, Any]]] = {}

    @observe("shown")
    def refresh(self, change: Any = None) -> None:
        """Look at the runs directory again, if somebody looks."""
        if self.shown:
            folders = visible_runs(self._run.owner)[:SHOWN]
            self._known = {folder: self._look_at(folder) for folder in folders}
            self.entries = tuple(entry for _, entry in self._known.values())

    def open(self, name: str) -> None:
        """Show a run in the panels.

        Raises:
            InputError: it is not there any more, or its folder is damaged.
        """
        self._run.open(find_run(name))

    def open_archive(self, file_name: str, content: bytes) -> None:
        """Show the run of an archive, which becomes one of the runs that are kept.

        Raises:
            InputError: it is no archive of a run.
        """
        self._run.open(open_archive(io.BytesIO(content), file_name, owner=self._run.owner))
        self.refresh()

    def rename(self, name: str, title: str) -> None:
        """Call a run something else.

        Raises:
            InputError: it is not there any more, or the title cannot be used.
        """
        folder = find_run(name)
        folder.rename(title)
        if folder == self._run.folder:
            self._run.title = folder.title
        self.refresh()

    def delete(self, name: str) -> None:
        """Delete a run with all its files.

        Raises:
            InputError: it is not there any more, or it is being computed.
        """
        find_run(name).delete()
        self.refresh()

    def task(self, name: str) -> AnyTask:
        """The task of a run.

        Raises:
            InputError: it is not there any more, or its folder is damaged.
        """
        return find_run(name).task

    def _look_at(self, folder: RunFolder) -> tuple[tuple[float, float], dict[str, Any]]:
        times = _changed(folder, TASK_FILE), _changed(folder, "status.json")
        known = self._known.get(folder)
        # A process that dies leaves its run's files as they were.
        if known is not None and known[0] == times and known[1]["state"] not in ("queued", "running"):
            return known
        status = folder.status
        started = time.localtime(status.get("started", times[0]))
        size = _size(folder)
        entry = {
            "name": folder.path.name,
            "when": time.strftime("%Y-%m-%d %H:%M", started),
            "title": folder.title,
            "kind": title_of(folder.kind),
            "state": status["state"],
            "outcome": _outcome(folder),
            "size": _in_words(size),
            "bytes": size,
        }
        return times, entry


def _changed(folder: RunFolder, name: str) -> float:
    with suppress(OSError):
        return (folder.path / name).stat().st_mtime
    return 0.0


def _size(folder: RunFolder) -> int:
    """Bytes of all files; none of a folder that is being deleted."""
    with suppress(OSError):
        return sum(file.stat().st_size for file in folder.path.iterdir())
    return 0


def _in_words(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def _outcome(folder: RunFolder) -> str:
    """The number that a run was made for; empty for kinds that are not installed."""
    return KINDS[folder.kind].outcome(folder.result or {}) if folder.kind in KINDS else ""
