"""Ground states that the workers of a Dask cluster compute, several at the same time.

What comes back of a state is the file that it would be saved in: it can be looked at and started from, and knows no
functional any more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.kohn_sham.saved_state import SavedState
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.utils.job_pool import finished


def states_elsewhere(calculations: Sequence[Calculation], scheduler: str) -> Iterator[tuple[int, SavedState]]:
    """Compute ground states, each from free atoms, in the order in which they finish.

    Args:
        calculations: What to compute.
        scheduler: The address of a Dask scheduler.

    Yields:
        the number of each calculation, counted from 0, and its state.

    Raises:
        InputError: the scheduler does not answer, or something cannot be computed.
        MlxcError: a worker died again and again.
    """
    for index, content in finished(_compute, [*enumerate(calculations)], scheduler=scheduler):
        yield index, state_from_bytes(content)


def _compute(job: tuple[int, Calculation]) -> tuple[int, bytes]:
    index, calculation = job
    return index, bytes_of_state(run_calculation(calculation))


def bytes_of_state(state: SolvedState) -> bytes:
    """The file that a state is saved in."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.h5")
        state.save(path)
        return path.read_bytes()


def state_from_bytes(content: bytes) -> SavedState:
    """The state in such a file.

    Raises:
        InputError: it is no such file.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.h5")
        path.write_bytes(content)
        return SavedState.load(path)
