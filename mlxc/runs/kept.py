"""The runs that are kept in the runs directory. Imports no torch."""

from __future__ import annotations

import os

from mlxc.errors import InputError
from mlxc.runs.folder import TASK_FILE, RunFolder, runs_directory

# Set where a server has many visitors: each of them sees what was made in his own browser only.
SHARED_VARIABLE = "MLXC_SHARED"


def is_shared() -> bool:
    """Whether many visitors use the runs directory who do not see each other's runs and files."""
    return SHARED_VARIABLE in os.environ


def kept_runs() -> list[RunFolder]:
    """All runs, the newest first."""
    names = sorted((path.parent.name for path in runs_directory().glob(f"*/{TASK_FILE}")), reverse=True)
    return [RunFolder(runs_directory() / name) for name in names]


def find_run(name: str) -> RunFolder:
    """The run in the folder of this name; a path that leads elsewhere is no name.

    Raises:
        InputError: there is no such run.
    """
    folder = RunFolder(runs_directory() / name)
    if folder.path.parent != runs_directory() or not (folder.path / TASK_FILE).is_file():
        raise InputError(f"There is no run '{name}' any more.")
    return folder
