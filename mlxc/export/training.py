"""The files of a training: the functional that it has come to, and the configuration that trains it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from mlxc.export.settings import settings_of
from mlxc.runs.folder import RunFolder
from mlxc.tasks.files import with_files_beside
from mlxc.tasks.task import AnyTask, main_part
from mlxc.tasks.training.presentation import STEP
from mlxc.tasks.training.task import CHECKPOINT_FILE, TrainingTask, trained_checkpoint

# What ``mlxc train`` reads.
CONFIGURATION_FILE = "training.yaml"


def checkpoint_file(folder: RunFolder) -> dict[str, str | Path]:
    """The functional of a training that has ended, or been stopped; nothing of other runs."""
    path = trained_checkpoint(folder.path)
    return {} if path is None else {CHECKPOINT_FILE: path}


def configuration_file(folder: RunFolder) -> dict[str, str | Path]:
    """What ``mlxc train`` takes to come to the same functional; nothing of other runs."""
    task = task_as_it_happened(folder)
    if not isinstance(task, TrainingTask):
        return {}
    settings = with_files_beside(main_part(settings_of(task)))
    return {CONFIGURATION_FILE: yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)}


def task_as_it_happened(folder: RunFolder) -> AnyTask:
    """The task of a run; of a training, whose rate a person may have changed, the one that comes to the same
    functional.
    """
    task = folder.task
    if not isinstance(task, TrainingTask):
        return task
    steps = [record for record in folder.records()[0] if record["kind"] == STEP]
    return as_it_happened(task, steps, folder.status["state"] == "stopped")


def as_it_happened(task: TrainingTask, steps: Sequence[dict[str, Any]], stopped: bool) -> TrainingTask:
    """The task with the rates that its steps had, and no more steps than there were.

    Args:
        task: The task.
        steps: The records of its steps.
        stopped: Whether somebody has stopped it.
    """
    if not steps:
        return task
    data = task.model_dump(mode="json")
    optimiser = data["config"]["optimiser"]
    optimiser["rate_changes"] = _rate_changes(steps, optimiser["rate"])
    if stopped:
        data["config"]["rounds"] = steps[-1]["round"] + 1
        # Where the last step began was looked at; where it led to was not.
        optimiser["steps"] = max(1, steps[-1]["step"])
    return TrainingTask.from_dict(data)


def _rate_changes(steps: Sequence[dict[str, Any]], rate: float) -> list[dict[str, Any]]:
    changes, round_, now = [], 0, rate
    for step in steps:
        if step["round"] != round_:
            round_, now = step["round"], rate
        if step["rate"] != now:
            now = step["rate"]
            changes.append({"round": round_, "step": step["step"], "rate": now})
    return changes
