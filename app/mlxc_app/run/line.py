"""The runs of a page that have not ended, in the order of their turns."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from mlxc.runs.client import stop_run
from mlxc.runs.folder import ENDED, RunFolder
from mlxc.tasks.kinds import kind_of
from mlxc.tasks.task import AnyTask

# Two presses of a button within this time are one: the second press of a double click.
MOMENT_SECONDS = 1.0


@dataclass(frozen=True)
class WaitingRun:
    """A run whose turn has not come.

    Attributes:
        name: The name of its folder.
        title: What a person called it.
        number: Its number in line, 1 for the next one.
        behind: The title of the run that comes before it.
    """

    name: str
    title: str
    number: int
    behind: str

    @property
    def words(self) -> str:
        """What it waits for, in a sentence."""
        return f"Number {self.number} in line, behind “{self.behind}”."


class Line:
    """The line of one page: the run that is computed, and behind it those that wait.

    Attributes:
        folders: Their folders.
    """

    def __init__(self) -> None:
        self.folders: list[RunFolder] = []
        self._joined: tuple[RunFolder, float] | None = None

    @property
    def waiting(self) -> tuple[WaitingRun, ...]:
        """Those behind the one that is computed."""
        return tuple(
            WaitingRun(folder.path.name, folder.title, number, before.title)
            for number, (before, folder) in enumerate(pairwise(self.folders), start=1)
        )

    def place_of(self, folder: RunFolder) -> str:
        """What a run waits for, in a sentence; empty if it is none that waits."""
        return next((entry.words for entry in self.waiting if entry.name == folder.path.name), "")

    def beginning_of(self, folder: RunFolder, earlier: RunFolder | None) -> str:
        """What a person should know of a run that has joined: whether it waits, and from which state it starts."""
        place = f"“{folder.title}” waits. {self.place_of(folder)}" if self.place_of(folder) else ""
        start = f"It starts from the ground state of “{earlier.title}”, of the same settings." if earlier else ""
        return f"{place} {start}".strip()

    def take_up(self, folders: Iterable[RunFolder]) -> None:
        """Put runs that have begun elsewhere before those that joined here; the one that is computed comes first."""
        runs = [folder for folder in folders if is_pending(folder)]
        runs.sort(key=lambda folder: folder.status["state"] != "running")
        self.folders = [*runs, *(folder for folder in self.folders if folder not in runs)]

    def join(self, folder: RunFolder) -> None:
        """Put a run behind all others."""
        self.folders.append(folder)
        self._joined = folder, time.monotonic()

    def look(self) -> list[RunFolder]:
        """Let those go that have ended or are not there any more; returns those that stood in line before."""
        before = self.folders
        self.folders = [folder for folder in before if is_pending(folder)]
        return before

    def same(self, task: AnyTask, title: str) -> RunFolder | None:
        """The run that does what is asked for once more: one in line, or the one that was asked for a moment ago.

        Args:
            task: What is asked for.
            title: What it is called.
        """
        in_line = [folder for folder in self.folders if is_pending(folder) and not folder.stop_requested]
        wanted = kind_of(task).name, title, task.model_dump(mode="json")
        for folder in [*in_line, *self._of_this_moment()]:
            # What it is called is read first: a whole task takes longer.
            if (folder.kind, folder.title) == wanted[:2] and folder.task.model_dump(mode="json") == wanted[2]:
                return folder
        return None

    def empty(self, shown: RunFolder | None, *, spare_first: bool) -> None:
        """Compute none of them.

        Args:
            shown: The run that the page shows, see :func:`take_out`.
            spare_first: Whether the run that is computed may come to its end.
        """
        # From the end, so that no other one begins meanwhile.
        for folder in reversed(self.folders[1:] if spare_first else self.folders):
            if not is_pending(folder):
                continue
            if folder.status["state"] == "queued":
                take_out(folder, shown)
            else:
                stop_run(folder)

    def _of_this_moment(self) -> list[RunFolder]:
        """The run that joined a moment ago, if it has come to its end since."""
        if self._joined is None or time.monotonic() - self._joined[1] > MOMENT_SECONDS:
            return []
        folder = self._joined[0]
        return [folder] if folder.exists and folder.status["state"] == "finished" else []


def take_out(folder: RunFolder, shown: RunFolder | None) -> None:
    """Delete a run that waits; one that is shown is stopped and stays, as long as somebody looks at it.

    Raises:
        InputError: it is not there any more, or its turn has come.
    """
    if folder == shown and folder.status["state"] == "queued":
        stop_run(folder)
    else:
        folder.delete()


def is_pending(folder: RunFolder) -> bool:
    """Whether a run is there and has not ended."""
    return folder.exists and folder.status["state"] not in ENDED


def what_it_does(folder: RunFolder) -> str:
    """What a run that was asked for once more is doing."""
    state = folder.status["state"]
    if state in ENDED:
        return "has just been computed"
    return "is in line already" if state == "queued" else "is being computed already"
