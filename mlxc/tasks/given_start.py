"""The ground state from which a task starts, where whoever has it computed has one already. Imports no torch at load.

The state lies in the folder of the run, see :mod:`mlxc.utils.workspace`. It only shortens the way: what starts from it
is converged all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mlxc.utils.stages import stage
from mlxc.utils.workspace import workspace

if TYPE_CHECKING:
    from mlxc.kohn_sham.saved_state import SavedState

START_FILE = "start.h5"
# Told as a stage, so that the records of a run say where its ground state comes from.
TAKING_OVER = "Taking over the ground state of an earlier run with the same settings"


def origin_in_words(stages: Iterable[Mapping[str, Any]]) -> str:
    """Where the ground state of a run comes from, in a sentence; empty if the run has computed it from nothing.

    Args:
        stages: What the run has told of its stages.
    """
    taken = any(record["words"] == TAKING_OVER for record in stages)
    return "The ground state is that of an earlier run with the same settings." if taken else ""


def given_start() -> tuple[SavedState, ...]:
    """The state that lies in the workspace, which is used up; nothing where there is none.

    Raises:
        InputError: its file is damaged.
    """
    from mlxc.kohn_sham.saved_state import SavedState

    with workspace() as folder:
        path = folder / START_FILE
        if not path.exists():
            return ()
        stage(TAKING_OVER)
        state = SavedState.load(path)
        path.unlink()
        return (state,)
