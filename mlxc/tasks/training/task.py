"""A functional that learns from solids, as plain data. Imports no torch."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.task import Task
from mlxc.training.config import TrainingConfig
from mlxc.utils.workspace import working_in

# In the folder of the run: the functional that it has come to, and what somebody wants of it meanwhile.
CHECKPOINT_FILE = "model.safetensors"
CONTROL_FILE = "control.json"
# Where the trainer keeps what it needs to go on, among it the functional at the end of each round.
FOLDER = "training"
ROUND_FILES = "round-*.safetensors"


class TrainingTask(Task):
    """A training.

    Attributes:
        config: Where it begins, what it learns from, and how.
    """

    config: TrainingConfig

    def run(self, monitor: Monitor | None = None, folder: Path | str | None = None) -> Any:
        """Train.

        Args:
            monitor: Not asked: a training has many self-consistent fields.
            folder: Where the functional is kept, as :data:`CHECKPOINT_FILE`, with what the training needs to go on; by
                default nowhere, so that only its record and its figures remain.

        Raises:
            InputError: the configuration names something that is not there.
        """
        if folder is not None:
            Path(folder).mkdir(parents=True, exist_ok=True)
        with nullcontext() if folder is None else working_in(Path(folder)):
            return self._compute(monitor)


def trained_checkpoint(folder: Path) -> Path | None:
    """The functional that the training in the folder of a run has come to.

    One whose process was ended while densities converged has the functional of its last round; None if it has none.
    """
    whole = folder / CHECKPOINT_FILE
    rounds = sorted((folder / FOLDER).glob(ROUND_FILES), key=lambda path: int(path.stem.split("-")[1]))
    return whole if whole.exists() else next(reversed(rounds), None)
