"""A functional that learns from solids, as plain data. Imports no torch."""

from __future__ import annotations

from pathlib import Path

from mlxc.tasks.task import Task
from mlxc.training.config import TrainingConfig

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


def trained_checkpoint(folder: Path) -> Path | None:
    """The functional that the training in the folder of a run has come to.

    One whose process was ended while densities converged has the functional of its last round; None if it has none.
    """
    whole = folder / CHECKPOINT_FILE
    rounds = sorted((folder / FOLDER).glob(ROUND_FILES), key=lambda path: int(path.stem.split("-")[1]))
    return whole if whole.exists() else next(reversed(rounds), None)
