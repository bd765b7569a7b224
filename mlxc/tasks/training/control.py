"""Pause, go on, another rate: what a person wants of a training while it runs, in a file of its folder.

The training reads the file between two steps. Imports no torch.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

from mlxc.errors import InputError
from mlxc.tasks.training.task import CONTROL_FILE
from mlxc.utils.replacing import replacing


@dataclass(frozen=True)
class Control:
    """What is wanted.

    Attributes:
        paused: Whether the training waits before its next step.
        rate: Another step size; None for that of the configuration.
    """

    paused: bool = False
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and not (isfinite(self.rate) and self.rate > 0):
            raise InputError(f"rate: {self.rate:g} is not allowed: give a positive number.")

    @classmethod
    def read(cls, folder: Path) -> Control:
        """What a person wants of the training in a folder; nothing where nobody has said so."""
        try:
            return cls(**json.loads((folder / CONTROL_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()

    def write(self, folder: Path) -> None:
        """Tell the training in a folder."""
        with replacing(folder / CONTROL_FILE) as temporary:
            temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")
