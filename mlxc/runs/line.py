"""The line in which runs wait for a worker, whoever has put them there. Imports no torch.

A run stands in line as an empty file, named by the time at which it came, by its owner and by its folder; it leaves
the line when it has ended, not when it begins, so a run whose worker dies before it has begun is taken by another one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mlxc.runs.cluster.address import scheduler_address
from mlxc.runs.folder import ENDED, RunFolder
from mlxc.runs.locks import slot_count

WORKERS = "workers"
SLOTS = "slots"


@dataclass(frozen=True)
class Line:
    """The line of one runs directory. Of each owner one run is computed at a time, and nobody waits for more than that.

    Attributes:
        directory: The runs directory.
        code: The code with which its runs are to be computed, see :func:`~mlxc.runs.code.code_name`.
    """

    directory: Path
    code: str

    @property
    def home(self) -> Path:
        """The folder of the line and of the workers that serve it."""
        return self.directory / WORKERS / self.code

    def join(self, folder: RunFolder) -> None:
        """Put a run of the directory at the end of the line."""
        self._path.mkdir(parents=True, exist_ok=True)
        owner = sha256(folder.owner.encode()).hexdigest()[:16]
        (self._path / f"{time.time_ns():020d}_{owner}_{folder.path.name}").touch()

    def leave(self, folder: RunFolder) -> None:
        """Take a run out of the line."""
        for ticket in self._path.glob(f"[0-9]*_*_{folder.path.name}"):
            ticket.unlink(missing_ok=True)

    def first(self) -> list[RunFolder]:
        """The run of each owner that is computed, or that is the next one, in the order in which their turns come."""
        found: dict[str, RunFolder] = {}
        for ticket in sorted(self._path.glob("[0-9]*_*_*")):
            _, owner, name = ticket.name.split("_", 2)
            found.setdefault(owner, RunFolder(self.directory / name))
        return list(found.values())

    def take_over(self, other: Line) -> None:
        """Let those that stand in another line stand in this one."""
        self._path.mkdir(parents=True, exist_ok=True)
        for ticket in other._path.glob("[0-9]*_*_*"):
            ticket.rename(self._path / ticket.name)

    def clear(self) -> None:
        """Let those leave that have ended or are not there any more."""
        for folder in self.first():
            if not folder.exists or folder.status["state"] in ENDED:
                self.leave(folder)

    def words(self, folder: RunFolder) -> str:
        """What a run waits for, in a sentence; empty if it comes next of all, or after another one of its owner."""
        names = [path.read_text(encoding="utf-8") for path in (self.directory / SLOTS).glob("[0-9]*")]
        computed = [name for name in names if name and _is_computed(self.directory / name)]
        waiting = [run for run in self.first() if run.path.name not in computed]
        number = waiting.index(folder) + 1 if folder in waiting else 0
        return waiting_words(folder, number, computed) if number > slot_count() - len(computed) else ""

    @property
    def _path(self) -> Path:
        return self.home / "line"


def waiting_words(folder: RunFolder, number: int, holders: Sequence[str]) -> str:
    """What a run waits for, in a sentence: its number in line, and what this machine computes meanwhile.

    Args:
        folder: The run that waits.
        number: Its number in line, 1 for the next one.
        holders: The names of the folders of what is computed; titles are told to their owner only.
    """
    runs = [RunFolder(folder.path.parent / name) for name in holders]
    own = [f"“{run.title}”" for run in runs if folder.owner and run.owner == folder.owner]
    others = len(runs) - len(own)
    told = [*own, f"{others} other run{'s' if others > 1 else ''}"] if others else own
    computed = f"; now computed: {', '.join(told)}" if told else ""
    where = "on this machine" if scheduler_address() is None else "for the cluster"
    return f"Number {number} in line {where}{computed}."


def _is_computed(path: Path) -> bool:
    folder = RunFolder(path)
    return folder.exists and folder.status["state"] == "running"
