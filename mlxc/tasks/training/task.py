"""A functional that learns from solids, as plain data. Imports no torch."""

from __future__ import annotations

from mlxc.tasks.task import Task
from mlxc.training.config import TrainingConfig

# In the folder of the run: the functional that it has come to, and what somebody wants of it meanwhile.
CHECKPOINT_FILE = "model.safetensors"
CONTROL_FILE = "control.json"


class TrainingTask(Task):
    """A training.

    Attributes:
        config: Where it begins, what it learns from, and how.
    """

    config: TrainingConfig
