"""The log of a training run: JSON lines, and events for TensorBoard where tensorboardX is installed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlxc.training.optimisation import StepReport
from mlxc.training.progress import Progress
from mlxc.utils.json_lines import read_json_lines, write_json_lines

if TYPE_CHECKING:
    from mlxc.utils.tensorboard import TensorBoardEvents

LOG = "log.jsonl"


class TrainingLog:
    """Writes one record for each step.

    Args:
        folder: The folder of the run.
        on_step: A function that is told each record too.
        start: The round and step at which the run goes on; what a killed run wrote from there on is dropped.
    """

    def __init__(self, folder: Path, on_step: Callable[[dict[str, Any]], None] | None, start: tuple[int, int]) -> None:
        path = folder / LOG
        kept = [record for record in read_json_lines(path) if _place(record) < start]
        write_json_lines(path, kept)
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self._on_step = on_step
        self._written = len(kept)
        self._events = _events(folder / "tensorboard")

    def write(self, progress: Progress, report: StepReport) -> None:
        """Write one step: its losses, every solid's errors, the norms of parameters' gradients, and what the functional
        looks like, where the step began. A loss that is not a finite number is null.
        """
        losses = {"loss": report.loss, "validation_loss": float(report.judged.loss.detach())}
        if "test" in report.assessments:
            losses["test_loss"] = float(report.assessments["test"].loss.detach())
        scalars = {name: value for name, value in losses.items() if math.isfinite(value)}
        record = {
            "round": progress.round,
            "step": progress.step,
            **dict.fromkeys(losses),
            **scalars,
            "errors": {name: errors for found in report.assessments.values() for name, errors in found.errors.items()},
            "skipped": progress.skipped,
            "rate": report.rate,
            "best_step": progress.best_step,
            "gradient_norms": report.gradient_norms,
            **report.portrait,
        }
        self._file.write(json.dumps(record) + "\n")
        if self._on_step is not None:
            self._on_step(record)
        if self._events is not None:
            scalars["gradient_norm"] = math.hypot(*report.gradient_norms.values())
            self._events.write(self._written, scalars)
        self._written += 1

    def close(self) -> None:
        """Close the files; nothing more will be written."""
        self._file.close()
        if self._events is not None:
            self._events.close()


def _place(record: dict[str, Any]) -> tuple[float, float]:
    """Round and step; what is no record of a step comes after all others."""
    return record.get("round", math.inf), record.get("step", math.inf)


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The records of all steps of a run."""
    return read_json_lines(folder / LOG)


def _events(folder: Path) -> TensorBoardEvents | None:
    try:
        from mlxc.utils.tensorboard import TensorBoardEvents
    except ImportError:
        return None
    return TensorBoardEvents(folder)
