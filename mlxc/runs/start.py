"""A run of the same settings whose ground state another run may take over. Imports no torch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.runs.cluster.address import scheduler_address
from mlxc.runs.folder import RunFolder
from mlxc.tasks.bands.kind import BANDS
from mlxc.tasks.given_start import START_FILE
from mlxc.tasks.kinds import required_calculation
from mlxc.tasks.scf.kind import SCF

# The kinds whose state is that of the calculation that they are about.
GROUND_STATES = (SCF.name, BANDS.name)
# As many runs are looked through, the latest ones.
LOOKED_THROUGH = 50
# What is told beside a ground state, and does not change it.
TOLD_BESIDE = {"uncertainty"}


def with_ground_state(calculation: Calculation, runs: Iterable[RunFolder]) -> RunFolder | None:
    """The first of some runs that has computed the ground state of a calculation; None if none has.

    Where a cluster computes there is none: its workers do not see the folders of this machine.
    """
    if scheduler_address() is not None:
        return None
    wanted = calculation.model_dump(mode="json", exclude=TOLD_BESIDE)
    for folder in islice(runs, LOOKED_THROUGH):
        if not (folder.kind in GROUND_STATES and folder.ground_state_path.exists()):
            continue
        if folder.structure != wanted["structure"] or folder.status["state"] != "finished":
            continue
        with suppress(InputError):  # of another version
            if required_calculation(folder.task).model_dump(mode="json", exclude=TOLD_BESIDE) == wanted:
                return folder
    return None


def hand_over(earlier: RunFolder, folder: RunFolder) -> None:
    """Let a run that has not begun start from the ground state of another one."""
    start = folder.path / START_FILE
    try:
        os.link(earlier.ground_state_path, start)
    except OSError:  # such as between two file systems
        shutil.copyfile(earlier.ground_state_path, start)
