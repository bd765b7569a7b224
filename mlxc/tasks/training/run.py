"""Compute a training: in the folder of its run, told step by step, and controlled from outside."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlxc.console.record_table import Tell
from mlxc.errors import InputError, MlxcError, RunStoppedError
from mlxc.kohn_sham.monitor import AdjointRecord, Monitor
from mlxc.tasks.training.control import Control
from mlxc.tasks.training.presentation import ADJOINT, PAUSED, START, STEP, overfitted_in_words
from mlxc.tasks.training.task import CHECKPOINT_FILE, FOLDER, TrainingTask
from mlxc.training.config import TrainingConfig
from mlxc.training.portrait import RS, S, alphas_of, known_portraits, portrait
from mlxc.training.trainer import BEST, MODEL, Trainer, metric_name
from mlxc.utils.full_disk import NO_ROOM, is_full_disk, make_room
from mlxc.utils.stages import stage
from mlxc.utils.workspace import workspace
from mlxc.xc.checkpoints.record import CheckpointRecord

PAUSE_SECONDS = 0.1
KEPT = "its best functional is kept. Make room, and train on from it."


@dataclass(frozen=True)
class TrainingResult:
    """What a training has come to.

    Attributes:
        task: The task.
        record: The record of the checkpoint.
        trouble: Why it has ended before its time; empty if it has not.
        steps: The number of steps in all rounds.
        last_step: The number of the last step of the last round.
        kept_step: The number of the step of that round whose functional is kept, larger than that of the last step
            where this step has led to it; None where that is not known.
        before: The mean absolute errors before the first step, by the names that the record's metrics have.
        portrait: What the functional looks like, see :func:`~mlxc.training.portrait.portrait`.
        seconds: The time that it took.
    """

    task: TrainingTask
    record: CheckpointRecord
    trouble: str
    steps: int
    last_step: int
    kept_step: int | None
    before: dict[str, float]
    portrait: dict[str, Any]
    seconds: float

    @property
    def converged(self) -> bool:
        """Whether it has not diverged."""
        return not self.trouble

    @property
    def message(self) -> str:
        """What there is to doubt of it; empty if there is nothing."""
        return " ".join(filter(None, [self.trouble, overfitted_in_words(self.record.metrics)]))

    def summary(self) -> dict[str, Any]:
        """The result as plain data."""
        return {
            "converged": self.converged,
            "message": self.message,
            "name": self.record.name,
            "start": self.task.config.start_in_words,
            "steps": self.steps,
            "last_step": self.last_step,
            "kept_step": self.kept_step,
            "metrics": self.record.metrics,
            "metrics_before": self.before,
            **self.portrait,
            "checkpoint": CHECKPOINT_FILE,
            "record": self.record.model_dump(mode="json"),
            "seconds": self.seconds,
        }


@dataclass
class _Watcher:
    """Tells steps, and asks before each what is wanted.

    Attributes:
        folder: The folder of the run.
        tell: The channel of the records.
        config: The configuration.
        steps: How many steps there have been.
        last: The number of the last one in its round.
        before: The mean absolute errors before the first step.
    """

    folder: Path
    tell: Tell
    config: TrainingConfig
    steps: int = 0
    last: int = 0
    before: dict[str, float] = field(default_factory=dict)
    _rate: float | None = field(default=None)

    def on_step(self, record: dict[str, Any]) -> None:
        if not self.steps:
            self.before = mean_errors(record.get("errors", {}), self.config)
        self.steps += 1
        self.last = record["step"]
        most = self.config.optimiser.steps
        done = (record["round"] * most + record["step"] + 1) / (most * self.config.rounds)
        self.tell({"kind": STEP, **record, "most_steps": most, "done": done})

    def on_adjoint(self, solid: str, record: AdjointRecord) -> None:
        self.tell({"kind": ADJOINT, "solid": solid, **record.to_dict()})

    def new_rate(self, round: int, step: int) -> float | None:
        """Wait as long as the training is paused, then say which other step size is wanted, once."""
        wanted = Control.read(self.folder)
        if wanted.paused:
            self.tell({"kind": PAUSED, "round": round, "step": step})
        while wanted.paused:
            time.sleep(PAUSE_SECONDS)
            stop_file = self.folder / "stop"
            if stop_file.exists():
                self.tell({"kind": PAUSED, "round": round, "step": step})
            wanted = Control.read(self.folder)
        changed, self._rate = wanted.rate != self._rate, wanted.rate
        return wanted.rate if changed else None


def run_training(task: TrainingTask, monitor: Monitor | None, tell: Tell) -> TrainingResult:
    """Train; a training that is stopped leaves the best functional so far in its folder.

    Args:
        task: The task.
        monitor: Not asked: a training has many self-consistent fields, and tells them as stages.
        tell: A function that is told each record; it may stop the training.

    Raises:
        InputError: the configuration names something that is not there.
        RunStoppedError: somebody has stopped it.
    """
    started = time.perf_counter()
    stage("Reading the densities")
    with workspace() as folder:
        watcher, own = _Watcher(folder, tell, task.config), folder / FOLDER
        trainer = Trainer(task.config, own, watcher.on_step, watcher.new_rate, watcher.on_adjoint)
        tell(_start(task, trainer))
        try:
            record = trainer.run()
            shutil.copyfile(own / MODEL, folder / CHECKPOINT_FILE)
        except RunStoppedError:
            _keep(trainer, own / BEST, folder)
            raise
        except (OSError, InputError) as error:
            if not is_full_disk(error):
                raise
            make_room(folder)
            _keep(trainer, own / BEST, folder)
            raise MlxcError(f"{NO_ROOM} The training has ended after {watcher.steps} steps; {KEPT}") from error
    seconds = time.perf_counter() - started
    return TrainingResult(
        task=task,
        record=record,
        trouble=trainer.message,
        steps=watcher.steps,
        last_step=watcher.last,
        kept_step=trainer.kept_step,
        before=watcher.before,
        portrait=portrait(trainer.functional),
        seconds=seconds,
    )


def mean_errors(errors: Mapping[str, Mapping[str, float]], config: TrainingConfig) -> dict[str, float]:
    """The mean absolute errors of each list of solids, by the names that a checkpoint's record gives them.

    Args:
        errors: The errors by solid and quantity, as a step tells them.
        config: What is learned from which solids.
    """
    lists = {"training": config.train, "validation": config.validate_on, "test": config.test}
    found = {}
    for label, names in lists.items():
        for target in config.targets:
            own = [abs(error) for name in names if (error := errors.get(name, {}).get(target.quantity)) is not None]
            if own:
                found[metric_name(label, target.quantity)] = sum(own) / len(own)
    return found


def _keep(trainer: Trainer, best: Path, folder: Path) -> None:
    """Leave the best functional so far where the end of a training would have left its own."""
    trainer.keep()
    best.replace(folder / CHECKPOINT_FILE)


def _start(task: TrainingTask, trainer: Trainer) -> dict[str, Any]:
    """The record that says what the steps will be drawn beside."""
    return {
        "kind": START,
        "steps": task.config.optimiser.steps,
        "rounds": task.config.rounds,
        "rs": RS,
        "s": list(S),
        "alphas": list(alphas_of(trainer.functional)),
        "known": known_portraits(trainer.functional),
        **portrait(trainer.functional),
    }
