"""A run of the same settings whose ground state another run may take over. Imports no torch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.runs.cluster.address import scheduler_address
from mlxc.runs.folder import RunFolder
from mlxc.tasks.given_start import START_FILE
from mlxc.tasks.kinds import required_calculation
from mlxc.tasks.task import AnyTask, CrystalTask

# As many runs are looked through, the latest ones.
LOOKED_THROUGH = 50
# What does not change which state is the ground state: what is told beside it, and how far it is converged, which
# whoever starts from it does again.
OF_NO_ACCOUNT = {"uncertainty", "tolerance", "max_iterations"}


def with_ground_state(calculation: Calculation, runs: Iterable[RunFolder]) -> RunFolder | None:
    """The first of some runs that has computed the ground state of a calculation; None if none has.

    Where a cluster computes there is none: its workers do not see the folders of this machine.
    """
    if scheduler_address() is not None:
        return None
    wanted = _settings(calculation)
    for folder in islice(runs, LOOKED_THROUGH):
        if not folder.ground_state_path.exists() or folder.structure != wanted["structure"]:
            continue
        if folder.status["state"] != "finished":
            continue
        with suppress(InputError):  # of another version
            if _keeps_its_ground_state(folder.task) and _settings(required_calculation(folder.task)) == wanted:
                return folder
    return None


def _settings(calculation: Calculation) -> dict[str, Any]:
    return calculation.model_dump(mode="json", exclude=OF_NO_ACCOUNT)


def _keeps_its_ground_state(task: AnyTask) -> bool:
    """Whether the state of a task is that of the calculation that it is about."""
    return isinstance(task, Calculation) or (isinstance(task, CrystalTask) and task.is_about_one_state)


def hand_over(earlier: RunFolder, folder: RunFolder) -> None:
    """Let a run that has not begun start from the ground state of another one."""
    start = folder.path / START_FILE
    try:
        os.link(earlier.ground_state_path, start)
    except OSError:  # such as between two file systems
        shutil.copyfile(earlier.ground_state_path, start)
